//! Pixels: a grey image, an RGB one and one of more than 8 bits, and how they are cut and scaled.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use frame::{Crop, OutputSize, Scale};

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

/// An image of values of more than 8 bits: `width * height * channels` values, row by row, full range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// 1 (grey) or 3 (RGB).
    pub channels: u32,
    /// White is `2^bits - 1`.
    pub bits: u32,
    /// The values.
    pub data: Vec<u16>,
}

impl Picture {
    /// Only the part `crop`, which lies inside.
    #[must_use]
    pub fn cropped(self, crop: Crop) -> Self {
        let rgb = cut(&self.rgb, self.width as usize * 3, crop, 3);
        Self { width: crop.width, height: crop.height, rgb }
    }

    /// Scaled to `size` by Lanczos' filter with three lobes.
    pub fn resized(self, size: OutputSize) -> Result<Self, EncodeError> {
        if (size.width, size.height) == (self.width, self.height) {
            return Ok(self);
        }
        let source = Image::from_vec_u8(self.width, self.height, self.rgb, PixelType::U8x3)?;
        let rgb = convolved(&source, size, FilterType::Lanczos3, (self.width, self.height))?;
        Ok(Self { width: size.width, height: size.height, rgb })
    }

    /// Reduced by whole squares of pixels, each to its mean; a rest at the right or the bottom is left out.
    pub fn reduced(self, scale: Scale) -> Result<Self, EncodeError> {
        let factor = scale.factor();
        if factor == 1 {
            return Ok(self);
        }
        let (width, height) = (self.width / factor, self.height / factor);
        let source = Image::from_vec_u8(self.width, self.height, self.rgb, PixelType::U8x3)?;
        let whole = (width * factor, height * factor);
        let rgb = convolved(&source, OutputSize { width, height }, FilterType::Box, whole)?;
        Ok(Self { width, height, rgb })
    }
}

impl GreyImage {
    /// The same in three equal channels.
    pub fn to_picture(&self) -> Picture {
        let rgb = self.data.iter().flat_map(|grey| [*grey; 3]).collect();
        Picture { width: self.width, height: self.height, rgb }
    }
}

impl DeepImage {
    /// Only the part `crop`, which lies inside.
    #[must_use]
    pub fn cropped(self, crop: Crop) -> Self {
        let channels = self.channels as usize;
        let data = cut(&self.data, self.width as usize * channels, crop, channels);
        Self { width: crop.width, height: crop.height, data, ..self }
    }

    /// Scaled to `size` by Lanczos' filter, as [`Picture::resized`].
    pub fn resized(self, size: OutputSize) -> Result<Self, EncodeError> {
        let whole = (self.width, self.height);
        self.scaled(size, FilterType::Lanczos3, whole)
    }

    /// Reduced by whole squares of pixels, as [`Picture::reduced`].
    pub fn reduced(self, scale: Scale) -> Result<Self, EncodeError> {
        let factor = scale.factor();
        let size = OutputSize { width: self.width / factor, height: self.height / factor };
        self.scaled(size, FilterType::Box, (size.width * factor, size.height * factor))
    }

    fn scaled(self, size: OutputSize, filter: FilterType, whole: (u32, u32)) -> Result<Self, EncodeError> {
        if (size.width, size.height) == (self.width, self.height) {
            return Ok(self);
        }
        let kind = if self.channels == 1 { PixelType::U16 } else { PixelType::U16x3 };
        let bytes = self.data.iter().flat_map(|value| value.to_ne_bytes()).collect();
        let source = Image::from_vec_u8(self.width, self.height, bytes, kind)?;
        let bytes = convolved(&source, size, filter, whole)?;
        // The filter's lobes reach beyond white, and 10 bits have room there.
        let white = u16::try_from((1_u32 << self.bits) - 1).unwrap_or(u16::MAX);
        let data = bytes.as_chunks::<2>().0.iter().map(|value| u16::from_ne_bytes(*value).min(white)).collect();
        Ok(Self { width: size.width, height: size.height, data, ..self })
    }

    /// The same values in `bits` bits, the highest ones repeated below so that black and white stay black and white.
    #[must_use]
    pub fn in_bits(self, bits: u32) -> Self {
        let (from, to) = (self.bits, bits);
        let convert = |value: u16| match from.cmp(&to) {
            std::cmp::Ordering::Less => {
                let value = u32::from(value);
                (value << (to - from) | value >> (2 * from).saturating_sub(to)) as u16
            }
            std::cmp::Ordering::Equal => value,
            std::cmp::Ordering::Greater => value >> (from - to),
        };
        Self { bits, data: self.data.into_iter().map(convert).collect(), ..self }
    }
}

/// The rows and columns of `crop` out of rows of `stride` values.
fn cut<T: Copy>(data: &[T], stride: usize, crop: Crop, channels: usize) -> Vec<T> {
    let (start, length) = (crop.x as usize * channels, crop.width as usize * channels);
    let rows = data.chunks_exact(stride.max(1)).skip(crop.y as usize).take(crop.height as usize);
    rows.flat_map(|row| row.get(start..start + length).unwrap_or_default()).copied().collect()
}

/// The first `whole` pixels of `source`, filtered to `size`.
fn convolved(source: &Image, size: OutputSize, filter: FilterType, whole: (u32, u32)) -> Result<Vec<u8>, EncodeError> {
    let mut scaled = Image::new(size.width, size.height, source.pixel_type());
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(0.0, 0.0, whole.0.into(), whole.1.into());
    Resizer::new().resize(source, &mut scaled, &options)?;
    Ok(scaled.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_is_the_rows_and_columns_it_names() {
        let rgb = (0..24).collect();
        let picture = Picture { width: 4, height: 2, rgb }.cropped(Crop { x: 1, y: 1, width: 2, height: 1 });
        assert_eq!(picture, Picture { width: 2, height: 1, rgb: (15..21).collect() });
    }

    #[test]
    fn more_bits_keep_black_and_white_and_fewer_give_the_values_back() {
        let deep = DeepImage { width: 3, height: 1, channels: 1, bits: 10, data: vec![0, 513, 1023] };
        let wide = deep.clone().in_bits(16);
        assert_eq!(wide.data, [0, 513 << 6 | 513 >> 4, 65535]);
        assert_eq!(wide.in_bits(10), deep);
        assert_eq!(deep.clone().in_bits(12).in_bits(10), deep);
    }

    #[test]
    fn deep_pixels_are_reduced_to_their_mean() {
        let data = [[0_u16, 400, 9], [800, 800, 9]].concat();
        let deep = DeepImage { width: 3, height: 2, channels: 1, bits: 10, data };
        let reduced = deep.reduced(Scale::new(2).unwrap()).unwrap();
        assert_eq!((reduced.width, reduced.height, reduced.data), (1, 1, vec![500]));
    }

    #[test]
    fn a_reduced_pixel_is_the_mean_of_its_square_and_the_rest_is_left_out() {
        // Two squares of 2 x 2 and a column more.
        let row = |values: [u8; 5]| values.into_iter().flat_map(|value| [value, value / 2, 0]).collect::<Vec<u8>>();
        let rgb = [row([0, 40, 100, 100, 255]), row([80, 80, 100, 100, 255])].concat();
        let reduced = Picture { width: 5, height: 2, rgb }.reduced(Scale::new(2).unwrap()).unwrap();
        assert_eq!(reduced, Picture { width: 2, height: 1, rgb: vec![50, 25, 0, 100, 50, 0] });
    }
}
