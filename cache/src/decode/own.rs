//! Whole frames of ProRes 422 by the crate `prores`: FFmpeg's samples, in less time.

use std::{
    num::NonZero,
    sync::{LazyLock, Mutex, PoisonError},
};

use prores::{Chroma, Planes};
use quicktime::FourCc;

use super::{DecodeError, Format, Planes as Samples, matrix_of, rgb_of_planes, with_video};
use crate::{movie::Movie, picture::Picture};

/// Planes of larger frames are not kept for another one.
const MAX_KEPT_PIXELS: u32 = 3840 * 2160;
/// So many are kept: one for each core, since no more frames are decoded at once unless somebody asks for it.
static MAX_KEPT: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));

/// The last ones used, for whichever thread comes next: threads come and go, and each would hold its own.
static KEPT: Mutex<Vec<Planes>> = Mutex::new(Vec::new());

/// The samples of a packet; `None` where FFmpeg is to decode it, or to say why it cannot be.
pub(super) fn decoded(format: Format, packet: &[u8]) -> Option<Planes> {
    if !is_prores_422(format.codec) {
        return None;
    }
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut planes = kept.unwrap_or_default();
    let is_sound = prores::planes(packet, &mut planes).is_ok();
    if is_sound && (planes.width, planes.height) == (format.width, format.height) {
        return Some(planes);
    }
    keep(planes);
    None
}

/// Keeps planes for another frame.
pub(super) fn keep(planes: Planes) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < *MAX_KEPT && planes.width.saturating_mul(planes.height) <= MAX_KEPT_PIXELS {
        kept.push(planes);
    }
}

/// Whether a movie's packets are of ProRes 422.
pub(crate) fn is_prores_422(code: FourCc) -> bool {
    matches!(&code.0, b"apch" | b"apcn" | b"apcs" | b"apco")
}

/// A reduced frame's colours as a picture.
pub(crate) fn rgb_of(movie: &Movie, image: &prores::Colours) -> Result<Picture, DecodeError> {
    let (width, height) = (image.width, image.height);
    let is_444 = image.chroma == Chroma::Yuv444;
    let c_stride = if is_444 { width } else { width.div_ceil(2) } as usize;
    let (y, u, v) = (&image.y, &image.cb, &image.cr);
    let planes = Samples { y, u, v, y_stride: width as usize, c_stride, depth: 10, is_444 };
    rgb_of_planes(&planes, (width, height), matrix_of(movie))
}

/// Whether a packet has the same samples by FFmpeg, where both decode it: what the fuzz target of packets holds.
pub(crate) fn agrees_with_ffmpeg(movie: &Movie, packet: &[u8]) -> bool {
    let format = Format { codec: movie.codec(), width: movie.width(), height: movie.height() };
    let Some(planes) = decoded(format, packet) else { return true };
    let own = Samples::of_422(&planes);
    let (width, half, height) = (format.width as usize, format.width.div_ceil(2) as usize, format.height as usize);
    let equal = with_video(movie, format, packet, |frame| {
        let other = Samples::of(frame)?;
        let same = |own: &[u16], other: &[u16], strides: (usize, usize), width: usize| {
            let rows = own.chunks(strides.0.max(1)).zip(other.chunks(strides.1.max(1)));
            rows.take(height).all(|(own, other)| own.get(..width) == other.get(..width))
        };
        let colours = (own.c_stride, other.c_stride);
        Ok(same(own.y, other.y, (own.y_stride, other.y_stride), width)
            && same(own.u, other.u, colours, half)
            && same(own.v, other.v, colours, half))
    });
    equal.unwrap_or(true)
}
