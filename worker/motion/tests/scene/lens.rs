//! What is between the scene and the picture: lamps that turn with the camera, focus, burned-in text.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{HEIGHT, REDUCED, WIDTH};

/// The light. Lamps sit on the camera, so their pattern stands still in the picture while the scene moves below it.
#[derive(Debug, Clone, Copy)]
pub struct Lamps {
    /// How much darker than under the lamps the picture is at its corners, 0-1.
    pub falloff: f64,
    /// Where they shine, as shares of the picture's width and height from its middle.
    pub at: [f64; 2],
    /// Brightness of the second picture over the first.
    pub gain: f64,
    /// How far the lamps swing to the right from the first picture to the second, as a share of the width.
    pub swing: f64,
}

impl Lamps {
    /// The same everywhere, always.
    pub const EVEN: Self = Self { falloff: 0.0, at: [0.0; 2], gain: 1.0, swing: 0.0 };

    /// Lamps that turn with the camera.
    pub fn turning(falloff: f64, at: [f64; 2]) -> Self {
        Self { falloff, at, ..Self::EVEN }
    }

    /// Brightness at a point of the picture, full-resolution pixels from its middle.
    pub fn at(&self, x: f64, y: f64, time: f64) -> f64 {
        let (width, height) = (WIDTH as f64 * REDUCED, HEIGHT as f64 * REDUCED);
        let (dx, dy) = (x / width - self.at[0] - self.swing * time, (y / height - self.at[1]) * height / width);
        let far = (dx.hypot(dy) / 0.57).min(1.5);
        let gain = if time > 0.0 { self.gain } else { 1.0 };
        gain * (1.0 - self.falloff * far * far / (0.35 + far * far) * 1.35).max(0.05)
    }
}

/// What is burned into the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Text {
    /// Nothing.
    None,
    /// Lines of text at the top and the bottom, over this share of the height.
    Lines(f64),
    /// A title card: text over all of the picture, nothing else.
    Card,
}

impl Text {
    /// Writes over the picture.
    pub fn burn(self, seed: u64, data: &mut [f64]) {
        let mut random = Pcg64Mcg::seed_from_u64(seed ^ 0x7e87);
        let line = 16;
        for top in (0..HEIGHT - line).step_by(line) {
            let middle = (top + line / 2) as f64 / HEIGHT as f64;
            let covered = match self {
                Self::None => false,
                Self::Lines(share) => middle < share / 2.0 || middle > 1.0 - share / 2.0,
                Self::Card => true,
            };
            if covered {
                letters(&mut random, &mut data[top * WIDTH..(top + line) * WIDTH], line);
            }
        }
    }
}

/// One line of text: bright strokes on a dark band.
fn letters(random: &mut Pcg64Mcg, rows: &mut [f64], line: usize) {
    rows.fill(24.0);
    for letter in (8..WIDTH - 16).step_by(10) {
        if random.random::<f64>() < 0.15 {
            continue;
        }
        for _ in 0..3 {
            let (x, y) = (random.random_range(0..6_usize), random.random_range(3..9_usize));
            let (width, height) = if random.random::<f64>() < 0.5 { (2, 6) } else { (6, 2) };
            for row in y..(y + height).min(line - 2) {
                rows[row * WIDTH + letter + x..][..width.min(8 - x)].fill(225.0);
            }
        }
    }
}

/// A Gaussian blur, as three box blurs (their sum of variances is its own).
pub fn blur(data: &mut [f64], deviation: f64) {
    if deviation <= 0.0 {
        return;
    }
    let radius = ((4.0 * deviation * deviation + 1.0).sqrt() - 1.0) / 2.0;
    for _ in 0..3 {
        for row in data.chunks_mut(WIDTH) {
            smooth(row, radius);
        }
        for column in 0..WIDTH {
            let mut values: Vec<f64> = (0..HEIGHT).map(|row| data[row * WIDTH + column]).collect();
            smooth(&mut values, radius);
            values.iter().enumerate().for_each(|(row, value)| data[row * WIDTH + column] = *value);
        }
    }
}

/// A running mean over `2 radius + 1` values; the ends count by the radius' fraction.
fn smooth(values: &mut [f64], radius: f64) {
    let (whole, part) = (radius.floor() as i64, radius.fract());
    let last = values.len() as i64 - 1;
    let before = values.to_vec();
    let value = |at: i64| before[at.clamp(0, last) as usize];
    for (at, smoothed) in values.iter_mut().enumerate() {
        let at = at as i64;
        let inner: f64 = (at - whole..=at + whole).map(value).sum();
        *smoothed = (inner + part * (value(at - whole - 1) + value(at + whole + 1))) / (2.0 * radius + 1.0);
    }
}
