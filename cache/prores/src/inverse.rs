//! The inverse transform of whole blocks, in the integers in which FFmpeg has it: its pixels, bit for bit.
//!
//! An 8-point transform of rows, then one of columns, with factors `sqrt(2) cos(k pi / 16)` in 14 bits; sums are divided by
//! 2^15 and by 2^18, rounded. A coefficient's product with its quantiser step has 16 bits, and so has what leaves a row.
//! Implementations differ in what they do where these are too few, so that is damage here ([`Damage::Coefficient`]).
//!
//! Eight coefficients fill a register. They are stored in an order in which none has to be moved for the rows: neighbours
//! are two even or two odd coefficients of a row, and a dot product of neighbours is what the transform is made of. What
//! leaves the rows is in that order for the columns but for a transposition of pairs.

use bytemuck::cast;
use wide::{i16x8, i32x4, u32x4};

use crate::{bits::Damage, room::BLOCK};

/// Where each scan index of a frame that is not interlaced stands: row * 8 + column (SMPTE RDD 36).
const SCAN: [u8; BLOCK] = [
    0, 1, 8, 9, 2, 3, 10, 11, 16, 17, 24, 25, 18, 19, 26, 27, 4, 5, 12, 20, 13, 6, 7, 14, 21, 28, 29, 22, 15, 23, 30,
    31, 32, 33, 40, 48, 41, 34, 35, 42, 49, 56, 57, 50, 43, 36, 37, 44, 51, 58, 59, 52, 45, 38, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

const W1: i16 = 22725;
const W2: i16 = 21407;
const W3: i16 = 19265;
const W4: i16 = 16384;
const W5: i16 = 12873;
const W6: i16 = 8867;
const W7: i16 = 4520;

/// What a row's first result gets before the columns: 512, the middle of ten bits, and half a code, times 16.
const MIDDLE: i16 = 512 * 16 + 8;
/// Beyond this a row's result may not have room for the middle.
const MOST: i16 = 24_000;
/// The lowest and the highest code of a pixel: the others are reserved.
const CODES: (i16, i16) = (4, 1019);

/// Where a coefficient is stored: by pair of columns ((0, 2), (4, 6), (1, 3), (5, 7)), then even and odd rows, then row.
const fn place(row: usize, column: usize) -> usize {
    let pair = (column & 1) * 2 + (column >> 2);
    (pair * 2 + (row & 1)) * 8 + (row >> 1) * 2 + (column >> 1 & 1)
}

/// Where the coefficient of each scan index is stored.
pub const ORDER: [u8; BLOCK] = {
    let mut order = [0; BLOCK];
    let mut index = 0;
    while index < BLOCK {
        order[index] = place(SCAN[index] as usize / 8, SCAN[index] as usize % 8) as u8;
        index += 1;
    }
    order
};

/// Quantiser steps, in the order coefficients are stored in.
#[derive(Clone, Copy)]
pub struct Steps([i16x8; 8]);

impl Steps {
    /// Of a matrix in raster order.
    pub fn new(matrix: &[u8; BLOCK]) -> Self {
        let mut steps = [0; BLOCK];
        for (at, value) in matrix.iter().enumerate() {
            steps[place(at / 8, at % 8)] = i16::from(*value);
        }
        Self(cast(steps))
    }

    /// Times the scale of a slice; products of more than 16 bits keep the lower ones.
    pub fn scaled(&self, scale: u16) -> Self {
        let scale = i16x8::splat(scale as i16);
        Self(self.0.map(|steps| steps * scale))
    }
}

/// The pixels of a block, ten bits, row by row.
pub type Pixels = [[u16; 8]; 8];

/// Transforms a block.
#[inline(always)]
pub fn pixels(coefficients: &[i16; BLOCK], steps: &Steps) -> Result<Pixels, Damage> {
    let registers: [i16x8; 8] = cast(*coefficients);
    let products: [i16x8; 8] = std::array::from_fn(|at| registers[at] * steps.0[at]);
    let half =
        |odd: usize| rows::<15>([products[odd], products[2 + odd], products[4 + odd], products[6 + odd]], 1 << 14);
    let (even, odd) = (half(0), half(1));
    // Of each column: its even rows, then its odd ones.
    let columns: [i16x8; 8] = std::array::from_fn(|column| packed(even[column], odd[column]));
    check(&columns)?;
    let middle = i16x8::new([MIDDLE, 0, 0, 0, 0, 0, 0, 0]);
    let four = |first: usize| {
        let pairs = u32x4::transpose(std::array::from_fn(|column| cast(columns[first + column] + middle)));
        rows::<18>(pairs.map(cast), 0)
    };
    let (left, right) = (four(0), four(4));
    let (least, most) = (i16x8::splat(CODES.0), i16x8::splat(CODES.1));
    let row = |at: usize| cast(packed(left[at], right[at]).max(least).min(most));
    Ok(std::array::from_fn(row))
}

/// Whether the rows' results leave room for the middle.
#[inline(always)]
fn check(columns: &[i16x8; 8]) -> Result<(), Damage> {
    let (mut least, mut most) = (columns[0], columns[0]);
    for column in &columns[1..] {
        (least, most) = (least.min(*column), most.max(*column));
    }
    let beyond = (-i16x8::splat(MOST)).simd_gt(least) | most.simd_gt(i16x8::splat(MOST));
    if beyond.any() { Err(Damage::Coefficient) } else { Ok(()) }
}

/// The transform of four rows side by side, of which the pairs (0, 2), (4, 6), (1, 3) and (5, 7) are given.
#[inline(always)]
fn rows<const SHIFT: u32>([p02, p46, p13, p57]: [i16x8; 4], round: i32) -> [i32x4; 8] {
    let round = i32x4::splat(round);
    let even = |a: (i16, i16), b: (i16, i16)| p02.dot(twice(a)) + p46.dot(twice(b)) + round;
    let odd = |a: (i16, i16), b: (i16, i16)| p13.dot(twice(a)) + p57.dot(twice(b));
    let a =
        [even((W4, W2), (W4, W6)), even((W4, W6), (-W4, -W2)), even((W4, -W6), (-W4, W2)), even((W4, -W2), (W4, -W6))];
    let b = [odd((W1, W3), (W5, W7)), odd((W3, -W7), (-W1, -W5)), odd((W5, -W1), (W7, W3)), odd((W7, -W5), (W3, -W1))];
    let at = |index: usize| if index < 4 { a[index] + b[index] } else { a[7 - index] - b[7 - index] };
    std::array::from_fn(|index| at(index) >> SHIFT as i32)
}

/// The same two factors for four pairs.
#[inline(always)]
fn twice((first, second): (i16, i16)) -> i16x8 {
    i16x8::new([first, second, first, second, first, second, first, second])
}

/// Sixteen bits of each; what needs more becomes the largest or the smallest.
#[inline(always)]
fn packed(low: i32x4, high: i32x4) -> i16x8 {
    i16x8::from_i32x8_saturate(cast([low, high]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sqrt(2) cos(angle pi / 16), an angle of 0 to 8.
    fn factor(angle: usize) -> i64 {
        [0, W1, W2, W3, W4, W5, W6, W7, 0].map(i64::from)[angle]
    }

    /// The share of coefficient `k` in sample `x`: sqrt(2) cos((2 x + 1) k pi / 16), but 1 of the first.
    fn share(x: usize, k: usize) -> i64 {
        let angle = (2 * x + 1) * k % 32;
        let angle = if angle > 16 { 32 - angle } else { angle };
        match (k, angle) {
            (0, _) => i64::from(W4),
            (_, 9..) => -factor(16 - angle),
            _ => factor(angle),
        }
    }

    /// The formulas as they are, one value at a time.
    fn plain(products: &[i16; BLOCK]) -> Pixels {
        let mut rows = [[0_i64; 8]; 8];
        for (v, row) in rows.iter_mut().enumerate() {
            for (x, value) in row.iter_mut().enumerate() {
                let sum: i64 = (0..8).map(|u| i64::from(products[v * 8 + u]) * share(x, u)).sum();
                *value = (sum + (1 << 14)) >> 15;
            }
        }
        let pixel = |x: usize, y: usize| {
            let sum: i64 = (0..8).map(|v| rows[v][x] * share(y, v)).sum();
            ((sum + i64::from(MIDDLE) * i64::from(W4)) >> 18).clamp(4, 1019) as u16
        };
        std::array::from_fn(|y| std::array::from_fn(|x| pixel(x, y)))
    }

    fn stored(raster: &[i16; BLOCK]) -> [i16; BLOCK] {
        let mut block = [0; BLOCK];
        for (at, value) in raster.iter().enumerate() {
            block[place(at / 8, at % 8)] = *value;
        }
        block
    }

    #[test]
    fn every_coefficient_has_its_own_place() {
        let mut places = ORDER.to_vec();
        places.sort_unstable();
        assert_eq!(places, (0..64).collect::<Vec<u8>>());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn registers_give_what_the_formulas_give(
            few in proptest::collection::vec((0..64_usize, -2000..2000_i16), 0..12),
            dc in -16_000..16_000_i16,
        ) {
            let mut raster = [0; BLOCK];
            raster[0] = dc;
            for (at, value) in few {
                raster[at] = value;
            }
            let found = pixels(&stored(&raster), &Steps::new(&[1; BLOCK]));
            if let Ok(found) = found {
                proptest::prop_assert_eq!(found, plain(&raster));
            } else {
                proptest::prop_assert!(raster.iter().map(|value| i32::from(value.unsigned_abs())).sum::<i32>() > 24_000);
            }
        }
    }

    #[test]
    fn what_has_no_room_in_sixteen_bits_is_damage() {
        let mut raster = [0; BLOCK];
        raster[..4].fill(30_000);
        assert_eq!(pixels(&stored(&raster), &Steps::new(&[1; BLOCK])), Err(Damage::Coefficient));
    }
}
