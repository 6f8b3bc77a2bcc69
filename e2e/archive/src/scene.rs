//! The scene the camera looks at, larger than the picture: rock at all scales, chimneys, mats of bacteria; or a still.
//! Kept as planes of brightness and colour; a picture is read out of it at any sub-pixel pose.

use std::{ops::Range, path::Path};

use rayon::prelude::*;

use crate::{camera::Pose, noise};

/// A scene: `width * height` samples a plane, brightness 0-1 and two colour differences around 0.
#[derive(Debug, Clone)]
pub struct Scene {
    width: usize,
    height: usize,
    y: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

/// A still that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the still {path}")]
pub struct StillError {
    /// The file.
    pub path: std::path::PathBuf,
    /// Why.
    #[source]
    pub source: image::ImageError,
}

/// The planes of a picture read out of a scene; made once and filled for every frame.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Brightness, row by row.
    pub y: Vec<f32>,
    /// Blue difference, at half the width.
    pub u: Vec<f32>,
    /// Red difference, at half the width.
    pub v: Vec<f32>,
    /// Rows of the scene read across, before they are mixed down.
    lines: Vec<f32>,
}

impl Scene {
    /// A sea floor for pictures of `width` x `height`: one and a half times as large, continued by its mirror images.
    pub fn sea_floor(width: usize, height: usize, seed: u64) -> Self {
        let (w, h) = (width * 3 / 2, height * 3 / 2);
        // Detail is in pixels of the picture's 1920, so that a small picture shows the same scene, smaller.
        let unit = 1920.0 / width as f32;
        let seed = (seed as u32).wrapping_mul(0x9e37_79b9) ^ (seed >> 32) as u32;
        let texel = |at: usize| sea_floor_at((at % w) as f32 * unit, (at / w) as f32 * unit, unit, seed);
        let texels: Vec<[f32; 3]> = (0..w * h).into_par_iter().map(texel).collect();
        Self::of(w, h, &texels)
    }

    /// A still picture, continued by its mirror images. Scaled so that it fills one and a quarter pictures of `width`.
    pub fn still(path: &Path, width: usize) -> Result<Self, StillError> {
        let image = image::open(path).map_err(|source| StillError { path: path.to_owned(), source })?;
        let wanted = (width * 5 / 4) as u32;
        let image = image.resize(wanted, u32::MAX, image::imageops::FilterType::CatmullRom).to_rgb8();
        let texel = |pixel: &image::Rgb<u8>| {
            let [r, g, b] = pixel.0.map(|value| f32::from(value) / 255.0);
            let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            [y, (b - y) / 1.8556, (r - y) / 1.5748]
        };
        let texels: Vec<[f32; 3]> = image.pixels().map(texel).collect();
        Ok(Self::of(image.width() as usize, image.height() as usize, &texels))
    }

    fn of(width: usize, height: usize, texels: &[[f32; 3]]) -> Self {
        let plane = |at: usize| texels.par_iter().map(|texel| texel[at]).collect();
        Self { width, height, y: plane(0), u: plane(1), v: plane(2) }
    }

    /// Reads the picture of `width` x `height` at `pose` into `view`.
    pub fn view(&self, pose: Pose, (width, height): (usize, usize), view: &mut View) {
        let rows = Taps::new(pose.scale, pose.y, height, self.height, 1);
        let half = Taps::new(pose.scale, pose.x, width / 2, self.width, 2);
        self.brightness(pose, (width, height), 0..width, view);
        self.resample(&self.u, &half, &rows, &mut view.lines, &mut view.u);
        self.resample(&self.v, &half, &rows, &mut view.lines, &mut view.v);
    }

    /// Reads only the brightness, of the picture's `columns`, into `view`.
    pub fn brightness(&self, pose: Pose, (width, height): (usize, usize), columns: Range<usize>, view: &mut View) {
        let rows = Taps::new(pose.scale, pose.y, height, self.height, 1);
        let mut across = Taps::new(pose.scale, pose.x, width, self.width, 1);
        across.keep(columns);
        self.resample(&self.y, &across, &rows, &mut view.lines, &mut view.y);
    }

    /// Separable cubic interpolation: rows are first read across, into `lines`, then mixed down, into `out`.
    fn resample(&self, plane: &[f32], columns: &Taps, rows: &Taps, lines: &mut Vec<f32>, out: &mut Vec<f32>) {
        let width = columns.at.len();
        lines.resize(width * self.height, 0.0);
        out.resize(width * rows.at.len(), 0.0);
        lines.par_chunks_mut(width.max(1)).enumerate().filter(|(row, _)| rows.used[*row]).for_each(|(row, line)| {
            let source = &plane[row * self.width..(row + 1) * self.width];
            for (out, (at, weight)) in line.iter_mut().zip(columns.at.iter().zip(&columns.weight)) {
                *out = (0..4).map(|tap| source[at[tap]] * weight[tap]).sum();
            }
        });
        let line = |row: usize| &lines[row * width..(row + 1) * width];
        out.par_chunks_mut(width.max(1)).zip(rows.at.par_iter().zip(&rows.weight)).for_each(|(out, (at, w))| {
            let [a, b, c, d] = at.map(line);
            for (at, out) in out.iter_mut().enumerate() {
                *out = a[at] * w[0] + b[at] * w[1] + c[at] * w[2] + d[at] * w[3];
            }
        });
    }
}

/// For every sample of an axis of the picture: the four samples of the scene it is made of, and their weights.
struct Taps {
    at: Vec<[usize; 4]>,
    weight: Vec<[f32; 4]>,
    used: Vec<bool>,
}

impl Taps {
    /// `step` is 2 for colour, which has one sample for two pixels, sited at the first of them.
    fn new(scale: f64, shift: f64, count: usize, size: usize, step: usize) -> Self {
        let middle = (count * step) as f64 / 2.0;
        let (mut at, mut weight, mut used) = (Vec::with_capacity(count), Vec::with_capacity(count), vec![false; size]);
        for sample in 0..count {
            let pixel = (sample * step) as f64 + 0.5;
            let position = (pixel - middle - shift) / scale + size as f64 / 2.0 - 0.5;
            let base = position.floor();
            let taps = [-1, 0, 1, 2].map(|offset| mirrored(base as i64 + offset, size));
            for tap in taps {
                used[tap] = true;
            }
            at.push(taps);
            weight.push(catmull_rom((position - base) as f32));
        }
        Self { at, weight, used }
    }

    /// Drops all samples but these.
    fn keep(&mut self, samples: Range<usize>) {
        self.at = self.at[samples.clone()].to_vec();
        self.weight = self.weight[samples].to_vec();
    }
}

/// The scene goes on beyond its edges as in a mirror.
fn mirrored(at: i64, size: usize) -> usize {
    let size = size as i64;
    let folded = at.rem_euclid(2 * size);
    if folded < size { folded as usize } else { (2 * size - 1 - folded) as usize }
}

fn catmull_rom(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [0.5 * (-t3 + 2.0 * t2 - t), 0.5 * (3.0 * t3 - 5.0 * t2 + 2.0), 0.5 * (-3.0 * t3 + 4.0 * t2 + t), 0.5 * (t3 - t2)]
}

/// Brightness and colour of the sea floor at a point, in pixels of a 1920 wide picture. `unit` is the distance of samples:
/// detail finer than four of them is left out.
fn sea_floor_at(x: f32, y: f32, unit: f32, seed: u32) -> [f32; 3] {
    let octaves = |wavelength: f32| ((wavelength / (4.0 * unit)).log2().floor().max(1.0) as u32).min(9);
    // The ground bends what lies on it, so that nothing is straight.
    let bend = noise::fractal(x / 300.0, y / 300.0, octaves(300.0).min(4), 0.5, seed ^ 1) * 60.0;
    let (bx, by) = (x + bend, y - 0.7 * bend);
    let relief = noise::fractal(bx / 520.0, by / 430.0, octaves(430.0), 0.62, seed ^ 2);
    let cracks = noise::ridged(bx / 260.0, by / 200.0, octaves(200.0), 0.55, seed ^ 3);
    let grain = noise::fractal(x / 40.0, y / 40.0, octaves(40.0), 0.8, seed ^ 4);
    // Light from the lamps above: slopes that face up are brighter.
    let slope = noise::fractal(bx / 520.0, (by - 14.0) / 430.0, octaves(430.0), 0.62, seed ^ 2) - relief;
    let rock = 0.30 + 0.16 * relief - 0.22 * (cracks - 0.45) + 0.10 * grain + 0.55 * slope;
    // Chimneys: tall bodies, lighter, streaked upright.
    let body = noise::fractal(bx / 340.0, y / 900.0, octaves(340.0).min(5), 0.5, seed ^ 5);
    let chimney = smooth(body, 0.16, 0.34);
    let streaks = noise::fractal(bx / 26.0, y / 120.0, octaves(26.0), 0.75, seed ^ 6);
    let stone = rock * (1.0 - 0.75 * chimney) + chimney * (0.36 + 0.16 * streaks + 0.10 * relief + 0.08 * grain);
    // Mats of bacteria: whitish patches with a ragged edge, where it is not too steep.
    let patch = noise::fractal(bx / 230.0, by / 180.0, octaves(180.0), 0.66, seed ^ 7) + 0.25 * grain;
    let mat = smooth(patch, 0.18, 0.42) * 0.8;
    let light = stone * (1.0 - mat) + mat * (0.62 + 0.14 * grain + 0.10 * relief);
    let y_out = light.clamp(0.02, 0.95);
    // Deep-sea lamp light: rock bluish green, mats near white, chimneys rusty.
    let u = 0.028 * (1.0 - mat) - 0.034 * chimney * (1.0 - mat) + 0.010 * relief;
    let v = -0.042 * (1.0 - mat) + 0.066 * chimney * (1.0 - mat) + 0.012 * grain;
    [y_out, u, v]
}

/// 0 below `from`, 1 above `to`, a smooth step between.
pub(crate) fn smooth(value: f32, from: f32, to: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A soft spot at a point of the scene, given from its centre.
    fn spot(x: f32, y: f32) -> Scene {
        let (width, height) = (200, 160);
        let texel = |at: usize| {
            let (px, py) = ((at % width) as f32 + 0.5 - 100.0, (at / width) as f32 + 0.5 - 80.0);
            [(-((px - x).powi(2) + (py - y).powi(2)) / 18.0).exp(), 0.0, 0.0]
        };
        Scene::of(width, height, &(0..width * height).map(texel).collect::<Vec<_>>())
    }

    /// The middle of what is bright in a view, from its centre.
    fn centroid(view: &View, width: usize, height: usize) -> (f64, f64) {
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        for (at, value) in view.y.iter().enumerate() {
            sum += f64::from(*value);
            x += f64::from(*value) * ((at % width) as f64 + 0.5 - width as f64 / 2.0);
            y += f64::from(*value) * ((at / width) as f64 + 0.5 - height as f64 / 2.0);
        }
        (x / sum, y / sum)
    }

    #[test]
    fn a_scene_point_is_seen_where_the_pose_puts_it() {
        let scene = spot(10.0, -5.0);
        for pose in [
            Pose { scale: 1.0, x: 0.0, y: 0.0 },
            Pose { scale: 1.0, x: 7.3, y: -3.6 },
            Pose { scale: 1.2, x: 4.25, y: 6.5 },
        ] {
            let mut view = View::default();
            scene.view(pose, (120, 100), &mut view);
            let (x, y) = centroid(&view, 120, 100);
            let (tx, ty) = (pose.scale * 10.0 + pose.x, -pose.scale * 5.0 + pose.y);
            assert!((x - tx).abs() < 0.01 && (y - ty).abs() < 0.01, "{pose:?}: ({x}, {y}), not ({tx}, {ty})");
        }
    }

    #[test]
    fn the_mirror_repeats_without_a_seam() {
        assert_eq!([-2, -1, 0, 3, 4, 5, 8].map(|at| mirrored(at, 4)), [1, 0, 0, 3, 3, 2, 0]);
    }
}
