//! Which hypothesis is the camera's, or none. Never a confident wrong move: every doubt is `undetermined`.

use crate::{
    consensus::{AGREES, Hypothesis, strongest},
    flow::Found,
    reason::Reason,
    similarity::Similarity,
};

/// The camera stands still when this share of the textured cells does, well spread: a moving camera leaves no rock where
/// it was, while a plume over a resting camera can outvote the rock that rests.
const REST_SHARE: f64 = 0.28;
/// … over this many of the picture's six parts.
const REST_SPREAD: usize = 4;
/// Fewer textured cells than this say nothing.
const LEAST_CELLS: usize = 12;
/// … and when they hold this much of the border, against a motion that is seen beside: a plume that stands still because
/// the camera turns as fast as it rises is in the middle …
const REST_BORDER: f64 = 0.6;
/// … and below this much of the border, the other motion is the camera's. Between them it is open.
const MOVE_BORDER: f64 = 0.45;
/// A move must be agreed on by this weighted share of the textured cells …
const MOVE_SHARE: f64 = 0.4;
/// … over this many of the six parts.
const MOVE_SPREAD: usize = 5;
/// A second motion with this share of the first one's votes leaves it open which of them is the camera's.
const RIVAL: f64 = 0.55;
/// … and what stands still, already with this share.
const RIVAL_AT_REST: f64 = 0.4;
/// … and any with this share of the border: a plume leaves rock on either side, rock leaves a plume its two ends.
const RIVAL_BORDER: f64 = 0.5;
/// The largest standard error of the motion at a corner of the picture, in pixels of the image.
const LARGEST_ERROR: f64 = 0.12;
/// A second motion is worth telling from this weighted share of the votes on.
const SECOND_SHARE: f64 = 0.1;
/// Two motions nearer than this, in pixels of the image, are one.
const SAME: f64 = 1.0;

/// What was concluded from the points.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The camera's motion; the best guess where there are reasons for doubt; `None` with too few points for any.
    pub first: Option<Hypothesis>,
    /// A second coherent motion and the weighted share of the picture it has.
    pub second: Option<(Similarity, f64)>,
    /// Why it cannot be trusted; empty where it can.
    pub reasons: Vec<Reason>,
}

/// Weighs the hypotheses. `width` and `height` are the image's.
pub fn weigh(points: &[Found], width: f64, height: f64) -> Verdict {
    let Some(consensus) = strongest(points, width) else {
        return Verdict { first: None, second: None, reasons: vec![Reason::Texture] };
    };
    let rest = resting(points, &consensus, width, height);
    let (mut rested, mut first) = (rest.is_some(), rest.unwrap_or(consensus));
    let mut second = second_motion(points, &first, width, height);
    let mut clear = true;
    if let Some(rival) = second.take_if(|rival| rested && first.votes.border() < REST_BORDER * rival.votes.border()) {
        clear = first.votes.border() < MOVE_BORDER * rival.votes.border();
        second = Some(std::mem::replace(&mut first, rival));
        rested = false;
    }
    let mut reasons = unsound(&first, points, width, height);
    let rivalled = !rested && second.as_ref().is_some_and(|second| rivals(&first, second, width, height));
    reasons.extend((!clear || rivalled).then_some(Reason::Rival));
    reasons.extend((!rested && !is_agreed(&first)).then_some(Reason::Coverage));
    let second = second.map(|second| (second.similarity, second.votes.score()));
    Verdict { first: Some(first), second, reasons }
}

/// Whether points enough, good enough and far enough apart say it.
fn unsound(first: &Hypothesis, points: &[Found], width: f64, height: f64) -> Vec<Reason> {
    let error = first.standard_error(points, width.hypot(height) / 2.0);
    let few = first.votes.textured().count() < LEAST_CELLS;
    [few.then_some(Reason::Texture), (error > LARGEST_ERROR).then_some(Reason::Precision)]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether a move has the picture behind it.
fn is_agreed(first: &Hypothesis) -> bool {
    first.votes.score() >= MOVE_SHARE && first.votes.spread() >= MOVE_SPREAD
}

fn rivals(first: &Hypothesis, second: &Hypothesis, width: f64, height: f64) -> bool {
    let rests = second.similarity.mean_displacement(width, height) < AGREES;
    second.votes.score() >= if rests { RIVAL_AT_REST } else { RIVAL } * first.votes.score()
        || second.votes.border() >= RIVAL_BORDER * first.votes.border()
}

/// The hypothesis of a camera at rest, where enough well-spread cells do not move. Where the consensus says of them the
/// same, it is the consensus, or none: a slow move leaves much of the picture nearly where it was.
fn resting(points: &[Found], consensus: &Hypothesis, width: f64, height: f64) -> Option<Hypothesis> {
    let still = Hypothesis::of(Similarity::IDENTITY, points);
    let textured = still.votes.textured().count().max(1);
    let share = still.votes.agreeing().count() as f64 / textured as f64;
    if share < REST_SHARE || still.votes.spread() < REST_SPREAD {
        return None;
    }
    let both = still.agrees.iter().zip(&consensus.agrees).filter(|(still, moved)| **still && **moved).count();
    let near = |hypothesis: &Hypothesis| hypothesis.similarity.mean_displacement(width, height) < 2.0 * AGREES;
    if both * 2 > still.inliers() {
        return near(consensus).then(|| consensus.clone());
    }
    // Fitted to the resting cells; a fit that leaves the rest followed something else.
    let fitted = still.clone().refined(points);
    Some(if near(&fitted) { fitted } else { still })
}

/// What those agree on who do not agree with `first`.
fn second_motion(points: &[Found], first: &Hypothesis, width: f64, height: f64) -> Option<Hypothesis> {
    let others = points.iter().zip(&first.agrees).filter(|(_, agrees)| !**agrees).map(|(found, _)| *found);
    let second = Hypothesis::of(strongest(&others.collect::<Vec<_>>(), width)?.similarity, points);
    let distinct = second.similarity.mean_difference(&first.similarity, width, height) > SAME;
    (distinct && second.votes.score() >= SECOND_SHARE).then_some(second)
}
