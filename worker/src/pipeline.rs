//! One movie's frames to its rows: every distinct frame is fetched and decoded once, in order, some ahead; a pair is
//! estimated as soon as its later frame is there, and a frame is dropped after the last pair it is in.
//!
//! ```text
//!   frame numbers ─▶ fetched (a task of its own) ─cpu─▶ grey 1/4 ─window─▶ pairs ─buffered, cpu─▶ rows of optical flow
//!                                                └cpu─▶ colours, statistics ────────────────────▶ rows of statistics
//! ```

mod window;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use frame::Decoder;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use motion::{Prepared, Settings};
use plan::{OpticalFlow, Pair, analysis::distinct_frames};
use window::{Job, Ready, Window};

use crate::{
    cpu::Cpu,
    item_error::ItemError,
    progress::Progress,
    result::{FlowRow, FlowTiming, StatisticsRow},
    source::{Colours, Decoded, Greys, Movie, Pixels, Source},
    statistics::statistics,
};

/// Flow is computed on images of a quarter of the full width and height.
pub const REDUCTION: u32 = 4;
/// Frames fetched ahead, besides two a thread; more from an archive that answers late.
const FETCHED_AHEAD: usize = 4;

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

/// What was decoded of a movie: how many frames, and which of them in full.
#[derive(Debug, Default)]
pub struct Witness {
    frames: AtomicU64,
    in_full: Mutex<BTreeSet<u32>>,
}

/// A frame's image, or what was made of it.
struct Seen<T> {
    number: u32,
    image: T,
    /// Until it was there.
    fetched: Duration,
    /// Decoding, and what was made of it.
    computed: Duration,
}

impl Witness {
    /// One that knows already which frames were decoded in full, by somebody who began before.
    pub fn knowing(in_full: &[u32]) -> Self {
        Self { frames: AtomicU64::new(0), in_full: Mutex::new(in_full.iter().copied().collect()) }
    }

    /// How many frames were decoded.
    pub fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }

    /// Which of them in full, ascending.
    pub fn in_full(&self) -> Vec<u32> {
        self.in_full.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    fn saw(&self, number: u32, decoder: Decoder) {
        self.frames.fetch_add(1, Relaxed);
        if decoder == Decoder::Full {
            self.in_full.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        }
    }
}

impl Pipeline {
    /// The rows of `pairs`, in their order.
    pub fn optical_flow<'a>(
        &'a self,
        movie: &'a Movie,
        flow: &'a OpticalFlow,
        pairs: &[Pair],
        witness: &'a Witness,
    ) -> impl Stream<Item = Result<FlowRow, ItemError>> + use<'a> {
        let decoder = match flow.decoder {
            plan::Decoder::Reduced => Decoder::Reduced,
            plan::Decoder::Full => Decoder::Full,
        };
        let pixels = Greys { reduction: REDUCTION, decoder };
        let frames = self.frames(movie, distinct_frames(pairs), pixels, Prepared::new, witness);
        let mut window = Window::new(pairs);
        let jobs = frames
            .map_ok(move |seen| {
                movie.pictures().see(seen.number, seen.image.grey());
                let took = seen.fetched + seen.computed;
                let completed = window.arrived(seen.number, Ready { image: Arc::new(seen.image), took });
                stream::iter(completed).map(Ok::<_, ItemError>)
            })
            .try_flatten();
        jobs.map(move |job| async move { self.row(movie, flow, job?).await }).buffered(self.at_once())
    }

    /// The rows of the frames `numbers`, in their order.
    pub fn frame_statistics<'a>(
        &'a self,
        movie: &'a Movie,
        numbers: Vec<u32>,
        witness: &'a Witness,
    ) -> impl Stream<Item = Result<StatisticsRow, ItemError>> + use<'a> {
        let frames = self.frames(movie, numbers, Colours, |picture| statistics(&picture), witness);
        frames.map_ok(|Seen { number, image, fetched, computed }| {
            StatisticsRow::new(number, image, fetched.as_secs_f64(), computed.as_secs_f64())
        })
    }

    /// Frames fetched, decoded and looked at, in their order.
    fn frames<'a, P: Pixels, T: Send + 'static>(
        &'a self,
        movie: &Movie,
        numbers: Vec<u32>,
        pixels: P,
        look: fn(P::Image) -> T,
        witness: &'a Witness,
    ) -> impl Stream<Item = Result<Seen<T>, ItemError>> + use<'a, P, T> {
        let fetched = self.source.frames(movie, numbers, pixels, self.at_once() + FETCHED_AHEAD);
        let decoded = move |fetched: Result<_, _>| async move {
            let fetched: crate::source::Fetched<P> = fetched?;
            let (number, took) = (fetched.number, fetched.took);
            let work = move || {
                let start = Instant::now();
                let decoded = fetched.decode().map(|Decoded { image, decoder }| (look(image), decoder));
                (decoded, start.elapsed())
            };
            let (decoded, computed) = self.cpu.run(work).await?;
            let (image, decoder) = decoded?;
            witness.saw(number, decoder);
            self.progress.frame();
            Ok(Seen { number, image, fetched: took, computed })
        };
        fetched.map(decoded).buffered(self.at_once())
    }

    /// Frames and pairs that are worked on at once: while one waits for the next step, another has a core.
    fn at_once(&self) -> usize {
        self.cpu.threads() * 2
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

/// Leaves open what a row's neighbours make doubtful: of all rows of a movie, once.
pub fn doubt(rows: &mut [FlowRow]) {
    let seen: Vec<motion::Row> = rows.iter().map(FlowRow::motion_row).collect();
    for (row, reason) in rows.iter_mut().zip(motion::doubts(&seen)) {
        if let Some(reason) = reason {
            row.optical_flow.status = motion::Status::Undetermined;
            row.optical_flow.reasons.push(reason);
        }
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
