//! A frame of ProRes 422 as it comes out of the decoder, whose rows go straight into an answer: no picture in between.

use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::{DecodeError, Planes, Sampled, matrix_of, picture_of, with_frame};
use crate::{movie::Movie, picture::Picture};

/// A frame that is decoded, in the form that costs least.
pub(crate) enum Decoded<'a> {
    /// Colours in half as many columns as brightness; what nearly every frame is.
    Direct(Direct<'a>),
    /// Anything else.
    Picture(Picture),
}

/// In which order a pixel's values stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Rgb,
    Bgr,
    /// With 255 at the end.
    Rgba,
}

/// The planes of a frame.
pub(crate) struct Direct<'a> {
    pub width: u32,
    pub height: u32,
    planes: Planes<'a>,
    matrix: YuvStandardMatrix,
}

/// Decodes a packet and hands the frame to `use_frame`.
pub(crate) fn decoded<T>(
    movie: &Movie,
    packet: &[u8],
    use_frame: impl FnOnce(Decoded<'_>) -> T,
) -> Result<T, DecodeError> {
    with_frame(movie, packet, |frame| {
        let decoded = match frame {
            Sampled::Planes(planes) if !planes.is_444 => {
                let (width, height) = (movie.width(), movie.height());
                Decoded::Direct(Direct { width, height, planes, matrix: matrix_of(movie) })
            }
            other => Decoded::Picture(picture_of(movie, &other)?),
        };
        Ok(use_frame(decoded))
    })
}

impl Direct<'_> {
    /// Writes the rows from `first` on into `out`, as many as it has room for, in the colours [`super::rgb`] gives.
    pub fn rows(&self, order: Order, first: u32, out: &mut [u8]) -> Result<(), DecodeError> {
        let stride = self.width * if order == Order::Rgba { 4 } else { 3 };
        let height = (out.len() / stride.max(1) as usize) as u32;
        let image = self.planes.image(self.width, self.height);
        let from =
            |plane, stride: u32| -> &[u16] { <[u16]>::get(plane, (stride * first) as usize..).unwrap_or_default() };
        let part = YuvPlanarImage {
            y_plane: from(image.y_plane, image.y_stride),
            u_plane: from(image.u_plane, image.u_stride),
            v_plane: from(image.v_plane, image.v_stride),
            height,
            ..image
        };
        let convert = match (self.planes.depth, order) {
            (10, Order::Rgb) => yuv::i210_to_rgb,
            (10, Order::Bgr) => yuv::i210_to_bgr,
            (10, Order::Rgba) => yuv::i210_to_rgba,
            (_, Order::Rgb) => yuv::i212_to_rgb,
            (_, Order::Bgr) => yuv::i212_to_bgr,
            (_, Order::Rgba) => yuv::i212_to_rgba,
        };
        convert(&part, out, stride, YuvRange::Limited, self.matrix).map_err(DecodeError::Colours)
    }
}
