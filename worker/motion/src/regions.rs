//! Spells of the camera: where it rests, and what it does between two rests. The rules and thresholds are those of the
//! published regions files (1.1), but zoom is judged before translation, as their documentation says.

use std::{fmt, ops::RangeBounds};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Status;

/// A row is stable when the picture moves less than this (full-resolution pixels in ten frames) …
const STABLE_SHIFT: f64 = 10.0;
/// … and grows or shrinks by less than this share.
const STABLE_SCALE: f64 = 0.01;
/// Rests nearer than this, in frames, are one.
const MERGE: u32 = 30;
/// A move begins so many frames after the rest before it.
const AFTER_REST: u32 = 10;
const ZOOM_IN: f64 = 1.05;
const ZOOM_OUT: f64 = 0.95;
const PAN: f64 = 10.0;

/// One row of optical flow, as far as regions need it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The row's frame, 1-based.
    pub frame: u32,
    /// `[s, t, tx, ty]`, full-resolution pixels.
    pub similarity: [f64; 4],
    /// False when the images were too dark.
    pub valid: bool,
    /// What is known of the camera.
    pub status: Status,
}

/// What the camera does in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RegionKind {
    /// Rests.
    #[serde(rename = "static")]
    Static,
    /// Zooms in.
    #[serde(rename = "zoom_in")]
    ZoomIn,
    /// Zooms out.
    #[serde(rename = "zoom_out")]
    ZoomOut,
    /// Turns up: the picture moves down.
    N,
    /// Turns down.
    S,
    /// Turns right: the picture moves left.
    E,
    /// Turns left.
    W,
    /// Turns up and right.
    #[serde(rename = "NE")]
    NE,
    /// Turns up and left.
    #[serde(rename = "NW")]
    NW,
    /// Turns down and right.
    #[serde(rename = "SE")]
    SE,
    /// Turns down and left.
    #[serde(rename = "SW")]
    SW,
    /// Too few rows to say.
    #[serde(rename = "short")]
    Short,
    /// None of these.
    #[serde(rename = "unknown")]
    Unknown,
}

/// A spell of the camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// First frame.
    pub start_frame: u32,
    /// Last frame.
    pub end_frame: u32,
    /// What the camera does.
    #[serde(rename = "type")]
    pub kind: RegionKind,
    /// The means it was judged by.
    pub stats: RegionStats,
}

/// Means over the rows of a region that say something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegionStats {
    /// Of the scale.
    pub scale_mean: f64,
    /// Of the shift to the right.
    pub tx_mean: f64,
    /// Of the shift down.
    pub ty_mean: f64,
    /// How many rows.
    pub size: usize,
}

/// The regions of a movie from its rows, which are ascending by frame and `stride` frames apart. Sorted.
///
/// A `static` region goes from its first stable row to its last. Between two there is one move, from ten frames after the
/// earlier to the first frame of the later; it is judged by the rows from the one up to, but without, the other, which
/// rests already. Rows that are not valid or not determined are neither stable nor part of any mean: a spell of them
/// between two rests is `short`.
///
/// What comes before the first rest and after the last is no region, as in the published files: only what two rests
/// enclose can be judged whole. So a movie without a rest has no regions.
pub fn regions(rows: &[Row], stride: u32) -> Vec<Region> {
    let rests = merged(runs(rows, stride));
    let mut regions = Vec::with_capacity(rests.len() * 2);
    for (at, (start, end)) in rests.iter().enumerate() {
        if let Some((_, before)) = at.checked_sub(1).and_then(|before| rests.get(before)) {
            regions.push(between(rows, before + AFTER_REST, *start));
        }
        let stats = stats(rows, *start..=*end, is_stable);
        regions.push(Region { start_frame: *start, end_frame: *end, kind: RegionKind::Static, stats });
    }
    regions
}

pub(crate) fn is_known(row: &Row) -> bool {
    row.valid && row.status != Status::Undetermined
}

fn is_stable(row: &Row) -> bool {
    let [s, _, tx, ty] = row.similarity;
    is_known(row) && tx * tx + ty * ty < STABLE_SHIFT * STABLE_SHIFT && (s - 1.0).abs() < STABLE_SCALE
}

/// Contiguous stable rows, more than one: first and last frame.
fn runs(rows: &[Row], stride: u32) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for row in rows.iter().filter(|row| is_stable(row)) {
        match runs.last_mut() {
            // A gap of at most 1.01 strides, as published.
            Some((_, end)) if 100 * u64::from(row.frame.saturating_sub(*end)) <= 101 * u64::from(stride) => {
                *end = row.frame;
            }
            _ => runs.push((row.frame, row.frame)),
        }
    }
    runs.retain(|(start, end)| end > start);
    runs
}

fn merged(runs: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(runs.len());
    for (start, end) in runs {
        match merged.last_mut() {
            Some((_, last)) if start.saturating_sub(*last) < MERGE => *last = end,
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// The move between two rests.
fn between(rows: &[Row], start: u32, end: u32) -> Region {
    let stats = stats(rows, start..end, is_known);
    Region { start_frame: start, end_frame: end, kind: kind_of(&stats), stats }
}

fn stats(rows: &[Row], frames: impl RangeBounds<u32>, counts: fn(&Row) -> bool) -> RegionStats {
    let inside = rows.iter().filter(|row| frames.contains(&row.frame) && counts(row));
    let (mut size, mut sums) = (0, [0.0; 3]);
    for row in inside {
        let [s, _, tx, ty] = row.similarity;
        sums.iter_mut().zip([s, tx, ty]).for_each(|(sum, value)| *sum += value);
        size += 1;
    }
    // Without rows the means are those of no motion: JSON knows no other absence that old readers could take.
    let [scale_mean, tx_mean, ty_mean] = if size == 0 { [1.0, 0.0, 0.0] } else { sums.map(|sum| sum / size as f64) };
    RegionStats { scale_mean, tx_mean, ty_mean, size }
}

fn kind_of(stats: &RegionStats) -> RegionKind {
    if stats.size < 2 {
        return RegionKind::Short;
    }
    if stats.scale_mean > ZOOM_IN {
        return RegionKind::ZoomIn;
    }
    if stats.scale_mean < ZOOM_OUT {
        return RegionKind::ZoomOut;
    }
    let sign = |value: f64| i8::from(value > PAN) - i8::from(value < -PAN);
    match (sign(stats.ty_mean), sign(stats.tx_mean)) {
        (1, 0) => RegionKind::N,
        (-1, 0) => RegionKind::S,
        (0, 1) => RegionKind::W,
        (0, -1) => RegionKind::E,
        (1, 1) => RegionKind::NW,
        (1, -1) => RegionKind::NE,
        (-1, 1) => RegionKind::SW,
        (-1, -1) => RegionKind::SE,
        _ => RegionKind::Unknown,
    }
}

impl RegionKind {
    /// As it is written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::ZoomIn => "zoom_in",
            Self::ZoomOut => "zoom_out",
            Self::N => "N",
            Self::S => "S",
            Self::E => "E",
            Self::W => "W",
            Self::NE => "NE",
            Self::NW => "NW",
            Self::SE => "SE",
            Self::SW => "SW",
            Self::Short => "short",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for RegionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
