//! Small grey images the short way: of a ProRes packet only the lowest frequencies are read, by the crate `prores`.
//!
//! What that crate does not support by name, and every other codec, is decoded in full by [`decode`]. Damage is an error
//! in both ways; where it lies beyond the lowest frequencies only the full decode sees it.

use frame::{Decoder, Depth, Rendition};
use prores::{Luma, Range, Reduction};
use quicktime::FourCc;

use crate::{
    Movie,
    decode::{self, DecodeError},
    picture::GreyImage,
};

/// Which decoder frames of a movie are decoded by, so far as its index tells: a packet of ProRes that is not supported by
/// name is decoded in full all the same.
pub fn decoder_of(movie: &Movie, rendition: &Rendition) -> Decoder {
    let reduces = rendition.grey && rendition.crop.is_none() && rendition.depth == Depth::Eight;
    let serves = serves(movie) && Reduction::by(rendition.scale.factor()).is_some();
    if reduces && serves { rendition.decoder } else { Decoder::Full }
}

/// Whether a movie's frames can be decoded the short way.
pub fn serves(movie: &Movie) -> bool {
    is_prores(movie.codec())
}

/// The frame's brightness as [`decode::grey`] gives it, by the way that is asked for; also which way it was.
pub fn grey(
    movie: &Movie,
    packet: &[u8],
    reduction: u32,
    decoder: Decoder,
) -> Result<(GreyImage, Decoder), DecodeError> {
    if let (Decoder::Reduced, Some(reduction), true) = (decoder, Reduction::by(reduction), is_prores(movie.codec()))
        && let Some(image) = lowest_frequencies(movie, packet, reduction)?
    {
        return Ok((image, Decoder::Reduced));
    }
    Ok((decode::grey(movie, packet, reduction)?, Decoder::Full))
}

/// `rendition` with the decoder that is tried first: the reduced one only where it can be.
#[must_use]
pub fn settled(movie: &Movie, rendition: Rendition) -> Rendition {
    let Rendition { decoder, grey, depth, crop, scale, .. } = rendition;
    let can_be = grey
        && depth == Depth::Eight
        && crop.is_none()
        && Reduction::by(scale.factor()).is_some()
        && is_prores(movie.codec());
    Rendition { decoder: if can_be { decoder } else { Decoder::Full }, ..rendition }
}

/// `None` where the crate leaves it to another decoder.
fn lowest_frequencies(movie: &Movie, packet: &[u8], reduction: Reduction) -> Result<Option<GreyImage>, DecodeError> {
    let fail = |source| DecodeError::ProRes { bytes: packet.len(), source };
    let image = prores::header(packet).and_then(|header| Ok((header, prores::luma(packet, reduction, Range::Full)?)));
    let (header, Luma { width, height, data }) = match image {
        Ok(image) => image,
        Err(prores::Error::Unsupported { .. }) => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    if (header.width, header.height) != (movie.width(), movie.height()) {
        let (found_width, found_height) = (header.width, header.height);
        return Err(DecodeError::Size { width: movie.width(), height: movie.height(), found_width, found_height });
    }
    Ok(Some(GreyImage { width, height, data }))
}

fn is_prores(codec: FourCc) -> bool {
    matches!(&codec.0, b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x")
}
