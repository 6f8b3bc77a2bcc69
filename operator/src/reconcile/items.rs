//! How many movies are in which state: derived afresh from the work Jobs' index lists and from what pods said at their
//! end, never added up over time.
//!
//! An index that completed may still hold movies that failed: its pod's message says so. While pods are there the counts
//! are exact; where a pod is gone (its node died after it ended) its failures count as done until the collect pod, which
//! reads the output, tells the truth.

use std::{collections::HashMap, sync::Arc};

use analysisjob::status::{FailureSample, ItemsStatus, MAX_FAILURE_SAMPLES};

use super::{
    facts::JobFacts,
    pods::{Message, PlanCounts, PodFacts},
    policy::indexes::Indexes,
    run::is_of,
};

/// Movies by state, some failures, and the workers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Movies by state; they add up to the total.
    pub items: ItemsStatus,
    /// Some of the failures.
    pub samples: Vec<FailureSample>,
    /// Where all failures are listed, below the output.
    pub report: Option<String>,
    /// Worker pods pending or running.
    pub active: u32,
    /// Worker pods ready.
    pub ready: u32,
    /// Open indexes of each work Job, in the order of shards.
    pub open: Vec<u32>,
}

impl Progress {
    /// Says how many workers there are, where they are not the pods of the work Jobs: each holds one movie.
    pub fn have_workers(&mut self, active: u32, ready: u32) {
        let left = self.items.active + self.items.pending;
        self.items.active = active.min(left);
        self.items.pending = left - self.items.active;
        (self.active, self.ready) = (active, ready);
    }
}

pub use analysisjob::labels::FIRST_INDEX;

/// The first index of the run that `job` does.
pub fn first_index(job: &JobFacts) -> u32 {
    let annotations = job.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(FIRST_INDEX)).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Counts the run's movies. `truth` is what the collect pod says of the whole run.
pub fn progress(plan: &PlanCounts, work: &[&JobFacts], pods: &[Arc<PodFacts>], truth: Option<&Message>) -> Progress {
    let mut progress = Progress::default();
    let mut tally = Tally::default();
    for job in work {
        let count = IndexCounts::of(plan, job, pods);
        tally.succeeded += count.succeeded;
        tally.failed += count.failed;
        progress.samples.extend(count.samples);
        progress.open.push(count.open);
        let status = job.status.as_ref();
        progress.active += unsigned(status.and_then(|status| status.active));
        progress.ready += unsigned(status.and_then(|status| status.ready));
    }
    if let Some(message) = truth {
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        tally =
            Tally { succeeded: small(message.summary.items.succeeded), failed: small(message.summary.items.failed) };
        progress.samples = samples(message);
        progress.report.clone_from(&message.report);
    }
    progress.samples.truncate(MAX_FAILURE_SAMPLES);
    progress.items = tally.items(plan, progress.active);
    progress
}

#[derive(Default)]
struct Tally {
    succeeded: u32,
    failed: u32,
}

impl Tally {
    fn items(&self, plan: &PlanCounts, active_pods: u32) -> ItemsStatus {
        let succeeded = self.succeeded.min(plan.selected);
        let failed = self.failed.min(plan.selected - succeeded);
        let left = plan.selected - succeeded - failed;
        // A worker holds one movie at a time, whatever the size of its index.
        let active = active_pods.min(left);
        ItemsStatus {
            total: plan.discovered.max(plan.selected),
            up_to_date: plan.discovered.saturating_sub(plan.selected),
            succeeded,
            active,
            pending: left - active,
            failed,
        }
    }
}

/// What one work Job says of its indexes.
struct IndexCounts {
    succeeded: u32,
    failed: u32,
    open: u32,
    samples: Vec<FailureSample>,
}

impl IndexCounts {
    fn of(plan: &PlanCounts, job: &JobFacts, pods: &[Arc<PodFacts>]) -> Self {
        let status = job.status.clone().unwrap_or_default();
        let completed = Indexes::parse(status.completed_indexes.as_deref().unwrap_or_default());
        let failed = Indexes::parse(status.failed_indexes.as_deref().unwrap_or_default());
        let first = first_index(job);
        let completions = job.spec.as_ref().and_then(|spec| spec.completions).map_or(0, |count| unsigned(Some(count)));
        let messages = last_messages(job, pods);
        let mut counts = Self {
            succeeded: 0,
            failed: 0,
            open: completions.saturating_sub(completed.count() + failed.count()),
            samples: Vec::new(),
        };
        let sizes = |index: u32| items_of(plan, first + index);
        counts.succeeded = items_between(plan, first, completions, &completed);
        for (index, message) in &messages {
            let small = u32::try_from(message.summary.items.failed).unwrap_or(u32::MAX);
            if completed.contains(*index) {
                let failures = small.min(sizes(*index)).min(counts.succeeded);
                counts.succeeded -= failures;
                counts.failed += failures;
                counts.samples.extend(samples(message));
            } else if failed.contains(*index) {
                counts.samples.extend(samples(message));
            }
        }
        // An index that failed as a whole: what its last pod finished is done, the rest has failed.
        for index in failed.iter().take_while(|index| *index < completions) {
            let done = messages.get(&index).map_or(0, |message| {
                let items = message.summary.items;
                u32::try_from(items.succeeded + items.up_to_date).unwrap_or(u32::MAX).min(sizes(index))
            });
            counts.succeeded += done;
            counts.failed += sizes(index) - done;
        }
        counts
    }
}

/// How many movies index `index` of the run has; the last may have fewer.
fn items_of(plan: &PlanCounts, index: u32) -> u32 {
    let before = u64::from(plan.items_per_index) * u64::from(index);
    let left = u64::from(plan.selected).saturating_sub(before);
    u32::try_from(left.min(plan.items_per_index.into())).unwrap_or(u32::MAX)
}

/// How many movies the completed indexes of a Job hold: all full but perhaps the run's last.
fn items_between(plan: &PlanCounts, first: u32, completions: u32, completed: &Indexes) -> u32 {
    let full = completed.count().saturating_mul(plan.items_per_index);
    let last = completions.saturating_sub(1);
    let missing = if completed.contains(last) { plan.items_per_index - items_of(plan, first + last) } else { 0 };
    full.saturating_sub(missing)
}

/// The last message of each index's pods.
fn last_messages(job: &JobFacts, pods: &[Arc<PodFacts>]) -> HashMap<u32, Message> {
    let mut ended: Vec<&PodFacts> =
        pods.iter().map(AsRef::as_ref).filter(|pod| pod.has_ended() && is_of(pod, job)).collect();
    ended.sort_by_key(|pod| pod.terminated().and_then(|end| end.finished_at.clone()));
    ended.into_iter().filter_map(|pod| Some((pod.index()?, pod.message()?))).collect()
}

fn samples(message: &Message) -> Vec<FailureSample> {
    let sample = |failure: &plan::Failure| FailureSample {
        item: failure.item.clone(),
        reason: failure.reason.clone(),
        message: failure.message.clone(),
    };
    message.summary.failures.iter().map(sample).collect()
}

fn unsigned(count: Option<i32>) -> u32 {
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(selected: u32, per_index: u32) -> PlanCounts {
        let indexes = selected.div_ceil(per_index);
        PlanCounts {
            discovered: selected + 12,
            up_to_date: 12,
            selected,
            indexes,
            items_per_index: per_index,
            ..PlanCounts::default()
        }
    }

    fn job(completions: u32, completed: &str, failed: &str, active: i32) -> JobFacts {
        serde_json::from_value(json!({
            "metadata": {"uid": "j"},
            "spec": {"completions": completions, "template": {}},
            "status": {"completedIndexes": completed, "failedIndexes": failed, "active": active},
        }))
        .unwrap()
    }

    fn pod(index: u32, phase: &str, message: &serde_json::Value) -> Arc<PodFacts> {
        let pod = json!({
            "metadata": {
                "labels": {"batch.kubernetes.io/job-completion-index": index.to_string()},
                "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": "j"}],
            },
            "status": {"phase": phase, "containerStatuses": [{"state": {"terminated": {"exitCode": 0, "message": message.to_string()}}}]},
        });
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    fn numbers(progress: &Progress) -> [u32; 6] {
        let ItemsStatus { total, up_to_date, succeeded, active, pending, failed } = progress.items;
        [total, up_to_date, succeeded, active, pending, failed]
    }

    #[test]
    fn indexes_are_movies_and_the_last_index_may_be_short() {
        let plan = plan(10, 4);
        assert_eq!(numbers(&progress(&plan, &[&job(3, "0", "", 2)], &[], None)), [22, 12, 4, 2, 4, 0]);
        assert_eq!(numbers(&progress(&plan, &[&job(3, "0,2", "", 1)], &[], None)), [22, 12, 6, 1, 3, 0]);
        assert_eq!(numbers(&progress(&plan, &[&job(3, "0-2", "", 0)], &[], None)), [22, 12, 10, 0, 0, 0]);
    }

    #[test]
    fn a_failed_index_costs_only_what_its_last_pod_did_not_finish() {
        let plan = plan(8, 4);
        assert_eq!(numbers(&progress(&plan, &[&job(2, "0", "1", 0)], &[], None)), [20, 12, 4, 0, 0, 4]);
        let said = pod(1, "Failed", &json!({"items": {"total": 4, "upToDate": 1, "succeeded": 2, "failed": 1}}));
        assert_eq!(numbers(&progress(&plan, &[&job(2, "0", "1", 0)], &[said], None)), [20, 12, 7, 0, 0, 1]);
    }

    #[test]
    fn a_completed_index_tells_its_failed_movies() {
        let failure = json!({"item": "A/X.mov", "reason": "DecodeError", "attempts": 3, "message": "no"});
        let message = json!({"items": {"total": 4, "upToDate": 0, "succeeded": 3, "failed": 1}, "failures": [failure]});
        let progress = progress(&plan(8, 4), &[&job(2, "0", "", 1)], &[pod(0, "Succeeded", &message)], None);
        assert_eq!(numbers(&progress), [20, 12, 3, 1, 3, 1]);
        assert_eq!(progress.samples.len(), 1);
    }

    #[test]
    fn the_collect_pod_tells_the_truth() {
        let truth = json!({"items": {"total": 20, "upToDate": 12, "succeeded": 6, "failed": 2}, "report": ".analysis/1-a/failures.jsonl"});
        let truth: Message = serde_json::from_value(truth).unwrap();
        let progress = progress(&plan(8, 4), &[&job(2, "0-1", "", 0)], &[], Some(&truth));
        assert_eq!(numbers(&progress), [20, 12, 6, 0, 0, 2]);
        assert_eq!(progress.report.as_deref(), Some(".analysis/1-a/failures.jsonl"));
    }

    #[test]
    fn shards_add_up() {
        let plan = plan(10_005, 1);
        let mut second = job(5, "0-1", "", 1);
        second.metadata.annotations = Some([(FIRST_INDEX.to_owned(), "10000".to_owned())].into());
        let progress = progress(&plan, &[&job(10_000, "0-9999", "", 0), &second], &[], None);
        assert_eq!(numbers(&progress), [10_017, 12, 10_002, 1, 2, 0]);
        assert_eq!(progress.open, [0, 3]);
    }
}
