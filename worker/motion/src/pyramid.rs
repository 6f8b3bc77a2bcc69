//! An image and its reductions, with gradients and margins: what points are followed through.
//!
//! Every level is half as wide and high as the one below, smoothed by 1 4 6 4 1 in both directions; gradients are Scharr's.
//! Beyond its border an image is its own mirror, without gradients. All in whole numbers: the same bits on every machine.

use crate::{Grey, gradient::Scharr};

/// Rows and columns beyond the border on every side: the largest window may begin outside and reach as far outside.
pub const MARGIN: usize = 32;
/// The coarsest level is 1/8: a window of 11 there sees 44 pixels of the image to either side.
const LEVELS: usize = 4;

/// The levels, the finest first.
#[derive(Debug)]
pub struct Pyramid(Vec<Level>);

impl Pyramid {
    /// Builds the levels of an image; none, but the first, that is no larger than the window.
    pub fn build(image: &Grey, window: usize) -> Self {
        let mut levels = vec![Level::of(image)];
        while let Some(next) = levels.last().filter(|_| levels.len() < LEVELS).map(Level::reduced)
            && next.width > window
            && next.height > window
        {
            levels.push(next);
        }
        levels.iter_mut().for_each(Level::find_gradients);
        Self(levels)
    }

    /// The finest first.
    pub fn levels(&self) -> &[Level] {
        &self.0
    }
}

/// An image in planes that have [`MARGIN`] rows and columns on every side.
#[derive(Debug)]
pub struct Level {
    /// Width in pixels, without margins.
    pub width: usize,
    /// Height in pixels, without margins.
    pub height: usize,
    /// The pixels.
    pub pixels: Vec<i16>,
    /// Their gradients to the right and down: 32 for a slope of one grey level a pixel; 0 outside.
    pub gradients: [Vec<i16>; 2],
}

impl Level {
    fn of(image: &Grey) -> Self {
        let (width, height) = (image.width as usize, image.height as usize);
        let mut pixels = Rows::new(width, height);
        image.data.chunks_exact(width).for_each(|row| pixels.push(row.iter().map(|pixel| i16::from(*pixel))));
        Self::with_margins(width, height, pixels)
    }

    fn with_margins(width: usize, height: usize, pixels: Rows) -> Self {
        let mut level = Self { width, height, pixels: pixels.into_plane(), gradients: [Vec::new(), Vec::new()] };
        level.mirror();
        level
    }

    /// Values from a row's to the next one's beginning.
    pub fn stride(&self) -> usize {
        self.width + 2 * MARGIN
    }

    /// Where a pixel stands in the planes.
    fn at(&self, x: usize, y: usize) -> usize {
        (y + MARGIN) * self.stride() + x + MARGIN
    }

    /// Fills the margins: the pixel on the border is not repeated.
    fn mirror(&mut self) {
        let (stride, width, height) = (self.stride(), self.width, self.height);
        let (across, along) = (mirrored(width), mirrored(height));
        let rows = self.pixels.chunks_exact_mut(stride).skip(MARGIN).take(height);
        for row in rows {
            for (beyond, inside) in across.iter().enumerate() {
                row[MARGIN - 1 - beyond] = row[MARGIN + inside];
                row[MARGIN + width + beyond] = row[MARGIN + width - 1 - inside];
            }
        }
        let mut copy =
            |from: usize, to: usize| self.pixels.copy_within(from * stride..(from + 1) * stride, to * stride);
        for (beyond, inside) in along.iter().enumerate() {
            copy(MARGIN + inside, MARGIN - 1 - beyond);
            copy(MARGIN + height - 1 - inside, MARGIN + height + beyond);
        }
    }

    /// Half the width and height.
    fn reduced(&self) -> Self {
        let (stride, width, height) = (self.stride(), self.width.div_ceil(2), self.height.div_ceil(2));
        let (mut sums, mut row, mut pixels) = (vec![0; stride], vec![0; width], Rows::new(width, height));
        for y in 0..height {
            let start = (2 * y + MARGIN - 2) * stride;
            down_the_columns(&self.pixels[start..][..5 * stride], &mut sums);
            along_the_row(&sums[MARGIN - 2..], &mut row);
            pixels.push(row.iter().copied());
        }
        Self::with_margins(width, height, pixels)
    }

    fn find_gradients(&mut self) {
        let (stride, width) = (self.stride(), self.width);
        let [mut right, mut down] = [(); 2].map(|()| (vec![0; width], Rows::new(width, self.height)));
        let mut scharr = Scharr::new(width);
        for y in 0..self.height {
            let start = self.at(0, y);
            let rows = [start - stride, start, start + stride].map(|start| &self.pixels[start - 1..][..width + 2]);
            scharr.row(rows, &mut right.0, &mut down.0);
            for (row, rows) in [&mut right, &mut down] {
                rows.push(row.iter().copied());
            }
        }
        self.gradients = [right.1.into_plane(), down.1.into_plane()];
    }
}

/// A plane that grows row by row within margins of zeros: nothing is written twice.
struct Rows {
    width: usize,
    plane: Vec<i16>,
}

impl Rows {
    fn new(width: usize, height: usize) -> Self {
        let stride = width + 2 * MARGIN;
        let mut plane = Vec::with_capacity(stride * (height + 2 * MARGIN));
        plane.resize(MARGIN * stride, 0);
        Self { width, plane }
    }

    fn push(&mut self, row: impl ExactSizeIterator<Item = i16>) {
        let margin = [0; MARGIN];
        self.plane.extend_from_slice(&margin);
        self.plane.extend(row);
        self.plane.extend_from_slice(&margin);
    }

    fn into_plane(mut self) -> Vec<i16> {
        self.plane.resize(self.plane.len() + MARGIN * (self.width + 2 * MARGIN), 0);
        self.plane
    }
}

// What follows is done to every pixel: of values of eight bits no sum needs more than 16, so none is checked, and the
// compiler takes eight at once.

/// Sums of five rows, column by column: up to 255 times 16.
fn down_the_columns(rows: &[i16], sums: &mut [i16]) {
    let stride = sums.len();
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|row| &rows[row * stride..][..stride]);
    for x in 0..stride {
        let (ends, sides) = (a[x].wrapping_add(e[x]), b[x].wrapping_add(d[x]));
        sums[x] = ends.wrapping_add(sides.wrapping_mul(4)).wrapping_add(c[x].wrapping_mul(6));
    }
}

/// Sums of five of those, at every other column: up to 255 times 256, of which the 256th is taken, rounded.
fn along_the_row(sums: &[i16], to: &mut [i16]) {
    let (pairs, _) = sums.as_chunks::<2>();
    let [a, b, c] = [0, 1, 2].map(|from| &pairs[from..][..to.len()]);
    for (x, to) in to.iter_mut().enumerate() {
        let even = |pair: [i16; 2]| pair[0].cast_unsigned();
        let odd = |pair: [i16; 2]| pair[1].cast_unsigned();
        let (ends, sides) = (even(a[x]).wrapping_add(even(c[x])), odd(a[x]).wrapping_add(odd(b[x])));
        let sum = ends.wrapping_add(sides.wrapping_mul(4)).wrapping_add(even(b[x]).wrapping_mul(6));
        *to = (sum.wrapping_add(128) >> 8).cast_signed();
    }
}

/// How far inside the border of an image so wide the pixels stand that are seen outside, from the border on.
fn mirrored(size: usize) -> [usize; MARGIN] {
    let period = (2 * (size - 1)).max(1);
    std::array::from_fn(|beyond| {
        let at = (beyond + 1) % period;
        at.min(period - at)
    })
}
