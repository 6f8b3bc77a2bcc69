//! `spec.analysis`: what is computed from every movie.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rule::{Rule, rules};

/// The analysis: exactly one of opticalFlow and frameStatistics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(&[Rule(
    "has(self.opticalFlow) != has(self.frameStatistics)",
    "set exactly one of opticalFlow and frameStatistics",
    "",
)])))]
pub struct Analysis {
    /// Camera motion between neighbouring frames, and the regions in which the camera rests, pans and zooms. Result:
    /// `<movie>_optical_flow.json`. `opticalFlow: {}` takes the defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optical_flow: Option<OpticalFlow>,
    /// Brightness, clipping and sharpness of single frames. Result: `<movie>_frame_statistics.json`.
    /// `frameStatistics: {}` takes the defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_statistics: Option<FrameStatistics>,
}

const END_AFTER_START: Rule = Rule(
    "!has(self.endFrame) || self.endFrame > self.startFrame",
    "endFrame, which is not looked at itself, must be greater than startFrame",
    ".endFrame",
);

/// Camera motion: frame f compares f-5 with f+5, for f = startFrame, startFrame + stride, … below endFrame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(&[END_AFTER_START])))]
pub struct OpticalFlow {
    /// The first frame, counted from 1. Default: 1.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub start_frame: u32,
    /// The first frame that is not looked at. Default: the movie's number of frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 100_000_000))]
    pub end_frame: Option<u32>,
    /// The distance between two frames that get a row, in frames; 1 to 100,000. Default: 10.
    #[schemars(range(min = 1, max = 100_000))]
    pub stride: u32,
    /// How motion is estimated: Auto (the cheapest method that is sure of its answer), DIS (dense inverse search),
    /// Corners (tracked corners), DualTVL1 (the original method, about a hundred times slower; only in images built
    /// with it). Default: Auto.
    pub method: Method,
    /// How the small grey images that are compared are made: Reduced (of ProRes only the lowest frequencies are decoded,
    /// more than ten times as fast; what is not ProRes is decoded in full all the same) or Full (every pixel is decoded).
    /// Results name the one that was used. Default: Reduced.
    pub decoder: Decoder,
    /// Whether regions are derived too, as `<movie>_optical_flow_regions.json`. Default: true.
    pub regions: bool,
}

impl Default for OpticalFlow {
    fn default() -> Self {
        Self {
            start_frame: 1,
            end_frame: None,
            stride: 10,
            method: Method::Auto,
            decoder: Decoder::Reduced,
            regions: true,
        }
    }
}

/// How camera motion is estimated from two frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Method {
    /// The cheapest method that is sure of its answer.
    #[default]
    Auto,
    /// Dense inverse search flow.
    #[serde(rename = "DIS")]
    Dis,
    /// Tracked corners.
    Corners,
    /// The original dense method.
    #[serde(rename = "DualTVL1")]
    DualTvl1,
}

/// How the small grey images that are compared are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Decoder {
    /// Of ProRes only the lowest frequencies are decoded; everything else in full.
    #[default]
    Reduced,
    /// Every pixel is decoded.
    Full,
}

/// Statistics of the frames startFrame, startFrame + stride, … below endFrame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(&[END_AFTER_START])))]
pub struct FrameStatistics {
    /// The first frame, counted from 1. Default: 1.
    #[schemars(range(min = 1, max = 100_000_000))]
    pub start_frame: u32,
    /// The first frame that is not looked at. Default: the movie's number of frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 100_000_000))]
    pub end_frame: Option<u32>,
    /// The distance between two frames that get a row, in frames; 1 to 100,000. Default: 10.
    #[schemars(range(min = 1, max = 100_000))]
    pub stride: u32,
}

impl Default for FrameStatistics {
    fn default() -> Self {
        Self { start_frame: 1, end_frame: None, stride: 10 }
    }
}
