//! A packet as the picture that is asked for: decoded, scaled, encoded. Burns a core: not for async threads.

use std::time::{Duration, Instant};

use frame::{Format, Rendition};

use crate::{
    Error, Movie, decode,
    encode::{self, Encoded},
    reduced,
};

/// How long the parts of an answer took.
#[derive(Debug, Clone, Copy)]
pub struct RenderTiming {
    /// Decoding and colours.
    pub extraction: Duration,
    /// Scaling and encoding.
    pub encode: Duration,
}

/// Renders a frame of `movie` out of its packet.
pub fn render(
    movie: &Movie,
    packet: &[u8],
    format: Format,
    rendition: Rendition,
) -> Result<(Encoded, RenderTiming), Error> {
    if rendition.grey { grey(movie, packet, format, rendition) } else { colour(movie, packet, format, rendition) }
}

fn grey(movie: &Movie, packet: &[u8], format: Format, rendition: Rendition) -> Result<(Encoded, RenderTiming), Error> {
    let start = Instant::now();
    let (image, _) = reduced::grey(movie, packet, rendition.scale.factor(), rendition.decoder)?;
    let extraction = start.elapsed();
    let encoded = encode::grey(&image, format)?;
    Ok((encoded, RenderTiming { extraction, encode: start.elapsed().saturating_sub(extraction) }))
}

fn colour(
    movie: &Movie,
    packet: &[u8],
    format: Format,
    rendition: Rendition,
) -> Result<(Encoded, RenderTiming), Error> {
    let start = Instant::now();
    let picture = decode::rgb(movie, packet)?;
    let extraction = start.elapsed();
    let picture = match rendition.size {
        Some(size) => picture.resized(size)?,
        None => picture.reduced(rendition.scale)?,
    };
    let encoded = encode::encode(&picture, format)?;
    Ok((encoded, RenderTiming { extraction, encode: start.elapsed().saturating_sub(extraction) }))
}
