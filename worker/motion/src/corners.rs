//! Points worth following: the best corners of every cell, so that a bright middle does not take them all.

use crate::{
    Grey,
    gradient::Sobel,
    grid::{CELLS, cell_of},
};

/// A point whose neighbourhood can be found again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corner {
    /// From the left, in pixels.
    pub x: f32,
    /// From the top, in pixels.
    pub y: f32,
    /// The cell it is in.
    pub cell: usize,
    /// Whether it looks burned in: strokes of one brightness on ground of one other, with nothing between.
    pub drawn: bool,
}

/// At most so many corners a cell.
const PER_CELL: usize = 8;
/// Corners of a cell keep this distance, in pixels.
const DISTANCE: f32 = 6.0;
/// Nearer to the border the window of a corner would leave the picture.
const MARGIN: usize = 4;
/// Gradients are summed over windows of this size, in pixels.
const WINDOW: usize = 5;
/// The strength a corner must have. Noise of one grey level gives about a tenth of this.
const TEXTURE: f32 = 2600.0;

/// The corners of an image, cell by cell, the best first.
pub fn find(image: &Grey) -> Vec<Corner> {
    let (width, height) = (image.width as usize, image.height as usize);
    if width <= 2 * MARGIN || height <= 2 * MARGIN {
        return Vec::new();
    }
    let mut strengths = Strengths::new(image);
    let mut cells = vec![Vec::<(f32, Corner)>::new(); CELLS];
    let (mut rows, mut highest) = ([(); 3].map(|()| vec![0.0; width]), vec![0.0; width]);
    // No row nearer to the border is a neighbour of one that counts.
    for below in MARGIN - 1..=height - MARGIN {
        rows.rotate_left(1);
        strengths.row(below, &mut rows[2]);
        let Some(y) = below.checked_sub(1).filter(|y| *y >= MARGIN) else { continue };
        highest_of(&rows, &mut highest);
        for (x, value) in peaks(&rows[1][..width - MARGIN], &highest) {
            let cell = cell_of(x as f64, y as f64, width as f64, height as f64);
            cells[cell].push((value, Corner { x: x as f32, y: y as f32, cell, drawn: false }));
        }
    }
    let kept = cells.into_iter().flat_map(best_apart);
    kept.map(|corner| Corner { drawn: is_drawn(image, &corner), ..corner }).collect()
}

/// Half the size of the patch that is looked at for strokes, in pixels.
const STROKES: usize = 4;
/// The least difference between strokes and ground, in grey levels.
const STARK: u8 = 80;
/// Values within this share of the difference are of one level …
const LEVEL: f32 = 0.1;
/// … and so many of a patch are of either.
const TWO_LEVELS: f32 = 0.7;

fn is_drawn(image: &Grey, corner: &Corner) -> bool {
    let (width, height) = (image.width as usize, image.height as usize);
    let span = |at: f32, size: usize| (at as usize).saturating_sub(STROKES)..(at as usize + STROKES + 1).min(size);
    let columns = span(corner.x, width);
    let rows = span(corner.y, height).map(|row| &image.data[row * width..][columns.clone()]);
    let (mut least, mut most) = (u8::MAX, 0);
    for value in rows.clone().flatten() {
        (least, most) = (least.min(*value), most.max(*value));
    }
    let difference = most - least;
    if difference < STARK {
        return false;
    }
    let near = (f32::from(difference) * LEVEL) as u8;
    let (mut level, mut all) = (0, 0);
    for value in rows.flatten() {
        level += u32::from(*value - least <= near || most - *value <= near);
        all += 1;
    }
    level as f32 >= TWO_LEVELS * all as f32
}

/// The highest of the 3 x 3 values around each of the middle row's, but its ends.
fn highest_of([above, here, below]: &[Vec<f32>; 3], highest: &mut [f32]) {
    let inner = here.len() - 2;
    let max = |a: f32, b: f32| if a > b { a } else { b };
    let (above, here, below) = (&above[..inner + 2], &here[..inner + 2], &below[..inner + 2]);
    let columns = |x: usize| max(max(above[x], here[x]), below[x]);
    for (x, highest) in highest[1..][..inner].iter_mut().enumerate() {
        *highest = max(max(columns(x), columns(x + 1)), columns(x + 2));
    }
}

/// Columns of a row, from [`MARGIN`] on, whose value is strong enough and none of its neighbours' is higher.
fn peaks<'a>(row: &'a [f32], highest: &'a [f32]) -> impl Iterator<Item = (usize, f32)> + 'a {
    const AT_ONCE: usize = 16;
    let is_peak = |value: f32, highest: f32| value >= TEXTURE && value >= highest;
    let parts = row[MARGIN..].chunks(AT_ONCE).zip(highest[MARGIN..].chunks(AT_ONCE)).enumerate();
    // Most parts have none, which is seen of all at once.
    let parts = parts.filter(move |(_, (row, highest))| {
        row.iter().zip(*highest).fold(false, |any, (value, highest)| any | is_peak(*value, *highest))
    });
    parts.flat_map(move |(part, (row, highest))| {
        let all = row.iter().zip(highest).enumerate();
        let some = all.filter(move |(_, (value, highest))| is_peak(**value, **highest));
        some.map(move |(at, (value, _))| (MARGIN + part * AT_ONCE + at, *value))
    })
}

/// Shi and Tomasi's measure (1994), row by row: the smaller eigenvalue of the gradient matrix, summed over a window.
/// Gradients are central differences over smoothed neighbours (Sobel), in grey levels.
struct Strengths<'a> {
    image: &'a Grey,
    /// The last three rows of pixels; the newest takes the oldest's place.
    pixels: [Vec<i16>; 3],
    sobel: Sobel,
    /// The gradients of one row, to the right and down.
    gradients: [Vec<i16>; 2],
    /// The gradient products of as many rows as a window is high; the newest takes the oldest's place.
    rows: [Products; WINDOW],
    /// Their sums, column by column.
    sums: Products,
    /// The next row to read.
    next: usize,
}

impl<'a> Strengths<'a> {
    fn new(image: &'a Grey) -> Self {
        let width = image.width as usize;
        let mut new = Self {
            image,
            pixels: [(); 3].map(|()| vec![0; width]),
            sobel: Sobel::new(width - 2),
            gradients: [(); 2].map(|()| vec![0; width - 2]),
            rows: std::array::from_fn(|_| Products::new(width)),
            sums: Products::new(width),
            next: 1,
        };
        new.read_pixels(0);
        new.read_pixels(1);
        new
    }

    /// The strengths of row `y`, which is further down than the one before; those of the row's ends stay.
    fn row(&mut self, y: usize, strength: &mut [f32]) {
        while self.next <= y + WINDOW / 2 {
            self.read_pixels(self.next + 1);
            let rows = [0, 1, 2].map(|row| &self.pixels[(self.next + 2 + row) % 3][..]);
            let [right, down] = &mut self.gradients;
            self.sobel.row(rows, right, down);
            self.rows[self.next % WINDOW].take(right, down, &mut self.sums);
            self.next += 1;
        }
        self.sums.least_eigenvalues(strength);
    }

    fn read_pixels(&mut self, y: usize) {
        let width = self.image.width as usize;
        let pixels = self.pixels[y % 3].iter_mut().zip(&self.image.data[y * width..]);
        pixels.for_each(|(to, from)| *to = i16::from(*from));
    }
}

/// The products of the gradients of one row (xx, xy, yy), or sums of such; floats in planes, so that the compiler may take
/// many at once. All are whole numbers below 2^24, so sums are exact.
struct Products([Vec<f32>; 3]);

impl Products {
    fn new(width: usize) -> Self {
        Self([(); 3].map(|()| vec![0.0; width]))
    }

    /// Takes a row's gradients in, and its change into `sums`.
    fn take(&mut self, right: &[i16], down: &[i16], sums: &mut Self) {
        let inner = right.len();
        let down = &down[..inner];
        let [xx, xy, yy] = self.0.each_mut().map(|plane| &mut plane[1..][..inner]);
        let [sum_xx, sum_xy, sum_yy] = sums.0.each_mut().map(|plane| &mut plane[1..][..inner]);
        for x in 0..inner {
            let (dx, dy) = (f32::from(right[x]), f32::from(down[x]));
            let new = [dx * dx, dx * dy, dy * dy];
            sum_xx[x] += new[0] - xx[x];
            sum_xy[x] += new[1] - xy[x];
            sum_yy[x] += new[2] - yy[x];
            [xx[x], xy[x], yy[x]] = new;
        }
    }

    fn least_eigenvalues(&self, strength: &mut [f32]) {
        let inner = strength.len() - (WINDOW - 1);
        let strength = &mut strength[WINDOW / 2..][..inner];
        let window = |plane: &[f32], x: usize| plane[x] + plane[x + 1] + plane[x + 2] + plane[x + 3] + plane[x + 4];
        let [xx, xy, yy] = self.0.each_ref().map(|plane| &plane[..inner + WINDOW - 1]);
        for (x, strength) in strength.iter_mut().enumerate() {
            let (xx, xy, yy) = (window(xx, x), window(xy, x), window(yy, x));
            let (half, difference) = ((xx + yy) * 0.5, (xx - yy) * 0.5);
            *strength = half - (difference * difference + xy * xy).sqrt();
        }
    }
}

fn best_apart(mut found: Vec<(f32, Corner)>) -> Vec<Corner> {
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut kept: Vec<Corner> = Vec::with_capacity(PER_CELL);
    for (_, corner) in found {
        let apart = |other: &Corner| (other.x - corner.x).powi(2) + (other.y - corner.y).powi(2) >= DISTANCE * DISTANCE;
        if kept.iter().all(apart) {
            kept.push(corner);
            if kept.len() == PER_CELL {
                break;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(pixel: impl Fn(u32, u32) -> u8) -> Grey {
        let data = (0..80 * 50).map(|at| pixel(at % 80, at / 80)).collect();
        Grey { width: 80, height: 50, data }
    }

    #[test]
    fn corners_of_a_bright_square_are_found_and_its_edges_are_not() {
        let inside = |x, y| (20..60).contains(&x) && (15..35).contains(&y);
        let found = find(&image(|x, y| if inside(x, y) { 200 } else { 40 }));
        for (x, y) in [(19.5, 14.5), (59.5, 14.5), (19.5, 34.5), (59.5, 34.5)] {
            assert!(found.iter().any(|corner| (corner.x - x).hypot(corner.y - y) < 3.0), "none at {x}, {y}");
        }
        assert!(found.iter().all(|corner| (corner.x - 40.0).abs() > 14.0), "{found:?}");
    }

    #[test]
    fn strokes_on_even_ground_are_drawn_and_rock_is_not() {
        let stroke = |x: u32, y: u32| (10..70).contains(&x) && x % 10 < 3 && (20..30).contains(&y);
        let text = find(&image(|x, y| if stroke(x, y) { 220 } else { 30 }));
        assert!(!text.is_empty() && text.iter().all(|corner| corner.drawn), "{text:?}");
        let wave = |at: u32, length: f32| (at as f32 * std::f32::consts::TAU / length).sin();
        let rock = find(&image(|x, y| (128.0 + 60.0 * wave(x, 17.0) * wave(y, 13.0) + 50.0 * wave(x + y, 29.0)) as u8));
        assert!(!rock.is_empty() && rock.iter().all(|corner| !corner.drawn), "{rock:?}");
    }

    #[test]
    fn strengths_are_those_of_the_definition() {
        let noise = image(|x, y| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(97) as u8);
        let (width, at) = (noise.width as usize, |x: usize, y: usize| f32::from(noise.data[y * 80 + x]));
        let gradient = |x: usize, y: usize| {
            let across = |dx: usize| at(dx, y - 1) + 2.0 * at(dx, y) + at(dx, y + 1);
            let down = |dy: usize| at(x - 1, dy) + 2.0 * at(x, dy) + at(x + 1, dy);
            (across(x + 1) - across(x - 1), down(y + 1) - down(y - 1))
        };
        let strength = |x: usize, y: usize| {
            let around = (y - 2..=y + 2).flat_map(|y| (x - 2..=x + 2).map(move |x| (x, y)));
            let sums = around
                .map(|(x, y)| gradient(x, y))
                .fold([0.0; 3], |[xx, xy, yy], (dx, dy)| [xx + dx * dx, xy + dx * dy, yy + dy * dy]);
            let [half, difference] = [(sums[0] + sums[2]) * 0.5, (sums[0] - sums[2]) * 0.5];
            half - (difference * difference + sums[1] * sums[1]).sqrt()
        };
        let (mut strengths, mut row) = (Strengths::new(&noise), vec![0.0; width]);
        for y in 3..50 - 3 {
            strengths.row(y, &mut row);
            let expected: Vec<f32> = (3..width - 3).map(|x| strength(x, y)).collect();
            assert_eq!(row[3..width - 3], expected, "row {y}");
        }
    }

    #[test]
    fn flat_and_tiny_images_have_no_corners() {
        assert_eq!(find(&image(|_, _| 90)), []);
        assert_eq!(find(&image(|x, _| (x * 3) as u8)), [], "a slope");
        assert_eq!(find(&Grey { width: 3, height: 2, data: vec![1, 200, 3, 4, 5, 6] }), []);
    }
}
