//! Whole frames are FFmpeg's, bit for bit.

#![allow(clippy::unwrap_used)] // a test may

mod support;

use prores::{Error, Planes, Samples};

/// Detail at all sizes and colours up to the ends of their range, with a sensor's noise.
const NATURAL: &str = "mandelbrot=start_scale=0.6:rate=25:";
const HARSH: &str = "testsrc2=rate=25:";
const NOISE: &str = "noise=alls=90:allf=t";

/// Decodes each packet of a movie both ways, into planes that the frame before was in.
fn check(source: &str, (width, height): (u32, u32), filter: &str, encoder: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = support::movie(folder.path(), &format!("{source}size={width}x{height},{filter}"), 2, encoder);
    let mut planes = Planes::default();
    for (number, packet) in support::packets(&path).iter().enumerate() {
        prores::planes(packet, &mut planes).unwrap();
        assert_eq!((planes.width, planes.height), (width, height));
        let half = width.div_ceil(2) as usize;
        let wanted = support::planes(&path, number, (width as usize, half, height as usize));
        for (name, samples, width, wanted) in [
            ("y", &planes.y, width as usize, &wanted[0]),
            ("cb", &planes.cb, half, &wanted[1]),
            ("cr", &planes.cr, half, &wanted[2]),
        ] {
            let found = shown(samples, width, height as usize);
            let first = found.iter().zip(wanted).position(|(found, wanted)| found != wanted);
            assert_eq!(first, None, "{name} of frame {number}: {source} {width}x{height} {filter} {encoder}");
            assert_eq!(found.len(), wanted.len());
        }
    }
}

/// Without the padding.
fn shown(samples: &Samples, width: usize, height: usize) -> Vec<u16> {
    samples.data.chunks(samples.stride).take(height).flat_map(|row| &row[..width]).copied().collect()
}

#[test]
fn whole_frames_of_every_profile_and_encoder_are_those_of_ffmpeg() {
    for profile in 0..4 {
        for encoder in ["prores_ks", "prores_aw"] {
            let encoder = format!("-c:v {encoder} -profile:v {profile} -pix_fmt yuv422p10le");
            check(NATURAL, (320, 180), "noise=alls=7:allf=t", &encoder);
            check(HARSH, (320, 180), NOISE, &encoder);
        }
    }
}

#[test]
fn whole_frames_of_any_size_are_those_of_ffmpeg() {
    for size in [(16, 16), (18, 34), (322, 178), (720, 486), (726, 478), (1280, 720), (1920, 1080), (2048, 858)] {
        check(NATURAL, size, NOISE, "-c:v prores_ks -profile:v 2 -pix_fmt yuv422p10le");
    }
    check(NATURAL, (3840, 2160), NOISE, "-c:v prores_aw -profile:v 1 -pix_fmt yuv422p10le");
}

#[test]
fn the_coarsest_and_the_finest_quantisers_give_the_frames_of_ffmpeg() {
    for encoder in
        ["-qscale:v 2", "-qscale:v 64", "-bits_per_mb 128", "-bits_per_mb 8192", "-quant_mat proxy -qscale:v 40"]
    {
        check(HARSH, (320, 180), NOISE, &format!("-c:v prores_ks -profile:v 3 -pix_fmt yuv422p10le {encoder}"));
    }
}

#[test]
fn what_is_left_to_another_decoder_is_refused_by_name() {
    for encoder in [
        "-c:v prores_ks -profile:v 4 -pix_fmt yuv444p10le",
        "-c:v prores_ks -profile:v 2 -pix_fmt yuv422p10le -flags +ildct",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = support::movie(folder.path(), "testsrc2=size=160x96:rate=25", 1, encoder);
        let packet = &support::packets(&path)[0];
        assert!(matches!(prores::planes(packet, &mut Planes::default()), Err(Error::Unsupported { .. })), "{encoder}");
    }
}
