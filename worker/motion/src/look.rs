//! How what agrees looks before and after: the same piece of rock keeps its brightness, its sharpness and its pattern.

use crate::{Grey, flow::Found, grid::CELLS, similarity::Match};

/// Half the size of the patches compared, in pixels, and their side.
const REACH: i64 = 4;
const SIDE: usize = 9;
/// How much of what is rough is taken for noise.
const ROUGH: f32 = 1.5;
/// Added to contrasts, in grey levels: what noise and rounding leave of them.
const LEAST: f32 = 1.0;

/// Medians over the patches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Change of brightness, over the patch's own contrast: what it may mislead the tracker by.
    pub light: f32,
    /// The same, as far as the neighbours in the cell do not share it: light changes all of a cell, a plume boils.
    pub flicker: f32,
    /// Fineness of the pattern, the blurred image's over the sharper one's, 0-1.
    pub focus: f32,
    /// What light, focus and noise leave unexplained of the pattern's change: share of the pattern's variance.
    pub change: f32,
}

/// What `images` (earlier, later) show around the points.
pub fn compare<'a>(images: [&Grey; 2], points: impl Iterator<Item = &'a Found>) -> Look {
    let (mut light, mut focus, mut change) = (Vec::new(), Vec::new(), Vec::new());
    let mut cells = vec![Vec::<[f32; 2]>::new(); CELLS];
    for found in points {
        let fineness =
            [(images[0], found.point.from), (images[1], found.point.to)].map(|(image, at)| fineness(image, at));
        focus.push((fineness[1] / fineness[0]).ln());
        let seen = Patches::cut(images, &found.point);
        let contrast = seen.variance.sqrt() + LEAST;
        light.push((seen.means[1] - seen.means[0]).abs() / contrast);
        let [before, after] = seen.means.map(|mean| mean + LEAST);
        cells[found.cell].push([(after / before).ln(), before / contrast]);
        change.push(seen.unexplained);
    }
    let focus = (-median(focus).unwrap_or(0.0).abs()).exp();
    let [light, change] = [light, change].map(|values| median(values).unwrap_or(0.0));
    Look { light, flicker: median(cells.iter().flat_map(|cell| apart(cell)).collect()).unwrap_or(0.0), focus, change }
}

/// How far each is from the cell's median, over its contrast.
fn apart(cell: &[[f32; 2]]) -> Vec<f32> {
    let middle = median(cell.iter().map(|[change, _]| *change).collect()).unwrap_or(0.0);
    if cell.len() < 4 {
        return Vec::new();
    }
    cell.iter().map(|[change, scale]| (change - middle).abs() * scale).collect()
}

/// The same patch before and after.
struct Patches {
    means: [f32; 2],
    /// Of the earlier.
    variance: f32,
    /// The later patch less the earlier one, brightness and contrast fitted; of that the smooth part, since noise is
    /// rough, over the earlier patch's variance.
    unexplained: f32,
}

impl Patches {
    fn cut(images: [&Grey; 2], point: &Match) -> Self {
        let centre = |size: u32| f64::from(size - 1) / 2.0;
        let x = (point.from[0] + centre(images[0].width)).round();
        let y = (point.from[1] + centre(images[0].height)).round();
        // The earlier patch is cut at whole pixels; the later one at the place that goes with it.
        let (dx, dy) = (point.to[0] - point.from[0], point.to[1] - point.from[1]);
        let (earlier, later) = (sampled(images[0], x, y), sampled(images[1], x + dx, y + dy));
        let count = (SIDE * SIDE) as f32;
        let mean = |patch: &[f32; SIDE * SIDE]| patch.iter().sum::<f32>() / count;
        let (before, after) = (mean(&earlier), mean(&later));
        let variance = earlier.iter().map(|value| (value - before) * (value - before)).sum::<f32>() / count;
        let both = earlier.iter().zip(&later).map(|(a, b)| (a - before) * (b - after)).sum::<f32>() / count;
        let gain = (both / (variance + LEAST)).max(0.0);
        let rest: [f32; SIDE * SIDE] = std::array::from_fn(|at| later[at] - after - gain * (earlier[at] - before));
        let power = rest.iter().map(|value| value * value).sum::<f32>() / count;
        let steps = |row: &[f32]| row.windows(2).map(|pair| (pair[1] - pair[0]) * (pair[1] - pair[0])).sum::<f32>();
        let rough = rest.chunks_exact(SIDE).map(steps).sum::<f32>() / (SIDE * (SIDE - 1)) as f32 / 2.0;
        let unexplained = (power - ROUGH * rough).max(0.0) / (gain * gain * variance + LEAST);
        Self { means: [before, after], variance, unexplained }
    }
}

/// A patch around (x, y), in pixels from the top left, between pixels.
fn sampled(image: &Grey, x: f64, y: f64) -> [f32; SIDE * SIDE] {
    let half = (SIDE / 2) as f64;
    let clamp = |at: f64, size: u32| at.clamp(half, (f64::from(size) - half - 2.0).max(half)) - half;
    let (x, y) = (clamp(x, image.width), clamp(y, image.height));
    let (left, top, a, b) = (x as usize, y as usize, x.fract() as f32, y.fract() as f32);
    let mut patch = [0.0; SIDE * SIDE];
    let mut above = [0.0; SIDE];
    for row in 0..=SIDE {
        let start = (top + row) * image.width as usize + left;
        // Smaller than a patch no image has corners.
        let Some(pixels) = image.data.get(start..=start + SIDE) else { break };
        let here: [f32; SIDE] = std::array::from_fn(|at| {
            let (left, right) = (f32::from(pixels[at]), f32::from(pixels[at + 1]));
            left + a * (right - left)
        });
        if let Some(row) = row.checked_sub(1) {
            let values = patch[row * SIDE..][..SIDE].iter_mut().zip(above.iter().zip(&here));
            values.for_each(|(value, (above, here))| *value = above + b * (here - above));
        }
        above = here;
    }
    patch
}

/// Root mean square of the differences between neighbours around a point given from the image's centre, over the
/// patch's contrast.
fn fineness(image: &Grey, point: [f64; 2]) -> f32 {
    let (width, height) = (i64::from(image.width), i64::from(image.height));
    let place = |value: f64, size: i64| {
        let at = (value + (size - 1) as f64 / 2.0).round() as i64;
        at.clamp(REACH, (size - 2 - REACH).max(REACH))
    };
    let (x, y) = (place(point[0], width), place(point[1], height));
    // Of so few bytes no sum overflows; unchecked, many are taken at once.
    let square = |value: u32| value.wrapping_mul(value);
    let (mut sum, mut squares, mut steps) = (0_u32, 0_u32, 0_u32);
    for row in y - REACH..=y + REACH {
        let start = (row * width + x - REACH) as usize;
        let (Some(here), Some(below)) =
            (image.data.get(start..=start + SIDE), image.data.get(start + width as usize..))
        else {
            continue;
        };
        let (Some(here), Some(below)) = (here.first_chunk::<{ SIDE + 1 }>(), below.first_chunk::<SIDE>()) else {
            continue;
        };
        for at in 0..SIDE {
            let [value, right, below] = [here[at], here[at + 1], below[at]].map(u32::from);
            sum = sum.wrapping_add(value);
            squares = squares.wrapping_add(square(value));
            let change = square(value.wrapping_sub(right)).wrapping_add(square(value.wrapping_sub(below)));
            steps = steps.wrapping_add(change);
        }
    }
    let count = (SIDE * SIDE) as f32;
    let mean = sum as f32 / count;
    let variance = (squares as f32 / count - mean * mean).max(0.0);
    ((steps as f32 / count + LEAST) / (variance + LEAST)).sqrt()
}

fn median(mut values: Vec<f32>) -> Option<f32> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}
