//! Similarities of the plane, in the published files' convention, and how one is fitted to correspondences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Scale, rotation and shift: (x, y) goes to (s(cos t x + sin t y) + tx, s(-sin t x + cos t y) + ty).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct Similarity {
    /// Scale; above 1 the camera zooms in.
    pub s: f64,
    /// Rotation in radians.
    pub t: f64,
    /// Shift to the right, in pixels.
    pub tx: f64,
    /// Shift down, in pixels.
    pub ty: f64,
}

/// Where a point was and where it is, from the image's centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// x before, y before.
    pub from: [f64; 2],
    /// x after, y after.
    pub to: [f64; 2],
}

impl Similarity {
    /// Nothing moves.
    pub const IDENTITY: Self = Self { s: 1.0, t: 0.0, tx: 0.0, ty: 0.0 };

    /// `[s, t, tx, ty]`.
    pub fn to_array(self) -> [f64; 4] {
        [self.s, self.t, self.tx, self.ty]
    }

    /// How far the point at (x, y) moves.
    pub fn displacement(&self, x: f64, y: f64) -> [f64; 2] {
        let (sin, cos) = self.t.sin_cos();
        [self.s * (cos * x + sin * y) + self.tx - x, self.s * (-sin * x + cos * y) + self.ty - y]
    }

    /// The mean length of the displacements of the centre and the four corners of a `width` x `height` picture.
    pub fn mean_displacement(&self, width: f64, height: f64) -> f64 {
        self.mean_difference(&Self::IDENTITY, width, height)
    }

    /// How far `other` is from this, on average over centre and corners of a `width` x `height` picture.
    pub fn mean_difference(&self, other: &Self, width: f64, height: f64) -> f64 {
        let (x, y) = (width / 2.0, height / 2.0);
        let points = [(0.0, 0.0), (-x, -y), (x, -y), (-x, y), (x, y)];
        let far = points.map(|(x, y)| {
            let ([ax, ay], [bx, by]) = (self.displacement(x, y), other.displacement(x, y));
            (ax - bx).hypot(ay - by)
        });
        far.iter().sum::<f64>() / points.len() as f64
    }

    /// The same motion where a pixel is `factor` times as large.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { tx: self.tx * factor, ty: self.ty * factor, ..self }
    }

    /// The same motion as a matrix, for many points.
    pub(crate) fn matrix(&self) -> Matrix {
        let (sin, cos) = self.t.sin_cos();
        Matrix { a: self.s * cos, b: self.s * sin, tx: self.tx, ty: self.ty }
    }

    /// The weighted least squares fit; `None` where the points do not fix one. Closed form: with a = s cos t and
    /// b = s sin t the problem is linear, and separates after both centroids are taken out.
    pub(crate) fn fit(points: impl Iterator<Item = (Match, f64)> + Clone) -> Option<Self> {
        let mut sums = [0.0; 5];
        for (point, weight) in points.clone() {
            let terms = [1.0, point.from[0], point.from[1], point.to[0], point.to[1]];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * term);
        }
        let [weight, x, y, u, v] = sums;
        if weight <= 0.0 {
            return None;
        }
        let [x, y, u, v] = [x, y, u, v].map(|sum| sum / weight);
        let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
        for (point, weight) in points {
            let (px, py, qx, qy) = (point.from[0] - x, point.from[1] - y, point.to[0] - u, point.to[1] - v);
            dot += weight * (px * qx + py * qy);
            cross += weight * (py * qx - px * qy);
            spread += weight * (px * px + py * py);
        }
        if spread < 1e-9 {
            return None;
        }
        let (a, b) = (dot / spread, cross / spread);
        Some(Self { s: a.hypot(b), t: b.atan2(a), tx: u - a * x - b * y, ty: v + b * x - a * y })
    }
}

/// A similarity as (x, y) to (a x + b y + tx, -b x + a y + ty).
#[derive(Debug, Clone, Copy)]
pub struct Matrix {
    a: f64,
    b: f64,
    tx: f64,
    ty: f64,
}

impl Matrix {
    /// The square of how far `point` lands from where it should.
    pub fn miss_squared(&self, point: &Match) -> f64 {
        let ([x, y], [u, v]) = (point.from, point.to);
        let (dx, dy) = (self.a * x + self.b * y + self.tx - u, self.a * y - self.b * x + self.ty - v);
        dx * dx + dy * dy
    }

    /// For points given as columns (x and y before, x and y after): 1 where one lands within `near` of where it should, else 0.
    pub fn land_near(&self, columns: [&[f64]; 4], near: f64, agrees: &mut [u16]) {
        let count = agrees.len();
        let [x, y, u, v] = columns.map(|column| &column[..count]);
        for at in 0..count {
            let point = Match { from: [x[at], y[at]], to: [u[at], v[at]] };
            agrees[at] = u16::from(self.miss_squared(&point) <= near * near);
        }
    }
}

impl From<[f64; 4]> for Similarity {
    fn from([s, t, tx, ty]: [f64; 4]) -> Self {
        Self { s, t, tx, ty }
    }
}

impl From<Similarity> for [f64; 4] {
    fn from(similarity: Similarity) -> Self {
        similarity.to_array()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_positive_angle_turns_the_picture_counter_clockwise_on_screen() {
        let quarter = Similarity { t: std::f64::consts::FRAC_PI_2, ..Similarity::IDENTITY };
        let [dx, dy] = quarter.displacement(100.0, 0.0);
        assert!((dx + 100.0).abs() < 1e-9 && (dy + 100.0).abs() < 1e-9, "right goes up, y counts down: {dx} {dy}");
    }

    proptest! {
        #[test]
        fn a_fit_gives_back_what_made_the_points(s in 0.8..1.2, t in -0.2..0.2, tx in -50.0..50.0, ty in -50.0..50.0) {
            let truth = Similarity { s, t, tx, ty };
            let points: Vec<(Match, f64)> = [(-200.0, -90.0), (150.0, -100.0), (80.0, 120.0), (-30.0, 10.0)]
                .map(|(x, y)| {
                    let [dx, dy] = truth.displacement(x, y);
                    (Match { from: [x, y], to: [x + dx, y + dy] }, 1.0)
                })
                .into();
            let fitted = Similarity::fit(points.iter().copied()).unwrap();
            prop_assert!(fitted.mean_difference(&truth, 480.0, 270.0) < 1e-9);
        }
    }
}
