//! Smooth noise: the stuff rock and water are made of here.

/// Value noise with quintic interpolation, in about -1..1, of period one; the same for the same seed everywhere.
pub fn value(x: f32, y: f32, seed: u32) -> f32 {
    let (cx, cy) = (x.floor(), y.floor());
    let (fx, fy) = (fade(x - cx), fade(y - cy));
    let (ix, iy) = (cx as i32, cy as i32);
    let corner = |dx: i32, dy: i32| lattice(ix.wrapping_add(dx), iy.wrapping_add(dy), seed);
    let top = mix(corner(0, 0), corner(1, 0), fx);
    let bottom = mix(corner(0, 1), corner(1, 1), fx);
    mix(top, bottom, fy)
}

/// `octaves` of noise, each of half the wavelength and `gain` times the height of the one before, in about -1..1.
pub fn fractal(x: f32, y: f32, octaves: u32, gain: f32, seed: u32) -> f32 {
    let (mut sum, mut height, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += height * value(x * scale, y * scale, seed.wrapping_add(octave.wrapping_mul(0x9e37)));
        total += height;
        height *= gain;
        scale *= 2.03;
    }
    sum / total
}

/// Like [`fractal`], folded so that it has sharp ridges (cracks, edges of flows), in 0..1.
pub fn ridged(x: f32, y: f32, octaves: u32, gain: f32, seed: u32) -> f32 {
    let (mut sum, mut height, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        let ridge = 1.0 - value(x * scale, y * scale, seed.wrapping_add(octave.wrapping_mul(0x51ed))).abs();
        sum += height * ridge * ridge;
        total += height;
        height *= gain;
        scale *= 2.11;
    }
    sum / total
}

fn fade(t: f32) -> f32 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    let mut hash =
        (x as u32).wrapping_mul(0x85eb_ca6b) ^ (y as u32).wrapping_mul(0xc2b2_ae35) ^ seed.wrapping_mul(0x27d4_eb2f);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ (hash >> 12)).wrapping_mul(0x297a_2d39);
    hash ^= hash >> 15;
    hash as f32 / u32::MAX as f32 * 2.0 - 1.0
}
