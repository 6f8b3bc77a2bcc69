//! Pixels: a grey image and an RGB one, and how they are scaled.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use frame::OutputSize;

use crate::encode::EncodeError;

/// A grey image: `width * height` bytes, row by row, 0 = black, 255 = white.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GreyImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The pixels.
    pub data: Vec<u8>,
}

/// An RGB image: `width * height * 3` bytes, row by row, full range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The pixels.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Scaled to `size` by Lanczos' filter with three lobes.
    pub fn resized(self, size: OutputSize) -> Result<Self, EncodeError> {
        if (size.width, size.height) == (self.width, self.height) {
            return Ok(self);
        }
        let source = Image::from_vec_u8(self.width, self.height, self.rgb, PixelType::U8x3)?;
        let mut scaled = Image::new(size.width, size.height, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        Resizer::new().resize(&source, &mut scaled, &options)?;
        Ok(Self { width: size.width, height: size.height, rgb: scaled.into_vec() })
    }
}
