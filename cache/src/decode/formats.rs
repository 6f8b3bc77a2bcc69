//! The pixel formats of codecs other than ProRes: 8 bits a value, or 10 with half the colour rows; full range or not.

use ffmpeg_next::{color, format::Pixel, frame::Video};
use frame::Crop;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::{DecodeError, Range, part_of, reduce_to, samples};
use crate::picture::{GreyImage, Picture};

/// How colour is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chroma {
    Quarter,
    Half,
    Whole,
}

/// A frame in one of these formats.
pub(super) struct Other<'a> {
    frame: &'a Video,
    chroma: Chroma,
    /// `false` = 8 bits.
    is_deep: bool,
    /// Black is 0 and white the largest value.
    is_full: bool,
}

impl<'a> Other<'a> {
    /// `None` for a frame in a format of ProRes', or in one that is not served.
    pub(super) fn of(frame: &'a Video) -> Option<Self> {
        let (chroma, is_deep, is_j) = match frame.format() {
            Pixel::YUV420P => (Chroma::Quarter, false, false),
            Pixel::YUVJ420P => (Chroma::Quarter, false, true),
            Pixel::YUV422P => (Chroma::Half, false, false),
            Pixel::YUVJ422P => (Chroma::Half, false, true),
            Pixel::YUV444P => (Chroma::Whole, false, false),
            Pixel::YUVJ444P => (Chroma::Whole, false, true),
            Pixel::YUV420P10LE => (Chroma::Quarter, true, false),
            _ => return None,
        };
        Some(Self { frame, chroma, is_deep, is_full: is_j || frame.color_range() == color::Range::JPEG })
    }

    pub(super) fn grey(&self, crop: Crop, reduction: u32) -> GreyImage {
        let depth = if self.is_deep { 10 } else { 8 };
        let range = if self.is_full { Range::full(depth, reduction) } else { Range::new(depth, reduction) };
        let size = (crop.width, crop.height);
        if self.is_deep {
            let stride = self.frame.stride(0) / 2;
            return reduce_to(part_of(samples(self.frame, 0), stride, crop), stride, size, reduction, &range);
        }
        let stride = self.frame.stride(0);
        let wide: Vec<u16> = self.frame.data(0).iter().map(|value| u16::from(*value)).collect();
        reduce_to(part_of(&wide, stride, crop), stride, size, reduction, &range)
    }

    pub(super) fn rgb(&self, size: (u32, u32), matrix: YuvStandardMatrix) -> Result<Picture, DecodeError> {
        let (width, height) = size;
        let mut rgb = vec![0; width as usize * height as usize * 3];
        if self.is_deep {
            yuv::i010_to_rgb(&self.deep_image(size), &mut rgb, width * 3, self.range(), matrix)
        } else {
            let convert = match self.chroma {
                Chroma::Quarter => yuv::yuv420_to_rgb,
                Chroma::Half => yuv::yuv422_to_rgb,
                Chroma::Whole => yuv::yuv444_to_rgb,
            };
            convert(&self.image(size), &mut rgb, width * 3, self.range(), matrix)
        }
        .map_err(DecodeError::Colours)?;
        Ok(Picture { width, height, rgb })
    }

    /// Brightness as 16-bit samples, its stride in samples, its bits.
    pub(super) fn deep_luma(&self) -> Result<(&'a [u16], usize, u32), DecodeError> {
        self.check_deep()?;
        Ok((samples(self.frame, 0), self.frame.stride(0) / 2, 10))
    }

    pub(super) fn deep_rgb(
        &self,
        size: (u32, u32),
        data: &mut [u16],
        matrix: YuvStandardMatrix,
    ) -> Result<(), DecodeError> {
        self.check_deep()?;
        yuv::i010_to_rgb10(&self.deep_image(size), data, size.0 * 3, self.range(), matrix).map_err(DecodeError::Colours)
    }

    fn check_deep(&self) -> Result<(), DecodeError> {
        if self.is_deep { Ok(()) } else { Err(DecodeError::Depth { bits: 8 }) }
    }

    fn range(&self) -> YuvRange {
        if self.is_full { YuvRange::Full } else { YuvRange::Limited }
    }

    fn image(&self, (width, height): (u32, u32)) -> YuvPlanarImage<'a, u8> {
        let [y_stride, u_stride, v_stride] = [0, 1, 2].map(|plane| self.frame.stride(plane) as u32);
        let [y_plane, u_plane, v_plane] = [0, 1, 2].map(|plane| self.frame.data(plane));
        YuvPlanarImage { y_plane, y_stride, u_plane, u_stride, v_plane, v_stride, width, height }
    }

    fn deep_image(&self, (width, height): (u32, u32)) -> YuvPlanarImage<'a, u16> {
        let [y_stride, u_stride, v_stride] = [0, 1, 2].map(|plane| (self.frame.stride(plane) / 2) as u32);
        let [y_plane, u_plane, v_plane] = [0, 1, 2].map(|plane| samples(self.frame, plane));
        YuvPlanarImage { y_plane, y_stride, u_plane, u_stride, v_plane, v_stride, width, height }
    }
}
