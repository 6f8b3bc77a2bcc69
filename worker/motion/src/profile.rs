//! What a pair costs, step by step. For people; nothing is decided here.

use std::time::Duration;

use crate::{
    Error, Grey, Prepared, corners,
    flow::{self, Detail},
    look,
    verdict::weigh,
};

/// Time a pair took in each step. The steps of the second look are measured whether an estimate takes it or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Profile {
    /// Corners of the later image, once an image.
    pub corners: Duration,
    /// Its pyramid, once an image.
    pub pyramid: Duration,
    /// Corners followed, forward and back.
    pub tracking: Duration,
    /// Hypotheses weighed.
    pub consensus: Duration,
    /// Before and after compared around the points that agree.
    pub look: Duration,
    /// The second look: the later image evened, once an image that needs it.
    pub even: Duration,
    /// The second look: corners followed, forward and back.
    pub even_tracking: Duration,
}

/// The time of each step from `from` to `to` by `clock`, which ascends. The earlier image is prepared, as in a movie.
pub fn profile(from: &Prepared, to: &Grey, clock: impl Fn() -> Duration) -> Result<Profile, Error> {
    let later = Prepared::new(to.clone());
    let mut profile = Profile::default();
    let _ = (from.corners(), from.pyramid(Detail::Plain)?, from.pyramid(Detail::Even)?);
    let timed = |start: Duration| clock().saturating_sub(start);
    let start = clock();
    let _ = corners::find(to);
    profile.corners = timed(start);
    let start = clock();
    let _ = later.pyramid(Detail::Plain)?;
    profile.pyramid = timed(start);
    let start = clock();
    let points = flow::corners(from, &later, Detail::Plain)?;
    profile.tracking = timed(start);
    let start = clock();
    let verdict = weigh(&points, f64::from(to.width), f64::from(to.height));
    profile.consensus = timed(start);
    if let Some(first) = verdict.first {
        let start = clock();
        let agreeing = points.iter().zip(&first.agrees).filter_map(|(found, agrees)| agrees.then_some(found));
        let _ = look::compare([from.grey(), to], agreeing);
        profile.look = timed(start);
    }
    let start = clock();
    let _ = later.pyramid(Detail::Even)?;
    profile.even = timed(start);
    let start = clock();
    let _ = flow::corners(from, &later, Detail::Even)?;
    profile.even_tracking = timed(start);
    Ok(profile)
}
