//! `make bench-plan`: how long plans of large archives take, and how much memory.
//!
//! The archive's files and the ledger's results are made first (of a million movies some 10 GB in the folder for temporary
//! files). A number after `--` is how many movies there are instead; then the figures are only printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a benchmark that cannot set its stage falls over

#[path = "../../../operator/benches/operator/figures.rs"]
#[allow(dead_code)] // the operator's benchmark uses the rest
mod figures;
#[path = "../../tests/support/mod.rs"]
mod support;

use figures::{Figure, Section, thousands};
use support::{
    Lab,
    large::{Large, Planned, plan},
};

/// A plan's size, its goal in words, in seconds and in MiB.
struct Goal {
    large: Large,
    words: &'static str,
    seconds: f64,
    mib: u64,
}

const GOALS: [Goal; 2] = [
    Goal { large: Large { days: 3_750 }, words: "20 s, 150 MiB", seconds: 20.0, mib: 150 },
    Goal { large: Large { days: 125_000 }, words: "5 min, 150 MiB", seconds: 300.0, mib: 150 },
];

fn main() {
    let asked: Option<u32> = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let about = format!(
        "By `make bench-plan`, on {}: the plan pod alone, of movies that have no frames in folders of eight, listed over HTTP \
         by a server on the same machine. Time is on the clock. Where all is done, each movie's result is in the output and is \
         looked at.",
        figures::machine()
    );
    let section = Section { title: "Plan", about };
    match asked {
        Some(movies) => {
            let goal = Goal { large: Large { days: movies.div_ceil(8) }, ..GOALS[1] };
            figures::print(&section, &measure(&goal));
        }
        None => figures::tell(&section, &GOALS.iter().flat_map(measure).collect::<Vec<_>>()),
    }
}

fn measure(goal: &Goal) -> Vec<Figure> {
    let lab = Lab::of(0);
    goal.large.fill(&lab);
    goal.large.fill_ledger(&lab, "full");
    let movies = goal.large.movies();
    let items_per_index = movies.div_ceil(10_000);
    [("empty", "nothing", 0), ("full", "all", movies)]
        .map(|(output, done, up_to_date)| {
            let Planned { items, took, mib } = plan(&lab, output, items_per_index);
            assert_eq!(items, (movies, up_to_date, 0, 0), "{output}");
            let seconds = took.as_secs_f64();
            Figure::of(
                format!("a plan of {} movies of which {done} is done", thousands(movies)),
                format!("{seconds:.1} s, {mib} MiB"),
                goal.words,
                seconds < goal.seconds && mib < goal.mib,
            )
        })
        .into()
}
