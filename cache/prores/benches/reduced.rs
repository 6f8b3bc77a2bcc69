//! `make bench-prores`: milliseconds a frame for each reduction and way of decoding, beside FFmpeg's full decode of the same
//! packets, alone and with area scaling to a quarter of width and height, grey and in colour; and the whole frame decoded
//! without FFmpeg.
//!
//! Two movies of 1920x1080 are made, of some 0.6 and 0.9 MB a frame; `cargo bench -p prores -- X.mov` takes that movie, and
//! only prints its figures. Processor time, not time on the clock; of several passes the fastest counts, because other work on the
//! machine only ever slows one down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a benchmark may

#[path = "../../../operator/benches/operator/figures.rs"]
#[allow(dead_code)] // the operator's benchmark uses the rest
mod figures;
#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use figures::{Figure, Section};
use prores::{Decoding, Range, Reduction};

const FRAMES: usize = 24;
const PASSES: usize = 9;
/// Detail at all sizes with the noise of a camera.
const SOURCE: &str = "mandelbrot=size=1920x1080:start_scale=0.6:end_scale=0.2,noise=alls=7:allf=t,gblur=sigma=0.6";

/// What the frames are to be, by FFmpeg.
const QUARTER: &str = "scale=iw/4:ih/4:flags=area,format=gray";
/// And in colour.
const QUARTER_IN_COLOUR: &str = "scale=iw/4:ih/4:flags=area,format=yuv444p10";
/// How many times faster the quarter is to be.
const GOAL: f64 = 10.0;

fn main() {
    let given: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).filter(|path| path.is_file()).collect();
    let about = format!(
        "By `make bench-prores`, on {}: frames of 1920x1080, grey where not in colour. Processor time a frame in one thread, the least of {PASSES} \
         passes. FFmpeg is its command line, decoding all of the frame; to a quarter, it scales by area averaging.",
        figures::machine()
    );
    let section = Section { title: "Reduced decode", about };
    if given.is_empty() {
        let made = ["-c:v prores_ks -profile:v 2", "-c:v prores_ks -profile:v 3"].map(|encoder| {
            let folder = tempfile::tempdir().unwrap();
            let encoder = format!("{encoder} -pix_fmt yuv422p10le");
            report(&support::movie(folder.path(), SOURCE, FRAMES, &encoder))
        });
        figures::tell(&section, &made.into_iter().flatten().collect::<Vec<_>>());
    } else {
        figures::print(&section, &given.iter().flat_map(|path| report(path)).collect::<Vec<_>>());
    }
}

fn report(path: &Path) -> Vec<Figure> {
    let packets = support::packets(path);
    let megabytes = packets.iter().map(Vec::len).sum::<usize>() as f64 / packets.len() as f64 / 1e6;
    let full = ffmpeg_milliseconds(path, packets.len(), "null");
    let scaled = ffmpeg_milliseconds(path, packets.len(), QUARTER);
    let quarter = milliseconds(&packets, Decoding::default(), Reduction::Quarter);
    let times = |took: f64| format!("{took:.2} ms, {:.1}x", full / took);
    let mut figures = vec![
        Figure::of(
            format!(
                "{megabytes:.2} MB a frame, to a quarter ({quarter:.2} ms) beside FFmpeg's full decode and area scaling ({scaled:.2} ms)"
            ),
            format!("{:.1}x", scaled / quarter),
            "10x (stretch 15x)",
            scaled / quarter >= GOAL,
        ),
        Figure::aside("— FFmpeg's full decode alone", format!("{full:.2} ms")),
        Figure::aside("— the whole frame, the same samples, and over that", times(milliseconds_of_whole(&packets))),
    ];
    let scaled = ffmpeg_milliseconds(path, packets.len(), QUARTER_IN_COLOUR);
    let quarter = milliseconds_in_colour(&packets, Reduction::Quarter);
    figures.push(Figure::aside(
        format!("— to a quarter in colour ({quarter:.2} ms) beside FFmpeg's ({scaled:.2} ms)"),
        format!("{:.1}x", scaled / quarter),
    ));
    for reduction in [Reduction::Eighth, Reduction::Quarter, Reduction::Half] {
        figures.push(Figure::aside(
            format!("— {reduction:?}, in colour, and over the full decode"),
            times(milliseconds_in_colour(&packets, reduction)),
        ));
        for decoding in [Decoding::Plain, Decoding::Table, Decoding::Interleaved] {
            let took = milliseconds(&packets, decoding, reduction);
            figures.push(Figure::aside(format!("— {reduction:?}, {decoding:?}, and over that"), times(took)));
        }
    }
    figures
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

fn milliseconds_in_colour(packets: &[Vec<u8>], reduction: Reduction) -> f64 {
    least(packets.len(), || {
        for packet in packets {
            black_box(prores::colours(black_box(packet), reduction).unwrap());
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

/// The user time FFmpeg says it took in one thread to decode and filter, less that of its start with the first frame.
fn ffmpeg_milliseconds(path: &Path, frames: usize, filter: &str) -> f64 {
    let seconds = |frames: usize| {
        let output = Command::new("ffmpeg")
            .args(["-benchmark", "-threads", "1", "-filter_threads", "1", "-i"])
            .arg(path)
            .args(["-map", "0:v", "-vf", filter, "-frames:v", &frames.to_string(), "-f", "null", "-"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.rsplit_once("utime=").unwrap().1.split_once('s').unwrap().0.parse::<f64>().unwrap()
    };
    let least = |frames| (0..PASSES).map(|_| seconds(frames)).fold(f64::INFINITY, f64::min);
    (least(frames) - least(1)) * 1e3 / (frames - 1).max(1) as f64
}

/// What this thread has had of the processor.
fn processor_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}
