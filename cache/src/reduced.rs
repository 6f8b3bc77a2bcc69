//! Small images the short way: of a ProRes packet only the lowest frequencies are read, by the crate `prores`.
//!
//! What that crate does not support by name, and every other codec, is decoded in full by [`decode`]. Damage is an error
//! in both ways; where it lies beyond the lowest frequencies only the full decode sees it.

use frame::{Decoder, OutputSize, Rendition};
use prores::{Colours, Luma, Range, Reduction};
use quicktime::FourCc;

use crate::{
    Movie,
    decode::{self, DecodeError, is_prores_422},
    picture::{GreyImage, Picture},
};

/// So many times a reduced image must be as large, at least, as what is scaled down from it by Lanczos' filter: then hardly
/// anything of what the filter lets through is missing.
const TO_SPARE: u32 = 2;

/// `rendition` with the decoder that is tried first, so far as the movie's index tells: the reduced one only where it can be.
#[must_use]
pub fn settled(movie: &Movie, rendition: Rendition) -> Rendition {
    let decoder = if reduction(movie, &rendition).is_some() { Decoder::Reduced } else { Decoder::Full };
    Rendition { decoder, ..rendition }
}

/// How far a rendition is reduced; `None` where it is made of the whole frame.
pub fn reduction(movie: &Movie, rendition: &Rendition) -> Option<Reduction> {
    let serves = if rendition.grey { is_prores(movie.codec()) } else { serves_colours(movie) };
    if rendition.decoder == Decoder::Full || !rendition.may_be_reduced() || !serves {
        return None;
    }
    match rendition.size {
        None => Reduction::by(rendition.scale.factor()),
        Some(OutputSize { width, height }) => {
            let larger = |side: u32| side.saturating_mul(TO_SPARE);
            strongest(movie, OutputSize { width: larger(width), height: larger(height) })
        }
    }
}

/// The strongest reduction that leaves so much, and nothing out: a rest at the right or the bottom would be missing, and what is
/// left be stretched over its place.
pub fn strongest(movie: &Movie, OutputSize { width, height }: OutputSize) -> Option<Reduction> {
    [Reduction::Eighth, Reduction::Quarter, Reduction::Half].into_iter().find(|reduction| {
        let factor = reduction.factor();
        let sides = [(movie.width(), width), (movie.height(), height)];
        sides.into_iter().all(|(side, least)| side.is_multiple_of(factor) && side / factor >= least)
    })
}

/// Whether a movie's frames can be decoded the short way in colour.
pub fn serves_colours(movie: &Movie) -> bool {
    is_prores_422(movie.codec())
}

/// The frame's brightness as [`decode::grey`] gives it, by the way that is asked for; also which way it was.
pub fn grey(
    movie: &Movie,
    packet: &[u8],
    reduction: u32,
    decoder: Decoder,
) -> Result<(GreyImage, Decoder), DecodeError> {
    if let (Decoder::Reduced, Some(reduction), true) = (decoder, Reduction::by(reduction), is_prores(movie.codec()))
        && let Some(image) = lowest_frequencies(movie, packet, |packet| prores::luma(packet, reduction, Range::Full))?
    {
        let Luma { width, height, data } = image;
        return Ok((GreyImage { width, height, data }, Decoder::Reduced));
    }
    Ok((decode::grey(movie, packet, reduction)?, Decoder::Full))
}

/// The frame in colour, reduced; `None` where the crate leaves it to another decoder.
pub fn rgb(movie: &Movie, packet: &[u8], reduction: Reduction) -> Result<Option<Picture>, DecodeError> {
    let image = lowest_frequencies(movie, packet, |packet| prores::colours(packet, reduction))?;
    image.map(|image: Colours| decode::rgb_of(movie, &image)).transpose()
}

/// `None` where the crate leaves it to another decoder.
fn lowest_frequencies<T>(
    movie: &Movie,
    packet: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, prores::Error>,
) -> Result<Option<T>, DecodeError> {
    let fail = |source| DecodeError::ProRes { bytes: packet.len(), source };
    let (header, image) = match prores::header(packet).and_then(|header| Ok((header, decode(packet)?))) {
        Ok(image) => image,
        Err(prores::Error::Unsupported { .. }) => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    if (header.width, header.height) != (movie.width(), movie.height()) {
        let (found_width, found_height) = (header.width, header.height);
        return Err(DecodeError::Size { width: movie.width(), height: movie.height(), found_width, found_height });
    }
    Ok(Some(image))
}

fn is_prores(codec: FourCc) -> bool {
    is_prores_422(codec) || matches!(&codec.0, b"ap4h" | b"ap4x")
}
