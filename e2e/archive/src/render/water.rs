//! What is between camera and scene: a plume that rises on its own, and particles that drift.

use std::ops::Range;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use crate::{
    camera::Pose,
    noise::smooth,
    scene::{Scene, View},
};

/// The plume's own rise, in pixels of a 1920 wide picture per frame: 26 in ten frames.
const RISE: f64 = 2.6;
/// The plume hides this share of what is behind it where it is thickest.
const OPACITY: f32 = 0.88;

/// Smoke over a share of the picture. It turns with the camera like everything else, and rises.
pub struct Plume {
    smoke: Scene,
    size: (usize, usize),
    /// Per pixel: how much of the plume there is, 0-1.
    mask: Vec<f32>,
    columns: Range<usize>,
    view: View,
}

impl Plume {
    /// A plume over `share` (0-0.7) of a picture; `None` without one.
    pub fn new(size: (usize, usize), share: f64, seed: u64) -> Option<Self> {
        let (width, height) = size;
        let mask = mask(width, height, share.clamp(0.0, 0.7) as f32);
        let inside = |column: &usize| (0..height).any(|row| mask[row * width + column] > 0.0);
        let first = (0..width).find(inside).filter(|_| share > 0.0)?;
        let last = (0..width).rev().find(inside)?;
        let smoke = Scene::smoke(width, height, seed ^ 0xf00d);
        Some(Self { smoke, size, mask, columns: first..last + 1, view: View::default() })
    }

    /// Lays the smoke of a frame (from 0) over a view.
    pub fn cover(&mut self, view: &mut View, frame: u32, pose: Pose) {
        let width = self.size.0;
        let rise = RISE * width as f64 / 1920.0 * f64::from(frame);
        let columns = self.columns.clone();
        self.smoke.brightness(Pose { y: pose.y - rise, ..pose }, self.size, columns.clone(), &mut self.view);
        let rows =
            view.y.par_chunks_mut(width).zip(view.u.par_chunks_mut(width / 2)).zip(view.v.par_chunks_mut(width / 2));
        let rows = rows.zip(self.view.y.par_chunks_mut(columns.len())).zip(self.mask.par_chunks(width));
        rows.for_each(|((((y, u), v), smoke), mask)| {
            for ((out, smoke), mask) in y[columns.clone()].iter_mut().zip(smoke.iter_mut()).zip(&mask[columns.clone()])
            {
                let thick = *smoke;
                // Where the plume thins out only its thickest puffs are left: its edge billows with it.
                *smoke = OPACITY * (mask * (0.55 + 0.45 * thick)).min(mask * mask + 1.4 * mask * thick).clamp(0.0, 1.0);
                *out += *smoke * (0.16 + 0.56 * thick - *out);
            }
            let even = columns.start % 2;
            for (at, share) in smoke.iter().skip(even).step_by(2).enumerate() {
                let column = columns.start.div_ceil(2) + at;
                u[column] += share * (0.006 - u[column]);
                v[column] += share * (-0.022 - v[column]);
            }
        });
    }
}

/// A column that widens as it rises and sways, soft at its edges; about `share` of the picture is inside.
fn mask(width: usize, height: usize, share: f32) -> Vec<f32> {
    let value = |at: usize| {
        let (x, y) = ((at % width) as f32 / width as f32, (at / width) as f32 / height as f32);
        let half = share * 0.5 * (1.3 - 0.6 * y);
        let middle = 0.56 + 0.04 * (y * 5.0).sin();
        let soft = 0.07_f32.min(share * 0.5);
        1.0 - smooth((x - middle).abs(), half - soft, half + soft)
    };
    if share == 0.0 { vec![0.0; width * height] } else { (0..width * height).into_par_iter().map(value).collect() }
}

/// A particle: where it is in frame 0, how it drifts per frame (picture pixels), its radius and its brightness.
pub struct Particle {
    at: [f32; 2],
    drift: [f32; 2],
    radius: f32,
    bright: f32,
}

impl Particle {
    /// One anywhere in a picture; its size and speed are those of a picture `width` wide.
    pub fn random(random: &mut Pcg64Mcg, (width, height): (usize, usize)) -> Self {
        let unit = width as f32 / 1920.0;
        let mut within = |low: f32, high: f32| random.random_range(low..high);
        let near = within(0.0, 1.0).powi(3);
        Self {
            at: [within(0.0, width as f32), within(0.0, height as f32)],
            drift: [unit * within(-1.5, 1.5), unit * within(-0.8, 2.0)],
            // The nearer, the larger and the less sharp.
            radius: unit * (1.2 + 7.0 * near),
            bright: within(0.10, 0.38) * (1.0 - 0.7 * near),
        }
    }

    /// Adds its light in a frame (from 0) to a picture of `width`.
    pub fn shine(&self, plane: &mut [f32], width: usize, frame: u32) {
        let height = plane.len() / width;
        let [x, y] = [0, 1].map(|axis| self.at[axis] + self.drift[axis] * frame as f32);
        let (x, y) = (x.rem_euclid(width as f32), y.rem_euclid(height as f32));
        let reach = self.radius * 3.0;
        let columns = ((x - reach).max(0.0) as usize)..((x + reach) as usize + 1).min(width);
        for row in ((y - reach).max(0.0) as usize)..((y + reach) as usize + 1).min(height) {
            for column in columns.clone() {
                let (dx, dy) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
                let far = (dx * dx + dy * dy) / (self.radius * self.radius);
                plane[row * width + column] += self.bright * (-far).exp();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plume_covers_the_share_asked_for() {
        for share in [0.1, 0.25, 0.4, 0.7] {
            let mask = mask(320, 180, share);
            let covered = mask.iter().sum::<f32>() / mask.len() as f32;
            assert!((covered - share).abs() < 0.02, "{covered}, not {share}");
        }
        assert!(Plume::new((64, 36), 0.0, 1).is_none());
    }
}
