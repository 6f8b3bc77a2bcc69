//! A ProRes packet to a small image, grey or in colour, without decoding the frame; or to the whole frame.
//!
//! ```text
//! packet ─▶ header ─▶ slices ─▶ entropy ─┬────────────▶ transform ─────▶ Luma, Colours
//!           sizes     of each   DC, then │ lowest       means of 2x2,    width / n, height / n
//!           checked   plane     AC by    │ frequencies  4x4, 8x8
//!                               frequency└────────────▶ inverse ───────▶ Planes
//!                                          all          8x8 samples      y, cb, cr in ten bits
//! ```
//!
//! In each slice of a ProRes frame (SMPTE RDD 36) the coefficients of all blocks come ordered by frequency, luma before
//! colours. An image at 1/8, 1/4 or 1/2 of the size needs the lowest 1, 4 or 16 of 64, so reading stops early: after some
//! 6 %, 22 % or 54 % of the bits. Every pixel approximates the mean of the square of full-size pixels it stands for.
//! Colours have half as many columns as the brightness: their lowest 2 or 8 coefficients give each pixel its own, and at 1/2
//! their lowest 16 each two pixels.
//!
//! ```
//! use prores::{Range, Reduction};
//!
//! # let packet = include_bytes!("../fuzz/corpus/luma/progressive.icpf");
//! let image = prores::luma(packet, Reduction::Quarter, Range::Video)?;
//! assert_eq!(image.data.len(), image.width as usize * image.height as usize);
//! # Ok::<(), prores::Error>(())
//! ```
//!
//! What holds, and which test holds it:
//! * A size is `width / n` x `height / n`, rounded down: a rest at the right or the bottom is left out, whatever the
//!   size of the frame (`tests/ffmpeg.rs`).
//! * Any bytes give an image or an [`Error`], in memory of at most 400 bytes for each byte of the packet (70 where it is
//!   not interlaced; 900 in colour; 1,100 for a whole frame) and a constant (`tests/damage.rs`, the fuzz target in
//!   `fuzz/`). What was not read is not checked: damage behind the lowest frequencies, or in colours that are not wanted,
//!   goes unseen in a reduced image.
//! * [`planes`] gives FFmpeg's samples, bit for bit, or an error (`tests/whole.rs`; of damaged packets, too, by the frame
//!   server's fuzz target of packets).
//! * The three ways of [`Decoding`] give the same, for damaged packets, too (`tests/damage.rs`).
//! * No unsafe code, no IO, no threads.
//!
//! ProRes 422 of all profiles and the luma of ProRes 4444 are read, progressive and interlaced; colours of ProRes 422 only,
//! whole frames of progressive ProRes 422 only. ProRes RAW is another format. What is not supported is refused by name
//! ([`Error::Unsupported`]), never guessed.
//!
//! Read next: `header` for the format's outer layers, `entropy` for the inner, `transform` and `inverse` for the mathematics,
//! `reduced` and `whole` for what is made of them.

#![forbid(unsafe_code)]
#![allow(clippy::inline_always)] // the inner loops: a call costs as much as what is called

mod bits;
mod codebook;
mod entropy;
mod error;
mod header;
mod inverse;
mod plane;
mod reduced;
mod room;
mod table;
mod transform;
mod whole;

use header::Frame;

pub use bits::Damage;
pub use error::Error;
pub use header::{Chroma, Header, MAX_PIXELS};
pub use reduced::{Colours, Decoding, Luma, colours, colours_by, luma, luma_by};
pub use whole::{Planes, Samples, planes};

/// How much smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Squares of 2 x 2 pixels become one.
    Half,
    /// Squares of 4 x 4 pixels become one.
    Quarter,
    /// Squares of 8 x 8 pixels become one.
    Eighth,
}

/// What the codes of a grey image mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// As stored: black is 16, white is 235. A code is the 10-bit one over four, rounded.
    Video,
    /// Expanded: black is 0, white is 255, what lies beyond is clipped.
    Full,
}

/// What a packet says of itself. Only its header is looked at.
pub fn header(packet: &[u8]) -> Result<Header, Error> {
    Ok(Frame::parse(packet)?.header)
}

impl Reduction {
    /// By `factor`, which is 2, 4 or 8; `None` for another.
    pub fn by(factor: u32) -> Option<Self> {
        [Self::Half, Self::Quarter, Self::Eighth].into_iter().find(|reduction| reduction.factor() == factor)
    }

    /// How many pixels of a row become one: 2, 4 or 8.
    pub fn factor(self) -> u32 {
        match self {
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}
