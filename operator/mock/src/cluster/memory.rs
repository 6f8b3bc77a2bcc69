//! What the job controller knows of one Job, and what it makes of a pod's end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    failures::{Verdict, verdict},
    pod,
};

/// What the job controller knows of one Job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// Indexes done.
    pub completed: BTreeSet<u32>,
    /// Indexes given up.
    pub failed: BTreeSet<u32>,
    /// Pods that succeeded, of a plain Job.
    pub succeeded: u64,
    /// Pods that failed and counted.
    pub failures: u64,
    /// Failures of each index that counted.
    pub by_index: BTreeMap<u32, u32>,
    /// When an index (0 of a plain Job) may be tried again, in seconds.
    pub not_before: BTreeMap<u32, i64>,
    /// The Job fails: reason and message.
    pub fails: Option<(&'static str, String)>,
    /// It has ended, and so have its pods.
    pub settled: bool,
}

impl Memory {
    /// Takes note of a pod that is over.
    pub(crate) fn count(&mut self, job: &Value, ended: &Value, now: i64) {
        let index = pod::index(ended).unwrap_or(0);
        let indexed = is_indexed(job);
        if pod::phase(ended) == "Succeeded" {
            self.succeeded += 1;
            if indexed && index < completions(job) {
                self.completed.insert(index);
            }
            return;
        }
        match verdict(job, ended) {
            Verdict::Ignore => return,
            Verdict::FailJob(message) => self.fail("PodFailurePolicy", message),
            Verdict::FailIndex if indexed => drop(self.failed.insert(index)),
            Verdict::FailIndex | Verdict::Count => {}
        }
        self.failures += 1;
        self.try_later(job, index, now);
    }

    fn try_later(&mut self, job: &Value, index: u32, now: i64) {
        let per_index = job["spec"]["backoffLimitPerIndex"].as_u64();
        let count = self.by_index.entry(if per_index.is_some() { index } else { 0 }).or_default();
        *count += 1;
        let (count, wait) = (*count, 10_i64 << (*count - 1).min(6));
        self.not_before.insert(index, now + wait.min(600));
        if per_index.is_some_and(|limit| u64::from(count) > limit) {
            self.failed.insert(index);
        } else if per_index.is_none() && self.failures > job["spec"]["backoffLimit"].as_u64().unwrap_or(6) {
            self.fail("BackoffLimitExceeded", "Job has reached the specified backoff limit".to_owned());
        }
    }

    /// The Job fails; the first cause is the one that is told.
    pub(crate) fn fail(&mut self, reason: &'static str, message: String) {
        self.fails.get_or_insert((reason, message));
    }

    /// Whether all that was wanted is done.
    pub(crate) fn is_done(&self, job: &Value) -> bool {
        let wanted = completions(job);
        if is_indexed(job) { self.completed.len() == wanted as usize } else { self.succeeded >= u64::from(wanted) }
    }

    /// Looks for the limits that fail a Job as a whole.
    pub(crate) fn check_limits(&mut self, job: &Value, now: i64) {
        let spec = &job["spec"];
        let started = crate::clock::seconds(&job["status"]["startTime"]);
        if spec["activeDeadlineSeconds"].as_i64().is_some_and(|limit| started > 0 && now - started >= limit) {
            self.fail("DeadlineExceeded", "Job was active longer than specified deadline".to_owned());
        }
        let failed = self.failed.len();
        if spec["maxFailedIndexes"].as_u64().is_some_and(|limit| failed as u64 > limit) {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            self.fail("MaxFailedIndexesExceeded", message.to_owned());
        }
        if is_indexed(job) && failed > 0 && failed + self.completed.len() >= completions(job) as usize {
            self.fail("FailedIndexes", "Job has failed indexes".to_owned());
        }
    }
}

/// Whether pods have indexes.
pub(crate) fn is_indexed(job: &Value) -> bool {
    job["spec"]["completionMode"] == "Indexed"
}

/// How many completions are wanted. Without a number, one success is enough.
pub(crate) fn completions(job: &Value) -> u32 {
    job["spec"]["completions"].as_u64().unwrap_or(1) as u32
}
