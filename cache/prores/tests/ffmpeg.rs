//! Against FFmpeg's full decode: each pixel beside the mean of the square of full-size pixels it stands for.

#![allow(clippy::unwrap_used)] // a test may

mod support;

use prores::{Chroma, Decoding, Luma, Range, Reduction};

const REDUCTIONS: [Reduction; 3] = [Reduction::Half, Reduction::Quarter, Reduction::Eighth];
/// Detail at all sizes, softened as a lens does, with a little of a sensor's noise.
const NATURAL: &str = "noise=alls=4:allf=t,gblur=sigma=0.7";
const DRAWN: &str = "null";

/// A movie of two frames (a large one of one) and what FFmpeg makes of it.
struct Movie {
    name: String,
    size: (u32, u32),
    depth: u32,
    packets: Vec<Vec<u8>>,
    decoded: Vec<u16>,
}

fn movie(source: &str, (width, height): (u32, u32), filter: &str, encoder: &str) -> Movie {
    let folder = tempfile::tempdir().unwrap();
    let source = format!("{source}=size={width}x{height}:rate=25,{filter}");
    let path = support::movie(folder.path(), &source, if width > 1000 { 1 } else { 2 }, encoder);
    let (decoded, depth) = support::decoded(&path);
    let name = format!("{source} {encoder}");
    Movie { name, size: (width, height), depth, packets: support::packets(&path), decoded }
}

impl Movie {
    /// The means of squares of a frame, in 8-bit codes as a fraction of their unrounded value.
    fn means(&self, frame: usize, reduction: Reduction) -> Vec<f64> {
        let (step, width) = (reduction.factor() as usize, self.size.0 as usize);
        let pixels = width * self.size.1 as usize;
        let plane = &self.decoded[frame * pixels..(frame + 1) * pixels];
        let unit = (step * step) as f64 * f64::from(1 << (self.depth - 8));
        let mean = |x: usize, y: usize| {
            let rows = (y * step..(y + 1) * step).map(|row| &plane[row * width + x * step..][..step]);
            rows.flatten().map(|sample| f64::from(*sample)).sum::<f64>() / unit
        };
        let (columns, rows) = (width / step, self.size.1 as usize / step);
        (0..rows).flat_map(|y| (0..columns).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect()
    }

    /// The worst PSNR of its frames, in dB; checks sizes and that all ways of decoding agree.
    fn psnr(&self, reduction: Reduction, range: Range) -> f64 {
        let pixels = self.size.0 as usize * self.size.1 as usize;
        assert_eq!(self.packets.len() * pixels, self.decoded.len());
        let one = |(frame, packet): (usize, &Vec<u8>)| {
            let image = prores::luma(packet, reduction, range).unwrap();
            assert_eq!(
                (image.width, image.height),
                (self.size.0 / reduction.factor(), self.size.1 / reduction.factor())
            );
            for decoding in [Decoding::Plain, Decoding::Table] {
                assert_eq!(prores::luma_by(decoding, packet, reduction, range).unwrap(), image, "{}", self.name);
            }
            if image.data.is_empty() { f64::INFINITY } else { psnr(&image, &self.means(frame, reduction), range) }
        };
        self.packets.iter().enumerate().map(one).fold(f64::INFINITY, f64::min)
    }

    fn check(&self, least: [f64; 3]) {
        let found = REDUCTIONS.map(|reduction| self.psnr(reduction, Range::Video));
        let bytes = self.packets[0].len();
        println!("{:.1} {:.1} {:.1} dB at 1/2, 1/4, 1/8, {bytes} bytes: {}", found[0], found[1], found[2], self.name);
        for (found, least) in found.iter().zip(least) {
            assert!(*found >= least, "{found} dB, not {least}: {}", self.name);
        }
    }
}

/// Beside rounded means, as another reducer would give them.
fn psnr(image: &Luma, means: &[f64], range: Range) -> f64 {
    assert_eq!(image.data.len(), means.len());
    let code = |mean: f64| match range {
        Range::Video => mean.round(),
        Range::Full => ((mean - 16.0) * 255.0 / 219.0).round().clamp(0.0, 255.0),
    };
    let squares = image.data.iter().zip(means).map(|(pixel, mean)| (f64::from(*pixel) - code(*mean)).powi(2));
    10.0 * (255.0 * 255.0 * means.len() as f64 / squares.sum::<f64>().max(1e-9)).log10()
}

const KS: &str = "-c:v prores_ks -pix_fmt yuv422p10le -profile:v";
const AW: &str = "-c:v prores_aw -pix_fmt yuv422p10le -profile:v";

/// Least PSNR at 1/2, 1/4 and 1/8. Measured here: 50.9-55.8, 52.3-56.6 and 57.0-66.5 dB.
const NATURAL_LEAST: [f64; 3] = [47.0, 48.0, 52.0];

#[test]
fn frames_come_out_as_the_means_of_the_full_decode() {
    for (size, encoder) in [
        ((1920, 1080), format!("{KS} 0")),
        ((1920, 1080), format!("{KS} 2")),
        ((1920, 1080), format!("{KS} 3")),
        ((1920, 1080), format!("{AW} 0")),
        ((1280, 720), format!("{KS} 1")),
        ((1280, 720), format!("{KS} 2")),
        ((1280, 720), format!("{AW} 3")),
        ((3840, 2160), format!("{KS} 2")),
    ] {
        movie("mandelbrot", size, NATURAL, &encoder).check(NATURAL_LEAST);
    }
}

#[test]
fn sizes_need_not_be_of_whole_macroblocks() {
    for (size, encoder) in [
        ((726, 478), format!("{KS} 2")),
        ((726, 478), format!("{AW} 2")),
        ((402, 301), format!("{KS} 3")),
        ((258, 135), format!("{AW} 1")),
    ] {
        movie("mandelbrot", size, NATURAL, &encoder).check(NATURAL_LEAST);
    }
}

#[test]
fn slices_may_have_any_width() {
    for width in [1, 2, 4, 8] {
        movie("mandelbrot", (722, 400), NATURAL, &format!("{KS} 2 -mbs_per_slice {width}")).check(NATURAL_LEAST);
    }
}

#[test]
fn the_luma_of_4444_is_read_with_and_without_transparency() {
    for pixels in ["yuv444p10le", "yuva444p10le"] {
        let encoder = format!("-c:v prores_ks -profile:v 4 -pix_fmt {pixels}");
        let movie = movie("mandelbrot", (720, 406), NATURAL, &encoder);
        assert_eq!(prores::header(&movie.packets[0]).unwrap().chroma, Chroma::Yuv444);
        movie.check([46.0, 47.0, 52.0]);
    }
}

/// Measured: 48.8-54.9, 47.3-51.3 and 50.1-52.9 dB.
#[test]
fn two_fields_make_one_frame() {
    for (source, size, filter, encoder) in [
        ("mandelbrot", (726, 478), NATURAL, format!("{KS} 2 -flags +ildct+ilme")),
        ("mandelbrot", (354, 239), NATURAL, format!("{KS} 3 -flags +ildct+ilme -top 1")),
        ("testsrc2", (720, 576), DRAWN, format!("{KS} 2 -flags +ildct+ilme")),
    ] {
        let movie = movie(source, size, filter, &encoder);
        assert!(prores::header(&movie.packets[0]).unwrap().interlaced);
        movie.check([44.0, 44.0, 46.0]);
    }
}

#[test]
fn drawn_pictures_with_hard_edges_come_out_well() {
    movie("testsrc2", (1280, 720), DRAWN, &format!("{KS} 2")).check([44.0, 46.0, 55.0]);
}

#[test]
fn frames_smaller_than_a_macroblock_are_read() {
    for size in [(6, 6), (16, 16), (34, 18), (2, 40)] {
        movie("mandelbrot", size, DRAWN, &format!("{KS} 2")).check([29.0, 34.0, 34.0]);
    }
}

#[test]
fn the_full_range_is_that_of_the_frame_server() {
    let movie = movie("mandelbrot", (726, 478), NATURAL, &format!("{KS} 2"));
    for reduction in REDUCTIONS {
        let psnr = movie.psnr(reduction, Range::Full);
        assert!(psnr > 47.0, "{reduction:?}: {psnr} dB");
    }
}

/// The lowest coefficients of FFmpeg's decoded pixels, transformed back as means: nothing but rounding lies in between.
#[test]
fn pixels_are_those_of_the_lowest_frequencies_of_the_full_decode() {
    let movie = movie("mandelbrot", (726, 478), NATURAL, &format!("{KS} 2"));
    for (reduction, n) in [(Reduction::Half, 4), (Reduction::Quarter, 2), (Reduction::Eighth, 1)] {
        let image = prores::luma(&movie.packets[1], reduction, Range::Video).unwrap();
        let (mut equal, mut all) = (0, 0);
        for (column, row) in (0..59).flat_map(|row| (0..90).map(move |column| (column, row))) {
            let means = lowest(&movie, column, row, n);
            for (at, mean) in means.iter().enumerate() {
                let (x, y) = (column * n + at % n, row * n + at / n);
                let pixel = f64::from(image.data[y * image.width as usize + x]);
                assert!((pixel - mean).abs() < 1.0, "{pixel}, not {mean}, at {x}, {y} of {reduction:?}");
                equal += usize::from(pixel as i64 == mean.round() as i64);
                all += 1;
            }
        }
        println!("{reduction:?}: {equal} of {all} are equal");
        assert!(equal * 10 >= all * 9, "{reduction:?}: {equal} of {all}");
    }
}

/// The means that the lowest `n` x `n` frequencies of a block of frame 1 give, in 8-bit codes.
fn lowest(movie: &Movie, column: usize, row: usize, n: usize) -> Vec<f64> {
    let (width, height) = (movie.size.0 as usize, movie.size.1 as usize);
    let sample = |x: usize, y: usize| f64::from(movie.decoded[width * height + (row * 8 + y) * width + column * 8 + x]);
    let norm = |u: usize| if u == 0 { 0.125_f64.sqrt() } else { 0.5 };
    let cosine = |x: usize, u: usize| norm(u) * ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos();
    let pixels = || (0..8).flat_map(|y| (0..8).map(move |x| (x, y)));
    let coefficient = |u, v| pixels().map(|(x, y)| sample(x, y) * cosine(x, u) * cosine(y, v)).sum::<f64>();
    let step = 8 / n;
    let mean = |j: usize, u: usize| (j * step..(j + 1) * step).map(|x| cosine(x, u)).sum::<f64>() / step as f64;
    let kept: Vec<_> =
        (0..n).flat_map(|v| (0..n).map(move |u| (u, v))).map(|(u, v)| (u, v, coefficient(u, v))).collect();
    let at = |x, y| kept.iter().map(|(u, v, value)| value * mean(x, *u) * mean(y, *v)).sum::<f64>() / 4.0;
    (0..n).flat_map(|y| (0..n).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect()
}
