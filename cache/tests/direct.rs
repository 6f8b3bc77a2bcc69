//! Answers straight from a decoder's planes: the bytes, or the colours, that a picture in between would give.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{path::Path, process::Command, sync::Arc};

use bytes::Bytes;
use frame::{Format, FrameNumber, MoviePath, Quality, Rendition};
use lazycache::{Lazycache, Movie, decode, encode::encode, render::render};

/// A frame of a movie of odd width and height, of colours far from grey.
async fn frame(folder: &Path, encoder: &str) -> (Arc<Movie>, Bytes) {
    let path = folder.join("X.mov");
    let source = "testsrc2=size=321x179:rate=25";
    let mut all = vec!["-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v", "3"];
    all.extend(encoder.split(' '));
    all.push(path.to_str().unwrap());
    assert!(Command::new("ffmpeg").args(&all).status().unwrap().success());
    opened_movie(folder).await
}

/// The movie in a folder, and the packet of its second frame.
async fn opened_movie(folder: &Path) -> (Arc<Movie>, Bytes) {
    let cache = Lazycache::open(folder.to_str().unwrap()).unwrap();
    let movie = cache.movie(&MoviePath::parse("X.mov").unwrap()).await.unwrap();
    let packet = cache.packet(&movie, FrameNumber::new(2).unwrap()).await.unwrap();
    (movie, packet)
}

const ENCODERS: [&str; 3] = [
    "-c:v prores_ks -profile:v 2 -pix_fmt yuv422p10le -colorspace bt709",
    "-c:v prores_ks -profile:v 4 -pix_fmt yuv444p10le -colorspace bt709",
    "-c:v mjpeg -q:v 2 -pix_fmt yuvj422p",
];

#[tokio::test]
async fn every_format_but_jpeg_has_the_bytes_of_the_picture() {
    for encoder in ENCODERS {
        let folder = tempfile::tempdir().unwrap();
        let (movie, packet) = frame(folder.path(), encoder).await;
        let picture = decode::rgb(&movie, &packet).unwrap();
        for format in [Format::Png, Format::Bmp, Format::Raw, Format::Rgba, Format::Npy] {
            let wanted = encode(&picture, format, Quality::DEFAULT).unwrap();
            // Twice: the second time, buffers that hold the first answer are used again.
            for _ in 0..2 {
                let found = render(&movie, &packet, format, Rendition::default()).unwrap().0;
                assert!(found == wanted, "{encoder}: {format:?} differs");
            }
        }
    }
}

/// The pixels of a JPEG, as RGB.
fn opened(jpeg: &[u8]) -> Vec<u8> {
    turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::RGB).unwrap().pixels
}

/// How far the values of a JPEG straight from the planes are from those of the picture's: the mean, and how many of a
/// thousand are off by more than `bound`.
fn apart(movie: &Movie, packet: &[u8], bound: u8) -> (f64, f64) {
    let quality = Quality::new(98).unwrap();
    let by_picture = encode(&decode::rgb(movie, packet).unwrap(), Format::Jpeg, quality).unwrap();
    let found = render(movie, packet, Format::Jpeg, Rendition { quality, ..Rendition::default() }).unwrap().0;
    let (found, wanted) = (opened(&found.bytes), opened(&by_picture.bytes));
    assert_eq!(found.len(), wanted.len());
    let values = || found.iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = values().map(u64::from).sum();
    let beyond = values().filter(|off| *off > bound).count();
    (sum as f64 / found.len() as f64, 1000.0 * beyond as f64 / found.len() as f64)
}

#[tokio::test]
async fn a_jpeg_has_the_colours_of_the_picture_s() {
    for encoder in ENCODERS {
        let folder = tempfile::tempdir().unwrap();
        let (movie, packet) = frame(folder.path(), encoder).await;
        let (mean, beyond) = apart(&movie, &packet, 8);
        println!("{encoder}: {mean:.3} in the mean, {beyond:.2} of 1000 by more than 8");
        // Bars of pure colours: where they meet, values lie outside of what RGB can be, and RGB in between would be cut.
        assert!(mean < 0.6 && beyond < 10.0, "{encoder}: {mean:.3} in the mean, {beyond:.2} of 1000 by more than 8");
    }
}

#[tokio::test]
async fn a_scene_s_jpeg_is_off_by_rounding_only() {
    let folder = tempfile::tempdir().unwrap();
    let scene = archive::Movie { frames: 2, size: (640, 360), ..archive::Movie::default() };
    scene.render(&folder.path().join("X.mov")).unwrap();
    let (movie, packet) = opened_movie(folder.path()).await;
    let (mean, beyond) = apart(&movie, &packet, 4);
    println!("{mean:.3} in the mean, {beyond:.2} of 1000 by more than 4");
    assert!(mean < 0.6 && beyond < 0.1, "{mean:.3} in the mean, {beyond:.2} of 1000 by more than 4");
}
