//! Spells of the camera: where it rests, and what it does between two rests. The rules and thresholds are those of the
//! published regions files (1.1), but zoom is judged before translation, as their documentation says.

use std::{fmt, ops::RangeBounds};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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

fn is_known(row: &Row) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REST: [f64; 4] = [1.0, 0.0, 0.1, -0.1];

    /// Rows ten frames apart from frame 1: each motion so many times.
    fn rows(spells: &[([f64; 4], usize)]) -> Vec<Row> {
        let motions = spells.iter().flat_map(|(motion, count)| std::iter::repeat_n(*motion, *count));
        let row = |(at, similarity)| {
            let frame = 1 + 10 * at as u32;
            Row { frame, similarity, valid: true, status: Status::Moved }
        };
        motions.enumerate().map(row).collect()
    }

    fn kinds(spells: &[([f64; 4], usize)]) -> Vec<(u32, u32, &'static str)> {
        let found = regions(&rows(spells), 10);
        found.iter().map(|region| (region.start_frame, region.end_frame, region.kind.as_str())).collect()
    }

    #[test]
    fn a_move_stands_between_its_two_rests() {
        let found = kinds(&[(REST, 3), ([1.0, 0.0, 45.0, 0.0], 4), (REST, 2)]);
        assert_eq!(found, [(1, 21, "static"), (31, 71, "W"), (71, 81, "static")]);
    }

    #[test]
    fn every_direction_has_its_name_and_zoom_wins_over_translation() {
        let table: [([f64; 4], &str); 11] = [
            ([1.0, 0.0, 45.0, 0.0], "W"),
            ([1.0, 0.0, -45.0, 0.0], "E"),
            ([1.0, 0.0, 0.0, 45.0], "N"),
            ([1.0, 0.0, 0.0, -45.0], "S"),
            ([1.0, 0.0, 45.0, 45.0], "NW"),
            ([1.0, 0.0, -45.0, 45.0], "NE"),
            ([1.0, 0.0, 45.0, -45.0], "SW"),
            ([1.0, 0.0, -45.0, -45.0], "SE"),
            ([1.09, 0.0, 45.0, 0.0], "zoom_in"),
            ([0.91, 0.0, 0.0, 45.0], "zoom_out"),
            ([1.03, 0.0, 0.0, 0.0], "unknown"),
        ];
        for (motion, name) in table {
            let found = kinds(&[(REST, 3), (motion, 3), (REST, 3)]);
            assert_eq!(found[1].2, name, "{motion:?}");
        }
    }

    #[test]
    fn rests_closer_than_thirty_frames_are_one() {
        let jump = [1.0, 0.0, 80.0, 0.0];
        assert_eq!(kinds(&[(REST, 3), (jump, 1), (REST, 3)]), [(1, 61, "static")]);
        assert_eq!(kinds(&[(REST, 3), (jump, 2), (REST, 3)]).len(), 3, "thirty frames apart are two");
    }

    #[test]
    fn one_stable_row_is_no_rest_and_without_two_rests_there_is_no_move() {
        assert_eq!(kinds(&[([1.1, 0.0, 0.0, 0.0], 3), (REST, 1), ([1.1, 0.0, 0.0, 0.0], 3)]), []);
        assert_eq!(kinds(&[([1.1, 0.0, 0.0, 0.0], 3), (REST, 2)]), [(31, 41, "static")]);
        assert_eq!(kinds(&[]), []);
    }

    #[test]
    fn undetermined_rows_are_neither_stable_nor_averaged() {
        let mut all = rows(&[(REST, 3), ([1.0, 0.0, 45.0, 0.0], 6), (REST, 3)]);
        all[4] = Row { similarity: [3.0, 0.0, 9000.0, 0.0], status: Status::Undetermined, ..all[4] };
        all[5] = Row { similarity: REST, valid: false, ..all[5] };
        let found = regions(&all, 10);
        let stats = RegionStats { scale_mean: 1.0, tx_mean: 45.0, ty_mean: 0.0, size: 4 };
        assert_eq!(found[1], Region { start_frame: 31, end_frame: 91, kind: RegionKind::W, stats });
    }

    #[test]
    fn a_spell_with_fewer_than_two_rows_that_say_something_is_short() {
        let mut all = rows(&[(REST, 3), ([1.0, 0.0, 45.0, 0.0], 4), (REST, 3)]);
        for row in &mut all[4..7] {
            row.status = Status::Undetermined;
        }
        let found = regions(&all, 10);
        assert_eq!((found[1].kind, found[1].stats.size, found[1].stats.tx_mean), (RegionKind::Short, 1, 45.0));
        all[3].valid = false;
        let nothing = RegionStats { scale_mean: 1.0, tx_mean: 0.0, ty_mean: 0.0, size: 0 };
        assert_eq!((regions(&all, 10)[1].kind, regions(&all, 10)[1].stats), (RegionKind::Short, nothing));
    }

    #[test]
    fn thresholds_are_not_reached_by_what_equals_them() {
        let limits = [[1.0, 0.0, 10.0, 0.0], [1.0, 0.0, 6.0, 8.0], [1.01, 0.0, 0.0, 0.0]];
        for motion in limits {
            assert_eq!(
                kinds(&[(REST, 2), (motion, 3), (REST, 2)])[1],
                (21, 51, "unknown"),
                "{motion:?} is no rest and no move"
            );
        }
        assert_eq!(kinds(&[([1.009, 0.0, 7.0, 7.0], 2)]), [(1, 11, "static")]);
    }

    #[test]
    fn other_strides_keep_runs_together() {
        for stride in [1, 5, 30, 300] {
            let mut all = rows(&[(REST, 4)]);
            all.iter_mut().enumerate().for_each(|(at, row)| row.frame = 1 + stride * at as u32);
            let found = regions(&all, stride);
            assert_eq!(
                (found.len(), found[0].end_frame, found[0].stats.size),
                (1, 1 + 3 * stride, 4),
                "stride {stride}"
            );
        }
    }

    #[test]
    fn a_kind_has_one_name_in_files_and_on_screen() {
        use RegionKind::{E, N, NE, NW, S, SE, SW, Short, Static, Unknown, W, ZoomIn, ZoomOut};
        for kind in [Static, ZoomIn, ZoomOut, N, S, E, W, NE, NW, SE, SW, Short, Unknown] {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
    }

    #[test]
    fn a_region_is_written_as_published() {
        let region = &regions(&rows(&[(REST, 2)]), 10)[0];
        let json = r#"{"startFrame":1,"endFrame":11,"type":"static","stats":{"scaleMean":1.0,"txMean":0.1,"tyMean":-0.1,"size":2}}"#;
        assert_eq!(serde_json::to_string(region).unwrap(), json);
    }

    fn any_row() -> impl Strategy<Value = Row> {
        let similarity = prop_oneof![
            4 => Just(REST),
            1 => (0.9..1.1_f64, -30.0..30.0_f64, -30.0..30.0_f64).prop_map(|(s, tx, ty)| [s, 0.0, tx, ty]),
            1 => (0.98..1.02_f64, -12.0..12.0_f64, -12.0..12.0_f64).prop_map(|(s, tx, ty)| [s, 0.0, tx, ty]),
        ];
        let status = prop_oneof![6 => Just(Status::Moved), 1 => Just(Status::Undetermined)];
        (similarity, status, prop::bool::weighted(0.95)).prop_map(|(similarity, status, valid)| Row {
            frame: 0,
            similarity,
            valid,
            status,
        })
    }

    proptest! {
        #[test]
        fn moves_stand_between_rests_and_rests_are_stable(
            mut rows in prop::collection::vec(any_row(), 0..80), stride in 1_u32..40
        ) {
            rows.iter_mut().enumerate().for_each(|(at, row)| row.frame = 1 + stride * at as u32);
            let found = regions(&rows, stride);
            prop_assert_eq!(&found, &regions(&rows, stride));
            for (at, region) in found.iter().enumerate() {
                prop_assert_eq!(region.kind == RegionKind::Static, at % 2 == 0);
                prop_assert!(region.start_frame < region.end_frame, "{:?}", region);
            }
            for rest in found.iter().step_by(2) {
                let RegionStats { scale_mean, tx_mean, ty_mean, size } = rest.stats;
                prop_assert!(size >= 2 && (scale_mean - 1.0).abs() < 0.01 && tx_mean.hypot(ty_mean) < 10.0);
            }
            for three in found.windows(3).step_by(2) {
                prop_assert_eq!((three[1].start_frame, three[1].end_frame), (three[0].end_frame + 10, three[2].start_frame));
                prop_assert!(three[2].start_frame - three[0].end_frame >= 30);
            }
        }
    }
}
