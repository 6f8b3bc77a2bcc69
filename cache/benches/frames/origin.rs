//! What the archive is asked for: by the first frame of a movie as long as the camera's, by another, by one again.

use std::time::{Duration, Instant};

use archive::{Fault, Rule};

use crate::{client::Client, figures::Figure, lab::Lab, process::Process};

/// Of one of the camera's movies.
const FRAMES: u32 = 25_150;
/// How long the archive thinks about each request: so much that round trips can be told by the time.
const THINKS: Duration = Duration::from_millis(500);

pub fn figures(lab: &Lab) -> Vec<Figure> {
    let name = "day.mov";
    lab.long(name, FRAMES, &[9, 12_000]);
    let api = frame::MirrorRoot::parse(&lab.archive.url()).unwrap().api_path();
    let server = Process::lazycache(&[&lab.archive.url()]);
    let mut client = Client::new(&server.address);
    lab.archive.inject(Rule::on(name, Fault::Delay { ms: THINKS.as_millis() as u64 }));
    let mut ask = |number: u32| {
        lab.archive.reset_counts();
        let start = Instant::now();
        client.get(&format!("{api}{name}/frame/{number}.jpg"));
        let round_trips = (start.elapsed().as_millis() / THINKS.as_millis()) as u64;
        let counts = lab.archive.counts();
        (round_trips, counts.requests, counts.bytes)
    };
    let (first, next, again) = (ask(10), ask(12_001), ask(10));
    lab.archive.clear_faults();
    std::fs::remove_file(lab.folder().join(name)).unwrap();
    let told = |(trips, requests, bytes): (u64, u64, u64)| {
        let (trip, request) = (if trips == 1 { "" } else { "s" }, if requests == 1 { "" } else { "s" });
        format!("{trips} round trip{trip}, {requests} request{request}, {:.2} MB", bytes as f64 / 1e6)
    };
    vec![
        Figure::of(
            format!("first frame of a new movie of {FRAMES} frames, from the archive"),
            told(first),
            "2 round trips, 1.7 MB",
            first.0 <= 2 && first.2 <= 1_700_000,
        ),
        Figure::of("another frame of it", told(next), "1 range", next.1 <= 1),
        Figure::of("a frame again", told(again), "0", again.1 == 0),
    ]
}
