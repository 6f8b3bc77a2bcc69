//! The motion between two images, with what speaks for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Prepared,
    flow::{self, Detail, Found},
    look::{self, Look},
    reason::Reason,
    similarity::Similarity,
    verdict::{Verdict, weigh},
};

/// Images darker than this on average (of 255) say nothing, as in the original program.
const DARK: f64 = 5.0;
/// A camera whose picture moves less than this, in full-resolution pixels on average, is still.
const STILL: f64 = 1.0;
/// The brightness of the patches may change by this share of their contrast.
const LIGHT: f32 = 0.06;
/// A larger standard error than this, in pixels of the image, is worth a second look.
const PRECISE: f64 = 0.03;
/// What light and noise leave unexplained of the patches' change, over the pattern's variance …
const CHANGE: f32 = 0.03;
/// … and what is no neighbour's of their change of brightness, over their contrast; half of either are as much.
const FLICKER: f32 = 0.12;
/// The fineness of their pattern may change by this factor.
const FOCUS: f32 = 0.88;

/// How points are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Method {
    /// Corners, and DIS where they are too few to be sure: the cheapest that is.
    Auto,
    /// Dense inverse search flow.
    #[serde(rename = "DIS")]
    Dis,
    /// Tracked corners; where that leaves doubt, tracked again in larger windows of images freed of what light does.
    Corners,
    /// The original program's method (feature `tvl1`).
    #[serde(rename = "DualTVL1")]
    DualTvl1,
}

/// What is known of the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It moved, as the similarity says.
    Moved,
    /// It stood still; the similarity is the small rest.
    Still,
    /// The images do not say; the similarity is a guess.
    Undetermined,
}

/// How an estimate is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How points are followed.
    pub method: Method,
}

impl Default for Settings {
    fn default() -> Self {
        Self { method: Method::Auto }
    }
}

/// A second coherent motion, such as the plume's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecondMotion {
    /// In full-resolution pixels.
    pub similarity: Similarity,
    /// Share of the picture that follows it, 0-1, borders counted double.
    pub share: f64,
}

/// The motion from one image to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// In full-resolution pixels.
    pub similarity: Similarity,
    /// False when either image is too dark.
    pub valid: bool,
    /// Whether the similarity can be trusted, and what it says.
    pub status: Status,
    /// Points that agree with the similarity.
    pub inliers: usize,
    /// Share of the 8 x 5 cells of the picture in which at least half of the points agree, 0-1.
    pub coverage: f64,
    /// Root mean square distance of the agreeing points from where they should be, in full-resolution pixels.
    pub residual: f64,
    /// A second coherent motion, where there is one.
    pub second: Option<SecondMotion>,
    /// The method that gave the answer; never `Auto`.
    pub method: Method,
    /// Why the status is undetermined; empty where it is not.
    pub reasons: Vec<Reason>,
}

/// The motion from `from` to `to`, two images of one size, `img_scale` times the full size (0.25: a quarter). The same
/// images give the same bits.
pub fn estimate(from: &Prepared, to: &Prepared, img_scale: f64, settings: &Settings) -> Result<Estimate, Error> {
    from.check()?;
    to.check()?;
    let size = |image: &Prepared| (image.grey().width, image.grey().height);
    if size(from) != size(to) {
        return Err(Error::Sizes { from: size(from), to: size(to) });
    }
    if !(img_scale > 0.0 && img_scale <= 1.0) {
        return Err(Error::Scale { scale: img_scale });
    }
    if from.mean() < DARK || to.mean() < DARK {
        let method = if settings.method == Method::Auto { Method::Corners } else { settings.method };
        return Ok(Estimate { valid: false, ..nothing(method, vec![Reason::Dark]) });
    }
    let pair = Pair { from, to, img_scale };
    match settings.method {
        Method::Corners => pair.tracked(),
        Method::Dis => Ok(pair.concluded(flow::dis(from, to)?, Method::Dis, Detail::Plain).0),
        Method::DualTvl1 => Ok(pair.concluded(flow::dual_tvl1(from, to)?, Method::DualTvl1, Detail::Plain).0),
        Method::Auto => {
            let cheap = pair.tracked()?;
            // Two motions in the picture stay two: dense flow, which fills thin spots from their neighbours, sees the
            // larger one only, and is sure of it. It helps where corners were too few.
            if cheap.status != Status::Undetermined || cheap.second.is_some() || !may_heal(&cheap.reasons) {
                return Ok(cheap);
            }
            let (dense, _) = pair.concluded(flow::dis(from, to)?, Method::Dis, Detail::Plain);
            Ok(if dense.status == Status::Undetermined { cheap } else { dense })
        }
    }
}

/// Whether another look may answer what is in doubt: what the images do not show, it will not find.
fn may_heal(reasons: &[Reason]) -> bool {
    let by_more_points = |reason: &Reason| matches!(reason, Reason::Coverage | Reason::Precision | Reason::Texture);
    reasons.contains(&Reason::Light) || reasons.iter().all(by_more_points)
}

/// Why what agrees may be no rock, or not have been followed well.
fn doubts(look: &Look) -> Vec<Reason> {
    let light = look.light > LIGHT;
    let focus = look.focus < FOCUS;
    let change = look.change / CHANGE + look.flicker / FLICKER > 1.0;
    let all = [(light, Reason::Light), (focus, Reason::Focus), (change, Reason::Change)];
    all.into_iter().filter_map(|(doubtful, reason)| doubtful.then_some(reason)).collect()
}

struct Pair<'a> {
    from: &'a Prepared,
    to: &'a Prepared,
    img_scale: f64,
}

impl Pair<'_> {
    /// By corners; a second time, in larger windows, where the first leaves a doubt that this may heal, or much scatter.
    fn tracked(&self) -> Result<Estimate, Error> {
        let follow = |detail| -> Result<(Estimate, f64), Error> {
            Ok(self.concluded(flow::corners(self.from, self.to, detail)?, Method::Corners, detail))
        };
        let (plain, error) = follow(Detail::Plain)?;
        let sure = plain.status != Status::Undetermined;
        if if sure { error <= PRECISE } else { !may_heal(&plain.reasons) } {
            return Ok(plain);
        }
        let (even, even_error) = follow(Detail::Even)?;
        let better = even.status != Status::Undetermined && (!sure || even_error < error);
        Ok(if better { even } else { plain })
    }

    /// What the points say, and its standard error in pixels of the image.
    fn concluded(&self, found: Vec<Found>, method: Method, detail: Detail) -> (Estimate, f64) {
        let (width, height) = (f64::from(self.from.grey().width), f64::from(self.from.grey().height));
        let all = found.len();
        let points = flow::without_overlays(found);
        let Verdict { first, second, mut reasons } = weigh(&points, width, height);
        if points.len() * 2 < all && !reasons.is_empty() {
            reasons.push(Reason::Overlay);
        }
        let Some(first) = first else { return (nothing(method, reasons), f64::INFINITY) };
        let agreeing = points.iter().zip(&first.agrees).filter_map(|(found, agrees)| agrees.then_some(found));
        let look = look::compare([self.from.grey(), self.to.grey()], agreeing);
        // Dense flow and evened images do without brightness.
        let lit = method == Method::Corners && detail == Detail::Plain;
        reasons.extend(doubts(&look).into_iter().filter(|reason| lit || *reason != Reason::Light));
        let error = first.standard_error(&points, width.hypot(height) / 2.0);
        let full = 1.0 / self.img_scale;
        let similarity = first.similarity.scaled(full);
        let moved = similarity.mean_displacement(width * full, height * full);
        let status = match reasons.is_empty() {
            false => Status::Undetermined,
            true if moved < STILL => Status::Still,
            true => Status::Moved,
        };
        let estimate = Estimate {
            similarity,
            valid: true,
            status,
            inliers: first.inliers(),
            coverage: first.votes.coverage(),
            residual: first.residual * full,
            second: second.map(|(similarity, share)| SecondMotion { similarity: similarity.scaled(full), share }),
            method,
            reasons,
        };
        (estimate, error)
    }
}

fn nothing(method: Method, reasons: Vec<Reason>) -> Estimate {
    Estimate {
        similarity: Similarity::IDENTITY,
        valid: true,
        status: Status::Undetermined,
        inliers: 0,
        coverage: 0.0,
        residual: 0.0,
        second: None,
        method,
        reasons,
    }
}
