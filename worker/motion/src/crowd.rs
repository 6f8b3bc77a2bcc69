//! Points in columns, cell by cell: who agrees with a motion is asked of hundreds for each of hundreds of motions, and so the
//! compiler may take several at once.

use crate::{
    flow::Found,
    grid::{CELLS, Votes},
    similarity::Matrix,
};

/// The points of an image.
#[derive(Debug)]
pub struct Crowd {
    /// x and y before, x and y after.
    columns: [Vec<f64>; 4],
    /// How many points each cell has; they stand in the order of the cells.
    points: [u16; CELLS],
    /// Of the last motion that was asked about: 1 for each point that agrees.
    agrees: Vec<u16>,
}

impl Crowd {
    /// Of these points.
    pub fn new(points: &[Found]) -> Self {
        let mut sorted: Vec<&Found> = points.iter().collect();
        sorted.sort_by_key(|found| found.cell);
        let column = |value: fn(&Found) -> f64| sorted.iter().map(|found| value(found)).collect();
        let [x, y, u, v] = [
            column(|found| found.point.from[0]),
            column(|found| found.point.from[1]),
            column(|found| found.point.to[0]),
            column(|found| found.point.to[1]),
        ];
        let mut of_cells = [0; CELLS];
        for found in points {
            of_cells[found.cell] += 1;
        }
        Self { columns: [x, y, u, v], points: of_cells, agrees: vec![0; points.len()] }
    }

    /// The votes for a motion: a point agrees when it lands so near, in pixels, to where it should.
    pub fn votes(&mut self, matrix: &Matrix, near: f64) -> Votes {
        matrix.land_near(self.columns.each_ref().map(Vec::as_slice), near, &mut self.agrees);
        let mut rest = &self.agrees[..];
        let agreeing = self.points.map(|points| {
            let (cell, behind) = rest.split_at(usize::from(points));
            rest = behind;
            cell.iter().sum()
        });
        Votes::new(self.points, agreeing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::{Match, Similarity};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn its_votes_are_those_counted_point_by_point(
            points in prop::collection::vec((0..CELLS, prop::array::uniform4(-250.0..250.0_f64), any::<bool>()), 0..400),
            move_of in (0.9..1.1_f64, -0.1..0.1_f64, -20.0..20.0_f64, -20.0..20.0_f64),
        ) {
            let similarity = Similarity { s: move_of.0, t: move_of.1, tx: move_of.2, ty: move_of.3 };
            let found = |(cell, [x, y, u, v], near): (usize, [f64; 4], bool)| {
                let [dx, dy] = similarity.displacement(x, y);
                // Some land where they should or hardly beside it.
                let to = if near { [x + dx + u / 300.0, y + dy + v / 300.0] } else { [u, v] };
                Found { point: Match { from: [x, y], to }, cell, overlay: false }
            };
            let points: Vec<Found> = points.into_iter().map(found).collect();
            let matrix = similarity.matrix();
            let agrees = |found: &Found| (found.cell, matrix.miss_squared(&found.point) <= 0.6 * 0.6);
            let expected = Votes::count(points.iter().map(agrees));
            prop_assert_eq!(Crowd::new(&points).votes(&matrix, 0.6), expected);
        }
    }
}
