//! Which hypothesis is the camera's, or none. Never a confident wrong move: every doubt is `undetermined`.

use crate::{
    consensus::{AGREES, Hypothesis, strongest},
    flow::Found,
    grid::Votes,
    similarity::Similarity,
};

/// The camera stands still when this share of the textured cells does, well spread: a moving camera leaves no rock where
/// it was, while a plume over a resting camera can outvote the rock that rests.
const REST_SHARE: f64 = 0.28;
/// … over this many of the picture's six parts.
const REST_SPREAD: usize = 4;
/// Fewer textured cells than this say nothing.
const LEAST_CELLS: usize = 12;
/// A move must be agreed on by this weighted share of the textured cells …
const MOVE_SHARE: f64 = 0.4;
/// … over this many of the six parts.
const MOVE_SPREAD: usize = 5;
/// A second motion with this share of the first one's votes leaves it open which of them is the camera's.
const RIVAL: f64 = 0.75;
/// A second motion is worth telling from this weighted share of the votes on.
const SECOND_SHARE: f64 = 0.1;
/// Two motions nearer than this, in pixels of the image, are one.
const SAME: f64 = 1.0;

/// What was concluded from the points.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The camera's motion; the best guess where `sure` is false; `None` with too few points for any.
    pub first: Option<Hypothesis>,
    /// A second coherent motion and the weighted share of the picture it has.
    pub second: Option<(Similarity, f64)>,
    /// Whether it can be trusted.
    pub sure: bool,
}

/// Weighs the hypotheses. `width` and `height` are the image's.
pub fn weigh(points: &[Found], width: f64, height: f64) -> Verdict {
    let textured = Votes::count(points.iter().map(|found| (found.cell, true))).textured().count();
    let Some(consensus) = strongest(points, width) else { return Verdict { first: None, second: None, sure: false } };
    let rest = resting(points, width, height);
    let first = rest.clone().unwrap_or(consensus);
    let second = second_motion(points, &first, width, height);
    let rivalled = second.is_some_and(|(_, share)| share >= RIVAL * first.votes.score());
    let agreed = first.votes.score() >= MOVE_SHARE && first.votes.spread() >= MOVE_SPREAD;
    let sure = textured >= LEAST_CELLS && (rest.is_some() || (agreed && !rivalled));
    Verdict { first: Some(first), second, sure }
}

/// The hypothesis of a camera at rest, where enough well-spread cells do not move.
fn resting(points: &[Found], width: f64, height: f64) -> Option<Hypothesis> {
    let still = Hypothesis::of(Similarity::IDENTITY, points);
    let textured = still.votes.textured().count().max(1);
    let share = still.votes.agreeing().count() as f64 / textured as f64;
    if share < REST_SHARE || still.votes.spread() < REST_SPREAD {
        return None;
    }
    // Fitted to the resting cells; a fit that leaves the rest followed something else.
    let fitted = still.clone().refined(points);
    let near = fitted.similarity.mean_displacement(width, height) < 2.0 * AGREES;
    Some(if near { fitted } else { still })
}

/// What those agree on who do not agree with `first`, with its share of all votes.
fn second_motion(points: &[Found], first: &Hypothesis, width: f64, height: f64) -> Option<(Similarity, f64)> {
    let others: Vec<Found> = points.iter().zip(&first.agrees).filter(|(_, agrees)| !**agrees).map(|(found, _)| *found).collect();
    let similarity = strongest(&others, width)?.similarity;
    let share = Hypothesis::of(similarity, points).votes.score();
    let distinct = similarity.mean_difference(&first.similarity, width, height) > SAME;
    (distinct && share >= SECOND_SHARE).then_some((similarity, share))
}
