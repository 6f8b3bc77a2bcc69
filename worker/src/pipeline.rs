//! One movie's frames to its rows: every distinct frame is fetched and decoded once, in order, some ahead; a pair is
//! estimated as soon as its later frame is there, and a frame is dropped after the last pair it is in.
//!
//! ```text
//!   frame numbers ─buffered─▶ fetched ─cpu─▶ grey 1/4 ─window─▶ pairs ─buffered, cpu─▶ rows
//! ```

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use motion::{Prepared, Settings};
use plan::{OpticalFlow, Pair, analysis::distinct_frames};

use crate::{
    cpu::Cpu,
    item_error::ItemError,
    progress::Progress,
    result::{FlowRow, FlowTiming},
    source::{Movie, Source},
};

/// Flow is computed on images of a quarter of the full width and height.
pub const REDUCTION: u32 = 4;

/// What a movie's pipeline works with.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Where frames come from.
    pub source: Source,
    /// The bound on decoding and estimating.
    pub cpu: Cpu,
    /// Told of every decoded frame.
    pub progress: Progress,
}

/// A frame ready to be compared, and the time it took to get there.
#[derive(Clone)]
struct Ready {
    image: Arc<Prepared>,
    took: Duration,
}

/// A pair whose two frames are there.
struct Job {
    pair: Pair,
    from: Ready,
    to: Ready,
}

impl Pipeline {
    /// The rows of `movie`, ascending by frame. Counts every decoded frame in `decoded`.
    pub async fn optical_flow(
        &self,
        movie: &Arc<Movie>,
        flow: &OpticalFlow,
        decoded: &AtomicU64,
    ) -> Result<Vec<FlowRow>, ItemError> {
        let pairs = flow.pairs(movie.num_frames());
        let numbers = distinct_frames(&pairs);
        let ahead = self.cpu.threads() * 2;
        let frames = stream::iter(numbers).map(|number| self.frame(movie, number, decoded)).buffered(ahead);
        let mut window = Window::new(&pairs);
        let jobs = frames
            .map_ok(move |(number, ready)| stream::iter(window.arrived(number, ready)).map(Ok::<_, ItemError>))
            .try_flatten();
        let rows = jobs.map(|job| async { self.row(movie, flow, job?).await }).buffered(ahead);
        rows.try_collect().await
    }

    async fn frame(&self, movie: &Arc<Movie>, number: u32, decoded: &AtomicU64) -> Result<(u32, Ready), ItemError> {
        let start = Instant::now();
        let fetched = self.source.fetch(movie, number, REDUCTION).await?;
        let image = self.cpu.run(move || fetched.into_grey(number, REDUCTION).map(Prepared::new));
        let image = Arc::new(image.await??);
        movie.pictures().see(number, image.grey());
        decoded.fetch_add(1, Relaxed);
        self.progress.frame();
        Ok((number, Ready { image, took: start.elapsed() }))
    }

    async fn row(&self, movie: &Movie, flow: &OpticalFlow, job: Job) -> Result<FlowRow, ItemError> {
        let Job { pair, from, to } = job;
        let settings = Settings { method: motion_method(flow.method) };
        let (first, second) = (Arc::clone(&from.image), Arc::clone(&to.image));
        let estimated = self.cpu.run(move || {
            let start = Instant::now();
            let estimate = motion::estimate(&first, &second, 1.0 / f64::from(REDUCTION), &settings);
            (estimate, start.elapsed())
        });
        let (estimate, took) = estimated.await?;
        let estimate = estimate.map_err(|source| ItemError::Motion { frame: pair.frame, source })?;
        let timing = FlowTiming {
            elapsed_seconds: (from.took + to.took + took).as_secs_f64(),
            optical_flow: took.as_secs_f64(),
            retrieve_frame1: from.took.as_secs_f64(),
            retrieve_frame2: to.took.as_secs_f64(),
        };
        Ok(FlowRow::new(pair.frame, &estimate, movie.size(), (pair.from, pair.to), timing))
    }
}

fn motion_method(method: plan::Method) -> motion::Method {
    match method {
        plan::Method::Auto => motion::Method::Auto,
        plan::Method::Dis => motion::Method::Dis,
        plan::Method::Corners => motion::Method::Corners,
        plan::Method::DualTvl1 => motion::Method::DualTvl1,
    }
}

/// The frames that are still needed, and the pairs that wait for their later frame.
struct Window {
    waiting: BTreeMap<u32, Vec<Pair>>,
    last_use: BTreeMap<u32, u32>,
    held: BTreeMap<u32, Ready>,
}

impl Window {
    fn new(pairs: &[Pair]) -> Self {
        let (mut waiting, mut last_use) = (BTreeMap::<u32, Vec<Pair>>::new(), BTreeMap::new());
        for pair in pairs {
            waiting.entry(pair.to).or_default().push(*pair);
            let last = last_use.entry(pair.from).or_insert(pair.to);
            *last = (*last).max(pair.to);
        }
        Self { waiting, last_use, held: BTreeMap::new() }
    }

    /// Takes a frame in; frames arrive in ascending order. Gives the pairs it completes.
    fn arrived(&mut self, number: u32, ready: Ready) -> Vec<Job> {
        let pairs = self.waiting.remove(&number).unwrap_or_default();
        let job = |pair: Pair| {
            let from = self.held.get(&pair.from)?.clone();
            Some(Job { pair, from, to: ready.clone() })
        };
        let jobs = pairs.into_iter().filter_map(job).collect();
        self.held.insert(number, ready);
        self.held.retain(|held, _| self.last_use.get(held).is_some_and(|last| *last > number));
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{FrameRange, Method};

    fn pairs(stride: u32, frames: u32) -> Vec<Pair> {
        let range = FrameRange { start_frame: 1, end_frame: None, stride };
        OpticalFlow { range, method: Method::Auto, regions: false }.pairs(frames)
    }

    fn ready() -> Ready {
        let grey = motion::Grey { width: 8, height: 8, data: vec![0; 64] };
        Ready { image: Arc::new(Prepared::new(grey)), took: Duration::ZERO }
    }

    #[test]
    fn every_pair_comes_out_once_and_few_frames_are_held() {
        for stride in [1, 3, 7, 10, 25] {
            let pairs = pairs(stride, 200);
            let (mut window, mut seen, mut most) = (Window::new(&pairs), Vec::new(), 0);
            for number in distinct_frames(&pairs) {
                seen.extend(window.arrived(number, ready()).into_iter().map(|job| job.pair));
                most = most.max(window.held.len());
            }
            assert_eq!(seen, pairs, "stride {stride}");
            assert!(window.held.is_empty() && most <= 10, "stride {stride} held {most}");
        }
    }
}
