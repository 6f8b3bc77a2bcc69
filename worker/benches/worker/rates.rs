//! Whole pipelines, by turns: a movie's frames to its rows.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use analysis_worker::{
    cpu::Cpu,
    pipeline::{Pipeline, Witness},
    progress::{Progress, Style},
    source::{Movie, Source},
};
use archive::fault::{Fault, Rule};
use futures::StreamExt;
use plan::Decoder;
use tokio::runtime::Runtime;

use crate::{
    flow,
    lab::{Cache, Lab},
    processor::of_process,
};

/// So many passes of each.
pub const ROUNDS: usize = 3;
/// Milliseconds an archive far away takes to answer.
pub const LATE: u64 = 30;

/// How fast a pipeline is.
#[derive(Clone, Copy)]
pub struct Rate {
    /// Rows a second, on the clock.
    pub speed: f64,
    /// Milliseconds of processor time a row, of all threads of this process: its archive's too, where it is over HTTP.
    pub cost: f64,
}

/// By where frames come from.
pub struct Rates {
    /// One process, a folder.
    pub folder: Rate,
    /// The same with the full decoder.
    pub full: Rate,
    /// One process, over HTTP.
    pub http: Rate,
    /// The same, every answer late.
    pub slow: Rate,
    /// Through a lazycache that has nothing yet.
    pub cache: Rate,
    /// The same once more.
    pub kept: Rate,
}

/// The machine's.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Every way in turn, several times: what slows the machine for a while slows all of them.
pub fn measure(runtime: &Runtime, lab: &Lab) -> Rates {
    let folder = Source::open(lab.folder()).unwrap();
    let http = Source::open(&lab.archive.url()).unwrap();
    let run = |source: &Source, decoder| runtime.block_on(pass(source, decoder));
    let rounds: Vec<[Rate; 6]> = (0..ROUNDS)
        .map(|_| {
            let here = [run(&folder, Decoder::Reduced), run(&folder, Decoder::Full), run(&http, Decoder::Reduced)];
            lab.archive.inject(Rule::on(".mov", Fault::Delay { ms: LATE }));
            let slow = run(&http, Decoder::Reduced);
            lab.archive.clear_faults();
            let server: Cache = lab.cache();
            let through = || {
                // A source of its own each time: nothing is kept on this side.
                let source = Source::through(&server.url, &lab.archive.url()).unwrap();
                run(&source, Decoder::Reduced)
            };
            let [folder, full, http] = here;
            [folder, full, http, slow, through(), through()]
        })
        .collect();
    let best = |way: usize| Rate {
        speed: rounds.iter().map(|round| round[way].speed).fold(0.0, f64::max),
        cost: rounds.iter().map(|round| round[way].cost).fold(f64::INFINITY, f64::min),
    };
    Rates { folder: best(0), full: best(1), http: best(2), slow: best(3), cache: best(4), kept: best(5) }
}

async fn pass(source: &Source, decoder: Decoder) -> Rate {
    let flow = flow(1, decoder);
    let pipeline = Pipeline { source: source.clone(), cpu: Cpu::new(cores()), progress: Progress::new(Style::None) };
    let (witness, start, before) = (Witness::default(), Instant::now(), of_process());
    let movie: Arc<Movie> = source.movie(&Lab::movie()).await.unwrap();
    let pairs = flow.pairs(movie.num_frames());
    let mut rows = Box::pin(pipeline.optical_flow(&movie, &flow, &pairs, &witness));
    while let Some(row) = rows.next().await {
        row.unwrap();
    }
    let (took, cost): (Duration, f64) = (start.elapsed(), of_process() - before);
    let reduced = witness.in_full().is_empty();
    assert_eq!(reduced, decoder == Decoder::Reduced, "decoded by another than was asked for");
    Rate { speed: pairs.len() as f64 / took.as_secs_f64(), cost: cost / pairs.len() as f64 }
}
