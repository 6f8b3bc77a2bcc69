//! A packet as the picture that is asked for: decoded, cut, scaled, encoded. Burns a core: not for async threads.

use std::time::{Duration, Instant};

use bytes::Bytes;
use frame::{Decoder, Depth, Format, Rendition, Scale};

use crate::{
    Error, Movie,
    decode::{self, Decoded},
    encode::{self, EncodeError, Encoded},
    reduced,
};

/// How long the parts of an answer took, and which way it was decoded.
#[derive(Debug, Clone, Copy)]
pub struct RenderTiming {
    /// The decoder whose pixels these are.
    pub decoder: Decoder,
    /// Decoding and colours.
    pub extraction: Duration,
    /// Cutting, scaling and encoding.
    pub encode: Duration,
}

impl RenderTiming {
    /// Of an answer that was kept: nothing had to be made. `decoder` made it.
    pub fn of_kept(decoder: Decoder) -> Self {
        Self { decoder, extraction: Duration::ZERO, encode: Duration::ZERO }
    }
}

/// Renders a frame of `movie` out of its packet.
pub fn render(
    movie: &Movie,
    packet: &[u8],
    format: Format,
    rendition: Rendition,
) -> Result<(Encoded, RenderTiming), Error> {
    // What cannot be answered is not decoded.
    rendition.output_size(movie.width(), movie.height())?;
    match (rendition.depth, rendition.grey) {
        (Depth::Eight, false) if rendition.is_whole() => whole(movie, packet, format, rendition),
        (Depth::Eight, false) => shaped(movie, packet, format, rendition),
        (Depth::Eight, true) => {
            let mut decoder = Decoder::Full;
            let decoded = || {
                // A part of a frame has its lowest frequencies nowhere.
                if let Some(crop) = rendition.crop {
                    return decode::grey_part(movie, packet, Some(crop), rendition.scale.factor());
                }
                let (image, by) = reduced::grey(movie, packet, rendition.scale.factor(), rendition.decoder)?;
                decoder = by;
                Ok(image)
            };
            let (encoded, timing) = timed(decoded, |image| encode::grey(&image, format, rendition.quality))?;
            Ok((encoded, RenderTiming { decoder, ..timing }))
        }
        (depth, true) => {
            let decoded = || decode::deep_grey(movie, packet, rendition.crop, rendition.scale.factor(), depth.bits());
            timed(decoded, |image| encode::deep(&image, format))
        }
        (depth, false) => timed(
            || decode::deep_rgb(movie, packet),
            |image| {
                let image = match rendition.crop {
                    Some(crop) => image.cropped(crop),
                    None => image,
                };
                let image = match rendition.size {
                    Some(size) => image.resized(size)?,
                    None => image.reduced(rendition.scale)?,
                };
                encode::deep(&image.in_bits(depth.bits()), format)
            },
        ),
    }
}

/// A frame as it is, neither cut nor scaled: straight from the decoder's planes, where it can be.
fn whole(movie: &Movie, packet: &[u8], format: Format, rendition: Rendition) -> Result<(Encoded, RenderTiming), Error> {
    let start = Instant::now();
    let (encoded, extraction) = decode::decoded(movie, packet, |decoded| {
        let extraction = start.elapsed();
        let encoded = match decoded {
            Decoded::Direct(frame) => encode::direct(&frame, format, rendition.quality),
            Decoded::Picture(picture) => encode::encode(&picture, format, rendition.quality).map_err(Error::from),
        };
        (encoded, extraction)
    })?;
    Ok((
        encoded?,
        RenderTiming { decoder: Decoder::Full, extraction, encode: start.elapsed().saturating_sub(extraction) },
    ))
}

/// The bytes of a frame's pixels alone, as an array of several frames holds them: the array's header is left out. Also which
/// decoder they are by.
pub fn pixels(movie: &Movie, packet: &[u8], rendition: Rendition) -> Result<(Bytes, Decoder), Error> {
    let (encoded, timing) = render(movie, packet, Format::Npy, rendition)?;
    let header = encode::npy_header(array_kind(rendition), &array_shape(movie, rendition, None)?).len();
    Ok((encoded.bytes.slice(header.min(encoded.bytes.len())..), timing.decoder))
}

/// The kind of an array's values, as `NumPy` names it.
pub fn array_kind(rendition: Rendition) -> &'static str {
    if rendition.depth == Depth::Eight { "|u1" } else { "<u2" }
}

/// The shape of an array of `frames` frames (`None` = of one, without a dimension for it), as Python writes it.
pub fn array_shape(movie: &Movie, rendition: Rendition, frames: Option<usize>) -> Result<String, Error> {
    let size = rendition.output_size(movie.width(), movie.height())?;
    let frames = frames.map_or_else(String::new, |frames| format!("{frames}, "));
    let channels = if rendition.grey { "" } else { ", 3" };
    Ok(format!("({frames}{}, {}{channels})", size.height, size.width))
}

/// Bytes of one frame's pixels in an array.
pub fn array_bytes(movie: &Movie, rendition: Rendition) -> Result<u64, Error> {
    let size = rendition.output_size(movie.width(), movie.height())?;
    let channels = if rendition.grey { 1 } else { 3 };
    Ok(u64::from(size.width) * u64::from(size.height) * channels * u64::from(rendition.depth.bits().div_ceil(8)))
}

/// A frame in colour, cut or scaled: of its lowest frequencies, where these are enough.
fn shaped(
    movie: &Movie,
    packet: &[u8],
    format: Format,
    rendition: Rendition,
) -> Result<(Encoded, RenderTiming), Error> {
    let mut decoder = Decoder::Full;
    let decoded = || {
        if let Some(reduction) = reduced::reduction(movie, &rendition)
            && let Some(picture) = reduced::rgb(movie, packet, reduction)?
        {
            decoder = Decoder::Reduced;
            return Ok((picture, Scale::default()));
        }
        Ok((decode::rgb(movie, packet)?, rendition.scale))
    };
    let (encoded, timing) = timed(decoded, |(picture, scale)| {
        let picture = match rendition.crop {
            Some(crop) => picture.cropped(crop),
            None => picture,
        };
        let picture = match rendition.size {
            Some(size) => picture.resized(size)?,
            None => picture.reduced(scale)?,
        };
        encode::encode(&picture, format, rendition.quality)
    })?;
    Ok((encoded, RenderTiming { decoder, ..timing }))
}

fn timed<T>(
    decode: impl FnOnce() -> Result<T, decode::DecodeError>,
    encode: impl FnOnce(T) -> Result<Encoded, EncodeError>,
) -> Result<(Encoded, RenderTiming), Error> {
    let start = Instant::now();
    let decoded = decode()?;
    let extraction = start.elapsed();
    let encoded = encode(decoded)?;
    Ok((
        encoded,
        RenderTiming { decoder: Decoder::Full, extraction, encode: start.elapsed().saturating_sub(extraction) },
    ))
}
