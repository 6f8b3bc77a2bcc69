//! The published result files, field by field (optical flow 1.1, regions 1.1, frame statistics 1.0). Old readers' keys keep their names and
//! types; ours stand beside them. `provenance` comes first, so that the ledger reads only the start of a file.

use motion::{Estimate, Region};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::statistics::Statistics;

/// Enough to hold the provenance of any result.
pub const PROVENANCE_BYTES: u64 = 8192;

/// Where the numbers come from, and the digest the ledger compares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// Program and version.
    pub analyzer: String,
    /// The analysis, such as `opticalFlow`.
    pub analysis: String,
    /// Counts up when the same parameters give other numbers.
    pub revision: u32,
    /// The parameters that decide the rows.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub parameters: serde_json::Value,
    /// How many frames each decoder made; absent in results of programs that knew one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded_frames: Option<DecodedFrames>,
    /// Where the movie was read from.
    #[serde(rename = "sourceURL")]
    pub source_url: String,
    /// The origin's entity tag.
    pub etag: Option<String>,
    /// The movie's size in bytes.
    pub size: u64,
    /// The origin's Last-Modified, as sent.
    pub last_modified: Option<String>,
    /// `sha256:…` of what decides the rows (see `plan::ledger::digest`).
    pub digest: String,
}

/// How many distinct frames the rows are made of, by the decoder that was used: not always the one that was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecodedFrames {
    /// Of which only the lowest frequencies were decoded.
    pub reduced: u64,
    /// Of which every pixel was decoded.
    pub full: u64,
}

/// The movie, as the old frame server described it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MovieInfo {
    /// Seconds.
    #[serde(rename = "Duration")]
    pub duration: f64,
    /// Number of frames.
    #[serde(rename = "NumFrames")]
    pub num_frames: u32,
    /// Path below the archive's root, with a leading slash.
    #[serde(rename = "URL")]
    pub url: String,
    /// Where the frames were asked for.
    #[serde(rename = "cacheURL")]
    pub cache_url: String,
}

/// One `<stem>_optical_flow.json`.
pub type OpticalFlowFile = ResultFile<FlowRow>;

/// One `<stem>_frame_statistics.json`.
pub type FrameStatisticsFile = ResultFile<StatisticsRow>;

/// A file of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(bound = "R: Row + JsonSchema")]
pub struct ResultFile<R> {
    /// Ours; first, see the module.
    pub provenance: Provenance,
    /// The movie.
    pub movie: MovieInfo,
    /// Versions of the parts.
    #[schemars(schema_with = "versions::<R>")]
    pub contents: serde_json::Value,
    /// One row per frame or pair, ascending by frame.
    #[serde(rename = "frameStats")]
    pub frame_stats: Vec<R>,
    /// When and where it was made.
    pub performance: Performance,
}

/// A row of `frameStats`.
pub trait Row: Clone + Serialize + DeserializeOwned {
    /// What stands in the row, as `contents` names it.
    const NAME: &'static str;
    /// Its version.
    const VERSION: &'static str;

    /// The frame the row is named after, 1-based.
    fn frame(&self) -> u32;

    /// The `contents` of a file of such rows.
    fn contents() -> serde_json::Value {
        serde_json::json!({
            "movie": "1.0",
            "frameStats": {Self::NAME: Self::VERSION},
            "performance": {"timing": "1.0", "hostinfo": "1.1"},
        })
    }
}

impl Row for FlowRow {
    const NAME: &'static str = "opticalFlow";
    const VERSION: &'static str = "1.1";

    fn frame(&self) -> u32 {
        self.frame_number
    }
}

impl Row for StatisticsRow {
    const NAME: &'static str = "frameStatistics";
    const VERSION: &'static str = "1.0";

    fn frame(&self) -> u32 {
        self.frame_number
    }
}

fn versions<R: Row>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"const": R::contents()})
}

/// One row of `frameStats`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlowRow {
    /// The frame the row is named after, 1-based.
    pub frame_number: u32,
    /// Seconds spent on the row.
    pub duration_seconds: f64,
    /// The motion.
    pub optical_flow: Flow,
}

/// The motion from `from_frame` to `to_frame`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// `[-width/2, -height/2]` in full-resolution pixels.
    pub center: [f64; 2],
    /// Always 1: the flow is not reduced a second time.
    pub flow_scale: f64,
    /// Size of the compared images over the full size.
    pub img_scale: f64,
    /// The earlier frame.
    pub from_frame: u32,
    /// The later frame.
    pub to_frame: u32,
    /// `[s, theta, tx, ty]`, full-resolution pixels.
    pub similarity: [f64; 4],
    /// False when either image is too dark to say anything.
    pub valid: bool,
    /// `moved`, `still` or `undetermined`.
    pub status: motion::Status,
    /// Why the status is undetermined; empty where it is not. Older files have none.
    #[serde(default)]
    pub reasons: Vec<motion::Reason>,
    /// The method that gave the answer.
    pub method: motion::Method,
    /// Correspondences that agree with the similarity.
    pub inliers: usize,
    /// Share of the 8 x 5 grid's cells that hold inliers.
    pub coverage: f64,
    /// Root mean square of the inliers' residuals, full-resolution pixels.
    pub residual: f64,
    /// A second coherent motion, where there is one.
    pub second: Option<motion::SecondMotion>,
    /// Where the time went.
    pub performance: FlowPerformance,
}

/// One row of frame statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatisticsRow {
    /// The frame, 1-based.
    pub frame_number: u32,
    /// Seconds spent on the row.
    pub duration_seconds: f64,
    /// What was measured.
    pub frame_statistics: FrameStatistics,
}

/// What was measured on one frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrameStatistics {
    /// See the definitions in `statistics`.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// Where the time went.
    pub performance: StatisticsPerformance,
}

/// Where the time of a row of statistics went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatisticsPerformance {
    /// Seconds.
    pub timing: StatisticsTiming,
}

/// Seconds, per part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatisticsTiming {
    /// The row in all.
    pub elapsed_seconds: f64,
    /// Decoding and measuring.
    pub frame_statistics: f64,
    /// Until the frame was there.
    pub retrieve_frame: f64,
}

/// Where the time of one row went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowPerformance {
    /// Seconds.
    pub timing: FlowTiming,
}

/// Seconds, per part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlowTiming {
    /// The row in all.
    pub elapsed_seconds: f64,
    /// Estimating the motion.
    pub optical_flow: f64,
    /// Fetching and decoding the earlier frame (once for both rows it is in).
    pub retrieve_frame1: f64,
    /// Fetching and decoding the later frame.
    pub retrieve_frame2: f64,
}

/// When and where a file was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Performance {
    /// Wall times.
    pub timing: FileTiming,
    /// The machine.
    pub hostinfo: HostInfo,
}

/// Wall times of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileTiming {
    /// Seconds from start to end.
    pub elapsed_seconds: f64,
    /// UTC, `2017-07-26 01:22:55.069721`.
    pub start_time: String,
    /// UTC.
    pub end_time: String,
}

/// The machine a file was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostInfo {
    /// Its name.
    pub hostname: String,
    /// Its processor.
    pub cpu: String,
}

impl HostInfo {
    /// This machine.
    pub fn here() -> Self {
        let hostname = gethostname::gethostname().to_string_lossy().into_owned();
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
        Self { hostname, cpu: model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned()) }
    }
}

/// One `<stem>_optical_flow_regions.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegionsFile {
    /// The movie.
    pub movie: MovieInfo,
    /// Versions of the parts.
    #[schemars(schema_with = "regions_versions")]
    pub contents: serde_json::Value,
    /// Ascending, not overlapping.
    pub regions: Vec<Region>,
}

/// The `contents` of a regions file.
pub fn regions_contents() -> serde_json::Value {
    serde_json::json!({"regions": "1.1"})
}

fn regions_versions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"const": regions_contents()})
}

/// The start of a result file, as far as the ledger needs it.
#[derive(Deserialize)]
struct DigestOnly {
    digest: String,
}

/// The digest in the first bytes of a result file; `None` where it carries none (files of older programs).
pub fn recorded_digest(start: &[u8]) -> Option<String> {
    let rest = std::str::from_utf8(start).unwrap_or_else(|error| {
        // The cut may go through a character; what stands before it is text.
        std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
    });
    let object = rest.strip_prefix("{\"provenance\":")?;
    let mut values = serde_json::Deserializer::from_str(object).into_iter::<DigestOnly>();
    values.next()?.ok().map(|found| found.digest)
}

impl FlowRow {
    /// The row of `frame` from what was measured. `width` and `height` are the movie's.
    pub fn new(frame: u32, estimate: &Estimate, size: (u32, u32), frames: (u32, u32), timing: FlowTiming) -> Self {
        let optical_flow = Flow {
            center: [-f64::from(size.0) / 2.0, -f64::from(size.1) / 2.0],
            flow_scale: 1.0,
            img_scale: 1.0 / f64::from(crate::pipeline::REDUCTION),
            from_frame: frames.0,
            to_frame: frames.1,
            similarity: estimate.similarity.to_array(),
            valid: estimate.valid,
            status: estimate.status,
            reasons: estimate.reasons.clone(),
            method: estimate.method,
            inliers: estimate.inliers,
            coverage: estimate.coverage,
            residual: estimate.residual,
            second: estimate.second,
            performance: FlowPerformance { timing },
        };
        Self { frame_number: frame, duration_seconds: timing.elapsed_seconds, optical_flow }
    }
}

impl FlowRow {
    /// The row as regions need it. Undetermined rows, and those of older programs that were not valid, say nothing.
    pub fn motion_row(&self) -> motion::Row {
        let flow = &self.optical_flow;
        motion::Row { frame: self.frame_number, similarity: flow.similarity, valid: flow.valid, status: flow.status }
    }
}

impl StatisticsRow {
    /// The row of `frame`: `retrieve` and `compute` are seconds.
    pub fn new(frame: u32, statistics: Statistics, retrieve: f64, compute: f64) -> Self {
        let elapsed_seconds = retrieve + compute;
        let timing = StatisticsTiming { elapsed_seconds, frame_statistics: compute, retrieve_frame: retrieve };
        let frame_statistics = FrameStatistics { statistics, performance: StatisticsPerformance { timing } };
        Self { frame_number: frame, duration_seconds: elapsed_seconds, frame_statistics }
    }
}
