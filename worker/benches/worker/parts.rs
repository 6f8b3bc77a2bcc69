//! Each part of a row by itself: processor time of one thread.

use analysis_worker::pipeline::REDUCTION;
use frame::{Decoder, FrameNumber};
use lazycache::{Lazycache, Movie, reduced};
use motion::{Grey, Method, Prepared, Settings};

use crate::{lab::Lab, processor::of_thread};

/// How many pairs the original method is timed on, spread over the movie.
pub const TVL1_PAIRS: usize = 3;
/// The least of so many passes counts.
const PASSES: usize = 3;
/// Frames between the two of a pair.
const GAP: usize = 10;

/// Milliseconds a frame or a pair.
pub struct Parts {
    /// A packet, from a folder. On the clock: it is read by another thread.
    pub fetch: f64,
    /// Grey at a quarter, by the reduced decoder.
    pub reduced: f64,
    /// The same by the full decode and area scaling.
    pub full: f64,
    /// An image prepared, and a pair estimated.
    pub track: f64,
    /// A pair by the original method; `None` where the build is without it.
    pub tvl1: Option<f64>,
}

/// Over all frames of the movie.
pub async fn measure(lab: &Lab) -> Parts {
    let cache = Lazycache::open(lab.folder()).unwrap();
    let movie = cache.movie(&Lab::movie()).await.unwrap();
    let (mut packets, start) = (Vec::new(), std::time::Instant::now());
    for number in 1..=movie.num_frames() {
        packets.push(cache.packet(&movie, FrameNumber::new(number).unwrap()).await.unwrap());
    }
    let fetch = start.elapsed().as_secs_f64() * 1e3 / packets.len() as f64;
    tokio::task::block_in_place(|| measured(fetch, &movie, &packets))
}

fn measured(fetch: f64, movie: &Movie, packets: &[bytes::Bytes]) -> Parts {
    let decode = |packet: &bytes::Bytes, decoder| reduced::grey(movie, packet, REDUCTION, decoder).unwrap();
    assert_eq!(decode(&packets[0], Decoder::Reduced).1, Decoder::Reduced);
    let by = |decoder, passes| {
        least(passes, packets.len(), || {
            for packet in packets {
                drop(std::hint::black_box(decode(packet, decoder)));
            }
        })
    };
    let (reduced, full) = (by(Decoder::Reduced, PASSES), by(Decoder::Full, 1));
    let images: Vec<Grey> = packets
        .iter()
        .map(|packet| decode(packet, Decoder::Reduced).0)
        .map(|image| Grey { width: image.width, height: image.height, data: image.data })
        .collect();
    let mut prepared: Vec<Prepared> = Vec::new();
    let prepare = least(PASSES, images.len(), || {
        // What is copied here is not copied by the worker, and takes microseconds.
        prepared = images.iter().cloned().map(Prepared::new).collect();
    });
    let pairs: Vec<(&Prepared, &Prepared)> = prepared.iter().zip(prepared.iter().skip(GAP)).collect();
    let estimate = least(PASSES, pairs.len(), || pairs.iter().for_each(|pair| assert!(estimated(*pair, Method::Auto))));
    Parts { fetch, reduced, full, track: prepare + estimate, tvl1: tvl1(&pairs) }
}

fn tvl1(pairs: &[(&Prepared, &Prepared)]) -> Option<f64> {
    let some: Vec<_> = pairs.iter().step_by((pairs.len() / TVL1_PAIRS).max(1)).take(TVL1_PAIRS).collect();
    let mut built = true;
    let took = least(1, some.len(), || built = some.iter().all(|pair| estimated(**pair, Method::DualTvl1)));
    built.then_some(took)
}

/// False where the method is not in this build.
fn estimated((from, to): (&Prepared, &Prepared), method: Method) -> bool {
    match motion::estimate(from, to, 1.0 / f64::from(REDUCTION), &Settings { method }) {
        Ok(estimate) => {
            std::hint::black_box(estimate);
            true
        }
        Err(motion::Error::NotBuilt { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Milliseconds of one of `count`, in the fastest of `passes`: other work on the machine only ever slows one down.
fn least(passes: usize, count: usize, mut pass: impl FnMut()) -> f64 {
    let mut timed = || {
        let start = of_thread();
        pass();
        of_thread() - start
    };
    (0..passes).map(|_| timed()).fold(f64::INFINITY, f64::min) / count as f64
}
