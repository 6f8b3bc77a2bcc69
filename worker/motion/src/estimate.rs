//! The motion between two images, with what speaks for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Prepared,
    flow::{self, Found},
    similarity::Similarity,
    verdict::{Verdict, weigh},
};

/// Images darker than this on average (of 255) say nothing, as in the original program.
const DARK: f64 = 5.0;
/// A camera whose picture moves less than this, in full-resolution pixels on average, is still.
const STILL: f64 = 1.0;

/// How points are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Method {
    /// Corners, and DIS where they are too few to be sure.
    Auto,
    /// Dense inverse search flow.
    #[serde(rename = "DIS")]
    Dis,
    /// Tracked corners.
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
        return Ok(nothing(method, false));
    }
    let conclude = |points: &[Found], method| concluded(points, from, img_scale, method);
    match settings.method {
        Method::Corners => Ok(conclude(&flow::corners(from, to)?, Method::Corners)),
        Method::Dis => Ok(conclude(&flow::dis(from, to)?, Method::Dis)),
        Method::DualTvl1 => Ok(conclude(&flow::dual_tvl1(from, to)?, Method::DualTvl1)),
        Method::Auto => {
            let cheap = conclude(&flow::corners(from, to)?, Method::Corners);
            // Two motions in the picture stay two: dense flow, which fills thin spots from their neighbours, sees the
            // larger one only, and is sure of it. It helps where corners were too few.
            if cheap.status != Status::Undetermined || cheap.second.is_some() {
                return Ok(cheap);
            }
            let dense = conclude(&flow::dis(from, to)?, Method::Dis);
            Ok(if dense.status == Status::Undetermined { cheap } else { dense })
        }
    }
}

fn concluded(points: &[Found], image: &Prepared, img_scale: f64, method: Method) -> Estimate {
    let (width, height) = (f64::from(image.grey().width), f64::from(image.grey().height));
    let Verdict { first, second, sure } = weigh(points, width, height);
    let Some(first) = first else { return nothing(method, true) };
    let full = 1.0 / img_scale;
    let similarity = first.similarity.scaled(full);
    let moved = similarity.mean_displacement(width * full, height * full);
    let status = match sure {
        false => Status::Undetermined,
        true if moved < STILL => Status::Still,
        true => Status::Moved,
    };
    Estimate {
        similarity,
        valid: true,
        status,
        inliers: first.inliers(),
        coverage: first.votes.coverage(),
        residual: first.residual * full,
        second: second.map(|(similarity, share)| SecondMotion { similarity: similarity.scaled(full), share }),
        method,
    }
}

fn nothing(method: Method, valid: bool) -> Estimate {
    Estimate {
        similarity: Similarity::IDENTITY,
        valid,
        status: Status::Undetermined,
        inliers: 0,
        coverage: 0.0,
        residual: 0.0,
        second: None,
        method,
    }
}
