//! The benchmark of truth: rendered pairs and movies, the motion that every method finds in them, and the motion there is.
//!
//! `cargo bench -p motion --bench accuracy` prints the tables; `-- --write` writes them to docs/accuracy.md, which
//! `make accuracy` does with the original method built in (feature `tvl1`). Ends with an error where one of our methods was
//! sure and wrong. The guards were tuned on other pictures: no scene of the tables was looked at for it, but those of the
//! line that says so.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // a benchmark may

mod clock;
mod measure;
mod movies;
#[cfg(feature = "tvl1")]
mod original;
mod page;
#[path = "../../tests/scene/mod.rs"]
mod scene;

use std::process::ExitCode;

use measure::{Answers, By};
use scene::cases::conditions;

/// Cases of a condition in the tables.
const CASES: usize = 16;
/// The set of seeds in the tables, never looked at while the guards were tuned.
const HELD_OUT: u64 = 0x7e57;
/// One of the two sets the guards were tuned on, and its cases of a condition.
const TUNED_ON: (u64, usize) = (1, 8);

fn main() -> ExitCode {
    let tables: Vec<_> = conditions()
        .into_iter()
        .map(|condition| {
            eprintln!("{}", condition.name);
            (condition, measure::all(&condition, HELD_OUT, CASES, &By::all()))
        })
        .collect();
    let mut tuned = Answers::default();
    for condition in conditions() {
        tuned.add(&measure::all(&condition, TUNED_ON.0, TUNED_ON.1, &By::OURS));
    }
    let page = page::page(&tables, &tuned, &movies::all());
    if std::env::args().any(|argument| argument == "--write") {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/accuracy.md"), &page).unwrap();
    } else {
        println!("{page}");
    }
    let all = tables.iter().map(|(_, answers)| answers).chain([&tuned]);
    let ours = By::all().into_iter().filter(|by| *by != By::Original);
    let wrong: usize = ours.flat_map(|by| all.clone().map(move |answers| answers.of(by).wrong)).sum();
    if wrong > 0 {
        eprintln!("{wrong} answers were sure and wrong");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
