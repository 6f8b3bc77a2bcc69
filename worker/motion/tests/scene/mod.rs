//! Pictures with known motion: rock of smooth procedural texture, a half transparent plume that rises over it on its own,
//! particles and sensor noise; lamps, focus and burned-in text where a scene asks for them. Each pixel of the quarter-size picture is the mean of four samples of its area, whose
//! finest texture is three pixels wide, and the texture is a function of the plane: no resampling, so the truth is exact.

#![allow(dead_code)] // each test file takes the part it needs

pub mod cases;
mod lens;
pub mod tally;

pub use lens::{Lamps, Text};

use motion::{Grey, Prepared, Similarity};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// The quarter-size picture.
pub const WIDTH: usize = 480;
pub const HEIGHT: usize = 270;
/// Full-resolution pixels per pixel.
const REDUCED: f64 = 4.0;
/// Samples of a pixel, across and down.
const SAMPLES: usize = 2;

/// What is seen, and how it moves from the first picture to the second.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    pub seed: u64,
    /// The truth: full-resolution pixels, as an `Estimate` says it.
    pub motion: Similarity,
    /// Mean brightness and contrast of the rock.
    pub rock: (f64, f64),
    pub plume: Option<Plume>,
    /// Standard deviation of the noise of a quarter-size pixel, in grey levels.
    pub noise: f64,
    /// Bright specks, each with a motion of its own.
    pub particles: usize,
    /// What lights the scene.
    pub lamps: Lamps,
    /// How far out of focus the first and the second picture are: standard deviation in quarter-size pixels.
    pub blur: [f64; 2],
    /// What is burned into the picture, and does not move with it.
    pub text: Text,
}

/// Hot water over the rock.
#[derive(Debug, Clone, Copy)]
pub struct Plume {
    /// Share of the picture, full height.
    pub share: f64,
    /// Its middle, -0.5 (left border) to 0.5.
    pub middle: f64,
    /// How far it rises from picture to picture, full-resolution pixels.
    pub rise: f64,
    /// How opaque it is, 0-1.
    pub opaque: f64,
    /// How much of its texture is new in the second picture, 0-1.
    pub churn: f64,
    /// How far its eddies carry it to all sides, full-resolution pixels.
    pub swirl: f64,
    /// How far a current carries it to the right from picture to picture, full-resolution pixels.
    pub drift: f64,
}

impl Plume {
    pub fn of(share: f64) -> Self {
        Self { share, middle: 0.05, rise: 26.0, opaque: 0.85, churn: 0.15, swirl: 0.0, drift: 0.0 }
    }

    /// The worst: a pattern that moves as one, and hides the rock.
    pub fn rigid(share: f64) -> Self {
        Self { opaque: 1.0, churn: 0.0, ..Self::of(share) }
    }
}

impl Scene {
    /// Rock with a little noise, and nothing else.
    pub fn of(seed: u64, motion: [f64; 4]) -> Self {
        let motion = Similarity::from(motion);
        let (lamps, blur, text) = (Lamps::EVEN, [0.0; 2], Text::None);
        Self { seed, motion, rock: (95.0, 45.0), plume: None, noise: 1.0, particles: 0, lamps, blur, text }
    }

    pub fn with_plume(self, plume: Plume) -> Self {
        Self { plume: Some(plume), ..self }
    }

    pub fn busy(self, noise: f64, particles: usize) -> Self {
        Self { noise, particles, ..self }
    }

    /// Both pictures.
    pub fn pair(&self) -> (Prepared, Prepared) {
        (Prepared::new(self.picture(0.0)), Prepared::new(self.picture(1.0)))
    }

    /// The picture at `time` 0 (before) or 1 (after). Later times go on from there: the scene stands at `motion`, the plume
    /// has risen so many times.
    pub fn picture(&self, time: f64) -> Grey {
        let textures = Textures::new(self.seed);
        let mut data = vec![0.0_f64; WIDTH * HEIGHT];
        let half = data.len() / 2 / WIDTH * WIDTH;
        let (upper, lower) = data.split_at_mut(half);
        std::thread::scope(|scope| {
            scope.spawn(|| self.paint(&textures, time, 0, upper));
            self.paint(&textures, time, half / WIDTH, lower);
        });
        self.sprinkle(time, &mut data);
        lens::blur(&mut data, self.blur[usize::from(time > 0.0)]);
        let mut random = Pcg64Mcg::seed_from_u64(self.seed ^ (0x9e37 + time as u64));
        for value in &mut data {
            *value += self.noise * normal(&mut random);
        }
        self.text.burn(self.seed, &mut data);
        let bytes = data.iter().map(|value| value.round().clamp(0.0, 255.0) as u8);
        Grey { width: WIDTH as u32, height: HEIGHT as u32, data: bytes.collect() }
    }

    fn paint(&self, textures: &Textures, time: f64, first_row: usize, rows: &mut [f64]) {
        for (at, value) in rows.iter_mut().enumerate() {
            let (left, top) = (at % WIDTH, first_row + at / WIDTH);
            let mut sum = 0.0;
            for inner in 0..SAMPLES * SAMPLES {
                let within = |index: usize| (index as f64 + 0.5) / SAMPLES as f64;
                let x = (left as f64 + within(inner % SAMPLES) - WIDTH as f64 / 2.0) * REDUCED;
                let y = (top as f64 + within(inner / SAMPLES) - HEIGHT as f64 / 2.0) * REDUCED;
                let lit = self.lamps.at(x, y, time);
                let (x, y) = if time > 0.0 { before(&self.motion, x, y) } else { (x, y) };
                sum += lit * self.light(textures, x, y, time);
            }
            *value = sum / (SAMPLES * SAMPLES) as f64;
        }
    }

    fn light(&self, textures: &Textures, x: f64, y: f64, time: f64) -> f64 {
        let rock = self.rock.0 + self.rock.1 * textures.rock.at(x, y);
        let Some(plume) = self.plume else { return rock };
        let width = WIDTH as f64 * REDUCED;
        let ragged = 60.0 * textures.edge.at(x, y);
        let inside = plume.share * width / 2.0 - (x - plume.middle * width + ragged).abs();
        let alpha = plume.opaque * (inside / 60.0 + 0.5).clamp(0.0, 1.0);
        if alpha <= 0.0 {
            return rock;
        }
        let eddy =
            |far: f64| if plume.swirl > 0.0 { plume.swirl * time * textures.edge.at(x + far, y - far) } else { 0.0 };
        let (u, v) = (x - plume.drift * time + eddy(3000.0), y + plume.rise * time + eddy(7000.0));
        let (old, new) = (textures.smoke.at(u, v), textures.fresh.at(u, v));
        let smoke = old + (plume.churn * time).min(1.0) * (new - old);
        rock * (1.0 - alpha) + alpha * (self.rock.0 + 20.0 + 1.2 * self.rock.1 * smoke)
    }

    fn sprinkle(&self, time: f64, data: &mut [f64]) {
        let mut random = Pcg64Mcg::seed_from_u64(self.seed ^ 0x5eed);
        for _ in 0..self.particles {
            let [x, y, dx, dy] = [WIDTH as f64, HEIGHT as f64, 1.0, 1.0].map(|size| size * random.random::<f64>());
            let [dx, dy] = [dx - 0.5, dy - 0.8].map(|speed| speed * 30.0 * time);
            let radius = 0.7 + 1.3 * random.random::<f64>();
            let (mut x, mut y) = (x + dx, y + dy);
            if time > 1.0 {
                // In a movie others come where these have gone.
                (x, y) = (x.rem_euclid(WIDTH as f64), y.rem_euclid(HEIGHT as f64));
            }
            splat(data, x, y, radius);
        }
    }
}

fn splat(data: &mut [f64], x: f64, y: f64, radius: f64) {
    for row in (y - 5.0) as i64..=(y + 5.0) as i64 {
        for column in (x - 5.0) as i64..=(x + 5.0) as i64 {
            let far = (column as f64 - x).powi(2) + (row as f64 - y).powi(2);
            if (0..WIDTH as i64).contains(&column) && (0..HEIGHT as i64).contains(&row) {
                data[row as usize * WIDTH + column as usize] += 110.0 * (-far / (2.0 * radius * radius)).exp();
            }
        }
    }
}

/// Where the point that is now at (x, y) was.
fn before(motion: &Similarity, x: f64, y: f64) -> (f64, f64) {
    let (sin, cos) = motion.t.sin_cos();
    let (x, y) = ((x - motion.tx) / motion.s, (y - motion.ty) / motion.s);
    (cos * x - sin * y, sin * x + cos * y)
}

/// A standard normal value (Box and Muller).
pub fn normal(random: &mut Pcg64Mcg) -> f64 {
    let (a, b) = (1.0 - random.random::<f64>(), random.random::<f64>());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

struct Textures {
    rock: Texture,
    edge: Texture,
    smoke: Texture,
    fresh: Texture,
}

impl Textures {
    fn new(seed: u64) -> Self {
        let rock = [(230.0, 0.9), (71.0, 0.8), (29.0, 0.6), (11.3, 0.4)];
        let smoke = [(160.0, 1.0), (61.0, 0.8), (26.0, 0.45)];
        Self {
            rock: Texture::new(seed, &rock),
            edge: Texture::new(seed + 1000, &[(120.0, 1.0)]),
            smoke: Texture::new(seed + 2000, &smoke),
            fresh: Texture::new(seed + 3000, &smoke),
        }
    }
}

/// Value noise in octaves, each lattice turned by an angle of its own; about -1 to 1.
struct Texture {
    octaves: Vec<Octave>,
}

struct Octave {
    cell: f64,
    strength: f64,
    turn: (f64, f64),
    shift: (f64, f64),
    values: Vec<f64>,
}

const LATTICE: usize = 256;

impl Texture {
    fn new(seed: u64, octaves: &[(f64, f64)]) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let octave = |(cell, strength): &(f64, f64)| Octave {
            cell: *cell,
            strength: *strength,
            turn: (random.random::<f64>() * std::f64::consts::TAU).sin_cos(),
            // Far from the origin, so that no coordinate is negative.
            shift: (2000.0 + 100.0 * random.random::<f64>(), 2000.0 + 100.0 * random.random::<f64>()),
            values: (0..LATTICE * LATTICE).map(|_| 2.0 * random.random::<f64>() - 1.0).collect(),
        };
        Self { octaves: octaves.iter().map(octave).collect() }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        self.octaves.iter().map(|octave| octave.at(x, y)).sum()
    }
}

impl Octave {
    fn at(&self, x: f64, y: f64) -> f64 {
        let (sin, cos) = self.turn;
        let (u, v) = ((cos * x + sin * y) / self.cell + self.shift.0, (cos * y - sin * x) / self.cell + self.shift.1);
        let (left, top) = (u as usize, v as usize);
        let (a, b) = (smooth(u - left as f64), smooth(v - top as f64));
        let value = |dx: usize, dy: usize| self.values[(top + dy) % LATTICE * LATTICE + (left + dx) % LATTICE];
        let upper = value(0, 0) + a * (value(1, 0) - value(0, 0));
        let lower = value(0, 1) + a * (value(1, 1) - value(0, 1));
        self.strength * (upper + b * (lower - upper))
    }
}

fn smooth(t: f64) -> f64 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}
