//! Points followed from one image to another: Lucas and Kanade's method (1981) from coarse levels to fine ones, as Bouguet
//! describes it (2000) and OpenCV has it: pixels between pixels in 14 bits, gradients of the earlier image only.
//!
//! OpenCV's own takes longer: it works eight pixels at a time, which a window's rows are no multiple of, and finishes
//! each row pixel by pixel. Here rows are filled up with pixels without gradients, which say nothing. And sums are of whole
//! numbers, so that the same images give the same bits on every machine, however many numbers it takes at once.

#![allow(clippy::inline_always)] // the inner loops: a call costs as much as what is called

use bytemuck::cast;
use wide::{i16x8, i32x4};

use crate::pyramid::{Level, MARGIN, Pyramid};

/// Bits of a weight between pixels.
const WEIGHT: i32 = 14;
/// Bits that pixels between pixels have beyond the point.
const FRACTION: i32 = 5;
/// What sums are divided by: fractions of pixels by gradients, which are 32 times a slope.
const SCALE: f32 = 1.0 / (1 << 20) as f32;
/// A window with a smaller least eigenvalue than this, a pixel, is too flat to follow.
const FLAT: f32 = 1e-4;
/// Iterations a level, and the step below which they end, in pixels.
const STEPS: usize = 12;
const STEP: f32 = 0.03;
/// Two steps that cancel each other to within this, in pixels, are one to and fro.
const TO_AND_FRO: f32 = 0.01;

/// Where each of `points` is in `to`, in pixels from the top left, by windows of `SIDE` pixels in `VECTORS` times eight;
/// `None` where it left the image, or was nothing to follow.
pub fn follow<const SIDE: usize, const VECTORS: usize>(
    from: &Pyramid,
    to: &Pyramid,
    points: impl Iterator<Item = [f32; 2]>,
) -> Vec<Option<[f32; 2]>> {
    const { assert!(SIDE <= VECTORS * 8 && VECTORS * 8 < MARGIN) };
    let mut window = Window::<SIDE, VECTORS>::default();
    let levels: Vec<(&Level, &Level)> = from.levels().iter().zip(to.levels()).collect();
    let follow_one = |point: [f32; 2]| {
        let (mut guess, mut is_found) = ([0.0; 2], false);
        for (number, (from, to)) in levels.iter().enumerate().rev() {
            let here = point.map(|at| at / (1 << number) as f32);
            guess = if number + 1 == levels.len() { here } else { guess.map(|at| at * 2.0) };
            is_found = window.cut(from, here) && window.find(to, &mut guess);
        }
        is_found.then_some(guess)
    };
    points.map(follow_one).collect()
}

/// A piece of the earlier image around a point, and the matrix of its gradients.
struct Window<const SIDE: usize, const VECTORS: usize> {
    pixels: [[i16x8; VECTORS]; SIDE],
    right: [[i16x8; VECTORS]; SIDE],
    down: [[i16x8; VECTORS]; SIDE],
    /// Sums of right * right, right * down, down * down; and what their determinant is divided into.
    matrix: [f32; 3],
    inverse: f32,
}

impl<const SIDE: usize, const VECTORS: usize> Default for Window<SIDE, VECTORS> {
    fn default() -> Self {
        let nothing = [[i16x8::ZERO; VECTORS]; SIDE];
        Self { pixels: nothing, right: nothing, down: nothing, matrix: [0.0; 3], inverse: 0.0 }
    }
}

impl<const SIDE: usize, const VECTORS: usize> Window<SIDE, VECTORS> {
    const HALF: f32 = (SIDE - 1) as f32 / 2.0;
    /// Rows whose sums surely have room in 32 bits: 32 products of 13 and 12 bits with their signs, two by two.
    const ROWS: usize = 32 / VECTORS;
    /// What belongs to the window, of a row of so many vectors in the order of [`Place::between`].
    const INSIDE: [[i16; 8]; VECTORS] = {
        let mut inside = [[0; 8]; VECTORS];
        let mut at = 0;
        while at < SIDE {
            inside[at / 8][at % 2 * 4 + at % 8 / 2] = -1;
            at += 1;
        }
        inside
    };

    /// Takes the piece around `point`; false where there is nothing to follow.
    fn cut(&mut self, level: &Level, point: [f32; 2]) -> bool {
        let Some(place) = Place::of::<SIDE>(level, point.map(|at| at - Self::HALF)) else { return false };
        let [right, down] = level.gradients.each_ref();
        place.between::<{ WEIGHT - FRACTION }, SIDE, VECTORS>(&level.pixels, |y, row| self.pixels[y] = *row);
        let inside = Self::INSIDE.map(i16x8::new);
        place.between::<WEIGHT, SIDE, VECTORS>(right, |y, row| self.right[y] = both(row, &inside));
        place.between::<WEIGHT, SIDE, VECTORS>(down, |y, row| self.down[y] = both(row, &inside));
        let products = [(&self.right, &self.right), (&self.right, &self.down), (&self.down, &self.down)];
        let [xx, xy, yy] = products.map(|(a, b)| Self::products(a, b) as f32 * SCALE);
        let determinant = xx * yy - xy * xy;
        let least = (yy + xx - ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt()) / (2 * SIDE * SIDE) as f32;
        self.matrix = [xx, xy, yy];
        self.inverse = 1.0 / determinant;
        least >= FLAT && determinant >= f32::EPSILON
    }

    /// The sum of the products of two planes of the window.
    #[inline(always)]
    fn products(a: &[[i16x8; VECTORS]; SIDE], b: &[[i16x8; VECTORS]; SIDE]) -> i64 {
        let (mut all, mut some) = (0, i32x4::ZERO);
        for y in 0..SIDE {
            for at in 0..VECTORS {
                some += a[y][at].dot(b[y][at]);
            }
            if (y + 1) % Self::ROWS == 0 || y + 1 == SIDE {
                all += total(some);
                some = i32x4::ZERO;
            }
        }
        all
    }

    /// Moves `guess` to where the piece is; false where that is outside.
    fn find(&self, level: &Level, guess: &mut [f32; 2]) -> bool {
        let mut last = [0.0; 2];
        for number in 0..STEPS {
            let Some(place) = Place::of::<SIDE>(level, guess.map(|at| at - Self::HALF)) else { return false };
            let step = self.step(&level.pixels, &place);
            *guess = [guess[0] + step[0], guess[1] + step[1]];
            if step[0] * step[0] + step[1] * step[1] <= STEP * STEP {
                break;
            }
            let back = |at: usize| (step[at] + last[at]).abs() < TO_AND_FRO;
            if number > 0 && back(0) && back(1) {
                *guess = [guess[0] - step[0] * 0.5, guess[1] - step[1] * 0.5];
                break;
            }
            last = step;
        }
        Place::of::<SIDE>(level, guess.map(|at| at - Self::HALF)).is_some()
    }

    /// How far the piece is from where it is looked for.
    #[inline(always)]
    fn step(&self, pixels: &[i16], place: &Place) -> [f32; 2] {
        let (mut all, mut x, mut y) = ([0; 2], i32x4::ZERO, i32x4::ZERO);
        place.between::<{ WEIGHT - FRACTION }, SIDE, VECTORS>(pixels, |row, values| {
            for (at, value) in values.iter().enumerate() {
                let change = *value - self.pixels[row][at];
                x += change.dot(self.right[row][at]);
                y += change.dot(self.down[row][at]);
            }
            if (row + 1) % Self::ROWS == 0 || row + 1 == SIDE {
                all = [all[0] + total(x), all[1] + total(y)];
                (x, y) = (i32x4::ZERO, i32x4::ZERO);
            }
        });
        let ([xx, xy, yy], [x, y]) = (self.matrix, all.map(|sum| sum as f32 * SCALE));
        [(xy * y - yy * x) * self.inverse, (xy * x - xx * y) * self.inverse]
    }
}

/// The bits that both have.
#[inline(always)]
fn both<const VECTORS: usize>(a: &[i16x8; VECTORS], b: &[i16x8; VECTORS]) -> [i16x8; VECTORS] {
    let mut both = *a;
    both.iter_mut().zip(b).for_each(|(both, b)| *both &= *b);
    both
}

#[inline(always)]
fn total(sum: i32x4) -> i64 {
    sum.to_array().into_iter().map(i64::from).sum()
}

/// Where a window begins, between pixels.
struct Place {
    /// Of its first pixel in the planes.
    start: usize,
    stride: usize,
    /// The weights of a pixel and the one to its right; of those below.
    weights: [i16x8; 2],
}

impl Place {
    /// `None` where no pixel of the window is in the image.
    #[inline(always)]
    fn of<const SIDE: usize>(level: &Level, [x, y]: [f32; 2]) -> Option<Self> {
        let is_near = |at: f32, size: usize| at >= -(SIDE as f32) && at < size as f32;
        if !is_near(x, level.width) || !is_near(y, level.height) {
            return None;
        }
        // Not by a call of the C library: not every x86 processor has an instruction for it.
        let floor = |at: f32| at as i32 - i32::from(at < at as i32 as f32);
        let (left, top) = (floor(x), floor(y));
        let (a, b, one) = (x - left as f32, y - top as f32, (1 << WEIGHT) as f32);
        let weight = |share: f32| (share * one + 0.5) as i32;
        let [first, right, below] = [weight((1.0 - a) * (1.0 - b)), weight(a * (1.0 - b)), weight((1.0 - a) * b)];
        let last = (1 << WEIGHT) - first - right - below;
        let pairs = |a: i32, b: i32| cast([[a as i16, b as i16]; 4]);
        let (column, row) = ((left + MARGIN as i32) as usize, (top + MARGIN as i32) as usize);
        let stride = level.stride();
        Some(Self { start: row * stride + column, stride, weights: [pairs(first, right), pairs(below, last)] })
    }

    /// The values of a plane between pixels, row by row, divided by 2^`SHIFT`; of eight the even columns, then the odd ones:
    /// a register that is read from a column holds the pairs of neighbours that begin in even columns, one read from the
    /// next column those that begin in odd ones.
    #[inline(always)]
    fn between<const SHIFT: i32, const SIDE: usize, const VECTORS: usize>(
        &self,
        plane: &[i16],
        mut row: impl FnMut(usize, &[i16x8; VECTORS]),
    ) {
        let half = i32x4::splat(1 << (SHIFT - 1));
        let mut above = [[i16x8::ZERO; 2]; VECTORS];
        let mut values = [i16x8::ZERO; VECTORS];
        for y in 0..=SIDE {
            let pixels = &plane[self.start + y * self.stride..][..=VECTORS * 8];
            for at in 0..VECTORS {
                let [even, odd] = [&pixels[at * 8..][..8], &pixels[at * 8 + 1..][..8]];
                let below = [i16x8::from_slice_unaligned(even), i16x8::from_slice_unaligned(odd)];
                let sum = |odd: usize| above[at][odd].dot(self.weights[0]) + below[odd].dot(self.weights[1]) + half;
                let (even, odd) = (sum(0) >> SHIFT, sum(1) >> SHIFT);
                values[at] = i16x8::from_i32x8_saturate(cast([even, odd]));
                above[at] = below;
            }
            if y > 0 {
                row(y - 1, &values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use opencv::{
        core::{self, Point2f, Size, TermCriteria, Vector},
        video::calc_optical_flow_pyr_lk,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{Grey, door};

    /// Waves of several lengths, seen from a place that moves.
    fn scene((width, height): (u32, u32), [dx, dy]: [f32; 2], seed: u32) -> Grey {
        let wave = |at: f32, length: f32| (at * std::f32::consts::TAU / length).sin();
        let shift = f32::from(seed as u8);
        let pixel = |at: u32| {
            let (x, y) = ((at % width) as f32 - dx + shift, (at / width) as f32 - dy);
            let coarse = 40.0 * wave(x + 0.3 * y, 37.0) * wave(y, 41.0);
            (128.0 + coarse + 25.0 * wave(x, 11.3) * wave(y - 0.4 * x, 13.7) + 12.0 * wave(x + y, 6.1)) as u8
        };
        Grey { width, height, data: (0..width * height).map(pixel).collect() }
    }

    /// What OpenCV finds.
    fn by_opencv(images: [&Grey; 2], side: i32, points: &[[f32; 2]]) -> Vec<Option<[f32; 2]>> {
        let starts: Vector<Point2f> = points.iter().map(|[x, y]| Point2f::new(*x, *y)).collect();
        let (mut ends, mut status, mut errors) = (Vector::<Point2f>::new(), Vector::<u8>::new(), Vector::<f32>::new());
        let both = core::TermCriteria_COUNT + core::TermCriteria_EPS;
        let criteria = TermCriteria::new(both, STEPS as i32, f64::from(STEP)).unwrap();
        let [from, to] = images.map(|image| door::pixels(image).unwrap());
        let (window, flat) = (Size::new(side, side), f64::from(FLAT));
        let (ends_, status_, errors_) = (&mut ends, &mut status, &mut errors);
        calc_optical_flow_pyr_lk(&from, &to, &starts, ends_, status_, errors_, window, 3, criteria, 0, flat).unwrap();
        ends.iter().zip(&status).map(|(end, status)| (status == 1).then_some([end.x, end.y])).collect()
    }

    /// Points that OpenCV finds elsewhere, by `limit` or more. Rounding decides here and there whether one more step is taken.
    fn elsewhere<const SIDE: usize, const VECTORS: usize>(
        images: [&Grey; 2],
        points: &[[f32; 2]],
        limit: f32,
    ) -> Vec<String> {
        let [from, to] = images.map(|image| Pyramid::build(image, SIDE));
        let own = follow::<SIDE, VECTORS>(&from, &to, points.iter().copied());
        let both = own.into_iter().zip(by_opencv(images, SIDE as i32, points));
        let differs = |(own, other): (Option<[f32; 2]>, Option<[f32; 2]>)| match (own, other) {
            (Some(own), Some(other)) => (own[0] - other[0]).hypot(own[1] - other[1]) >= limit,
            (own, other) => own != other,
        };
        points.iter().zip(both).filter(|(_, both)| differs(*both)).map(|both| format!("{SIDE}: {both:?}")).collect()
    }

    fn everywhere(width: u32, height: u32) -> Vec<[f32; 2]> {
        let at = |number: u32, size: u32| size as f32 * (number as f32 + 0.37) / 12.0;
        (0..144).map(|number| [at(number % 12, width), at(number / 12, height)]).collect()
    }

    #[test]
    fn points_are_where_opencv_finds_them() {
        let (earlier, later) = (scene((480, 270), [0.0, 0.0], 0), scene((480, 270), [2.3, -1.4], 0));
        let (images, points) = ([&earlier, &later], everywhere(480, 270));
        assert_eq!(elsewhere::<11, 2>(images, &points, 0.001), [""; 0]);
        assert_eq!(elsewhere::<21, 3>(images, &points, 0.001), [""; 0]);
    }

    #[test]
    fn what_is_flat_or_outside_is_not_followed() {
        let flat = Grey { width: 64, height: 48, data: vec![90; 64 * 48] };
        let levels = Pyramid::build(&flat, 11);
        assert_eq!(follow::<11, 2>(&levels, &levels, [[32.0, 24.0]].into_iter()), [None]);
        let scene = scene((64, 48), [0.0, 0.0], 0);
        let levels = Pyramid::build(&scene, 11);
        let far = [[-100.0, 3.0], [3.0, 1e9], [f32::NAN, 3.0], [f32::INFINITY, f32::NEG_INFINITY]];
        assert_eq!(follow::<11, 2>(&levels, &levels, far.into_iter()), [None; 4]);
    }

    proptest! {
        #[test]
        fn images_of_any_size_and_move_are_followed_as_opencv_does(
            width in 5_u32..150,
            height in 5_u32..150,
            dx in -3_f32..3.0,
            dy in -3_f32..3.0,
            seed in any::<u32>(),
        ) {
            let (earlier, later) = (scene((width, height), [0.0, 0.0], seed), scene((width, height), [dx, dy], seed));
            let (images, points) = ([&earlier, &later], everywhere(width, height));
            let small = elsewhere::<11, 2>(images, &points, 0.05);
            let large = elsewhere::<21, 3>(images, &points, 0.05);
            prop_assert!(small.len().max(large.len()) * 20 <= points.len(), "{small:?} {large:?}");
        }
    }
}
