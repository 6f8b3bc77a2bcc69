//! What reconciles share: the stores, the door, the clock, the pace, the metrics.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use analysisjob::AnalysisJob;
use jiff::Timestamp;
use kube::{Client, ResourceExt};

use crate::{
    lease::Leadership,
    metrics::Metrics,
    reconcile::{COUNTS_EVERY, apply::Writer, events::Events, validate::Images},
    stores::Stores,
};

/// The clock: a test gives its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything a reconcile needs besides the AnalysisJob.
pub struct Context {
    /// What the watches saw last.
    pub stores: Stores,
    /// The door for writes.
    pub writer: Writer,
    /// Tells events.
    pub events: Events,
    /// Whether this process leads.
    pub leadership: Leadership,
    /// The release's images.
    pub images: Images,
    /// What is counted.
    pub metrics: Metrics,
    /// Which status was written when.
    pub pace: Pace,
    /// How often reconciles failed in a row.
    pub attempts: Attempts,
    /// The time.
    pub clock: Clock,
}

impl Context {
    /// A context of process `instance` over `client`.
    pub fn new(
        client: Client,
        stores: Stores,
        leadership: Leadership,
        images: Images,
        metrics: Metrics,
        instance: String,
    ) -> Self {
        Self {
            stores,
            writer: Writer::new(client.clone(), leadership.clone()),
            events: Events::new(client, instance),
            leadership,
            images,
            metrics,
            pace: Pace::default(),
            attempts: Attempts::default(),
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// When statuses were written last, so that counts that move all the time are written at most every 10 s. A restarted
/// process starts anew: it may write once more.
#[derive(Debug, Default)]
pub struct Pace {
    written: Mutex<HashMap<String, Timestamp>>,
}

impl Pace {
    /// How long the counts of `job` have to wait; none when they may be written.
    pub fn wait(&self, job: &AnalysisJob, now: Timestamp) -> Option<Duration> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let since = Duration::try_from(written.get(&job.uid()?)?.duration_until(now)).unwrap_or_default();
        COUNTS_EVERY.checked_sub(since).filter(|left| !left.is_zero())
    }

    /// The status of `job` was written.
    pub fn written(&self, job: &AnalysisJob, now: Timestamp) {
        if let Some(uid) = job.uid() {
            self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(uid, now);
        }
    }

    /// Forgets AnalysisJobs that are gone.
    pub fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| is_there(uid));
    }
}

/// How often a reconcile failed in a row, for the wait before the next try.
#[derive(Debug, Default)]
pub struct Attempts {
    failed: Mutex<HashMap<String, u32>>,
}

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_mins(5);

impl Attempts {
    /// A reconcile of `name` failed: how long to wait before the next.
    pub fn next(&self, name: &str) -> Duration {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failed.entry(name.to_owned()).or_default();
        *count = count.saturating_add(1);
        FIRST_WAIT.saturating_mul(2_u32.saturating_pow(*count - 1)).min(LONGEST_WAIT)
    }

    /// How often in a row a reconcile of `name` failed.
    pub fn so_far(&self, name: &str) -> u32 {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or(0)
    }

    /// A reconcile of `name` went well.
    pub fn forget(&self, name: &str) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_until_something_goes_well() {
        let attempts = Attempts::default();
        let waits: Vec<u64> = (0..4).map(|_| attempts.next("a").as_millis() as u64).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000]);
        for _ in 0..40 {
            attempts.next("a");
        }
        assert_eq!(attempts.next("a"), LONGEST_WAIT);
        attempts.forget("a");
        assert_eq!(attempts.next("a"), FIRST_WAIT);
    }
}
