//! Answers straight from a decoder's planes: the bytes that a picture in between would give.

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
async fn every_format_has_the_bytes_of_the_picture() {
    for encoder in ENCODERS {
        let folder = tempfile::tempdir().unwrap();
        let (movie, packet) = frame(folder.path(), encoder).await;
        let picture = decode::rgb(&movie, &packet).unwrap();
        for format in [Format::Png, Format::Jpeg, Format::Bmp, Format::Raw, Format::Rgba, Format::Npy] {
            let wanted = encode(&picture, format, Quality::DEFAULT).unwrap();
            // Twice: the second time, buffers that hold the first answer are used again.
            for _ in 0..2 {
                let found = render(&movie, &packet, format, Rendition::default()).unwrap().0;
                assert!(found == wanted, "{encoder}: {format:?} differs");
            }
        }
    }
}
