//! Hypotheses: similarities that a part of the picture agrees on. RANSAC (Fischler and Bolles, 1981) with the cells of
//! the picture as voters, then reweighted least squares (Tukey's biweight) on those who agree.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{
    crowd::Crowd,
    flow::Found,
    grid::Votes,
    similarity::{Match, Similarity},
};

/// A point agrees when it lands within this of where it should, in pixels of the image.
pub const AGREES: f64 = 0.6;
/// Pairs of points tried. With a third of the points right, one of nine pairs is: missing all has odds of 1e-15.
const TRIES: usize = 300;
/// The two points of a pair are at least this share of the width apart: near ones give no scale.
const APART: f64 = 0.15;
const REFITS: usize = 8;
/// Tukey's constant: 95 % efficiency on clean data.
const TUKEY: f64 = 4.685;
/// The spread of the residuals is never taken below this, in pixels: rounding of the tracker.
const LEAST_SPREAD: f64 = 0.03;

/// A motion, and who agrees with it.
#[derive(Debug, Clone)]
pub struct Hypothesis {
    /// The motion, in pixels of the image.
    pub similarity: Similarity,
    /// Per point, whether it agrees.
    pub agrees: Vec<bool>,
    /// The cells' votes.
    pub votes: Votes,
    /// Root mean square residual of the points that agree, in pixels.
    pub residual: f64,
}

impl Hypothesis {
    /// What the points say of `similarity`.
    pub fn of(similarity: Similarity, points: &[Found]) -> Self {
        let matrix = similarity.matrix();
        let squares: Vec<f64> = points.iter().map(|found| matrix.miss_squared(&found.point)).collect();
        let agrees: Vec<bool> = squares.iter().map(|square| *square <= AGREES * AGREES).collect();
        let votes = Votes::count(points.iter().zip(&agrees).map(|(found, agrees)| (found.cell, *agrees)));
        let count = agrees.iter().filter(|agrees| **agrees).count();
        let sum: f64 = squares.iter().zip(&agrees).filter_map(|(square, agrees)| agrees.then_some(square)).sum();
        let residual = (sum / count.max(1) as f64).sqrt();
        Self { similarity, agrees, votes, residual }
    }

    /// Points that agree.
    pub fn inliers(&self) -> usize {
        self.agrees.iter().filter(|agrees| **agrees).count()
    }

    /// Fitted anew to those who agree, until they no longer change.
    #[must_use]
    pub fn refined(self, points: &[Found]) -> Self {
        let mut best = self;
        for _ in 0..REFITS {
            let (matrix, reach) = (best.similarity.matrix(), (TUKEY * best.spread(points)).powi(2));
            let weigh = |found: &Found| {
                let share = matrix.miss_squared(&found.point) / reach;
                (found.point, if share < 1.0 { (1.0 - share).powi(2) } else { 0.0 })
            };
            let Some(similarity) = Similarity::fit(points.iter().map(weigh)) else { return best };
            let step = similarity.mean_difference(&best.similarity, 480.0, 270.0);
            let next = Self::of(similarity, points);
            if next.inliers() < 4 {
                return best;
            }
            best = next;
            if step < 1e-4 {
                break;
            }
        }
        best
    }

    /// The standard error the noise of the agreeing points leaves in the motion, in pixels: of the displacement at a
    /// corner of the picture, `reach` from its centre. From the covariance of the least squares fit.
    pub fn standard_error(&self, points: &[Found], reach: f64) -> f64 {
        let agreeing = points.iter().zip(&self.agrees).filter_map(|(found, agrees)| agrees.then_some(found.point.from));
        let spread: f64 = agreeing.map(|[x, y]| x * x + y * y).sum();
        let leverage = 1.0 / self.inliers().max(1) as f64 + reach * reach / spread.max(1e-9);
        self.residual * leverage.sqrt()
    }

    /// A robust standard deviation of the agreeing points' residuals (median absolute deviation, two dimensions).
    fn spread(&self, points: &[Found]) -> f64 {
        let matrix = self.similarity.matrix();
        let of = |(found, agrees): (&Found, &bool)| agrees.then(|| matrix.miss_squared(&found.point));
        let mut squares: Vec<f64> = points.iter().zip(&self.agrees).filter_map(of).collect();
        squares.sort_by(f64::total_cmp);
        let median = squares.get(squares.len() / 2).copied().unwrap_or(AGREES * AGREES).sqrt();
        // The median length of a two-dimensional normal error is 1.1774 standard deviations.
        (median / 1.1774).max(LEAST_SPREAD)
    }
}

/// The motion most of the picture agrees on, refined. `None` with too few points. The same points give the same answer.
pub fn strongest(points: &[Found], width: f64) -> Option<Hypothesis> {
    if points.len() < 4 {
        return None;
    }
    let mut random = Pcg64Mcg::seed_from_u64(0x05ea_f100);
    let (mut crowd, mut best) = (Crowd::new(points), None::<(f64, Similarity)>);
    for _ in 0..TRIES {
        let pair = [0; 2].map(|_| points[random.random_range(0..points.len())].point);
        let Some(similarity) = from_pair(&pair, width) else { continue };
        let score = crowd.votes(&similarity.matrix(), AGREES).score();
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, similarity));
        }
    }
    let (_, similarity) = best?;
    Some(Hypothesis::of(similarity, points).refined(points))
}

/// The similarity two points fix, unless no camera moves so between two frames.
fn from_pair(pair: &[Match; 2], width: f64) -> Option<Similarity> {
    let [[ax, ay], [bx, by]] = [pair[0].from, pair[1].from];
    if (ax - bx).hypot(ay - by) < APART * width {
        return None;
    }
    let similarity = Similarity::fit(pair.iter().map(|point| (*point, 1.0)))?;
    let possible = (0.7..1.4).contains(&similarity.s) && similarity.t.abs() < 0.2;
    possible.then_some(similarity)
}
