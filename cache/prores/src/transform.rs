//! Low coefficients to pixels: each the mean of the square of full-size pixels it stands for.
//!
//! The mean of `8 / n` neighbours of a cosine of the 8-point transform is a cosine of the n-point transform times a
//! constant, so a block's lowest n x n coefficients and these constants give n x n means. What higher coefficients would
//! add to a mean is small, and left out. In the fields of an interlaced frame a square covers half as many lines, so
//! twice as many rows of coefficients count. Scan orders are such that in both the wanted coefficients come first.

use std::f64::consts::PI;

use crate::{
    Range,
    header::Frame,
    plane::{Pixel, Plane},
    room::{Lowest, MAX_WANTED},
};

/// The first 16 positions of the scan of frames: row * 8 + column.
const FRAME_SCAN: [u8; 16] = [0, 1, 8, 9, 2, 3, 10, 11, 16, 17, 24, 25, 18, 19, 26, 27];
/// The first 32 positions of the scan of fields.
const FIELD_SCAN: [u8; 32] = [
    0, 8, 1, 9, 16, 24, 17, 25, 2, 10, 3, 11, 18, 26, 19, 27, 32, 40, 33, 34, 41, 48, 56, 49, 42, 35, 43, 50, 57, 58,
    51, 59,
];

/// From coefficients of a block to its means, `X` a row and `Y` a column.
pub struct Transform<const X: usize, const Y: usize> {
    /// Where in the scan the coefficient of row v and column u stands.
    order: [[usize; X]; Y],
    /// What it is multiplied by, beside the slice's scale.
    weights: [[f32; X]; Y],
    /// Share of column u in the mean x.
    across: [[f32; X]; X],
    /// Share of row v in the mean y.
    down: [[f32; Y]; Y],
    /// The value of a block without coefficients.
    middle: f32,
}

impl<const X: usize, const Y: usize> Transform<X, Y> {
    /// For the frames of a header. The two fields of an interlaced frame each give half of every value.
    pub fn new(frame: &Frame<'_>, range: Range) -> Self {
        let (scan, part) = if frame.header.interlaced { (&FIELD_SCAN[..], 0.5) } else { (&FRAME_SCAN[..], 1.0) };
        let (middle, gain) = range.of_ten_bits();
        let place = |v: usize, u: usize| scan.iter().position(|at| usize::from(*at) == v * 8 + u).unwrap_or_default();
        // Sample - 512 = scale / 16 * sum of coefficient * matrix * basis.
        let weight = |v: usize, u: usize| (f64::from(frame.matrix[v * 8 + u]) / 16.0 * gain * part) as f32;
        Self {
            order: std::array::from_fn(|v| std::array::from_fn(|u| place(v, u))),
            weights: std::array::from_fn(|v| std::array::from_fn(|u| weight(v, u))),
            across: basis(),
            down: basis(),
            middle: (middle * part) as f32,
        }
    }

    /// How many coefficients of each block it takes, in scan order.
    pub const WANTED: u32 = (X * Y) as u32;

    /// Puts the pixels of a slice of `width` macroblocks that begins at macroblock (`column`, `row`) into `plane`.
    pub fn put<P: Pixel>(
        &self,
        coefficients: &Lowest,
        scale: u16,
        (column, row, width): (u32, u32, u32),
        plane: &mut Plane<P>,
    ) {
        let weights = self.weights.map(|row| row.map(|weight| weight * f32::from(scale)));
        for macroblock in 0..width as usize {
            let means = self.means(coefficients, &weights, width as usize * 4, macroblock * 4);
            let left = (column as usize + macroblock) * 2 * X;
            for (half, y) in (0..2).flat_map(|half| (0..Y).map(move |y| (half, y))) {
                // Blocks come as top left, top right, bottom left, bottom right.
                let values: [[f32; X]; 2] =
                    std::array::from_fn(|side| std::array::from_fn(|x| means[y][x][2 * half + side]));
                plane.put(left, row as usize * 2 * Y + half * Y + y, values.as_flattened());
            }
        }
    }

    /// The means of four blocks side by side in memory: by row, column, block.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // the indices are those of the formula
    fn means(&self, coefficients: &Lowest, weights: &[[f32; X]; Y], blocks: usize, first: usize) -> [[[f32; 4]; X]; Y] {
        let mut rows = [[[0.0; 4]; X]; Y];
        for v in 0..Y {
            for u in 0..X {
                let at = (self.order[v][u] % MAX_WANTED) * blocks + first;
                let four = coefficients.get(at..).and_then(|rest| rest.first_chunk::<4>()).unwrap_or(&[0; 4]);
                let four = four.map(|level| level as f32 * weights[v][u]);
                for x in 0..X {
                    add(&mut rows[v][x], four, self.across[x][u]);
                }
            }
        }
        let mut means = [[[self.middle; 4]; X]; Y];
        for y in 0..Y {
            for v in 0..Y {
                for x in 0..X {
                    add(&mut means[y][x], rows[v][x], self.down[y][v]);
                }
            }
        }
        means
    }
}

#[inline(always)]
fn add(sums: &mut [f32; 4], four: [f32; 4], share: f32) {
    for (sum, value) in sums.iter_mut().zip(four) {
        *sum += value * share;
    }
}

/// The means of `8 / N` neighbours each of the 8-point inverse transform's cosines.
fn basis<const N: usize>() -> [[f32; N]; N] {
    let group = 8 / N;
    let cosine = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
    let mean = |j: usize, u: usize| (j * group..(j + 1) * group).map(|x| cosine(x, u)).sum::<f64>() / group as f64;
    let norm = |u: usize| if u == 0 { 0.5_f64.sqrt() } else { 1.0 };
    std::array::from_fn(|j| std::array::from_fn(|u| (norm(u) * mean(j, u)) as f32))
}
