//! Answers against the truth, counted.

use motion::{Similarity, Status};

use super::cases::{Case, Class};

/// Full-resolution pixels: an answer that is further off than this, and sure, is wrong.
pub const WRONG: f64 = 1.0;

/// What became of the pairs of a condition.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Distance from the truth of every answer that is sure, full-resolution pixels.
    pub errors: Vec<f64>,
    pub pairs: usize,
    pub undetermined: usize,
    pub wrong: usize,
    pub milliseconds: f64,
}

impl Tally {
    /// Counts one answer; says whether it was sure and wrong.
    pub fn count(&mut self, case: &Case, class: Class, similarity: &Similarity, status: Status, took: f64) -> bool {
        self.pairs += 1;
        self.milliseconds += took;
        if status == Status::Undetermined {
            self.undetermined += 1;
            return false;
        }
        let truth = &case.scene.motion;
        let error = similarity.mean_difference(truth, 1920.0, 1080.0);
        self.errors.push(error);
        let still = truth.mean_displacement(1920.0, 1080.0) < 1.0;
        let wrong = class == Class::Blind || error > WRONG || (status == Status::Still) != still;
        self.wrong += usize::from(wrong);
        wrong
    }

    pub fn add(&mut self, other: &Self) {
        self.errors.extend(&other.errors);
        self.pairs += other.pairs;
        self.undetermined += other.undetermined;
        self.wrong += other.wrong;
        self.milliseconds += other.milliseconds;
    }

    /// The error that a share of the sure answers stays within; `None` without any.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.errors.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (share * sorted.len() as f64).ceil().max(1.0) as usize - 1;
        sorted.get(at).copied()
    }

    pub fn undetermined_share(&self) -> f64 {
        self.undetermined as f64 / self.pairs.max(1) as f64
    }
}
