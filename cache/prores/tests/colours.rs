//! Colours of reduced frames, against FFmpeg's full decode: each beside the mean of the samples it stands for.

#![allow(clippy::unwrap_used)] // a test may

mod support;

use prores::{Chroma, Decoding, Error, Range, Reduction};

/// Detail and strong colours, softened as a lens does, with a little of a sensor's noise.
const NATURAL: &str = "noise=alls=4:allf=t,gblur=sigma=0.7";
const KS: &str = "-c:v prores_ks -pix_fmt yuv422p10le -profile:v";
const AW: &str = "-c:v prores_aw -pix_fmt yuv422p10le -profile:v";

/// The worst PSNR of a movie's frames at 1/2, 1/4 and 1/8, in dB: of the brightness, of the colours. Checks sizes and that all
/// ways of decoding agree.
fn psnr(source: &str, (width, height): (u32, u32), filter: &str, encoder: &str) -> [(f64, f64); 3] {
    let folder = tempfile::tempdir().unwrap();
    let path = support::movie(folder.path(), &format!("{source}=size={width}x{height}:rate=25,{filter}"), 2, encoder);
    let packets = support::packets(&path);
    let half = width.div_ceil(2) as usize;
    let decoded = |number| support::planes(&path, number, (width as usize, half, height as usize));
    let found = [Reduction::Half, Reduction::Quarter, Reduction::Eighth].map(|reduction| {
        let one = |(number, packet): (usize, &Vec<u8>)| {
            let image = prores::colours(packet, reduction).unwrap();
            for decoding in [Decoding::Plain, Decoding::Table] {
                assert_eq!(prores::colours_by(decoding, packet, reduction).unwrap(), image);
            }
            let (step, [y, cb, cr]) = (reduction.factor() as usize, decoded(number));
            assert_eq!((image.width, image.height), (width / step as u32, height / step as u32));
            let luma = beside(&image.y, image.width, &y, (width as usize, step, step));
            let (columns, across) = match image.chroma {
                Chroma::Yuv422 => (image.width.div_ceil(2), step),
                Chroma::Yuv444 => (image.width, step / 2),
            };
            let of = |samples, plane| beside(samples, columns, plane, (half, across, step));
            (luma, of(&image.cb, &cb).min(of(&image.cr, &cr)))
        };
        let all: Vec<(f64, f64)> = packets.iter().enumerate().map(one).collect();
        all.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap()
    });
    println!("{found:.1?} dB at 1/2, 1/4, 1/8: {source} {width}x{height} {encoder}");
    found
}

/// Samples, so many a row, beside the means of `across` x `down` of a plane that is `width` wide, as ten bits are to 1023. What
/// reaches beyond the plane is left out.
fn beside(samples: &[u16], a_row: u32, plane: &[u16], (width, across, down): (usize, usize, usize)) -> f64 {
    let a_row = a_row as usize;
    let (mut squares, mut count) = (0.0_f64, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let (x, y) = (at % a_row * across, at / a_row * down);
        if x + across <= width {
            let all = (y..y + down).flat_map(|row| &plane[row * width + x..][..across]);
            let mean = all.map(|sample| f64::from(*sample)).sum::<f64>() / (across * down) as f64;
            squares += (f64::from(*sample) - mean).powi(2);
            count += 1.0;
        }
    }
    if count == 0.0 { f64::INFINITY } else { 10.0 * (1023.0 * 1023.0 * count / squares.max(1e-9)).log10() }
}

fn check(source: &str, size: (u32, u32), filter: &str, encoder: &str, least: f64) {
    for (y, colours) in psnr(source, size, filter, encoder) {
        assert!(y >= least && colours >= least, "{y} and {colours} dB, not {least}: {source} {size:?} {encoder}");
    }
}

#[test]
fn colours_come_out_as_the_means_of_the_full_decode() {
    for (size, encoder) in [
        ((1280, 720), format!("{KS} 0")),
        ((1280, 720), format!("{KS} 2")),
        ((1280, 720), format!("{AW} 3")),
        ((1920, 1080), format!("{AW} 1")),
        ((726, 478), format!("{KS} 3")),
    ] {
        check("mandelbrot", size, NATURAL, &encoder, 46.0);
    }
}

#[test]
fn drawn_colours_with_hard_edges_come_out_well() {
    check("testsrc2", (1280, 720), "null", &format!("{KS} 2"), 40.0);
}

#[test]
fn slices_and_sizes_may_be_any() {
    for width in [1, 2, 4, 8] {
        check("mandelbrot", (722, 400), NATURAL, &format!("{KS} 2 -mbs_per_slice {width}"), 47.0);
    }
    for size in [(6, 6), (16, 16), (34, 18)] {
        check("mandelbrot", size, NATURAL, &format!("{KS} 2"), 30.0);
    }
}

#[test]
fn the_colours_of_two_fields_make_one_frame() {
    check("mandelbrot", (726, 478), NATURAL, &format!("{KS} 2 -flags +ildct+ilme"), 44.0);
    check("mandelbrot", (354, 240), NATURAL, &format!("{KS} 3 -mbs_per_slice 1 -flags +ildct+ilme -top 1"), 44.0);
}

#[test]
fn the_brightness_is_that_of_the_grey_image() {
    let folder = tempfile::tempdir().unwrap();
    for flags in ["", " -flags +ildct"] {
        let path = support::movie(folder.path(), "testsrc2=size=322x182:rate=25", 1, &format!("{KS} 2{flags}"));
        let packet = &support::packets(&path)[0];
        for reduction in [Reduction::Half, Reduction::Quarter, Reduction::Eighth] {
            let (grey, colours) = (prores::luma(packet, reduction, Range::Video), prores::colours(packet, reduction));
            let (grey, colours) = (grey.unwrap(), colours.unwrap());
            assert_eq!((grey.width, grey.height), (colours.width, colours.height));
            assert!(grey.data.iter().zip(&colours.y).all(|(code, deep)| deep.abs_diff(u16::from(*code) * 4) <= 2));
        }
    }
}

#[test]
fn the_colours_of_4444_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = "-c:v prores_ks -profile:v 4 -pix_fmt yuv444p10le";
    let path = support::movie(folder.path(), "testsrc2=size=160x96:rate=25", 1, encoder);
    let refused = prores::colours(&support::packets(&path)[0], Reduction::Quarter);
    assert_eq!(refused, Err(Error::Unsupported { what: "a reduced frame of ProRes 4444 in colour" }));
}
