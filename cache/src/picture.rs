//! Pixels: a grey image and an RGB one, and how they are scaled.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use frame::{OutputSize, Scale};

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

    /// Reduced by whole squares of pixels, each to its mean; a rest at the right or the bottom is left out.
    pub fn reduced(self, scale: Scale) -> Result<Self, EncodeError> {
        let factor = scale.factor();
        if factor == 1 {
            return Ok(self);
        }
        let (width, height) = (self.width / factor, self.height / factor);
        let source = Image::from_vec_u8(self.width, self.height, self.rgb, PixelType::U8x3)?;
        let mut reduced = Image::new(width, height, PixelType::U8x3);
        let whole = (f64::from(width * factor), f64::from(height * factor));
        let options =
            ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Box)).crop(0.0, 0.0, whole.0, whole.1);
        Resizer::new().resize(&source, &mut reduced, &options)?;
        Ok(Self { width, height, rgb: reduced.into_vec() })
    }
}

impl GreyImage {
    /// The same in three equal channels.
    pub fn to_picture(&self) -> Picture {
        let rgb = self.data.iter().flat_map(|grey| [*grey; 3]).collect();
        Picture { width: self.width, height: self.height, rgb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reduced_pixel_is_the_mean_of_its_square_and_the_rest_is_left_out() {
        // Two squares of 2 x 2 and a column more.
        let row = |values: [u8; 5]| values.into_iter().flat_map(|value| [value, value / 2, 0]).collect::<Vec<u8>>();
        let rgb = [row([0, 40, 100, 100, 255]), row([80, 80, 100, 100, 255])].concat();
        let reduced = Picture { width: 5, height: 2, rgb }.reduced(Scale::new(2).unwrap()).unwrap();
        assert_eq!(reduced, Picture { width: 2, height: 1, rgb: vec![50, 25, 0, 100, 50, 0] });
    }
}
