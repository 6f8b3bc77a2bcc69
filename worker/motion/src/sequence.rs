//! What a row's neighbours say of it. A pair of images cannot show that the later one is the earlier one again because a
//! frame was repeated, nor that what it takes for the camera comes and goes in a fifth of a second: the movie can.

use crate::{
    Similarity,
    estimate::Status,
    reason::Reason,
    regions::{Row, is_known},
};

/// Images that move less than this, in full-resolution pixels, are the same image: noise alone leaves twenty times as much.
const SAME: f64 = 0.001;
/// A jump is at least so far, in full-resolution pixels: slower moves may well begin and end between three rows.
const JUMP: f64 = 10.0;
/// Two rows tell of one move when they differ by less than this share of it.
const ONE_MOVE: f64 = 0.3;
/// Where displacements are taken, as of a full-size picture.
const SIZE: (f64, f64) = (1920.0, 1080.0);

/// Per row, why it is in doubt after all, in view of the rows before and after; `None` for those that stay what they are.
/// Rows ascend by frame.
///
/// A rest of exactly equal images beside a move, or beside what is not known, is a frame that was repeated. A move between
/// two rests, or a rest within a steady move, that lasts for one row only is not the camera's.
pub fn doubts(rows: &[Row]) -> Vec<Option<Reason>> {
    let mut doubts: Vec<Option<Reason>> = rows.windows(3).map(jumps).collect();
    // Each window speaks of its middle.
    doubts.insert(0, None);
    doubts.resize(rows.len(), None);
    let mut from = 0;
    while from < rows.len() {
        let run = rows.iter().skip(from).take_while(|row| is_repeated(row)).count();
        let moves = |at: Option<usize>| at.and_then(|at| rows.get(at)).is_some_and(|row| !is_rest(row));
        if run > 0 && (moves(from.checked_sub(1)) || moves(Some(from + run))) {
            doubts.iter_mut().skip(from).take(run).for_each(|doubt| *doubt = Some(Reason::Duplicate));
        }
        from += run.max(1);
    }
    doubts
}

fn is_rest(row: &Row) -> bool {
    is_known(row) && row.status == Status::Still
}

fn is_repeated(row: &Row) -> bool {
    is_rest(row) && displacement(row) < SAME
}

fn displacement(row: &Row) -> f64 {
    Similarity::from(row.similarity).mean_displacement(SIZE.0, SIZE.1)
}

fn jumps(three: &[Row]) -> Option<Reason> {
    let [before, row, after] = three else { return None };
    if ![before, row, after].into_iter().all(is_known) {
        return None;
    }
    let far = |row: &Row| row.status == Status::Moved && displacement(row) >= JUMP;
    let leaps = is_rest(before) && far(row) && is_rest(after);
    let stumbles = far(before) && is_rest(row) && far(after) && {
        let [before, after] = [before, after].map(|row| Similarity::from(row.similarity));
        before.mean_difference(&after, SIZE.0, SIZE.1) < ONE_MOVE * before.mean_displacement(SIZE.0, SIZE.1)
    };
    (leaps || stumbles).then_some(Reason::Jump)
}
