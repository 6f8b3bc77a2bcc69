//! Statistics of one picture: brightness, clipping, black, sharpness. Pure arithmetic, exact until the last division.
//!
//! Pixels are RGB of 0-255, full range. The definitions, for whoever computes them elsewhere:
//!
//! * **grey** is the BT.709 luma of a pixel, rounded: `(13933 R + 46871 G + 4732 B + 32768) >> 16`.
//! * **standard deviation** is that of all pixels (divided by their number, not by one less).
//! * A pixel is **clipped** where at least one of its channels is 255: something was too bright for the camera.
//! * A pixel is **black** where each of its channels is below 5: as dark as an image on which no motion is estimated.
//! * **sharpness** is the variance of the Laplacian `4 g(x,y) - g(x-1,y) - g(x+1,y) - g(x,y-1) - g(x,y+1)` of grey, over
//!   the pixels that have all four neighbours; 0 where there are none. It compares frames of one size.

use lazycache::picture::Picture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Channels below this are dark.
const BLACK_BELOW: u8 = 5;
/// The brightest value.
const CLIPPED: u8 = u8::MAX;

/// What is said of a picture. Shares are 0-1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Of the red channel.
    pub red: Spread,
    /// Of the green channel.
    pub green: Spread,
    /// Of the blue channel.
    pub blue: Spread,
    /// Of the BT.709 luma.
    pub grey: Spread,
    /// Share of pixels of which a channel is 255.
    pub clipped_share: f64,
    /// Share of pixels of which every channel is below 5.
    pub black_share: f64,
    /// Variance of the Laplacian of grey.
    pub sharpness: f64,
}

/// How the values of one channel are spread, 0-255.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub standard_deviation: f64,
    /// Smallest.
    pub minimum: u8,
    /// Largest.
    pub maximum: u8,
}

/// The statistics of `picture`. All are 0 of one without pixels.
pub fn statistics(picture: &Picture) -> Statistics {
    let pixels = picture.rgb.as_chunks::<3>().0;
    let grey: Vec<u8> = pixels.iter().map(|pixel| luma(*pixel)).collect();
    let share = |count: usize| count as f64 / pixels.len().max(1) as f64;
    Statistics {
        red: Histogram::of(pixels.iter().map(|pixel| pixel[0])).spread(),
        green: Histogram::of(pixels.iter().map(|pixel| pixel[1])).spread(),
        blue: Histogram::of(pixels.iter().map(|pixel| pixel[2])).spread(),
        grey: Histogram::of(grey.iter().copied()).spread(),
        clipped_share: share(pixels.iter().filter(|[r, g, b]| *(r.max(g).max(b)) == CLIPPED).count()),
        black_share: share(pixels.iter().filter(|[r, g, b]| *(r.max(g).max(b)) < BLACK_BELOW).count()),
        sharpness: sharpness(&grey, picture.width as usize),
    }
}

/// The weights are those of BT.709 in 1/65536, and their sum is 65536: white stays 255.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    ((13_933 * u32::from(r) + 46_871 * u32::from(g) + 4_732 * u32::from(b) + 32_768) >> 16) as u8
}

/// How often each value occurs.
struct Histogram([u64; 256]);

impl Histogram {
    fn of(values: impl Iterator<Item = u8>) -> Self {
        let mut counts = [0; 256];
        for value in values {
            counts[usize::from(value)] += 1;
        }
        Self(counts)
    }

    fn spread(&self) -> Spread {
        let held = || (0_u8..=255).zip(self.0).filter(|(_, count)| *count > 0);
        let (mut moments, minimum, maximum) = (Moments::default(), held().next(), held().next_back());
        for (value, count) in held() {
            moments.add(i64::from(value), count);
        }
        let value = |found: Option<(u8, u64)>| found.map_or(0, |(value, _)| value);
        Spread {
            mean: moments.mean(),
            standard_deviation: moments.variance().sqrt(),
            minimum: value(minimum),
            maximum: value(maximum),
        }
    }
}

/// Number, sum and sum of squares of whole numbers. Of values up to 1020 there is room for 10^12.
#[derive(Default)]
struct Moments {
    count: u64,
    sum: i64,
    squares: i64,
}

impl Moments {
    fn add(&mut self, value: i64, times: u64) {
        self.count += times;
        self.sum += value * times as i64;
        self.squares += value * value * times as i64;
    }

    fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    /// Whole numbers until the division: nothing cancels, and a constant has exactly 0.
    fn variance(&self) -> f64 {
        let count = i128::from(self.count.max(1));
        let numerator = count * i128::from(self.squares) - i128::from(self.sum) * i128::from(self.sum);
        numerator as f64 / (count * count) as f64
    }
}

fn sharpness(grey: &[u8], width: usize) -> f64 {
    let rows: Vec<&[u8]> = grey.chunks_exact(width.max(1)).collect();
    let mut moments = Moments::default();
    for window in rows.windows(3) {
        let [above, row, below] = window else { continue };
        let (sum, squares) = laplacian_of_row(above, row, below);
        moments.count += width.saturating_sub(2) as u64;
        moments.sum += i64::from(sum);
        moments.squares += squares;
    }
    moments.variance()
}

/// Sum and sum of squares of the Laplacian along a row: of 8192 values of at most 1020 the sum fits 32 bits, so that
/// the compiler can compute several at a time.
fn laplacian_of_row(above: &[u8], row: &[u8], below: &[u8]) -> (i32, i64) {
    let (mut sum, mut squares) = (0_i32, 0_i64);
    let neighbours = row.windows(3).zip(above.iter().zip(below).skip(1));
    for (window, (up, down)) in neighbours {
        let [left, centre, right] = [window[0], window[1], window[2]].map(i32::from);
        let value = 4 * centre - left - right - i32::from(*up) - i32::from(*down);
        sum = sum.wrapping_add(value);
        squares = squares.wrapping_add(i64::from(value.wrapping_mul(value)));
    }
    (sum, squares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Picture { width, height, rgb: places.flat_map(|(x, y)| pixel(x, y)).collect() }
    }

    fn constant(value: u8) -> Spread {
        Spread { mean: value.into(), standard_deviation: 0.0, minimum: value, maximum: value }
    }

    #[test]
    fn a_picture_of_one_colour_has_its_values_and_no_spread() {
        let found = statistics(&picture(16, 9, |_, _| [10, 200, 30]));
        let (red, green, blue) = (constant(10), constant(200), constant(30));
        // 0.2126 * 10 + 0.7152 * 200 + 0.0722 * 30 = 147.3.
        let expected =
            Statistics { red, green, blue, grey: constant(147), clipped_share: 0.0, black_share: 0.0, sharpness: 0.0 };
        assert_eq!(found, expected);
    }

    #[test]
    fn white_is_clipped_and_black_is_black() {
        let white = statistics(&picture(8, 8, |_, _| [255; 3]));
        assert_eq!((white.grey, white.clipped_share, white.black_share), (constant(255), 1.0, 0.0));
        let black = statistics(&picture(8, 8, |_, _| [0; 3]));
        assert_eq!((black.grey, black.clipped_share, black.black_share), (constant(0), 0.0, 1.0));
    }

    #[test]
    fn one_channel_at_its_end_clips_a_pixel_and_one_of_5_keeps_it_from_being_black() {
        let colours = [[255, 0, 0], [254, 254, 254], [4, 4, 4], [4, 5, 4]];
        let found = statistics(&picture(4, 1, |x, _| colours[x as usize]));
        assert_eq!((found.clipped_share, found.black_share), (0.25, 0.25));
    }

    #[test]
    fn the_sharpness_of_a_single_bright_pixel_is_what_the_kernel_says() {
        // 5 x 5 has 3 x 3 inner pixels: 400 at the centre, -100 at its four neighbours, 0 at the corners.
        let found = statistics(&picture(5, 5, |x, y| [if (x, y) == (2, 2) { 100 } else { 0 }; 3]));
        let (squares, sum): (f64, f64) = (400.0 * 400.0 + 4.0 * 100.0 * 100.0, 0.0);
        assert!(near(found.sharpness, squares / 9.0 - sum), "{}", found.sharpness);
    }

    #[test]
    fn a_slope_is_not_sharp_and_an_edge_is() {
        let slope = statistics(&picture(64, 32, |x, y| [(x + 2 * y) as u8; 3]));
        assert!(near(slope.sharpness, 0.0), "{}", slope.sharpness);
        let edge = |width: u32| statistics(&picture(64, 32, |x, _| [(x * 255 / width).min(255) as u8; 3])).sharpness;
        assert!(edge(1) > edge(8) && edge(8) > edge(63), "blurred edges are less sharp");
    }

    #[test]
    fn what_has_no_inner_pixels_or_none_at_all_has_no_sharpness() {
        for (width, height) in [(0, 0), (1, 1), (2, 9), (9, 2), (3, 1)] {
            let found = statistics(&picture(width, height, |x, y| [(x * 90 + y * 70) as u8; 3]));
            assert!(near(found.sharpness, 0.0), "{width} x {height}");
        }
    }

    /// By the definitions, one after the other, in floats.
    fn naive(picture: &Picture) -> Statistics {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let pixels: Vec<[u8; 3]> = picture.rgb.chunks(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let luma = |[r, g, b]: [u8; 3]| {
            let weighted = 13_933 * u64::from(r) + 46_871 * u64::from(g) + 4_732 * u64::from(b);
            ((weighted as f64 / 65_536.0) + 0.5).floor()
        };
        let variance = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len().max(1) as f64)
        };
        let spread = |values: &[f64]| {
            let (mean, variance) = variance(values);
            let end = |better: fn(f64, f64) -> f64| values.iter().copied().reduce(better).unwrap_or(0.0) as u8;
            Spread { mean, standard_deviation: variance.sqrt(), minimum: end(f64::min), maximum: end(f64::max) }
        };
        let channel = |at: usize| pixels.iter().map(|pixel| f64::from(pixel[at])).collect::<Vec<_>>();
        let grey: Vec<f64> = pixels.iter().map(|pixel| luma(*pixel)).collect();
        let mut laplacians = Vec::new();
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let at = |x: usize, y: usize| grey[y * width + x];
                laplacians.push(4.0 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1));
            }
        }
        let share = |is: &dyn Fn(&[u8; 3]) -> bool| {
            pixels.iter().filter(|pixel| is(pixel)).count() as f64 / pixels.len().max(1) as f64
        };
        Statistics {
            red: spread(&channel(0)),
            green: spread(&channel(1)),
            blue: spread(&channel(2)),
            grey: spread(&grey),
            clipped_share: share(&|pixel| pixel.contains(&255)),
            black_share: share(&|pixel| pixel.iter().all(|value| *value < 5)),
            sharpness: variance(&laplacians).1,
        }
    }

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() <= 1e-6 * (1.0 + one.abs())
    }

    fn alike(one: Spread, other: Spread) -> bool {
        near(one.mean, other.mean)
            && near(one.standard_deviation, other.standard_deviation)
            && (one.minimum, one.maximum) == (other.minimum, other.maximum)
    }

    proptest! {
        #[test]
        fn every_picture_has_the_statistics_of_the_definitions(
            (width, height, rgb) in (0_u32..12, 0_u32..12).prop_flat_map(|(width, height)| {
                let value = prop_oneof![any::<u8>(), 0_u8..6, 250_u8..=255];
                (Just(width), Just(height), prop::collection::vec(value, (width * height * 3) as usize))
            })
        ) {
            let picture = Picture { width, height, rgb };
            let (found, expected) = (statistics(&picture), naive(&picture));
            prop_assert!(alike(found.red, expected.red), "{found:?} {expected:?}");
            prop_assert!(alike(found.green, expected.green), "{found:?} {expected:?}");
            prop_assert!(alike(found.blue, expected.blue), "{found:?} {expected:?}");
            prop_assert!(alike(found.grey, expected.grey), "{found:?} {expected:?}");
            prop_assert!(near(found.clipped_share, expected.clipped_share), "{found:?} {expected:?}");
            prop_assert!(near(found.black_share, expected.black_share), "{found:?} {expected:?}");
            prop_assert!(near(found.sharpness, expected.sharpness), "{found:?} {expected:?}");
        }

        #[test]
        fn a_picture_upside_down_or_mirrored_has_the_same_statistics(
            width in 1_u32..9, height in 1_u32..9, seed in any::<u32>()
        ) {
            let pixel = |x: u32, y: u32| [0, 8, 16].map(|shift| (seed.wrapping_mul(x * 7 + y * 13 + 1) >> shift) as u8);
            let upright = statistics(&picture(width, height, pixel));
            prop_assert_eq!(upright, statistics(&picture(width, height, |x, y| pixel(x, height - 1 - y))));
            prop_assert_eq!(upright, statistics(&picture(width, height, |x, y| pixel(width - 1 - x, y))));
        }
    }
}
