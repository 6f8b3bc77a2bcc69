//! Rows to regions: rests, the moves between them, and their names.

use motion::{Region, RegionKind, RegionStats, Row, Status, regions};
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
        assert_eq!((found.len(), found[0].end_frame, found[0].stats.size), (1, 1 + 3 * stride, 4), "stride {stride}");
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
