//! What frames can be asked for as: small grey images, or the whole frame in colour.

use bytes::Bytes;
use frame::{Decoder, Rendition, Scale};
use lazycache::{decode::DecodeError, picture::Picture, reduced};
use motion::Grey;

/// A kind of pixels, and how they come out of a packet or out of a frame server's answer.
pub trait Pixels: Copy + Send + Sync + 'static {
    /// The image of one frame.
    type Image: Send + 'static;

    /// How a frame server is asked for it.
    fn rendition(self) -> Rendition;

    /// Width and height of the image of a frame of this size.
    fn size(self, frame: (u32, u32)) -> (u32, u32);

    /// Bytes a pixel.
    fn channels(self) -> usize;

    /// From a frame server's bytes, of which there are as many as the image has; `decoder` made them there.
    fn of_answer(self, size: (u32, u32), bytes: Bytes, decoder: Decoder) -> Decoded<Self::Image>;

    /// From a packet. Burns a core.
    fn of_packet(self, movie: &lazycache::Movie, packet: &[u8]) -> Result<Decoded<Self::Image>, DecodeError>;
}

/// An image, and which decoder made it: not always the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<T> {
    /// The image, or what was made of it.
    pub image: T,
    /// The decoder.
    pub decoder: Decoder,
}

/// Brightness at `1/reduction` of the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Greys {
    /// 1, 2, 4 or 8.
    pub reduction: u32,
    /// The decoder to try.
    pub decoder: Decoder,
}

/// The whole frame in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours;

impl Pixels for Greys {
    type Image = Grey;

    fn rendition(self) -> Rendition {
        let scale = Scale::new(self.reduction).unwrap_or_default();
        Rendition { decoder: self.decoder, ..Rendition::grey(scale) }
    }

    fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        (width / self.reduction.max(1), height / self.reduction.max(1))
    }

    fn channels(self) -> usize {
        1
    }

    fn of_answer(self, (width, height): (u32, u32), bytes: Bytes, decoder: Decoder) -> Decoded<Grey> {
        Decoded { image: Grey { width, height, data: bytes.into() }, decoder }
    }

    fn of_packet(self, movie: &lazycache::Movie, packet: &[u8]) -> Result<Decoded<Grey>, DecodeError> {
        let (image, decoder) = reduced::grey(movie, packet, self.reduction, self.decoder)?;
        Ok(Decoded { image: Grey { width: image.width, height: image.height, data: image.data }, decoder })
    }
}

impl Pixels for Colours {
    type Image = Picture;

    fn rendition(self) -> Rendition {
        Rendition::default()
    }

    fn size(self, frame: (u32, u32)) -> (u32, u32) {
        frame
    }

    fn channels(self) -> usize {
        3
    }

    fn of_answer(self, (width, height): (u32, u32), bytes: Bytes, decoder: Decoder) -> Decoded<Picture> {
        Decoded { image: Picture { width, height, rgb: bytes.into() }, decoder }
    }

    fn of_packet(self, movie: &lazycache::Movie, packet: &[u8]) -> Result<Decoded<Picture>, DecodeError> {
        Ok(Decoded { image: lazycache::decode::rgb(movie, packet)?, decoder: Decoder::Full })
    }
}
