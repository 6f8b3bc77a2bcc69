//! A ProRes packet to a small grey image, without decoding the frame; or to the whole frame.
//!
//! ```text
//! packet ─▶ header ─▶ slices ─▶ entropy ─┬────────────▶ transform ─────▶ Luma
//!           sizes     of each   DC, then │ lowest       means of 2x2,    width / n, height / n
//!           checked   plane     AC by    │ frequencies  4x4, 8x8
//!                               frequency└────────────▶ inverse ───────▶ Planes
//!                                          all          8x8 samples      y, cb, cr in ten bits
//! ```
//!
//! In each slice of a ProRes frame (SMPTE RDD 36) the coefficients of all blocks come ordered by frequency, luma before
//! colours. An image at 1/8, 1/4 or 1/2 of the size needs the lowest 1, 4 or 16 of 64, so reading stops early: after some
//! 6 %, 22 % or 54 % of the bits. Every pixel approximates the mean of the square of full-size pixels it stands for.
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
//!   not interlaced; 1,100 for a whole frame) and a constant (`tests/damage.rs`, the fuzz target in `fuzz/`). What was not
//!   read is not checked: damage behind the lowest frequencies, or in the colours, goes unseen in a reduced image.
//! * [`planes`] gives FFmpeg's samples, bit for bit, or an error (`tests/whole.rs`; of damaged packets, too, by the frame
//!   server's fuzz target of packets).
//! * The three ways of [`Decoding`] give the same, for damaged packets, too (`tests/damage.rs`).
//! * No unsafe code, no IO, no threads.
//!
//! ProRes 422 of all profiles and the luma of ProRes 4444 are read, progressive and interlaced; whole frames of progressive
//! ProRes 422 only. ProRes RAW is another format. What is not supported is refused by name ([`Error::Unsupported`]), never
//! guessed.
//!
//! Read next: `header` for the format's outer layers, `entropy` for the inner, `transform` and `inverse` for the mathematics.

#![forbid(unsafe_code)]
#![allow(clippy::inline_always)] // the inner loops: a call costs as much as what is called

mod bits;
mod codebook;
mod entropy;
mod error;
mod header;
mod inverse;
mod plane;
mod room;
mod table;
mod transform;
mod whole;

use header::{Frame, Picture, Slice};
use plane::{Pixel, Plane};
use room::{Lowest, MAX_BLOCKS, MAX_WANTED};
use table::Long;
use transform::Transform;

pub use bits::Damage;
pub use error::Error;
pub use header::{Chroma, Header, MAX_PIXELS};
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

/// What the codes of the output mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// As stored: black is 16, white is 235. A code is the 10-bit one over four, rounded.
    Video,
    /// Expanded: black is 0, white is 255, what lies beyond is clipped.
    Full,
}

/// How the coefficients are read. The result is the same; tests compare them, benchmarks say what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decoding {
    /// Codeword by codeword.
    Plain,
    /// Several codewords at once, from a table of 2 MiB that is made at the first use.
    Table,
    /// From the table, two slices in turn: the fastest.
    #[default]
    Interleaved,
}

/// A grey image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Luma {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` codes, row by row from the top.
    pub data: Vec<u8>,
}

/// What a packet says of itself. Only its header is looked at.
pub fn header(packet: &[u8]) -> Result<Header, Error> {
    Ok(Frame::parse(packet)?.header)
}

/// The brightness of a frame, reduced. A frame smaller than one square gives an image without pixels.
pub fn luma(packet: &[u8], reduction: Reduction, range: Range) -> Result<Luma, Error> {
    luma_by(Decoding::default(), packet, reduction, range)
}

/// As [`luma`], the coefficients read as `decoding` says.
pub fn luma_by(decoding: Decoding, packet: &[u8], reduction: Reduction, range: Range) -> Result<Luma, Error> {
    let frame = Frame::parse(packet)?;
    let reduced = Reduced { frame, decoding, range, factor: reduction.factor() };
    let data = match (frame.header.interlaced, reduction) {
        (false, Reduction::Half) => reduced.progressive::<4, 4>(),
        (false, Reduction::Quarter) => reduced.progressive::<2, 2>(),
        (false, Reduction::Eighth) => reduced.progressive::<1, 1>(),
        (true, Reduction::Half) => reduced.interlaced::<4, 8>(),
        (true, Reduction::Quarter) => reduced.interlaced::<2, 4>(),
        (true, Reduction::Eighth) => reduced.interlaced::<1, 2>(),
    }?;
    let (width, height) = reduced.size();
    Ok(Luma { width, height, data })
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

impl Range {
    /// The code of 512 of ten bits, and how much a code of ten bits is worth.
    fn of_ten_bits(self) -> (f64, f64) {
        match self {
            Self::Video => (128.0, 0.25),
            Self::Full => ((512.0 - 64.0) * 255.0 / 876.0, 255.0 / 876.0),
        }
    }
}

/// One frame on its way.
struct Reduced<'a> {
    frame: Frame<'a>,
    decoding: Decoding,
    range: Range,
    factor: u32,
}

impl<'a> Reduced<'a> {
    fn size(&self) -> (u32, u32) {
        (self.frame.header.width / self.factor, self.frame.header.height / self.factor)
    }

    /// The slices of its picture, or of each of its fields.
    fn slices(&self) -> Result<Vec<Vec<Slice<'a>>>, Error> {
        self.frame.pictures()?.iter().map(Picture::slices).collect()
    }

    /// To be made after the slices were found: each has at least 8 bytes, so memory follows the packet's length.
    fn plane<P: Pixel>(&self) -> Plane<P> {
        let (width, height) = self.size();
        Plane::new(width as usize, height as usize)
    }

    fn progressive<const X: usize, const Y: usize>(&self) -> Result<Vec<u8>, Error> {
        let pictures = self.slices()?;
        let mut plane = self.plane::<u8>();
        self.fill(&pictures, &Transform::<X, Y>::new(&self.frame, self.range), &mut plane)?;
        Ok(plane.into_pixels())
    }

    /// A square's lines are of both fields in equal parts, so its mean is the mean of the fields' means.
    fn interlaced<const X: usize, const Y: usize>(&self) -> Result<Vec<u8>, Error> {
        let pictures = self.slices()?;
        let mut plane = self.plane::<f32>();
        self.fill(&pictures, &Transform::<X, Y>::new(&self.frame, self.range), &mut plane)?;
        Ok(plane.into_codes())
    }

    fn fill<P: Pixel, const X: usize, const Y: usize>(
        &self,
        pictures: &[Vec<Slice<'_>>],
        transform: &Transform<X, Y>,
        plane: &mut Plane<P>,
    ) -> Result<(), Error> {
        let mut buffers = [[0; MAX_BLOCKS * MAX_WANTED]; 2];
        for slices in pictures {
            for (index, pair) in slices.chunks(2).enumerate() {
                self.read(pair, Transform::<X, Y>::WANTED, &mut buffers)
                    .map_err(|(nth, source)| Error::Slice { slice: index * 2 + nth, source })?;
                for (slice, coefficients) in pair.iter().zip(&buffers) {
                    transform.put(coefficients, slice.scale, (slice.column, slice.row, slice.width), plane);
                }
            }
        }
        Ok(())
    }

    /// The coefficients of one or two slices; the first damage, and in which of them.
    fn read<'b>(&self, slices: &[Slice<'b>], wanted: u32, buffers: &mut [Lowest; 2]) -> Result<(), (usize, Damage)> {
        let luma = |slice: &Slice<'b>| {
            let log2_blocks = slice.width.trailing_zeros() + 2;
            entropy::SlicePlane { bytes: slice.bytes, log2_blocks, wanted }
        };
        let [first, second] = buffers;
        if let (Decoding::Interleaved, [a, b]) = (self.decoding, slices) {
            return entropy::pair(Long::shared(), [luma(a), luma(b)], [first, second]);
        }
        for ((nth, slice), coefficients) in slices.iter().enumerate().zip([first, second]) {
            match self.decoding {
                Decoding::Plain => entropy::plain(luma(slice), coefficients),
                Decoding::Table | Decoding::Interleaved => entropy::by_table(Long::shared(), luma(slice), coefficients),
            }
            .map_err(|damage| (nth, damage))?;
        }
        Ok(())
    }
}
