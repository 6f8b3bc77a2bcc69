//! One movie as the report and the tables need it, made of its result files alone: whatever program wrote them, as long
//! as they have the published keys.

use motion::{Region, RegionKind, Status};
use serde::Deserialize;

use crate::result::MovieInfo;

/// A curve has at most so many points: more than pixels a point would not be seen.
const POINTS: usize = 480;
/// Stretches nearer than this share of the movie are shown as one.
const NEAR: f64 = 1.0 / POINTS as f64;
/// The word where a program gave none.
const NO_REASON: &str = "no reason recorded";

/// What is said of one movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Path below the archive's root.
    pub path: String,
    /// Number of frames.
    pub num_frames: u32,
    /// Seconds.
    pub duration: f64,
    /// Bytes; files of older programs do not say.
    pub file_size: Option<u64>,
    /// Its regions, ascending.
    pub regions: Vec<Region>,
    /// Where the motion is not determined, ascending.
    pub doubts: Vec<Doubt>,
    /// The motion over the movie, ascending by frame.
    pub curve: Vec<Point>,
    /// Shares of the movie.
    pub shares: Shares,
}

/// A stretch in which the motion is not determined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Frame of its first row.
    pub start_frame: u32,
    /// Frame of its last row.
    pub end_frame: u32,
    /// Why, in words, each once.
    pub reasons: Vec<String>,
}

/// A point of the curves: the largest of each value over a few rows. `None` where none of them is determined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The middle of the rows.
    pub frame: u32,
    /// tx and ty in pixels per ten frames, and 1,000 (s - 1).
    pub values: Option<[f64; 3]>,
}

/// Shares of a movie, 0-1. What is in none of them is a region of another kind, or none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shares {
    /// Of its frames, in static regions.
    pub still: f64,
    /// Of its frames, in regions of a pan, a tilt or a zoom.
    pub moving: f64,
    /// Of its rows, not determined.
    pub undetermined: f64,
}

/// A result file as far as an overview needs it.
#[derive(Debug, Deserialize)]
struct RowsFile {
    provenance: Option<Size>,
    movie: MovieInfo,
    #[serde(rename = "frameStats", default)]
    frame_stats: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Size {
    size: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    frame_number: u32,
    optical_flow: Option<Flow>,
}

#[derive(Debug, Deserialize)]
struct Flow {
    similarity: [f64; 4],
    valid: bool,
    status: Option<Status>,
    #[serde(default)]
    reasons: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Regions {
    movie: MovieInfo,
    regions: Vec<Region>,
}

impl Overview {
    /// From a file of rows and a file of regions; either may be missing, not both.
    pub fn read(rows: Option<&[u8]>, regions: Option<&[u8]>) -> Result<Option<Self>, serde_json::Error> {
        let rows: Option<RowsFile> = rows.map(serde_json::from_slice).transpose()?;
        let regions: Option<Regions> = regions.map(serde_json::from_slice).transpose()?;
        let size = rows.as_ref().and_then(|file| Some(file.provenance.as_ref()?.size));
        let (movie, rows, regions) = match (rows, regions) {
            (None, None) => return Ok(None),
            (Some(rows), None) => (rows.movie, rows.frame_stats, Vec::new()),
            (None, Some(regions)) => (regions.movie, Vec::new(), regions.regions),
            (Some(rows), Some(regions)) => (rows.movie, rows.frame_stats, regions.regions),
        };
        let flows: Vec<(u32, Flow)> =
            rows.into_iter().filter_map(|row| Some((row.frame_number, row.optical_flow?))).collect();
        Ok(Some(Self {
            path: movie.url.trim_start_matches('/').to_owned(),
            num_frames: movie.num_frames,
            duration: movie.duration,
            file_size: size,
            doubts: doubts(&flows, movie.num_frames),
            curve: curve(&flows),
            shares: shares(&regions, &flows, movie.num_frames),
            regions,
        }))
    }

    /// The last part of its path, without what comes after the last dot.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit_once('/').map_or(self.path.as_str(), |(_, name)| name);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

impl Flow {
    fn is_known(&self) -> bool {
        self.valid && self.status != Some(Status::Undetermined)
    }

    fn reasons(&self) -> Vec<String> {
        match (self.reasons.is_empty(), self.valid) {
            (false, _) => self.reasons.clone(),
            (true, false) => vec!["dark".to_owned()],
            (true, true) => vec![NO_REASON.to_owned()],
        }
    }
}

/// Whether a region is a turn or a zoom.
pub fn is_move(kind: RegionKind) -> bool {
    !matches!(kind, RegionKind::Static | RegionKind::Short | RegionKind::Unknown)
}

fn shares(regions: &[Region], flows: &[(u32, Flow)], frames: u32) -> Shares {
    let length = |region: &Region| f64::from(region.end_frame.saturating_sub(region.start_frame)) + 1.0;
    let of = |counts: fn(RegionKind) -> bool| {
        let sum: f64 = regions.iter().filter(|region| counts(region.kind)).map(length).sum();
        (sum / f64::from(frames.max(1))).min(1.0)
    };
    let unknown = flows.iter().filter(|(_, flow)| !flow.is_known()).count();
    Shares {
        still: of(|kind| kind == RegionKind::Static),
        moving: of(is_move),
        undetermined: unknown as f64 / flows.len().max(1) as f64,
    }
}

fn doubts(flows: &[(u32, Flow)], frames: u32) -> Vec<Doubt> {
    let near = (f64::from(frames) * NEAR) as u32;
    let mut doubts: Vec<Doubt> = Vec::new();
    let mut before = None;
    for (frame, flow) in flows {
        let follows = before.replace(*frame);
        if flow.is_known() {
            continue;
        }
        match doubts.last_mut() {
            Some(last) if follows == Some(last.end_frame) || frame.saturating_sub(last.end_frame) <= near => {
                last.end_frame = *frame;
                let new = flow.reasons().into_iter().filter(|word| !last.reasons.contains(word));
                last.reasons.extend(new.collect::<Vec<_>>());
            }
            _ => doubts.push(Doubt { start_frame: *frame, end_frame: *frame, reasons: flow.reasons() }),
        }
    }
    doubts
}

fn curve(flows: &[(u32, Flow)]) -> Vec<Point> {
    let per_point = flows.len().div_ceil(POINTS).max(1);
    flows.chunks(per_point).map(point).collect()
}

fn point(rows: &[(u32, Flow)]) -> Point {
    let known = rows.iter().filter(|(_, flow)| flow.is_known()).map(|(_, flow)| {
        let [s, _, tx, ty] = flow.similarity;
        [tx, ty, (s - 1.0) * 1000.0]
    });
    let values = known.reduce(|most, next| {
        let larger = |at: usize| if next[at].abs() > most[at].abs() { next[at] } else { most[at] };
        [larger(0), larger(1), larger(2)]
    });
    Point { frame: rows[rows.len() / 2].0, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const MOVIE: &str = r#"{"Duration":1.0,"NumFrames":100,"URL":"/A/X.v2.mov","cacheURL":""}"#;

    fn row(frame: u32, tx: f64, more: &Value) -> Value {
        let mut flow = json!({"similarity": [1.0, 0.0, tx, 0.0], "valid": true, "fromFrame": 1});
        flow.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"frameNumber": frame, "opticalFlow": flow})
    }

    fn read(rows: &[Value]) -> Overview {
        let movie: Value = serde_json::from_str(MOVIE).unwrap();
        let file = json!({"movie": movie, "contents": {}, "frameStats": rows}).to_string();
        Overview::read(Some(file.as_bytes()), None).unwrap().unwrap()
    }

    #[test]
    fn rows_of_the_published_format_are_enough() {
        let overview = read(&[row(1, 0.5, &json!({})), row(11, -3.0, &json!({"valid": false}))]);
        assert_eq!((overview.path.as_str(), overview.stem(), overview.file_size), ("A/X.v2.mov", "X.v2", None));
        let values = [Some([0.5, 0.0, 0.0]), None];
        assert_eq!(overview.curve.iter().map(|point| point.values).collect::<Vec<_>>(), values);
        assert_eq!(overview.doubts, [Doubt { start_frame: 11, end_frame: 11, reasons: vec!["dark".into()] }]);
        assert!((overview.shares.undetermined - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_stretch_in_doubt_tells_every_reason_once() {
        let doubt = |word: &str| json!({"status": "undetermined", "reasons": [word, "flat"]});
        let sure = json!({"status": "moved"});
        let rows = [(1, doubt("rival")), (11, doubt("noise")), (21, sure), (31, doubt("rival"))];
        let overview = read(&rows.map(|(frame, more)| row(frame, 0.0, &more)));
        let stretch = |start_frame, end_frame, words: &[&str]| Doubt {
            start_frame,
            end_frame,
            reasons: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        assert_eq!(overview.doubts, [stretch(1, 11, &["rival", "flat", "noise"]), stretch(31, 31, &["rival", "flat"])]);
    }

    #[test]
    fn a_long_curve_keeps_its_peaks() {
        let rows: Vec<Value> =
            (0..2_515).map(|at| row(1 + at * 10, if at == 1000 { -70.0 } else { 0.1 }, &json!({}))).collect();
        let curve = read(&rows).curve;
        assert!(curve.len() <= POINTS && curve.len() > POINTS / 2, "{}", curve.len());
        let lowest = curve.iter().filter_map(|point| point.values).map(|values| values[0]).fold(0.0, f64::min);
        assert!((lowest + 70.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_no_movie_and_another_file_is_an_error() {
        assert_eq!(Overview::read(None, None).unwrap(), None);
        assert!(Overview::read(Some(b"{\"movie\":{}}"), None).is_err());
    }
}
