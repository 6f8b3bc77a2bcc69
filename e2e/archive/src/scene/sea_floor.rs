//! A sea floor at a hot vent: rock with cracks, rubble and shells in heaps, mats of bacteria, chimneys, tube worms. First the
//! relief and what it is made of, then the light of two lamps on it.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use crate::noise::{self, mix, smooth};

/// A point of the ground: height in pixels of a 1920 wide picture, share of the light it gives back, and its colour as
/// blue and red difference per brightness.
#[derive(Debug, Clone, Copy, Default)]
struct Ground {
    height: f32,
    albedo: f32,
    blue: f32,
    red: f32,
}

/// Brightness and colour differences, row by row. `unit`: pixels of a 1920 wide picture from one sample to the next.
pub fn texels(width: usize, height: usize, unit: f32, seed: u32) -> Vec<[f32; 3]> {
    let lie = Lie::new(width as f32 * unit, height as f32 * unit, seed);
    let point = |at: usize| {
        let (x, y) = ((at % width) as f32 * unit, (at / width) as f32 * unit);
        ground(x, y, lie.at(x, y), unit, seed)
    };
    let mut ground: Vec<Ground> = (0..width * height).into_par_iter().map(point).collect();
    worms(&mut ground, width, unit, seed);
    let heights: Vec<f32> = ground.par_iter().map(|ground| ground.height).collect();
    let near = blurred(&heights, width, (7.0 / unit).max(1.0) as usize);
    let far = blurred(&heights, width, (45.0 / unit).max(1.0) as usize);
    let lit = |at: usize| {
        let (column, row) = (at % width, at / width);
        let slope = |a: usize, b: usize| (heights[b] - heights[a]) / (2.0 * unit);
        let (left, right) = (row * width + column.saturating_sub(1), row * width + (column + 1).min(width - 1));
        let (above, below) = (row.saturating_sub(1) * width + column, (row + 1).min(height - 1) * width + column);
        // What lies deeper than its surroundings sees less of the lamps.
        let deep = smooth(heights[at] - near[at], -9.0, 5.0) * smooth(heights[at] - far[at], -42.0, 14.0);
        let light = lamps(slope(left, right), slope(above, below)) * mix(0.12, 1.0, deep);
        let Ground { albedo, blue, red, .. } = ground[at];
        let y = 2.1 * albedo * light;
        // Film's shoulder: what is bright keeps its drawing.
        let y = y / (1.0 + 0.55 * y) + 0.015;
        [y, blue * y, red * y]
    };
    let texels: Vec<[f32; 3]> = (0..width * height).into_par_iter().map(lit).collect();
    softened(&texels, width)
}

/// Light that a slope gets from a lamp at the upper left and a weaker one at the right.
fn lamps(dx: f32, dy: f32) -> f32 {
    let length = (dx * dx + dy * dy + 1.0).sqrt();
    let lamp = |x: f32, y: f32, z: f32| ((z - x * dx - y * dy) / length).max(0.0);
    0.10 + 1.05 * lamp(-0.45, -0.55, 0.70) + 0.40 * lamp(0.62, -0.20, 0.76)
}

/// Octaves from `wavelength` down to four samples.
fn octaves(wavelength: f32, unit: f32) -> u32 {
    ((wavelength / (4.0 * unit)).log2().floor().max(1.0) as u32).min(9)
}

/// How the ground lies at large. It changes slowly, so it is made on a coarse grid.
struct Lie {
    columns: usize,
    points: Vec<[f32; 6]>,
}

impl Lie {
    /// Pixels of a 1920 wide picture from one point of the grid to the next.
    const STEP: f32 = 8.0;

    fn new(wide: f32, tall: f32, seed: u32) -> Self {
        let [columns, rows] = [wide, tall].map(|side| (side / Self::STEP) as usize + 2);
        let point = |at: usize| {
            let (x, y) = ((at % columns) as f32 * Self::STEP, (at / columns) as f32 * Self::STEP);
            let bend = |seed| noise::fractal(x / 330.0, y / 330.0, 3, 0.5, seed) * 80.0;
            // The ground bends what lies on it, so that nothing is straight.
            let (bend_x, bend_y) = (bend(seed ^ 1), bend(seed ^ 2));
            let (bx, by) = (x + bend_x, y + bend_y);
            let relief = noise::fractal(bx / 760.0, by / 640.0, 3, 0.5, seed ^ 4);
            let heaps = noise::fractal(bx / 520.0, by / 420.0, 4, 0.55, seed ^ 5);
            let body = noise::fractal(bx / 420.0, y / 1100.0, 3, 0.5, seed ^ 0x1e);
            let dust = noise::fractal(bx / 150.0, by / 150.0, 4, 0.6, seed ^ 0x0d);
            [bend_x, bend_y, relief, heaps, body, smooth(dust, 0.0, 0.5)]
        };
        Self { columns, points: (0..columns * rows).into_par_iter().map(point).collect() }
    }

    /// Between the grid's points: bend across and down, relief, heaps, chimneys, dust.
    fn at(&self, x: f32, y: f32) -> [f32; 6] {
        let (x, y) = (x / Self::STEP, y / Self::STEP);
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let at = row * self.columns + column;
        let [a, b] = [at, at + self.columns].map(|at| [self.points[at], self.points[at + 1]]);
        [0, 1, 2, 3, 4, 5].map(|n| mix(mix(a[0][n], a[1][n], fx), mix(b[0][n], b[1][n], fx), fy))
    }
}

fn ground(x: f32, y: f32, [bend_x, bend_y, relief, heaps, body, dust]: [f32; 6], unit: f32, seed: u32) -> Ground {
    let (bx, by) = (x + bend_x, y + bend_y);
    let fine = noise::fractal(x / 26.0, y / 26.0, octaves(26.0, unit).min(3), 0.7, seed ^ 3);
    let heap = smooth(heaps, -0.06, 0.10);
    let mut here = rock((bx, by), heap, dust, unit, seed);
    here.height += 170.0 * relief + 2.2 * fine;
    here.albedo *= 1.0 + 0.28 * fine;
    shells(&mut here, (x, y), heap, unit, seed);
    chimney(&mut here, (x, y), body, fine, unit, seed);
    mat(&mut here, (bx, by), fine, seed);
    here
}

/// Basalt: ledges with sharp edges, cracks, a coat of dust here and there.
fn rock((x, y): (f32, f32), heap: f32, dust: f32, unit: f32, seed: u32) -> Ground {
    let ledges = noise::ridged(x / 300.0, y / 210.0, octaves(210.0, unit).min(6), 0.5, seed ^ 0x0a);
    let blocks = noise::billows(x / 95.0, y / 80.0, octaves(80.0, unit).min(4), 0.55, seed ^ 0x0b);
    let vein = noise::fractal(x / 240.0, y / 240.0, 4, 0.5, seed ^ 0x0c).abs();
    let crack = (1.0 - smooth(vein, 0.0, 0.03)) * (1.0 - 0.8 * heap);
    Ground {
        height: 80.0 * ledges + 34.0 * blocks - 24.0 * crack,
        albedo: mix(0.20, 0.34, dust) * mix(1.0, 0.35, crack),
        blue: 0.085 - 0.05 * dust,
        red: -0.12 + 0.04 * dust,
    }
}

/// Heaps of shells and rubble: ellipsoids of three sizes, each on top of its neighbours or under them.
fn shells(here: &mut Ground, (x, y): (f32, f32), heap: f32, unit: f32, seed: u32) {
    for (size, share, seed) in [(96.0, 0.35, seed ^ 0x14), (46.0, 0.85, seed ^ 0x15), (23.0, 0.6, seed ^ 0x16)] {
        if heap <= 0.0 || size < 5.0 * unit {
            continue;
        }
        let Some((top, id)) = dome(x / size, y / size, share * heap, seed) else { continue };
        let top = here.height + 0.5 * size * (top - 0.35);
        if top <= here.height {
            continue;
        }
        let tint = noise::unit(id >> 3);
        // Growth rings: a shell is not smooth.
        let ring = 1.0 + 0.10 * noise::gradient(x / 7.0, y / 7.0, id) * f32::from(u8::from(unit < 1.7));
        here.height = top;
        here.albedo = (0.46 + 0.20 * noise::unit(id >> 9)) * ring;
        (here.blue, here.red) = if tint > -0.35 { (0.045 + 0.04 * tint, -0.10) } else { (-0.09, -0.035) };
    }
}

/// The highest of the ellipsoids over a point of a lattice with period 1, `None` between them. `share` of the cells have one.
fn dome(x: f32, y: f32, share: f32, seed: u32) -> Option<(f32, u32)> {
    let (ix, iy) = (noise::floor(x), noise::floor(y));
    let mut best = None;
    for cell in 0..9 {
        let (cx, cy) = (ix + cell % 3 - 1, iy + cell / 3 - 1);
        let id = noise::hash(cx, cy, seed);
        if (id & 0xff) as f32 > 255.0 * share {
            continue;
        }
        let other = noise::hash(cx, cy, seed ^ 0x77);
        let (dx, dy) =
            (x - cx as f32 - 0.5 - 0.45 * noise::unit(id >> 8), y - cy as f32 - 0.5 - 0.45 * noise::unit(other));
        // Turned by any angle, up to twice as long as wide.
        let (turn, long) = (noise::unit(id >> 16), 0.52 + 0.16 * noise::unit(other >> 8));
        let (c, s) = ((1.0 - turn * turn).sqrt(), turn);
        let (along, wide) = ((c * dx + s * dy) / long, (c * dy - s * dx) / (0.68 * long));
        let far = along * along + wide * wide;
        if far >= 1.0 {
            continue;
        }
        let top = (1.0 - far).sqrt() * (1.0 + 0.5 * along) + 0.35 * noise::unit(other >> 16);
        if best.is_none_or(|(highest, _)| top > highest) {
            best = Some((top, id));
        }
    }
    best
}

/// Chimneys: tall bodies, streaked upright, rusty.
fn chimney(here: &mut Ground, (x, y): (f32, f32), body: f32, fine: f32, unit: f32, seed: u32) {
    let inside = smooth(body, 0.20, 0.42);
    if inside <= 0.0 {
        return;
    }
    let streaks = noise::fractal(x / 34.0, y / 150.0, octaves(34.0, unit).min(3), 0.6, seed ^ 0x1f);
    let knobs = noise::billows(x / 70.0, y / 110.0, octaves(70.0, unit).min(4), 0.55, seed ^ 0x20);
    let ground = Ground {
        height: here.height * 0.4 + 150.0 * inside.sqrt() + 40.0 * knobs + 9.0 * streaks,
        albedo: 0.30 + 0.11 * streaks + 0.06 * fine,
        blue: -0.10 - 0.05 * streaks,
        red: 0.05 + 0.07 * streaks,
    };
    let t = smooth(inside, 0.05, 0.4);
    here.height = mix(here.height, ground.height, t);
    here.albedo = mix(here.albedo, ground.albedo, t);
    here.blue = mix(here.blue, ground.blue, t);
    here.red = mix(here.red, ground.red, t);
}

/// Mats of bacteria: whitish, fluffy, with a ragged edge; thicker on what stands out.
fn mat(here: &mut Ground, (x, y): (f32, f32), fine: f32, seed: u32) {
    let patch = noise::fractal(x / 260.0, y / 200.0, 6, 0.62, seed ^ 0x28) + 0.10 * fine;
    let cover = smooth(patch, 0.17, 0.34);
    let fluff = noise::fractal(x / 17.0, y / 17.0, 2, 0.6, seed ^ 0x29);
    here.height += cover * (6.0 + 4.0 * fluff);
    here.albedo = mix(here.albedo, 0.80 + 0.14 * fluff, 0.9 * cover);
    here.blue = mix(here.blue, 0.015, cover);
    here.red = mix(here.red, -0.055, cover);
}

/// Tube worms: pale tubes in tufts that lie over the ground, with a red plume at the end.
fn worms(ground: &mut [Ground], width: usize, unit: f32, seed: u32) {
    let mut random = Pcg64Mcg::seed_from_u64(u64::from(seed) ^ 0x77_6f72);
    let (wide, tall) = (width as f32 * unit, (ground.len() / width) as f32 * unit);
    for _ in 0..34 {
        let root = [random.random_range(0.0..wide), random.random_range(0.0..tall)];
        for _ in 0..random.random_range(2..9) {
            let start = root.map(|at| at + random.random_range(-38.0..38.0_f32));
            worm(ground, width, unit, start, &mut random);
        }
    }
}

fn worm(ground: &mut [Ground], width: usize, unit: f32, start: [f32; 2], random: &mut Pcg64Mcg) {
    let (mut x, mut y) = (start[0], start[1]);
    let mut turn: f32 = random.random_range(0.0..std::f32::consts::TAU);
    let (mut curl, drift): (f32, f32) = (random.random_range(-0.03..0.03), random.random_range(-0.0007..0.0007));
    let (radius, length): (f32, f32) = (random.random_range(3.2..6.5), random.random_range(45.0..150.0));
    let olive: f32 = random.random_range(0.0..1.0);
    let lift = sample(ground, width, unit, x, y) + 18.0;
    let mut along = 0.0;
    while along < length {
        let tip = smooth(along / length, 0.80, 0.86);
        // Ringed, like a hose.
        let ring = 0.5 + 0.5 * (along * 0.55).sin();
        let ground_here = Ground {
            height: lift + 12.0 * along / length,
            albedo: mix(0.42 + 0.10 * ring, 0.22, tip),
            blue: mix(-0.10 * olive, -0.06, tip),
            red: mix(-0.03, 0.24, tip),
        };
        disc(ground, width, unit, [x, y], radius * mix(1.0, 1.25, tip), ground_here);
        (x, y) = (x + 2.0 * turn.cos(), y + 2.0 * turn.sin());
        (turn, curl, along) = (turn + curl, curl + drift, along + 2.0);
    }
}

fn sample(ground: &[Ground], width: usize, unit: f32, x: f32, y: f32) -> f32 {
    let at = (y / unit).max(0.0) as usize * width + ((x / unit).max(0.0) as usize).min(width - 1);
    ground.get(at).map_or(0.0, |ground| ground.height)
}

/// Lays a piece of a tube, round across, over what lies lower.
fn disc(ground: &mut [Ground], width: usize, unit: f32, [x, y]: [f32; 2], radius: f32, piece: Ground) {
    let rows = ground.len() / width;
    let span = |at: f32, size: usize| {
        ((at - radius) / unit).max(0.0) as usize..(((at + radius) / unit + 1.0).max(0.0) as usize).min(size)
    };
    for row in span(y, rows) {
        for column in span(x, width) {
            let far = ((column as f32 * unit - x).powi(2) + (row as f32 * unit - y).powi(2)) / (radius * radius);
            let here = &mut ground[row * width + column];
            let height = piece.height + 1.6 * radius * (1.0 - far).max(0.0).sqrt();
            if far < 1.0 && height > here.height {
                *here = Ground { height, ..piece };
            }
        }
    }
}

/// A mean over squares of `2 * reach + 1`, by running sums; twice, so that it is round enough.
fn blurred(plane: &[f32], width: usize, reach: usize) -> Vec<f32> {
    let height = plane.len() / width;
    let once = transposed(&averaged(plane, width, reach), width);
    let once = averaged(&averaged(&once, height, reach), height, reach);
    averaged(&transposed(&once, height), width, reach)
}

fn averaged(plane: &[f32], width: usize, reach: usize) -> Vec<f32> {
    let mut out = vec![0.0; plane.len()];
    out.par_chunks_mut(width).zip(plane.par_chunks(width)).for_each(|(out, line)| {
        let at = |column: i64| f64::from(line[column.clamp(0, width as i64 - 1) as usize]);
        let reach = reach as i64;
        let mut sum: f64 = (-reach..=reach).map(at).sum();
        for (column, out) in (0..).zip(out) {
            *out = (sum / (2 * reach + 1) as f64) as f32;
            sum += at(column + reach + 1) - at(column - reach);
        }
    });
    out
}

fn transposed(plane: &[f32], width: usize) -> Vec<f32> {
    let height = plane.len() / width;
    let mut out = vec![0.0; plane.len()];
    out.par_chunks_mut(height).enumerate().for_each(|(column, line)| {
        line.iter_mut().enumerate().for_each(|(row, out)| *out = plane[row * width + column]);
    });
    out
}

/// A lens is not sharper than its pixels: a small binomial blur, which also keeps the spline's sampling exact.
fn softened(texels: &[[f32; 3]], width: usize) -> Vec<[f32; 3]> {
    let height = texels.len() / width;
    let mean = |taps: [usize; 3]| {
        let [a, b, c] = taps.map(|at| texels[at]);
        [0, 1, 2].map(|plane| 0.25 * (a[plane] + c[plane]) + 0.5 * b[plane])
    };
    let row = |row: usize, column: usize| {
        let at = |column: usize| row * width + column;
        mean([at(column.saturating_sub(1)), at(column), at((column + 1).min(width - 1))])
    };
    let texel = |at: usize| {
        let (column, line) = (at % width, at / width);
        let [a, b, c] = [line.saturating_sub(1), line, (line + 1).min(height - 1)].map(|line| row(line, column));
        [0, 1, 2].map(|plane| 0.25 * (a[plane] + c[plane]) + 0.5 * b[plane])
    };
    (0..texels.len()).into_par_iter().map(texel).collect()
}
