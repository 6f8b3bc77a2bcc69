//! Pairs through the methods.

use std::{collections::BTreeMap, time::Duration};

use motion::{Estimate, Grey, Method, Prepared, Reason, Row, Settings, Similarity, Status, doubts, estimate};

use crate::clock::busy;
use crate::scene::{
    cases::{Case, Condition},
    tally::Tally,
};

/// Of so many cases, the slow methods get one.
const SLOW_SHARE: usize = 16;

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    Auto,
    Corners,
    Dis,
    DualTvl1,
    /// DualTVL1 and a plain fit, as the original program did: no guards, always sure.
    Original,
}

impl By {
    /// Those that are quick enough for every case.
    pub const OURS: [Self; 3] = [Self::Auto, Self::Corners, Self::Dis];

    /// All in this build.
    pub fn all() -> Vec<Self> {
        let slow = [Self::DualTvl1, Self::Original];
        Self::OURS.into_iter().chain(slow.into_iter().filter(|_| cfg!(feature = "tvl1"))).collect()
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Corners => "Corners",
            Self::Dis => "DIS",
            Self::DualTvl1 => "DualTVL1 with the guards",
            Self::Original => "The original method: DualTVL1 and a plain RANSAC fit",
        }
    }

    fn is_slow(self) -> bool {
        matches!(self, Self::DualTvl1 | Self::Original)
    }

    fn method(self) -> Method {
        match self {
            Self::Auto => Method::Auto,
            Self::Corners => Method::Corners,
            Self::Dis => Method::Dis,
            Self::DualTvl1 | Self::Original => Method::DualTvl1,
        }
    }
}

/// What became of the cases of a condition, by each method, and why answers were left open.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    tallies: BTreeMap<By, Tally>,
    /// Of `Auto`.
    pub reasons: BTreeMap<Reason, usize>,
}

impl Answers {
    pub fn of(&self, by: By) -> Tally {
        self.tallies.get(&by).cloned().unwrap_or_default()
    }

    pub fn add(&mut self, other: &Self) {
        for (by, tally) in &other.tallies {
            self.tallies.entry(*by).or_default().add(tally);
        }
        for (reason, count) in &other.reasons {
            *self.reasons.entry(*reason).or_default() += count;
        }
    }
}

/// The cases of a condition through the methods, on two threads.
pub fn all(condition: &Condition, set: u64, cases: usize, methods: &[By]) -> Answers {
    let half = |odd: usize| {
        let mut answers = Answers::default();
        for number in (0..cases).filter(|number| number % 2 == odd) {
            answer(condition, &condition.case(set, number), number, methods, &mut answers);
        }
        answers
    };
    std::thread::scope(|scope| {
        let odd = scope.spawn(|| half(1));
        let mut answers = half(0);
        answers.add(&odd.join().unwrap());
        answers
    })
}

fn answer(condition: &Condition, case: &Case, number: usize, methods: &[By], answers: &mut Answers) {
    let [first, second] = [0.0, 1.0].map(|time| case.scene.picture(time));
    let from = ready(first);
    // Sampled so that every kind of motion is among the sampled cases of all conditions together.
    let sampled = number % SLOW_SHARE == condition.name.len() % SLOW_SHARE;
    for by in methods.iter().filter(|by| sampled || !by.is_slow()) {
        let (found, took) = if case.frozen { frozen(&from, &second, *by) } else { found(&from, &second, *by) };
        let milliseconds = took.as_secs_f64() * 1e3;
        let tally = answers.tallies.entry(*by).or_default();
        let wrong = tally.count(case, condition.class, &found.similarity, found.status, milliseconds);
        if wrong && *by != By::Original {
            eprintln!("sure and wrong: {} {number} by {by:?}: {case:?} {found:?}", condition.name);
        }
        if *by == By::Auto {
            found.reasons.iter().for_each(|reason| *answers.reasons.entry(*reason).or_default() += 1);
        }
    }
}

/// As in a movie: the earlier picture was the later one of the pair before.
fn ready(picture: Grey) -> Prepared {
    let picture = Prepared::new(picture);
    estimate(&picture, &picture, 0.25, &Settings { method: Method::Corners }).unwrap();
    picture
}

fn found(from: &Prepared, second: &Grey, by: By) -> (Estimate, Duration) {
    let to = Prepared::new(second.clone());
    let start = busy();
    let found = match by {
        #[cfg(feature = "tvl1")]
        By::Original => crate::original::estimate(from, &to),
        by => estimate(from, &to, 0.25, &Settings { method: by.method() }).unwrap(),
    };
    (found, busy().checked_sub(start).unwrap_or_default())
}

/// The camera moves from the first to the second picture, and on; but the next picture is the second one again. What the
/// pair alone cannot tell, the row before does.
fn frozen(from: &Prepared, second: &Grey, by: By) -> (Estimate, Duration) {
    let (before, _) = found(from, second, by);
    let (mut again, took) = found(&ready(second.clone()), second, by);
    if by != By::Original {
        let rows = [&before, &again].map(|found| row(0, found));
        if let [_, Some(reason)] = doubts(&rows)[..] {
            again.status = Status::Undetermined;
            again.reasons.push(reason);
        }
    }
    (again, took)
}

/// An estimate as a row.
pub fn row(frame: u32, found: &Estimate) -> Row {
    Row { frame, similarity: Similarity::to_array(found.similarity), valid: found.valid, status: found.status }
}
