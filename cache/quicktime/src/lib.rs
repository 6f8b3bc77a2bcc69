//! QuickTime bytes to a sample table, without reading anything: the caller fetches, this crate says what it needs next.
//!
//! ```text
//!            ┌────────────── Step::Need(range) ◀─┐
//!            ▼                                   │
//!   fetch the bytes ── supply(offset, bytes) ──▶ Probe ── Step::Done(Movie) ──▶ movie.sample(index) = byte range
//! ```
//!
//! A caller that supplies the first 64 KiB and the last 1 MiB of a camera's movie unasked needs nothing more: `moov`
//! stands at either end. What is read: `moov` (32- and 64-bit atom sizes), of it the first enabled video track; audio,
//! timecode and other tracks are passed over. Frames that can each be decoded alone are counted as samples; of codecs whose
//! frames build upon each other (H.264, HEVC) they are counted as they are shown, see [`timing`].
//!
//! The format is Apple's QuickTime File Format, close to ISO/IEC 14496-12. Any bytes give a [`Movie`] or an [`Error`], in
//! memory bounded by [`MAX_MOOV`]. Read next: [`probe`], then [`movie`], [`sample_table`], [`timing`].

pub mod atom;
pub mod movie;
pub mod probe;
pub mod sample_table;
pub mod timing;

pub use atom::FourCc;
pub use movie::Movie;
pub use probe::{Probe, Step};
pub use sample_table::SampleTable;
pub use timing::{Needed, Timing};

/// The largest `moov` that is read, in bytes; a camera's movie of 25,000 frames has one of 0.4 MB.
pub const MAX_MOOV: u64 = 64 << 20;
/// The largest single frame, in bytes.
pub const MAX_SAMPLE: u32 = 64 << 20;

/// Why bytes are no movie that can be served frame by frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file does not begin as QuickTime files do.
    #[error("the file is not a QuickTime movie: it begins with {start:?}")]
    NotAMovie {
        /// The first bytes, as text.
        start: String,
    },
    /// An atom is said to reach beyond the end of the file.
    #[error(
        "the movie is cut off: the {atom} atom at byte {offset} needs the file to have {needed} bytes, it has {size}"
    )]
    Truncated {
        /// The atom.
        atom: FourCc,
        /// Where it begins.
        offset: u64,
        /// Where it would end.
        needed: u64,
        /// The file's size.
        size: u64,
    },
    /// A frame is said to lie beyond the end of the file.
    #[error("the movie is cut off: frame {frame} ends at byte {needed}, the file has {size}")]
    FrameMissing {
        /// The first such frame, from 1.
        frame: u32,
        /// Where it would end.
        needed: u64,
        /// The file's size.
        size: u64,
    },
    /// The file ends without an index.
    #[error("the movie has no index (moov atom): it was cut off, or its recording was never finished")]
    NoIndex,
    /// Larger than this program reads.
    #[error("the {what} has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// No track that is video.
    #[error("the movie has no video track")]
    NoVideo,
    /// An atom that must be there is not.
    #[error("the video track has no {atom} atom")]
    Missing {
        /// The atom.
        atom: FourCc,
    },
    /// An atom does not hold what it should.
    #[error("the {atom} atom is damaged: {what}")]
    Damaged {
        /// The atom.
        atom: FourCc,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Something that is allowed but not read here.
    #[error("{what} is not supported")]
    Unsupported {
        /// What.
        what: &'static str,
    },
}
