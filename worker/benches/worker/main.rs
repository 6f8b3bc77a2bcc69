//! `make bench-worker`: what a movie costs a worker, and where the time goes, in one run on one movie.
//!
//! ```text
//!   lab.rs       a rendered 1080p ProRes movie, its archive, and a lazycache over it as a process of its own
//!   parts.rs     fetch, decode (reduced, in full), prepare and track, the original method: processor time of one thread
//!   rates.rs     whole pipelines by turns: rows a second, processor time a row
//! ```
//!
//! Rows are made at stride 1: as at stride 10, each brings one new frame and one pair ten frames apart. A number after `--`
//! is how many frames are rendered; then the figures are only printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a benchmark that cannot set its stage falls over

#[path = "../../../operator/benches/operator/figures.rs"]
#[allow(dead_code)] // the operator's benchmark uses the rest
mod figures;
mod lab;
mod parts;
mod processor;
mod rates;

use figures::{Figure, Section};
use lab::Lab;
use parts::Parts;
use plan::{FrameRange, Method, OpticalFlow, analysis::distinct_frames};
use rates::Rates;

/// Frames that are rendered.
const FRAMES: u32 = 240;
/// Of a CamHD movie.
const CAMHD_FRAMES: u32 = 25_150;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [first, root] = &words[..]
        && first == lab::SERVE
    {
        return lab::serve(root);
    }
    // As the worker's program begins.
    lazycache::allocator::keep_freed_blocks();
    let asked: Option<u32> = words.first().and_then(|word| word.parse().ok());
    let lab = Lab::new(asked.unwrap_or(FRAMES));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let parts = runtime.block_on(parts::measure(&lab));
    let rates = rates::measure(&runtime, &lab);
    let figures = figures_of(&parts, &rates);
    let about = format!(
        "By `make bench-worker`, on {}: a rendered 1080p ProRes movie of {} frames, {:.2} MB each. Ratios of costs are of \
         processor time, the least of several passes by turns; rates are rows a second on the clock, all cores, the best of \
         {} passes by turns. A CamHD movie has {} frames and, at stride 10, {} rows; its figures are those of a \
         row here times that.",
        figures::machine(),
        lab.frames,
        lab.megabytes(),
        rates::ROUNDS,
        figures::thousands(CAMHD_FRAMES.into()),
        figures::thousands(camhd_rows() as u64),
    );
    let section = Section { title: "Worker", about };
    if asked.is_some() { figures::print(&section, &figures) } else { figures::tell(&section, &figures) }
}

/// What is computed, for every `stride`th frame.
fn flow(stride: u32, decoder: plan::Decoder) -> OpticalFlow {
    let range = FrameRange { start_frame: 1, end_frame: None, stride };
    OpticalFlow { range, method: Method::Auto, decoder, regions: false }
}

/// Each of which brings one frame to decode, but for the first, which brings two.
fn camhd_rows() -> usize {
    let pairs = flow(10, plan::Decoder::Reduced).pairs(CAMHD_FRAMES);
    assert_eq!(distinct_frames(&pairs).len(), pairs.len() + 1);
    pairs.len()
}

/// Seconds of a CamHD movie, if a row takes so many milliseconds.
fn movie(milliseconds: f64) -> f64 {
    milliseconds * camhd_rows() as f64 / 1e3
}

fn figures_of(parts: &Parts, rates: &Rates) -> Vec<Figure> {
    let mut figures = costs(parts, rates);
    figures.extend(speeds(rates));
    figures
}

fn costs(parts: &Parts, rates: &Rates) -> Vec<Figure> {
    let ours = movie(rates.folder.cost);
    let all = parts.fetch + parts.reduced + parts.track;
    let part = |name: &str, cost: f64| Figure::aside(name, format!("{cost:.2} ms a row, {:.0} %", cost / all * 100.0));
    let mut figures = vec![
        Figure::of(
            "processor time of a CamHD movie, from a folder",
            format!("{ours:.1} s"),
            "11 s (stretch 8 s)",
            ours <= 11.0,
        ),
        Figure::aside("— a row, all threads of the process", format!("{:.2} ms", rates.folder.cost)),
        part("— one thread: fetch from a folder", parts.fetch),
        part("— one thread: decode, reduced", parts.reduced),
        part("— one thread: prepare and track", parts.track),
    ];
    let short = parts.full / parts.reduced;
    // Beside FFmpeg's decode it stands in `make bench-prores`.
    let what = format!("decode, reduced, beside our own in full and area scaling ({:.2} ms)", parts.full);
    figures.push(Figure::aside(what, format!("{short:.1}x")));
    let full = movie(rates.full.cost);
    figures.push(Figure::aside("the same movie with `decoder: Full`", format!("{full:.1} s, {:.1}x", full / ours)));
    let Some(tvl1) = parts.tvl1 else { return figures };
    let original = movie(parts.full + tvl1);
    figures.push(Figure::of(
        format!(
            "the original method (every frame in full, DualTVL1, {} pairs): {original:.0} s, over ours",
            parts::TVL1_PAIRS
        ),
        format!("{:.0}x", original / ours),
        "700x",
        original / ours >= 700.0,
    ));
    figures.push(Figure::aside("— DualTVL1, a pair", format!("{tvl1:.0} ms")));
    figures
}

fn speeds(rates: &Rates) -> Vec<Figure> {
    let Rates { folder, full, http, slow, cache, kept } = rates;
    let of = |rate: f64, other: f64| format!("{rate:.0} rows/s, {:.0} %", rate / other * 100.0);
    let wall = movie(1e3 / folder.speed);
    let efficiency = cache.speed / http.speed * 100.0;
    vec![
        Figure::of(
            format!("a CamHD movie on the clock, {} cores, from a folder, its reading included", rates::cores()),
            format!("{wall:.1} s"),
            "8 s + reading",
            wall <= 8.0,
        ),
        Figure::aside("one process, from a folder", format!("{:.0} rows/s", folder.speed)),
        Figure::aside("— with `decoder: Full`", of(full.speed, folder.speed)),
        Figure::aside("— over HTTP", of(http.speed, folder.speed)),
        Figure::aside(
            format!("— over HTTP, each answer {} ms late", rates::LATE),
            format!("{} of that without", of(slow.speed, http.speed)),
        ),
        Figure::of(
            "through lazycache over loopback, of one process over HTTP from the same archive",
            of(cache.speed, http.speed),
            "80 %",
            efficiency >= 80.0,
        ),
        Figure::aside("— a second time, the packets kept by lazycache", of(kept.speed, http.speed)),
    ]
}
