//! `make bench-frames`: what single frames cost, beside FFmpeg's bare decode of the same packets and beside a static file
//! server.
//!
//! ```text
//!   lab.rs       rendered 1080p ProRes movies, and an archive that serves them
//!   process.rs   a server as a process of its own: its processor time and memory alone
//!   client.rs    a client that costs next to nothing
//!   cold.rs      frames nobody has: the library's and the server's answers beside the bare decode (bare.rs)
//!   small.rs     small frames, of the lowest frequencies and of the whole frame
//!   cached.rs    a JPEG that is kept, beside the same file from a static file server
//!   latency.rs   how long clients wait
//!   origin.rs    what the archive is asked for
//!   memory.rs    a scan of 10,000 frames
//! ```
//!
//! Words after `--` choose parts (`cargo bench -p lazycache --bench frames -- cold cached`), whose figures are only printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a benchmark that cannot set its stage falls over

mod bare;
mod cached;
mod client;
mod cold;
#[path = "../../../operator/benches/operator/figures.rs"]
#[allow(dead_code)] // the operator's benchmark uses the rest
mod figures;
mod lab;
mod latency;
mod memory;
mod origin;
mod process;
mod small;

use figures::{Figure, Section};
use lab::Lab;

type Part = (&'static str, fn(&Lab) -> Vec<Figure>);

const PARTS: [Part; 6] = [
    ("cold", cold::figures),
    ("small", small::figures),
    ("cached", cached::figures),
    ("latency", latency::figures),
    ("origin", origin::figures),
    ("memory", memory::figures),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if let [first, folder] = &words[..]
        && first == process::STATIC
    {
        return process::serve_static(folder.as_ref());
    }
    let lab = Lab::new();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    let parts: Vec<Vec<Figure>> = PARTS.iter().filter(|(name, _)| wanted(name)).map(|(_, part)| part(&lab)).collect();
    let all = parts.len() == PARTS.len();
    let figures: Vec<Figure> = parts.into_iter().flatten().collect();
    let about = format!(
        "By `make bench-frames`, on {}: rendered 1080p ProRes movies of {:.2} MB a frame. Costs are processor time, not \
         time on the clock, the least of several passes by turns; of a server, that of its process alone. Clients and \
         archive are on the same machine.",
        figures::machine(),
        lab.megabytes(),
    );
    let section = Section { title: "Frames", about };
    if all {
        figures::tell(&section, &figures);
    } else {
        figures::print(&section, &figures);
    }
}
