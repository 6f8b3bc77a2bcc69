//! The picture as 8 x 5 cells, which vote. A cell's vote is the share of its points that agree; a border cell's counts
//! double, because the plume rises in the middle and the rock reaches every border.

/// Cells across.
pub const COLUMNS: usize = 8;
/// Cells down.
pub const ROWS: usize = 5;
/// Cells in all.
pub const CELLS: usize = COLUMNS * ROWS;

/// The cell of a point, given from 0 at the left and the top.
pub fn cell_of(x: f64, y: f64, width: f64, height: f64) -> usize {
    let at = |value: f64, size: f64, cells: usize| ((value / size * cells as f64).max(0.0) as usize).min(cells - 1);
    at(y, height, ROWS) * COLUMNS + at(x, width, COLUMNS)
}

/// How much a cell's vote counts.
pub fn weight(cell: usize) -> f64 {
    if is_border(cell) { 2.0 } else { 1.0 }
}

fn is_border(cell: usize) -> bool {
    let (column, row) = (cell % COLUMNS, cell / COLUMNS);
    column == 0 || column == COLUMNS - 1 || row == 0 || row == ROWS - 1
}

/// Which third of the picture's width and which half of its height a cell is in: spread is counted over these six parts.
pub fn part(cell: usize) -> usize {
    let (column, row) = (cell % COLUMNS, cell / COLUMNS);
    (column * 3 / COLUMNS) + 3 * usize::from(row * 2 >= ROWS)
}

/// Points and agreeing points of every cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Votes {
    points: [u16; CELLS],
    agreeing: [u16; CELLS],
}

impl Votes {
    /// Of cells that have so many points, of which so many agree.
    pub fn new(points: [u16; CELLS], agreeing: [u16; CELLS]) -> Self {
        Self { points, agreeing }
    }

    /// Counts points given as (cell, whether it agrees).
    pub fn count(points: impl Iterator<Item = (usize, bool)>) -> Self {
        let mut votes = Self { points: [0; CELLS], agreeing: [0; CELLS] };
        for (cell, agrees) in points {
            votes.points[cell] += 1;
            votes.agreeing[cell] += u16::from(agrees);
        }
        votes
    }

    /// The weighted share of the picture that agrees, 0-1, over the cells that have points.
    pub fn score(&self) -> f64 {
        let (mut sum, mut all) = (0.0, 0.0);
        for cell in self.textured() {
            sum += weight(cell) * f64::from(self.agreeing[cell]) / f64::from(self.points[cell]);
            all += weight(cell);
        }
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// Border cells that agree, each by its share of agreeing points.
    pub fn border(&self) -> f64 {
        let share = |cell: usize| f64::from(self.agreeing[cell]) / f64::from(self.points[cell]);
        self.textured().filter(|cell| is_border(*cell)).map(share).sum()
    }

    /// Cells that have points at all.
    pub fn textured(&self) -> impl Iterator<Item = usize> + '_ {
        (0..CELLS).filter(|cell| self.points[*cell] > 0)
    }

    /// Cells in which at least half of the points agree.
    pub fn agreeing(&self) -> impl Iterator<Item = usize> + '_ {
        self.textured().filter(|cell| self.agreeing[*cell] * 2 >= self.points[*cell])
    }

    /// Share of all cells of the picture that agree.
    pub fn coverage(&self) -> f64 {
        self.agreeing().count() as f64 / CELLS as f64
    }

    /// How many of the picture's six parts hold an agreeing cell.
    pub fn spread(&self) -> usize {
        let parts: std::collections::BTreeSet<_> = self.agreeing().map(part).collect();
        parts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_count_from_the_top_left_and_edges_belong_to_the_last() {
        assert_eq!(cell_of(0.0, 0.0, 480.0, 270.0), 0);
        assert_eq!(cell_of(479.9, 0.0, 480.0, 270.0), 7);
        assert_eq!(cell_of(480.0, 270.0, 480.0, 270.0), 39);
        assert_eq!((0..CELLS).filter(|cell| weight(*cell) > 1.0).count(), 22);
        assert_eq!((0..CELLS).map(part).collect::<std::collections::BTreeSet<_>>().len(), 6);
    }

    #[test]
    fn a_crowd_of_points_in_one_cell_has_one_vote() {
        let crowd = std::iter::repeat_n((18, true), 1000);
        let votes = Votes::count(crowd.chain((0..8).map(|cell| (cell, false))));
        assert!(votes.score() < 0.1, "{}", votes.score());
    }
}
