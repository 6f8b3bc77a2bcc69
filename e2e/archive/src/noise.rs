//! Smooth noise: the stuff rock and water are made of here. The same for the same seed, everywhere.

/// Gradient noise (Perlin's, with quintic interpolation) in about -1..1; its features are about one unit wide.
pub fn gradient(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy) = (floor(x), floor(y));
    let (fx, fy) = (x - ix as f32, y - iy as f32);
    let corner = |dx: i32, dy: i32| {
        let hash = hash(ix.wrapping_add(dx), iy.wrapping_add(dy), seed);
        unit(hash) * (fx - dx as f32) + unit(hash >> 16) * (fy - dy as f32)
    };
    let (u, v) = (fade(fx), fade(fy));
    1.7 * mix(mix(corner(0, 0), corner(1, 0), u), mix(corner(0, 1), corner(1, 1), u), v)
}

/// `octaves` of noise, each of half the wavelength and `gain` times the height of the one before, in about -1..1.
pub fn fractal(x: f32, y: f32, octaves: u32, gain: f32, seed: u32) -> f32 {
    sum(x, y, octaves, gain, seed, |noise| noise)
}

/// Like [`fractal`], folded so that it has sharp ridges (edges of flows, cracks when turned over), in 0..1.
pub fn ridged(x: f32, y: f32, octaves: u32, gain: f32, seed: u32) -> f32 {
    sum(x, y, octaves, gain, seed, |noise| {
        let ridge = 1.0 - noise.abs().min(1.0);
        ridge * ridge
    })
}

/// Like [`fractal`], folded so that it swells between narrow valleys (smoke, pillows), in 0..1.
pub fn billows(x: f32, y: f32, octaves: u32, gain: f32, seed: u32) -> f32 {
    sum(x, y, octaves, gain, seed, |noise| noise.abs().min(1.0))
}

fn sum(x: f32, y: f32, octaves: u32, gain: f32, seed: u32, shape: impl Fn(f32) -> f32) -> f32 {
    let (mut sum, mut height, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        // An offset per octave: else all octaves are nothing at the origin.
        let (shift, seed) = (17.3 * octave as f32, seed.wrapping_add(octave.wrapping_mul(0x9e37_79b9)));
        sum += height * shape(gradient(x * scale + shift, y * scale - shift, seed));
        total += height;
        height *= gain;
        scale *= 2.03;
    }
    sum / total
}

/// A number that looks random, for a point of a lattice.
pub fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut hash =
        (x as u32).wrapping_mul(0x85eb_ca6b) ^ (y as u32).wrapping_mul(0xc2b2_ae35) ^ seed.wrapping_mul(0x27d4_eb2f);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    hash ^ (hash >> 13)
}

/// The low 16 bits of a hash as a number in -1..1.
pub fn unit(hash: u32) -> f32 {
    (hash & 0xffff) as f32 / 32767.5 - 1.0
}

/// The largest whole number not above `x`; the standard library's is a call on older processors.
pub fn floor(x: f32) -> i32 {
    let whole = x as i32;
    if x < whole as f32 { whole.wrapping_sub(1) } else { whole }
}

/// 0 below `from`, 1 above `to`, a smooth step between.
pub fn smooth(value: f32, from: f32, to: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// From `a` (t = 0) to `b` (t = 1).
pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

fn fade(t: f32) -> f32 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}
