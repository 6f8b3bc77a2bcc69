//! Why an estimate says what it says: the points that were followed, who of them agrees, and the cells they are in. For
//! people; nothing is decided here.

use crate::{
    Error, Estimate, Method, Prepared, Settings,
    consensus::AGREES,
    estimate,
    flow::{self, Detail, Found},
    grid::{CELLS, COLUMNS, ROWS},
};

/// An estimate with the points behind it. Positions are in full-resolution pixels from the top left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What was found.
    pub estimate: Estimate,
    /// Width and height of the full picture.
    pub size: [f64; 2],
    /// The points that were followed.
    pub points: Vec<Tracked>,
    /// The cells of the picture, row by row from the top.
    pub cells: Vec<Cell>,
}

/// A point that was followed from the earlier image to the later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tracked {
    /// Where it was: x, y.
    pub from: [f64; 2],
    /// Where it is.
    pub to: [f64; 2],
    /// Whether it agrees with the estimate's similarity.
    pub agrees: bool,
}

/// A cell of the grid the points vote in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    /// Points in it.
    pub points: usize,
    /// Points in it that agree.
    pub agreeing: usize,
}

impl Cell {
    /// Whether at least half of its points agree; a cell without points does not.
    pub fn agrees(self) -> bool {
        self.points > 0 && self.agreeing * 2 >= self.points
    }
}

impl Explanation {
    /// Cells in a row, and rows.
    pub const GRID: [usize; 2] = [COLUMNS, ROWS];
}

/// [`estimate`](fn@estimate) with the points it is made of: those of the method that gave the answer.
pub fn explain(from: &Prepared, to: &Prepared, img_scale: f64, settings: &Settings) -> Result<Explanation, Error> {
    let estimate = estimate(from, to, img_scale, settings)?;
    let matrix = estimate.similarity.scaled(img_scale).matrix();
    let agrees = |found: &Found| estimate.inliers > 0 && matrix.miss_squared(&found.point) <= AGREES * AGREES;
    let found = match estimate.method {
        Method::Auto | Method::Corners => {
            // Of the two ways to follow corners, the one whose points are those the estimate counts.
            let off = |found: &[Found]| found.iter().filter(|found| agrees(found)).count().abs_diff(estimate.inliers);
            let (plain, even) = (flow::corners(from, to, Detail::Plain)?, flow::corners(from, to, Detail::Even)?);
            if off(&plain) <= off(&even) { plain } else { even }
        }
        Method::Dis => flow::dis(from, to)?,
        Method::DualTvl1 => flow::dual_tvl1(from, to)?,
    };
    let mut cells = vec![Cell::default(); CELLS];
    for found in &found {
        if let Some(cell) = cells.get_mut(found.cell) {
            cell.points += 1;
            cell.agreeing += usize::from(agrees(found));
        }
    }
    let size = [from.grey().width, from.grey().height].map(|length| f64::from(length) / img_scale);
    let place = |[x, y]: [f64; 2]| [x / img_scale + size[0] / 2.0, y / img_scale + size[1] / 2.0];
    let tracked =
        |found: &Found| Tracked { from: place(found.point.from), to: place(found.point.to), agrees: agrees(found) };
    let points = found.iter().map(tracked).collect();
    Ok(Explanation { estimate, size, points, cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grey;

    /// Bright squares at places that repeat nowhere, moved right.
    fn image(shift: i32) -> Prepared {
        let (width, height) = (480, 270);
        let mut data = vec![60; width * height];
        for number in 0..260_i32 {
            let (x, y) = (number * 97 % 461 + shift, number * 61 % 257);
            for (dx, dy) in (0..9).flat_map(|dx| (0..7).map(move |dy| (dx, dy))) {
                let (x, y) = (x + dx, y + dy);
                if (0..width as i32).contains(&x) && (0..height as i32).contains(&y) {
                    data[y as usize * width + x as usize] = (90 + number * 29 % 150) as u8;
                }
            }
        }
        Prepared::new(Grey { width: width as u32, height: height as u32, data })
    }

    #[test]
    fn an_explanation_holds_the_estimate_and_as_many_agreeing_points_as_it_counts() {
        let (from, to, settings) = (image(0), image(3), Settings::default());
        let explained = explain(&from, &to, 0.25, &settings).unwrap();
        assert_eq!(explained.estimate, estimate(&from, &to, 0.25, &settings).unwrap());
        assert_eq!(explained.size.map(|length| length as u32), [1920, 1080]);
        let agreeing = explained.points.iter().filter(|point| point.agrees);
        assert_eq!(agreeing.clone().count(), explained.estimate.inliers);
        assert!(agreeing.clone().all(|point| (point.to[0] - point.from[0] - 12.0).abs() < 3.5), "full-size pixels");
        let voted: usize = explained.cells.iter().map(|cell| cell.agreeing).sum();
        assert_eq!(voted, agreeing.count());
        let share = explained.cells.iter().filter(|cell| cell.agrees()).count() as f64 / CELLS as f64;
        assert!((share - explained.estimate.coverage).abs() < 1e-9);
    }

    #[test]
    fn a_black_image_is_explained_by_no_point() {
        let black = || Prepared::new(Grey { width: 480, height: 270, data: vec![0; 480 * 270] });
        let explained = explain(&black(), &black(), 0.25, &Settings::default()).unwrap();
        assert!(explained.points.is_empty() && !explained.estimate.valid);
    }
}
