//! Rows in view of their neighbours: repeated frames, and moves and rests that no camera makes.

use motion::{Reason, Row, Status, doubts};
use proptest::prelude::*;

const REST: [f64; 4] = [1.0, 1e-5, 0.02, -0.01];
const SAME: [f64; 4] = [1.0, 0.0, 0.0, 0.0];
const PAN: [f64; 4] = [1.0, 0.0, 45.0, 0.3];

fn row(similarity: [f64; 4]) -> Row {
    let far = motion::Similarity::from(similarity).mean_displacement(1920.0, 1080.0);
    Row { frame: 1, similarity, valid: true, status: if far < 1.0 { Status::Still } else { Status::Moved } }
}

fn found(motions: &[[f64; 4]]) -> Vec<Option<Reason>> {
    doubts(&motions.iter().map(|motion| row(*motion)).collect::<Vec<_>>())
}

#[test]
fn a_repeated_frame_within_a_move_is_no_rest() {
    assert_eq!(found(&[PAN, SAME, PAN])[1], Some(Reason::Duplicate));
    let long = found(&[REST, SAME, SAME, SAME, PAN, PAN]);
    assert_eq!(long, [None, Some(Reason::Duplicate), Some(Reason::Duplicate), Some(Reason::Duplicate), None, None]);
}

#[test]
fn a_repeated_frame_beside_a_row_that_is_not_known_is_left_open_too() {
    let lost = Row { status: Status::Undetermined, ..row(PAN) };
    assert_eq!(doubts(&[row(REST), row(SAME), lost, row(REST)])[1], Some(Reason::Duplicate));
}

#[test]
fn equal_pictures_of_a_resting_camera_rest() {
    assert_eq!(found(&[SAME, SAME, SAME]), [None; 3]);
    assert_eq!(found(&[REST, SAME, REST, SAME]), [None; 4]);
}

#[test]
fn a_move_or_a_rest_of_one_row_is_no_cameras() {
    assert_eq!(found(&[REST, PAN, REST]), [None, Some(Reason::Jump), None]);
    assert_eq!(found(&[PAN, REST, PAN]), [None, Some(Reason::Jump), None]);
    let back = [1.0, 0.0, -45.0, 0.0];
    assert_eq!(found(&[PAN, REST, back]), [None; 3], "a camera that turns back rests between");
    let creep = [1.0, 0.0, 4.0, 0.0];
    assert_eq!(found(&[REST, creep, REST]), [None; 3]);
    assert_eq!(found(&[REST, PAN, PAN, REST]), [None; 4]);
}

#[test]
fn few_rows_are_no_trouble() {
    assert_eq!(found(&[]), []);
    assert_eq!(found(&[PAN]), [None]);
    assert_eq!(found(&[SAME, PAN]), [Some(Reason::Duplicate), None]);
}

proptest! {
    #[test]
    fn only_rows_that_were_sure_come_into_doubt(kinds in prop::collection::vec(0..4_u8, 0..40)) {
        let row = |kind: &u8| match kind {
            0 => row(REST),
            1 => row(SAME),
            2 => row(PAN),
            _ => Row { status: Status::Undetermined, ..row(PAN) },
        };
        let rows: Vec<Row> = kinds.iter().map(row).collect();
        let found = doubts(&rows);
        prop_assert_eq!(found.len(), rows.len());
        for (row, doubt) in rows.iter().zip(found) {
            prop_assert!(doubt.is_none() || row.status != Status::Undetermined);
            prop_assert!(doubt != Some(Reason::Duplicate) || row.status == Status::Still);
        }
    }
}
