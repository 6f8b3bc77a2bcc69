//! Exact sampling between samples: cubic B-splines.
//!
//! A plane is turned into spline coefficients once; a value anywhere is then four coefficients by four weights, and the
//! surface goes exactly through all samples (Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal
//! Processing Magazine 1999). Where the picture is coarser than the scene the same spline is stretched, so that it also
//! holds back what the picture cannot show.

use std::ops::Range;

use rayon::prelude::*;

/// The pole of the cubic B-spline's inverse filter: sqrt(3) - 2.
const POLE: f32 = -0.267_949_2;

/// Turns samples into spline coefficients, in place; the plane goes on beyond its edges as in a mirror.
pub fn coefficients(plane: &mut [f32], width: usize) {
    plane.par_chunks_mut(width).for_each(invert_row);
    let height = plane.len() / width;
    let mut first = vec![0.0; width];
    let mut power = 1.0;
    for row in 0..height.min(16) {
        let line = &plane[row * width..(row + 1) * width];
        power *= POLE;
        first.iter_mut().zip(line).for_each(|(sum, value)| *sum += power * value);
    }
    plane[..width].iter_mut().zip(&first).for_each(|(value, sum)| *value += sum);
    for row in 1..height {
        let (before, line) = plane[(row - 1) * width..(row + 1) * width].split_at_mut(width);
        line.iter_mut().zip(before).for_each(|(value, before)| *value += POLE * *before);
    }
    for value in &mut plane[(height - 1) * width..] {
        *value *= 6.0 * POLE / (POLE - 1.0);
    }
    for row in (0..height - 1).rev() {
        let (line, after) = plane[row * width..(row + 2) * width].split_at_mut(width);
        line.iter_mut().zip(after).for_each(|(value, after)| *value = POLE * (*after - 6.0 * *value));
    }
}

fn invert_row(line: &mut [f32]) {
    let mut power = 1.0;
    let first: f32 = line
        .iter()
        .take(16)
        .map(|value| {
            power *= POLE;
            power * value
        })
        .sum();
    let mut sum = first;
    for (at, value) in line.iter_mut().enumerate() {
        sum = *value + if at == 0 { first } else { POLE * sum };
        *value = sum;
    }
    let mut after = sum * 6.0 * POLE / (POLE - 1.0);
    for (back, value) in line.iter_mut().rev().enumerate() {
        if back > 0 {
            after = POLE * (after - 6.0 * *value);
        }
        *value = after;
    }
}

/// For every sample of one axis of the picture: which coefficients it is made of, and their weights.
pub struct Taps {
    /// Weights a sample.
    pub each: usize,
    /// The lowest coefficient used; may lie before the scene's edge.
    pub low: i64,
    /// Coefficients from the lowest to the highest used.
    pub span: usize,
    /// Per sample, its first coefficient, from `low`.
    pub first: Vec<usize>,
    /// Per sample, `each` weights.
    pub weights: Vec<f32>,
    /// All samples have the same weights, and each begins one after the one before.
    pub uniform: bool,
}

/// One axis of a picture and how the scene lies on it.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// Picture pixels per scene pixel.
    pub scale: f64,
    /// Where the scene's middle is, from the picture's middle, in picture pixels.
    pub shift: f64,
    /// The picture's length in pixels.
    pub picture: usize,
    /// The scene's length in pixels.
    pub scene: usize,
    /// Pixels from one sample to the next: 1, or 2 for colour, which is sited at the first of two pixels.
    pub step: usize,
}

impl Taps {
    /// The taps of some samples of an axis.
    pub fn new(axis: Axis, samples: Range<usize>) -> Self {
        // Up to here a picture finer than the scene's own detail shows it unharmed.
        let stretch = (0.8 * axis.step as f64 / axis.scale).max(1.0);
        let taps = (4.0 * stretch).ceil() as usize;
        let (mut starts, mut weights) = (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len() * taps));
        for sample in samples {
            let pixel = (sample * axis.step) as f64 + 0.5 - axis.picture as f64 / 2.0;
            let position = (pixel - axis.shift) / axis.scale + axis.scene as f64 / 2.0 - 0.5;
            let start = (position - 2.0 * stretch).floor() + 1.0;
            let raw = (0..taps).map(|tap| spline((start + tap as f64 - position) / stretch));
            let total: f64 = raw.clone().sum();
            weights.extend(raw.map(|weight| (weight / total) as f32));
            starts.push(start as i64);
        }
        let low = starts.iter().copied().min().unwrap_or(0);
        let high = starts.iter().copied().max().unwrap_or(0);
        let uniform = axis.step == 1 && (axis.scale - 1.0).abs() < f64::EPSILON;
        let first = starts.iter().map(|start| (start - low) as usize).collect();
        Self { each: taps, low, span: (high - low) as usize + taps, first, weights, uniform }
    }
}

/// The cubic B-spline.
fn spline(x: f64) -> f64 {
    let x = x.abs();
    match x {
        0.0..1.0 => (4.0 - 6.0 * x * x + 3.0 * x * x * x) / 6.0,
        1.0..2.0 => (2.0 - x).powi(3) / 6.0,
        _ => 0.0,
    }
}

/// The scene goes on beyond its edges as in a mirror.
pub fn mirrored(at: i64, size: usize) -> usize {
    let size = size as i64;
    let folded = at.rem_euclid(2 * size);
    if folded < size { folded as usize } else { (2 * size - 1 - folded) as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_repeats_without_a_seam() {
        assert_eq!([-2, -1, 0, 3, 4, 5, 8].map(|at| mirrored(at, 4)), [1, 0, 0, 3, 3, 2, 0]);
    }

    #[test]
    fn the_spline_goes_through_every_sample() {
        let samples: Vec<f32> = (0..20 * 12).map(|at| ((at * 37) % 101) as f32 / 101.0).collect();
        let mut plane = samples.clone();
        coefficients(&mut plane, 20);
        let value = |x: i64, y: i64| plane[mirrored(y, 12) * 20 + mirrored(x, 20)];
        let across = |x: i64, y: i64| (value(x - 1, y) + 4.0 * value(x, y) + value(x + 1, y)) / 6.0;
        for (at, sample) in samples.iter().enumerate() {
            let (x, y) = ((at % 20) as i64, (at / 20) as i64);
            let back = (across(x, y - 1) + 4.0 * across(x, y) + across(x, y + 1)) / 6.0;
            assert!((back - sample).abs() < 1e-5, "({x}, {y}): {back}, not {sample}");
        }
    }
}
