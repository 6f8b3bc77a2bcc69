//! What a server's memory grows to while it answers 10,000 frames, each once.

use crate::{client, figures::Figure, lab::Lab, process::Process};

const FRAMES: usize = 10_000;
/// Frames of one movie; the movies are one file under many names.
const PART: usize = 500;
const CLIENTS: usize = 4;
/// What may be used beside the 64 MiB: buffers that are used again (32 MiB), and the samples, colours and packets of the
/// frames that are being made.
const GOAL: (&str, f64) = ("64 MiB and a base of 64 MiB", 64.0 + 64.0);

pub fn figures(lab: &Lab) -> Vec<Figure> {
    let movies = FRAMES / PART;
    let all: Vec<u32> = (0..PART as u32).collect();
    let first = lab.long("scan-0.mov", PART as u32, &all);
    let names: Vec<String> = (0..movies).map(|movie| format!("scan-{movie}.mov")).collect();
    for name in &names[1..] {
        std::fs::hard_link(&first, lab.folder().join(name)).unwrap();
    }
    let api = frame::MirrorRoot::parse(&lab.archive.url()).unwrap().api_path();
    let server = Process::lazycache(&[&lab.archive.url(), "--memory", "64MiB"]);
    let base = server.resident().1;
    let path = |number: usize| format!("{api}{}/frame/{}.jpg", names[number / PART], number % PART + 1);
    client::run(&server.address, CLIENTS, FRAMES / CLIENTS, path);
    let (now, peak) = server.resident();
    for name in &names {
        std::fs::remove_file(lab.folder().join(name)).unwrap();
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let what = format!(
        "resident memory at most during a scan of {FRAMES} distinct frames (JPEG, {CLIENTS} clients), 64 MiB to keep them, \
         above that of the server just started ({:.0} MiB)",
        mib(base)
    );
    let text = format!("{:.0} MiB (at the end {:.0})", mib(peak - base), mib(now.saturating_sub(base)));
    vec![Figure::of(what, text, GOAL.0, mib(peak - base) <= GOAL.1)]
}
