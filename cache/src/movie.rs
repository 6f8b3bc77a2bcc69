//! An open movie: its index and which version of the file it is of.

use std::ops::Range;

use frame::{FrameNumber, MoviePath};

use crate::identity::Identity;

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

    /// What the decoder must know beforehand; empty for most codecs.
    pub(crate) fn config(&self) -> &[u8] {
        &self.track.config
    }

    /// Whether frames are decoded from others before them, and their packets are therefore packed groups.
    pub fn builds_upon_others(&self) -> bool {
        !self.track.timing.counts_samples()
    }

    /// When a frame is shown, in seconds; `None` beyond the last.
    pub fn seconds(&self, number: FrameNumber) -> Option<f64> {
        self.track.seconds(number.index())
    }

    /// The frame that is shown at `seconds`; `None` outside the movie.
    pub fn frame_at(&self, seconds: f64) -> Option<FrameNumber> {
        FrameNumber::new(self.track.frame_at(seconds)? + 1).ok()
    }

    /// The samples that a frame is decoded from, in decoding order, where it cannot be decoded alone; and of each whether it
    /// is decoded in passing (see [`quicktime::Needed`]).
    pub(crate) fn group(&self, number: FrameNumber) -> Option<Vec<(Range<u64>, bool)>> {
        let group = self.track.group(number.index())?;
        group.into_iter().map(|needed| Some((self.track.samples.get(needed.sample)?, needed.passing))).collect()
    }

    /// The bytes of a frame; `None` beyond the last.
    pub fn sample(&self, number: FrameNumber) -> Option<Range<u64>> {
        self.track.sample(number.index())
    }
}
