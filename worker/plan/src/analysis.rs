//! The analyses and the frames they look at.

use serde::{Deserialize, Serialize};

/// Half the gap between the two frames a row compares: frame f compares f-5 with f+5, at every stride. The published
/// CamHD files fix it, and the region thresholds (pixels per ten frames) depend on it.
pub const HALF_GAP: u32 = 5;

/// How camera motion is estimated from two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// The cheapest method that is sure of its answer.
    Auto,
    /// Dense inverse search flow, sampled on textured points.
    #[serde(rename = "DIS")]
    Dis,
    /// Tracked corners, checked forward and backward.
    Corners,
    /// The original dense method; only in builds that carry it.
    #[serde(rename = "DualTVL1")]
    DualTvl1,
}

/// How the small grey images that are compared are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decoder {
    /// Of ProRes only the lowest frequencies are decoded; what cannot be decoded so is decoded in full.
    Reduced,
    /// Every pixel is decoded.
    Full,
}

/// Frames startFrame, startFrame + stride, … below `end_frame`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrameRange {
    /// First frame, 1-based.
    pub start_frame: u32,
    /// First frame that is not looked at; absent = the movie's number of frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_frame: Option<u32>,
    /// Distance between two rows, in frames, at least 1.
    pub stride: u32,
}

impl FrameRange {
    /// The frames of this range in a movie of `num_frames` frames, ascending. A movie of one frame has that one row.
    pub fn frames(&self, num_frames: u32) -> impl Iterator<Item = u32> + use<> {
        let end = self.end_frame.unwrap_or(num_frames.max(2)).min(num_frames.saturating_add(1));
        (self.start_frame.max(1)..end).step_by(self.stride.max(1) as usize)
    }
}

/// Camera motion between neighbouring frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpticalFlow {
    /// Which frames get a row.
    #[serde(flatten)]
    pub range: FrameRange,
    /// How motion is estimated.
    pub method: Method,
    /// How the images are made.
    pub decoder: Decoder,
    /// Whether regions are derived from the rows. Not a parameter of the rows: it does not enter their digest.
    #[serde(skip)]
    pub regions: bool,
}

/// Brightness, clipping and sharpness of single frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameStatistics {
    /// Which frames get a row.
    #[serde(flatten)]
    pub range: FrameRange,
}

/// One analysis, parsed. Serialises as the parameters that decide the rows, in a fixed key order: the digest depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Analysis {
    /// Camera motion, and regions from it.
    OpticalFlow(OpticalFlow),
    /// Statistics of single frames.
    FrameStatistics(FrameStatistics),
}

/// One row of optical flow: the row's frame and the two frames it compares, all 1-based, `from` < `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The frame the row is named after.
    pub frame: u32,
    /// The earlier frame.
    pub from: u32,
    /// The later frame.
    pub to: u32,
}

impl Analysis {
    /// The name of the analysis in result files and in the AnalysisJob.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpticalFlow(_) => "opticalFlow",
            Self::FrameStatistics(_) => "frameStatistics",
        }
    }

    /// Counts up when the same parameters give other numbers than before: older results are then stale.
    pub fn revision(&self) -> u32 {
        match self {
            Self::OpticalFlow(_) | Self::FrameStatistics(_) => 1,
        }
    }

    /// The parameters that decide the rows, as a JSON object.
    pub fn parameters(&self) -> serde_json::Value {
        serde_json::json!(self)
    }

    /// How many rows the analysis has in a movie of `num_frames` frames.
    pub fn rows(&self, num_frames: u32) -> usize {
        let (Self::OpticalFlow(OpticalFlow { range, .. }) | Self::FrameStatistics(FrameStatistics { range })) = self;
        range.frames(num_frames).count()
    }
}

impl OpticalFlow {
    /// The pairs of a movie of `num_frames` frames, ascending. At both ends the pair is cut to the movie: frame 1
    /// compares 1 with 6, the last compares last-5 with last. A movie of fewer than two frames has none.
    pub fn pairs(&self, num_frames: u32) -> Vec<Pair> {
        self.range
            .frames(num_frames)
            .map(|frame| Pair {
                frame,
                from: frame.saturating_sub(HALF_GAP).max(1),
                to: (frame.saturating_add(HALF_GAP)).min(num_frames),
            })
            .filter(|pair| pair.from < pair.to)
            .collect()
    }
}

/// The distinct frames `pairs` need, ascending.
pub fn distinct_frames(pairs: &[Pair]) -> Vec<u32> {
    let mut frames: Vec<u32> = pairs.iter().flat_map(|pair| [pair.from, pair.to]).collect();
    frames.sort_unstable();
    frames.dedup();
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flow(start: u32, end: Option<u32>, stride: u32) -> OpticalFlow {
        let range = FrameRange { start_frame: start, end_frame: end, stride };
        OpticalFlow { range, method: Method::Auto, decoder: Decoder::Reduced, regions: true }
    }

    fn pair(frame: u32, from: u32, to: u32) -> Pair {
        Pair { frame, from, to }
    }

    #[test]
    fn frame_one_compares_one_with_six_and_the_rest_five_around() {
        assert_eq!(flow(1, None, 10).pairs(30), [pair(1, 1, 6), pair(11, 6, 16), pair(21, 16, 26)]);
    }

    #[test]
    fn the_last_pair_is_cut_to_the_movie() {
        assert_eq!(flow(21, None, 10).pairs(24), [pair(21, 16, 24)]);
    }

    #[test]
    fn end_frame_is_exclusive() {
        assert_eq!(flow(1, Some(21), 10).pairs(1000).len(), 2);
        assert_eq!(flow(1, Some(22), 10).pairs(1000).len(), 3);
    }

    #[test]
    fn an_end_frame_beyond_the_movie_is_cut_to_it() {
        assert_eq!(flow(1, Some(5000), 10).pairs(21), [pair(1, 1, 6), pair(11, 6, 16), pair(21, 16, 21)]);
    }

    #[test]
    fn a_camhd_movie_has_2516_rows_and_2516_distinct_frames() {
        let pairs = flow(1, None, 10).pairs(25_155);
        assert_eq!((pairs.len(), distinct_frames(&pairs).len()), (2_516, 2_517));
    }

    #[test]
    fn a_movie_of_one_frame_has_no_pair() {
        assert_eq!(flow(1, None, 10).pairs(1), []);
        assert_eq!(flow(1, None, 10).pairs(0), []);
    }

    #[test]
    fn regions_do_not_enter_the_parameters() {
        let with = Analysis::OpticalFlow(flow(1, None, 10));
        let without = Analysis::OpticalFlow(OpticalFlow { regions: false, ..flow(1, None, 10) });
        assert_eq!(with.parameters(), without.parameters());
        assert_eq!(
            serde_json::to_string(&with).unwrap(),
            r#"{"startFrame":1,"stride":10,"method":"Auto","decoder":"Reduced"}"#
        );
    }

    proptest! {
        #[test]
        fn every_pair_lies_in_the_movie(start in 0u32..400, end in proptest::option::of(0u32..400), stride in 0u32..50, frames in 0u32..300) {
            for pair in flow(start, end, stride).pairs(frames) {
                prop_assert!(1 <= pair.from && pair.from <= pair.frame && pair.frame <= pair.to && pair.to <= frames);
                prop_assert!(pair.to - pair.from <= 2 * HALF_GAP);
            }
        }
    }
}
