//! Milliseconds a frame for each reduction and way of decoding, beside FFmpeg's full decode of the same packets.
//!
//! `cargo bench -p prores` makes two movies of 1920x1080, of some 0.6 and 0.9 MB a frame; `cargo bench -p prores -- X.mov`
//! takes that movie. Processor time, not time on the clock; of several passes the fastest counts, because other work on the
//! machine only ever slows one down.

#![allow(clippy::unwrap_used, clippy::panic)] // a benchmark may

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use prores::{Decoding, Range, Reduction};

const FRAMES: usize = 24;
const PASSES: usize = 9;
/// Detail at all sizes with the noise of a camera.
const SOURCE: &str = "mandelbrot=size=1920x1080:start_scale=0.6:end_scale=0.2,noise=alls=7:allf=t,gblur=sigma=0.6";

fn main() {
    let given: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).filter(|path| path.is_file()).collect();
    for path in &given {
        report(path);
    }
    if given.is_empty() {
        for encoder in ["-c:v prores_ks -profile:v 2", "-c:v prores_ks -profile:v 3"] {
            let folder = tempfile::tempdir().unwrap();
            let encoder = format!("{encoder} -pix_fmt yuv422p10le");
            println!("\n{encoder}");
            report(&support::movie(folder.path(), SOURCE, FRAMES, &encoder));
        }
    }
}

fn report(path: &Path) {
    let packets = support::packets(path);
    let header = prores::header(&packets[0]).unwrap();
    let megabytes = packets.iter().map(Vec::len).sum::<usize>() as f64 / packets.len() as f64 / 1e6;
    println!("{}x{}, {megabytes:.2} MB a frame, {} frames", header.width, header.height, packets.len());
    let full = ffmpeg_milliseconds(path, packets.len());
    println!("{:<12} {:<12} {full:8.3} ms", "ffmpeg", "full");
    let took = milliseconds_of_whole(&packets);
    println!("{:<12} {:<12} {took:8.3} ms {:6.1}x", "whole", "Interleaved", full / took);
    for reduction in [Reduction::Eighth, Reduction::Quarter, Reduction::Half] {
        for decoding in [Decoding::Plain, Decoding::Table, Decoding::Interleaved] {
            let took = milliseconds(&packets, decoding, reduction);
            let (reduction, decoding) = (format!("{reduction:?}"), format!("{decoding:?}"));
            println!("{reduction:<12} {decoding:<12} {took:8.3} ms {:6.1}x", full / took);
        }
    }
}

fn milliseconds_of_whole(packets: &[Vec<u8>]) -> f64 {
    let mut planes = prores::Planes::default();
    least(packets.len(), || packets.iter().for_each(|packet| prores::planes(black_box(packet), &mut planes).unwrap()))
}

fn milliseconds(packets: &[Vec<u8>], decoding: Decoding, reduction: Reduction) -> f64 {
    least(packets.len(), || {
        for packet in packets {
            black_box(prores::luma_by(decoding, black_box(packet), reduction, Range::Full).unwrap());
        }
    })
}

/// Of several passes over `frames` frames the fastest, in milliseconds a frame.
fn least(frames: usize, mut pass: impl FnMut()) -> f64 {
    let mut taken = || {
        let start = processor_time();
        pass();
        processor_time().saturating_sub(start).as_secs_f64() * 1e3 / frames as f64
    };
    (0..PASSES).map(|_| taken()).fold(f64::INFINITY, f64::min)
}

/// The user time FFmpeg says it took in one thread, less that of its start with the first frame.
fn ffmpeg_milliseconds(path: &Path, frames: usize) -> f64 {
    let seconds = |frames: usize| {
        let output = Command::new("ffmpeg")
            .args(["-benchmark", "-threads", "1", "-i"])
            .arg(path)
            .args(["-map", "0:v", "-frames:v", &frames.to_string(), "-f", "null", "-"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.rsplit_once("utime=").unwrap().1.split_once('s').unwrap().0.parse::<f64>().unwrap()
    };
    let least = |frames| (0..PASSES).map(|_| seconds(frames)).fold(f64::INFINITY, f64::min);
    (least(frames) - least(1)) * 1e3 / (frames - 1).max(1) as f64
}

/// What this thread has had of the processor, as Linux counts it.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}
