//! The scene the camera looks at, larger than the picture: a sea floor, a still, or smoke. Kept as planes of brightness and
//! colour; a picture is read out of it at any sub-pixel pose.

mod kernel;
mod sea_floor;

use std::{ops::Range, path::Path};

use rayon::prelude::*;

use crate::{camera::Pose, noise};
use kernel::{Axis, Taps, mirrored};

/// A scene: spline coefficients of `width * height` samples a plane, brightness 0-1 and two colour differences around 0.
#[derive(Debug, Clone)]
pub struct Scene {
    width: usize,
    height: usize,
    y: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

/// A still that is no picture.
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
        // Detail is in pixels of a 1920 wide picture, so that a small picture shows the same scene, smaller.
        Self::of(w, &sea_floor::texels(w, h, 1920.0 / width as f32, folded(seed)))
    }

    /// Smoke of a hot vent, brightness only: 0 is clear water, 1 is thick.
    pub fn smoke(width: usize, height: usize, seed: u64) -> Self {
        let (unit, seed) = (1920.0 / width as f32, folded(seed));
        let texel = |at: usize| {
            let (x, y) = ((at % width) as f32 * unit, (at / width) as f32 * unit);
            let bend = |seed| noise::fractal(x / 190.0, y / 240.0, 3, 0.5, seed) * 70.0;
            let (x, y) = (x + bend(seed ^ 1), y + bend(seed ^ 2));
            let octaves = (160.0 / (5.0 * unit)).log2().clamp(1.0, 5.0) as u32;
            noise::smooth(noise::billows(x / 160.0, y / 210.0, octaves, 0.62, seed ^ 3), 0.05, 0.75)
        };
        let mut y: Vec<f32> = (0..width * height).into_par_iter().map(texel).collect();
        kernel::coefficients(&mut y, width);
        Self { width, height, y, u: Vec::new(), v: Vec::new() }
    }

    /// A still picture, continued by its mirror images. Scaled so that it fills one and a quarter pictures of `width`.
    pub fn still(path: &Path, width: usize) -> Result<Self, StillError> {
        let image = image::open(path).map_err(|source| StillError { path: path.to_owned(), source })?;
        let wanted = (width * 5 / 4) as u32;
        let image = image.resize(wanted, u32::MAX, image::imageops::FilterType::CatmullRom).to_rgb8();
        let texel = |pixel: &image::Rgb<u8>| {
            let [r, g, b] = pixel.0.map(|value| f32::from(value) / 255.0);
            let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            // BT.709
            [y, (b - y) / 1.8556, (r - y) / 1.5748]
        };
        Ok(Self::of(image.width() as usize, &image.pixels().map(texel).collect::<Vec<_>>()))
    }

    fn of(width: usize, texels: &[[f32; 3]]) -> Self {
        let plane = |at: usize| {
            let mut plane: Vec<f32> = texels.par_iter().map(|texel| texel[at]).collect();
            kernel::coefficients(&mut plane, width);
            plane
        };
        Self { width, height: texels.len() / width, y: plane(0), u: plane(1), v: plane(2) }
    }

    /// Reads the picture of `width` x `height` at `pose` into `view`.
    pub fn view(&self, pose: Pose, (width, height): (usize, usize), view: &mut View) {
        self.brightness(pose, (width, height), 0..width, view);
        let rows = self.rows(pose, height);
        let axis = Axis { scale: pose.scale, shift: pose.x, picture: width, scene: self.width, step: 2 };
        let half = Taps::new(axis, 0..width / 2);
        self.resample(&self.u, &half, &rows, &mut view.lines, &mut view.u);
        self.resample(&self.v, &half, &rows, &mut view.lines, &mut view.v);
    }

    /// Reads only the brightness, of the picture's `columns`, into `view`.
    pub fn brightness(&self, pose: Pose, (width, height): (usize, usize), columns: Range<usize>, view: &mut View) {
        let rows = self.rows(pose, height);
        let axis = Axis { scale: pose.scale, shift: pose.x, picture: width, scene: self.width, step: 1 };
        self.resample(&self.y, &Taps::new(axis, columns), &rows, &mut view.lines, &mut view.y);
    }

    fn rows(&self, pose: Pose, height: usize) -> Taps {
        let axis = Axis { scale: pose.scale, shift: pose.y, picture: height, scene: self.height, step: 1 };
        Taps::new(axis, 0..height)
    }

    /// Rows are first read across, into `lines`, then mixed down, into `out`.
    fn resample(&self, plane: &[f32], columns: &Taps, rows: &Taps, lines: &mut Vec<f32>, out: &mut Vec<f32>) {
        let width = columns.first.len().max(1);
        lines.resize(width * rows.span, 0.0);
        out.resize(width * rows.first.len(), 0.0);
        lines.par_chunks_mut(width).enumerate().for_each_init(Vec::new, |beyond, (row, line)| {
            let row = mirrored(rows.low + row as i64, self.height);
            let source = &plane[row * self.width..(row + 1) * self.width];
            let inside = usize::try_from(columns.low).ok().and_then(|low| source.get(low..low + columns.span));
            across(inside.unwrap_or_else(|| unfolded(source, columns, beyond)), columns, line);
        });
        out.par_chunks_mut(width).enumerate().for_each(|(row, out)| {
            let from = rows.first[row] * width;
            down(&lines[from..from + rows.each * width], &rows.weights[row * rows.each..], out);
        });
    }
}

/// A row's part that reaches beyond the scene, with its mirror images.
fn unfolded<'a>(source: &[f32], columns: &Taps, beyond: &'a mut Vec<f32>) -> &'a [f32] {
    beyond.clear();
    beyond.extend((0..columns.span as i64).map(|at| source[mirrored(columns.low + at, source.len())]));
    beyond
}

/// Mixes neighbours in a row.
fn across(source: &[f32], columns: &Taps, line: &mut [f32]) {
    let (weights, rest) = columns.weights.as_chunks::<4>();
    if columns.each != 4 || !rest.is_empty() {
        let samples = columns.first.iter().zip(columns.weights.chunks_exact(columns.each));
        for (out, (first, weights)) in line.iter_mut().zip(samples) {
            *out = source[*first..].iter().zip(weights).map(|(value, weight)| value * weight).sum();
        }
    } else if let ([[a, b, c, d], ..], true) = (weights, columns.uniform) {
        let neighbours = source.iter().zip(&source[1..]).zip(&source[2..]).zip(&source[3..]);
        for (out, (((p, q), r), s)) in line.iter_mut().zip(neighbours) {
            *out = a * p + b * q + c * r + d * s;
        }
    } else {
        for (out, (first, [a, b, c, d])) in line.iter_mut().zip(columns.first.iter().zip(weights)) {
            if let Some([p, q, r, s]) = source[*first..].first_chunk::<4>() {
                *out = a * p + b * q + c * r + d * s;
            }
        }
    }
}

/// Mixes lines that lie below each other.
fn down(lines: &[f32], weights: &[f32], out: &mut [f32]) {
    let width = out.len();
    let taps = lines.len() / width;
    if let ([a, b, c, d], [p, q, r, s]) =
        (&weights[..taps], [0, 1, 2, 3].map(|tap| lines.get(tap * width..)).map(Option::unwrap_or_default))
    {
        for ((((out, p), q), r), s) in out.iter_mut().zip(p).zip(q).zip(r).zip(s) {
            *out = a * p + b * q + c * r + d * s;
        }
        return;
    }
    out.fill(0.0);
    for (line, weight) in lines.chunks_exact(width).zip(weights) {
        out.iter_mut().zip(line).for_each(|(out, value)| *out += weight * value);
    }
}

fn folded(seed: u64) -> u32 {
    (seed as u32).wrapping_mul(0x9e37_79b9) ^ (seed >> 32) as u32
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
        Scene::of(width, &(0..width * height).map(texel).collect::<Vec<_>>())
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
        let poses =
            [(1.0, 0.0, 0.0), (1.0, 7.3, -3.6), (1.2, 4.25, 6.5), (2.5, -20.1, 3.3), (0.7, 3.0, 2.2), (0.4, -1.7, 0.6)];
        for pose in poses.map(|(scale, x, y)| Pose { scale, x, y }) {
            let mut view = View::default();
            scene.view(pose, (120, 100), &mut view);
            let (x, y) = centroid(&view, 120, 100);
            let (tx, ty) = (pose.scale * 10.0 + pose.x, -pose.scale * 5.0 + pose.y);
            assert!((x - tx).abs() < 0.005 && (y - ty).abs() < 0.005, "{pose:?}: ({x}, {y}), not ({tx}, {ty})");
        }
    }

    #[test]
    fn beyond_its_edge_a_scene_is_its_own_mirror_image() {
        let mut view = View::default();
        // The scene's left edge stands in the picture's middle.
        spot(-90.0, 0.0).view(Pose { scale: 1.0, x: 100.0, y: 0.0 }, (60, 20), &mut view);
        for row in view.y.chunks_exact(60) {
            let image: Vec<f32> = row.iter().rev().copied().collect();
            assert!(row.iter().zip(&image).all(|(a, b)| (a - b).abs() < 1e-5));
        }
        assert!(view.y.iter().any(|value| *value > 0.9));
    }

    #[test]
    fn every_path_through_the_sampler_agrees() {
        let scene = Scene::sea_floor(64, 48, 3);
        let mut views = [View::default(), View::default()];
        // One is a hair from scale 1, which the fast path for pans does not take.
        for (view, scale) in views.iter_mut().zip([1.0, 1.0 + 1e-9]) {
            scene.view(Pose { scale, x: 3.3, y: -2.7 }, (64, 48), view);
        }
        let [a, b] = views;
        assert!(a.y.iter().zip(&b.y).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}
