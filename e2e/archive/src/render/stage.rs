//! One frame: the scene at a pose, what is in the water, the lamps, the sensor; as ten-bit 4:2:2 samples.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use super::{
    Movie,
    water::{Particle, Plume},
};
use crate::{
    camera::Pose,
    scene::{Scene, StillError, View},
};

/// Numbers in the grain, at most; a picture takes its rows out of it here and there.
const GRAIN: usize = 1 << 21;

/// What a movie is filmed with; made once, then asked for one frame after the other.
pub struct Stage {
    size: (usize, usize),
    scene: Scene,
    plume: Option<Plume>,
    particles: Vec<Particle>,
    lamps: Vec<f32>,
    grain: Vec<f32>,
    seed: u64,
    view: View,
}

impl Stage {
    pub fn new(movie: &Movie) -> Result<Self, StillError> {
        let size @ (width, height) = (movie.size.0 as usize, movie.size.1 as usize);
        let scene = match &movie.still {
            Some(path) => Scene::still(path, width)?,
            None => Scene::sea_floor(width, height, movie.seed),
        };
        let mut random = Pcg64Mcg::seed_from_u64(movie.seed ^ 0x5eed);
        let sigma = movie.noise as f32 / 255.0;
        Ok(Self {
            size,
            scene,
            plume: Plume::new(size, movie.plume, movie.seed),
            particles: (0..movie.particles).map(|_| Particle::random(&mut random, size)).collect(),
            lamps: lamps(width, height, movie.light as f32, movie.still.is_some()),
            grain: (0..GRAIN.min(4 * width * height)).map(|_| sigma * normal(&mut random)).collect(),
            seed: movie.seed,
            view: View::default(),
        })
    }

    /// A frame (from 0) as planar 4:2:2, ten bits, little-endian, into `bytes`.
    pub fn picture(&mut self, frame: u32, pose: Pose, bytes: &mut Vec<u8>) {
        self.scene.view(pose, self.size, &mut self.view);
        if let Some(plume) = &mut self.plume {
            plume.cover(&mut self.view, frame, pose);
        }
        for particle in &self.particles {
            particle.shine(&mut self.view.y, self.size.0, frame);
        }
        self.develop(frame, bytes);
    }

    /// Lamps, noise, and the numbers of the ten-bit video range: 64-940 for brightness, 512 +- 448 for colour (BT.709).
    fn develop(&self, frame: u32, bytes: &mut Vec<u8>) {
        let mut random = Pcg64Mcg::seed_from_u64(self.seed ^ (u64::from(frame) << 20));
        let start = random.random_range(0..self.grain.len());
        let (width, height) = self.size;
        let luma = width * height * 2;
        bytes.resize(luma * 2, 0);
        let (y_bytes, c_bytes) = bytes.split_at_mut(luma);
        // A stride that shares no factor with the grain's length keeps rows from repeating side by side.
        let grain_at = |row: usize| (start + row * 7919) % (self.grain.len() - width);
        y_bytes.par_chunks_mut(width * 2).enumerate().for_each(|(row, line)| {
            let at = row * width;
            let samples =
                self.view.y[at..at + width].iter().zip(&self.lamps[at..at + width]).zip(&self.grain[grain_at(row)..]);
            for (out, ((value, lamp), grain)) in line.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
                let bright = (value * lamp + grain).clamp(0.0, 1.0);
                *out = whole(64.5 + 876.0 * bright).to_le_bytes();
            }
        });
        let (u_bytes, v_bytes) = c_bytes.split_at_mut(luma / 2);
        for (plane, out) in [(&self.view.u, u_bytes), (&self.view.v, v_bytes)] {
            out.par_chunks_mut(width).enumerate().for_each(|(row, line)| {
                let lamps = self.lamps[row * width..(row + 1) * width].as_chunks::<2>().0;
                let samples = plane[row * width / 2..(row + 1) * width / 2].iter().zip(lamps);
                for (out, (value, [lamp, _])) in line.as_chunks_mut::<2>().0.iter_mut().zip(samples) {
                    *out = whole((512.5 + 896.0 * value * lamp).clamp(64.0, 960.0)).to_le_bytes();
                }
            });
        }
    }
}

/// By way of `i32`, which the processor converts by four; to `u16` it does so one by one.
fn whole(value: f32) -> u16 {
    value as i32 as u16
}

/// Light of the vehicle's lamps over the picture: the middle bright, the borders darker. A still has its own, so it gets less.
fn lamps(width: usize, height: usize, light: f32, still: bool) -> Vec<f32> {
    let fall = if still { 0.5 } else { 1.9 };
    let value = |at: usize| {
        let (x, y) = ((at % width) as f32 / width as f32 - 0.5, (at / width) as f32 / height as f32 - 0.46);
        let spot = |x: f32, y: f32| (-fall * (x * x + 0.8 * y * y)).exp();
        light * (0.62 * spot(x + 0.12, y) + 0.50 * spot(x - 0.16, y + 0.05))
    };
    (0..width * height).into_par_iter().map(value).collect()
}

/// About normal: the sum of four uniform numbers, scaled to a deviation of 1.
fn normal(random: &mut Pcg64Mcg) -> f32 {
    let sum: f32 = (0..4).map(|_| random.random_range(-1.0_f32..1.0)).sum();
    sum * 0.866
}
