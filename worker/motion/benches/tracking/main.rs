//! What a pair costs: processor time, step by step, beside the original method where it is built in (feature `tvl1`).
//!
//! `make bench-tracking` prints it; `cargo bench --workspace --bench tracking` does without the original method.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a benchmark may

#[path = "../accuracy/clock.rs"]
mod clock;
#[path = "../../tests/scene/mod.rs"]
mod scene;

use std::time::Duration;

use archive::{Script, Truth};
use clock::busy;
use motion::{Grey, Method, Prepared, Profile, Settings, Status, estimate, profile};
use scene::{Plume, Scene, cases::conditions};

/// Cases of a condition.
const CASES: usize = 4;
/// The set of seeds: one of those the guards were tuned on.
const SET: u64 = 1;
const FRAMES: u32 = 640;
const STRIDE: u32 = 10;
/// Rounds over the pairs; the quickest counts, since a processor that is shared makes a pair dearer and never cheaper.
const ROUNDS: usize = 5;
/// Of so many pairs of the movie, the original method gets one.
#[cfg(feature = "tvl1")]
const SLOW_SHARE: usize = 16;

/// Pictures of the kind of one movie, in their order.
struct Pictures {
    name: &'static str,
    pairs: Vec<[Grey; 2]>,
}

fn main() {
    let all =
        [movie("a movie without plume", 0.0), movie("a movie, plume 25 %", 0.25), movie("a movie, plume 40 %", 0.4)];
    let rest = [
        "pan, tilt: 10-50 px",
        "noise 6",
        "noise 12",
        "300 particles",
        "dark: mean grey 14",
        "weak texture",
        "focus hunting",
        "lamps that swing and fade",
        "no rock: plume all over",
    ];
    let all: Vec<Pictures> = all.into_iter().chain(rest.map(condition)).collect();
    println!(
        "Processor time, ms a pair, least of {ROUNDS} rounds. In all: `estimate` (Auto), the later picture not yet \
         prepared, and the later picture's corners, which the next pair needs.\n"
    );
    println!(
        "| pictures | pairs | in all | undetermined | corners | pyramid | tracking | consensus | look | second look: even | tracking |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    all.iter().for_each(line);
    #[cfg(feature = "tvl1")]
    beside_the_original(&all[1]);
}

/// The camera script of the synthetic archive, rendered at a quarter of the full size.
fn movie(name: &'static str, plume: f64) -> Pictures {
    let truth = Truth::new(Script::typical(FRAMES, 70).poses(FRAMES));
    let plain = Scene::of(700, [1.0, 0.0, 0.0, 0.0]).busy(1.5, 40);
    let scene = if plume > 0.0 { plain.with_plume(Plume { churn: 0.05, ..Plume::of(plume) }) } else { plain };
    let picture = |frame: u32| {
        let motion = truth.motion(STRIDE / 2 + 1, frame).unwrap().into();
        Scene { motion, ..scene }.picture(f64::from(frame / STRIDE))
    };
    let pictures: Vec<Grey> = (STRIDE / 2 + 1..FRAMES).step_by(STRIDE as usize).map(picture).collect();
    Pictures { name, pairs: pictures.windows(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect() }
}

fn condition(name: &'static str) -> Pictures {
    let condition = conditions().into_iter().find(|condition| condition.name == name).unwrap();
    let pair = |number| [0.0, 1.0].map(|time| condition.case(SET, number).scene.picture(time));
    Pictures { name, pairs: (0..CASES).map(pair).collect() }
}

fn line(Pictures { name, pairs }: &Pictures) {
    let (mut all, mut steps, mut open) = (Duration::ZERO, [Duration::ZERO; 7], 0);
    for [from, to] in pairs {
        let from = ready(from);
        let took = |_| {
            let to = Prepared::new(to.clone());
            let start = busy();
            let found = estimate(&from, &to, 0.25, &Settings { method: Method::Auto }).unwrap();
            (busy().checked_sub(start).unwrap_or_default(), found.status)
        };
        let (estimated, status) = (0..ROUNDS).map(took).min_by_key(|(took, _)| *took).unwrap();
        open += usize::from(status == Status::Undetermined);
        let rounds = (0..ROUNDS).map(|_| steps_of(profile(&from, to, busy).unwrap()));
        let least = rounds.reduce(|a, b| std::array::from_fn(|at| a[at].min(b[at]))).unwrap();
        let [corners, ..] = least;
        all += estimated + corners;
        steps.iter_mut().zip(least).for_each(|(sum, least)| *sum += least);
    }
    let mean = |sum: Duration| sum.as_secs_f64() * 1e3 / pairs.len() as f64;
    let columns: Vec<String> = steps.into_iter().map(|sum| format!("{:.2}", mean(sum))).collect();
    println!("| {name} | {} | {:.2} | {open} | {} |", pairs.len(), mean(all), columns.join(" | "));
}

fn steps_of(profile: Profile) -> [Duration; 7] {
    let Profile { corners, pyramid, tracking, consensus, look, even, even_tracking } = profile;
    [corners, pyramid, tracking, consensus, look, even, even_tracking]
}

/// As in a movie: the earlier picture was the later one of the pair before.
fn ready(picture: &Grey) -> Prepared {
    let picture = Prepared::new(picture.clone());
    estimate(&picture, &picture, 0.25, &Settings { method: Method::Corners }).unwrap();
    picture
}

#[cfg(feature = "tvl1")]
fn beside_the_original(movie: &Pictures) {
    let (mut ours, mut original) = (Duration::ZERO, Duration::ZERO);
    for [from, to] in movie.pairs.iter().step_by(SLOW_SHARE) {
        let from = ready(from);
        for (method, sum) in [(Method::Auto, &mut ours), (Method::DualTvl1, &mut original)] {
            let to = Prepared::new(to.clone());
            let start = busy();
            estimate(&from, &to, 0.25, &Settings { method }).unwrap();
            *sum += busy().checked_sub(start).unwrap_or_default();
        }
    }
    println!(
        "\nDualTVL1 on one of {SLOW_SHARE} pairs of {}: {:.0} times as much as Auto.",
        movie.name,
        original.as_secs_f64() / ours.as_secs_f64()
    );
}
