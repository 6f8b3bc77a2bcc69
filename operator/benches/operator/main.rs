//! `make bench-operator`: what the operator costs, against a mocked API, beside its goals.
//!
//! ```text
//!   pace.rs      reconciles per second, writes while nothing happens
//!   memory.rs    a process of its own whose stores hold 1,000 AnalysisJobs
//!   size.rs      the status of 1,000,000 movies, the definition
//!   failover.rs  two candidates for one lease, in real time
//! ```
//!
//! The figures are printed, and written into `docs/benchmarks.md` by an optimised build.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a benchmark that cannot set its stage falls over
#![allow(clippy::doc_markdown)] // names of Kubernetes need no backticks
#![allow(clippy::large_futures)] // one runtime, one thread: nothing is moved about

mod failover;
mod figures;
mod memory;
mod pace;
mod size;
#[path = "../../tests/world/mod.rs"]
mod world;

use std::path::Path;

use figures::Section;

fn main() {
    // One core: reconciles and the mocked API share one thread.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == memory::CHILD) {
        return runtime.block_on(memory::child(Path::new(&arguments[at + 1]), &arguments[at + 2]));
    }
    let mut figures = Vec::new();
    runtime.block_on(async {
        figures.push(pace::full_life(100).await);
        let mut world = pace::running(1000).await;
        figures.push(pace::idle(&mut world).await);
        figures.extend(memory::parent(&world));
        figures.push(pace::idle_minute(&mut world).await);
    });
    figures.extend([size::status(1_000_000), size::definition()]);
    figures.push(runtime.block_on(failover::killed(5)));
    let about = format!(
        "By `make bench-operator`, on {}. Reconciles and the mocked API share one thread, so the API's work counts against \
         the operator; filling the stores does not.",
        figures::machine(),
    );
    figures::tell(&Section { title: "Operator", about }, &figures);
}
