//! An open movie: its index and which version of the file it is of.

use std::ops::Range;

use frame::{FrameNumber, MoviePath};

use crate::origin::Identity;

/// What is known of a movie after its index was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movie {
    pub(crate) path: MoviePath,
    pub(crate) url: String,
    pub(crate) identity: Identity,
    pub(crate) track: quicktime::Movie,
}

impl Movie {
    /// Below the archive's root.
    pub fn path(&self) -> &MoviePath {
        &self.path
    }

    /// Where it is read from.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Size, entity tag and Last-Modified of the file the index was read from.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Number of frames.
    pub fn num_frames(&self) -> u32 {
        self.track.num_frames()
    }

    /// Duration in seconds.
    pub fn duration_seconds(&self) -> f64 {
        self.track.duration_seconds()
    }

    /// Frames per second.
    pub fn frame_rate(&self) -> f64 {
        self.track.frame_rate()
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.track.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.track.height
    }

    /// The codec's four-character code, such as `apcn`.
    pub fn codec(&self) -> quicktime::FourCc {
        self.track.codec
    }

    /// The colour matrix the movie names (1 = BT.709, 6 = BT.601), if it does.
    pub fn colour_matrix(&self) -> Option<u16> {
        self.track.colour_matrix
    }

    /// The bytes of a frame; `None` beyond the last.
    pub fn sample(&self, number: FrameNumber) -> Option<Range<u64>> {
        self.track.sample(number.index())
    }
}
