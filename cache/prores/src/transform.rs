//! Low coefficients to pixels: each the mean of the square of full-size pixels it stands for.
//!
//! The mean of `8 / n` neighbours of a cosine of the 8-point transform is a cosine of the n-point transform times a
//! constant, so a block's lowest n x n coefficients and these constants give n x n means. What higher coefficients would
//! add to a mean is small, and left out. In the fields of an interlaced frame a square covers half as many lines, so
//! twice as many rows of coefficients count. Colours have half as many columns; where each pixel is to have its own, twice as
//! many columns of coefficients count. Scan orders are such that in all these the wanted coefficients come first.

use std::f64::consts::PI;

use crate::{
    Range,
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

/// What the values of an image mean.
#[derive(Debug, Clone, Copy)]
pub struct Codes {
    /// The value for 512 of ten bits.
    middle: f64,
    /// How much one of ten bits is worth.
    gain: f64,
}

impl Codes {
    /// As stored.
    pub const TEN_BITS: Self = Self { middle: 512.0, gain: 1.0 };

    /// One byte a pixel.
    pub fn of_eight_bits(range: Range) -> Self {
        match range {
            Range::Video => Self { middle: 128.0, gain: 0.25 },
            Range::Full => Self { middle: (512.0 - 64.0) * 255.0 / 876.0, gain: 255.0 / 876.0 },
        }
    }

    /// Of each of two that are added up.
    pub fn halved(self) -> Self {
        Self { middle: self.middle / 2.0, gain: self.gain / 2.0 }
    }
}

/// How a macroblock's blocks are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// Four: top left, top right, bottom left, bottom right.
    Luma,
    /// Two: top, bottom.
    Colour,
}

/// From coefficients of a block to its means, `X` a row and `Y` a column.
pub struct Transform<const X: usize, const Y: usize> {
    blocks: Blocks,
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
    /// For a plane with this quantiser matrix.
    pub fn new(matrix: &[u8; 64], is_field: bool, codes: Codes, blocks: Blocks) -> Self {
        let scan = if is_field { &FIELD_SCAN[..] } else { &FRAME_SCAN[..] };
        let place = |v: usize, u: usize| scan.iter().position(|at| usize::from(*at) == v * 8 + u).unwrap_or_default();
        // Sample - 512 = scale / 16 * sum of coefficient * matrix * basis.
        let weight = |v: usize, u: usize| (f64::from(matrix[v * 8 + u]) / 16.0 * codes.gain) as f32;
        Self {
            blocks,
            order: std::array::from_fn(|v| std::array::from_fn(|u| place(v, u))),
            weights: std::array::from_fn(|v| std::array::from_fn(|u| weight(v, u))),
            across: basis(),
            down: basis(),
            middle: codes.middle as f32,
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
        let (column, top, width) = (column as usize, row as usize * 2 * Y, width as usize);
        match self.blocks {
            Blocks::Luma => {
                for macroblock in 0..width {
                    let means = self.means(coefficients, &weights, width * 4, macroblock * 4);
                    let left = (column + macroblock) * 2 * X;
                    put_four(&means, |half, side| 2 * half + side, (left, top), 2 * X, plane);
                }
            }
            Blocks::Colour => {
                // Four blocks are of two macroblocks; of the last one, where the slice has only one.
                for macroblock in (0..width).step_by(2) {
                    let means = self.means(coefficients, &weights, width * 2, macroblock * 2);
                    let shown = X * (width - macroblock).min(2);
                    put_four(&means, |half, side| half + 2 * side, ((column + macroblock) * X, top), shown, plane);
                }
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

/// Four blocks as two above two, of which the first `shown` columns count; `which` says which of them is on which side of
/// which half.
#[inline(always)]
fn put_four<P: Pixel, const X: usize, const Y: usize>(
    means: &[[[f32; 4]; X]; Y],
    which: impl Fn(usize, usize) -> usize,
    (left, top): (usize, usize),
    shown: usize,
    plane: &mut Plane<P>,
) {
    for (half, y) in (0..2).flat_map(|half| (0..Y).map(move |y| (half, y))) {
        let values: [[f32; X]; 2] =
            std::array::from_fn(|side| std::array::from_fn(|x| means[y][x][which(half, side) % 4]));
        let values = values.as_flattened();
        plane.put(left, top + half * Y + y, values.get(..shown).unwrap_or(values));
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
