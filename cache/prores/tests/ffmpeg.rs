//! Against FFmpeg's full decode: each pixel beside the mean of the square of full-size pixels it stands for.

mod support;

use prores::{Chroma, Decoding, Luma, Range, Reduction};

const REDUCTIONS: [Reduction; 3] = [Reduction::Half, Reduction::Quarter, Reduction::Eighth];
/// Detail at all sizes, softened as a lens does, with a little of a sensor's noise.
const NATURAL: &str = "noise=alls=4:allf=t,gblur=sigma=0.7";
const DRAWN: &str = "null";

/// A movie of two frames and what FFmpeg makes of it.
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
    let path = support::movie(folder.path(), &source, 2, encoder);
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
        assert_eq!(self.packets.len(), 2);
        let one = |(frame, packet): (usize, &Vec<u8>)| {
            let image = prores::luma(packet, reduction, range).unwrap();
            assert_eq!(
                (image.width, image.height),
                (self.size.0 / reduction.factor(), self.size.1 / reduction.factor())
            );
            for decoding in [Decoding::Plain, Decoding::Table] {
                assert_eq!(prores::luma_by(decoding, packet, reduction, range).unwrap(), image, "{}", self.name);
            }
            psnr(&image, &self.means(frame, reduction), range)
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

#[test]
fn measured() {
    for (source, size, filter, encoder) in [
        ("testsrc2", (1920, 1080), DRAWN, format!("{KS} 2")),
        ("testsrc2", (1920, 1080), NATURAL, format!("{KS} 2")),
        ("mandelbrot", (1920, 1080), NATURAL, format!("{KS} 0")),
        ("mandelbrot", (1920, 1080), NATURAL, format!("{KS} 1")),
        ("mandelbrot", (1920, 1080), NATURAL, format!("{KS} 2")),
        ("mandelbrot", (1920, 1080), NATURAL, format!("{KS} 3")),
        ("mandelbrot", (1920, 1080), NATURAL, format!("{AW} 0")),
        ("mandelbrot", (1920, 1080), NATURAL, format!("{AW} 3")),
        ("mandelbrot", (1280, 720), NATURAL, format!("{KS} 2")),
        ("mandelbrot", (3840, 2160), NATURAL, format!("{KS} 2")),
        ("mandelbrot", (726, 478), NATURAL, format!("{KS} 2")),
        ("mandelbrot", (726, 478), NATURAL, format!("{AW} 2")),
        ("mandelbrot", (726, 479), NATURAL, format!("{KS} 2 -flags +ildct+ilme")),
        ("testsrc2", (720, 576), DRAWN, format!("{KS} 2 -flags +ildct+ilme")),
        ("mandelbrot", (720, 576), NATURAL, "-c:v prores_ks -profile:v 4 -pix_fmt yuv444p10le".into()),
        ("mandelbrot", (720, 576), NATURAL, "-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le".into()),
        ("mandelbrot", (720, 576), NATURAL, format!("{KS} 2 -mbs_per_slice 1")),
        ("mandelbrot", (720, 576), NATURAL, format!("{KS} 2 -mbs_per_slice 2")),
        ("mandelbrot", (720, 576), NATURAL, format!("{KS} 2 -mbs_per_slice 4")),
        ("mandelbrot", (16, 16), DRAWN, format!("{KS} 2")),
        ("mandelbrot", (34, 18), DRAWN, format!("{KS} 2")),
        ("mandelbrot", (6, 6), DRAWN, format!("{KS} 2")),
    ] {
        let movie = movie(source, size, filter, &encoder);
        movie.check([0.0; 3]);
    }
    let _ = Chroma::Yuv422;
}
