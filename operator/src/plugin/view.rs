//! What an AnalysisJob's status means at a time: the numbers all commands show. Pure: a job and `now` go in.

use analysisjob::{
    AnalysisJob, AnalysisJobStatus, conditions, reasons,
    status::{ItemsStatus, WorkersStatus},
};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use serde::Serialize;

/// Shorter than this, a run says nothing yet about its rate.
const SETTLING_SECONDS: i64 = 60;

/// Where a job stands, in one word for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Neither at its end nor stuck; also suspended, or not seen by an operator yet.
    UnderWay,
    /// The run has ended well; a standing job waits for its next scan.
    Complete,
    /// The run has failed.
    Failed,
    /// Nothing goes on until someone acts.
    Stalled,
}

/// A job at a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// The job's namespace.
    pub namespace: String,
    /// The job's name.
    pub name: String,
    /// The STATUS column: the reason of Ready; `New` before an operator has seen the job.
    pub state: String,
    /// Where it stands.
    pub outcome: Outcome,
    /// Movies by state; all zero before the plan.
    pub items: ItemsStatus,
    /// Movies done (up to date or succeeded) of all, in percent, rounded down; none before the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// Movies ended (well or not) per hour since the run's start; none in its first minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_per_hour: Option<f64>,
    /// Seconds until the run is expected to end; none when it has ended or nothing can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<i64>,
    /// The worker pods.
    pub workers: WorkersStatus,
    /// The frame cache, such as `3/3`; empty where there is none yet.
    pub cache: String,
}

impl View {
    /// The job as it is at `now`.
    pub fn new(job: &AnalysisJob, now: Timestamp) -> Self {
        let none = AnalysisJobStatus::default();
        let status = job.status.as_ref().unwrap_or(&none);
        let (items, outcome) = (status.items.clone().unwrap_or_default(), outcome(job));
        let items_per_hour = items_per_hour(status, &items, now);
        Self {
            namespace: job.metadata.namespace.clone().unwrap_or_default(),
            name: job.metadata.name.clone().unwrap_or_default(),
            state: condition(status, conditions::READY).map_or_else(|| "New".to_owned(), |ready| ready.reason.clone()),
            outcome,
            percent: (u64::from(done(&items)) * 100).checked_div(u64::from(items.total)).map(|share| share as u32),
            eta_seconds: (outcome == Outcome::UnderWay).then(|| eta(status, &items, items_per_hour, now)).flatten(),
            items_per_hour,
            items,
            workers: status.workers.clone().unwrap_or_default(),
            cache: status.cache.as_ref().map(cache).unwrap_or_default(),
        }
    }

    /// Movies done: up to date or succeeded.
    pub fn done(&self) -> u32 {
        done(&self.items)
    }
}

/// The condition of this type, whatever its status.
pub fn condition<'a>(status: &'a AnalysisJobStatus, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.type_ == kind)
}

/// The condition of this type when it is True.
pub fn is_true<'a>(status: &'a AnalysisJobStatus, kind: &str) -> Option<&'a Condition> {
    condition(status, kind).filter(|condition| condition.status == "True")
}

/// Where the job stands. A status of an older generation says nothing about the spec as it is now.
pub fn outcome(job: &AnalysisJob) -> Outcome {
    let Some(status) = job.status.as_ref().filter(|status| status.observed_generation == job.metadata.generation)
    else {
        return Outcome::UnderWay;
    };
    let at_rest = condition(status, conditions::READY)
        .is_some_and(|ready| [reasons::WAITING, reasons::DRY_RUN, reasons::COMPLETE].contains(&ready.reason.as_str()));
    if is_true(status, conditions::FAILED).is_some() {
        Outcome::Failed
    } else if is_true(status, conditions::STALLED).is_some() {
        Outcome::Stalled
    } else if is_true(status, conditions::COMPLETE).is_some() || at_rest {
        Outcome::Complete
    } else {
        Outcome::UnderWay
    }
}

/// When the run began.
pub fn started(status: &AnalysisJobStatus) -> Option<Timestamp> {
    let run = status.run.as_ref().and_then(|run| run.start_time.as_ref());
    run.or(status.start_time.as_ref()).map(|Time(time)| *time)
}

/// Whole seconds from `from` to `to`; negative when `to` is earlier.
pub fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

fn done(items: &ItemsStatus) -> u32 {
    items.up_to_date.saturating_add(items.succeeded)
}

fn items_per_hour(status: &AnalysisJobStatus, items: &ItemsStatus, now: Timestamp) -> Option<f64> {
    let end = status.completion_time.as_ref().map_or(now, |Time(time)| *time);
    let elapsed = seconds(started(status)?, end);
    let ended = f64::from(items.succeeded) + f64::from(items.failed);
    (elapsed >= SETTLING_SECONDS && ended > 0.0).then(|| ended * 3600.0 / elapsed as f64)
}

/// The operator's own estimate where it gives one that has not passed; else what is left at this rate.
fn eta(status: &AnalysisJobStatus, items: &ItemsStatus, per_hour: Option<f64>, now: Timestamp) -> Option<i64> {
    let left = f64::from(items.active) + f64::from(items.pending);
    let said = status.estimated_completion_time.as_ref().map(|Time(time)| seconds(now, *time)).filter(|left| *left > 0);
    let at_rate = || per_hour.filter(|_| left > 0.0).map(|rate| (left * 3600.0 / rate) as i64);
    said.or_else(at_rate)
}

fn cache(cache: &analysisjob::status::CacheStatus) -> String {
    cache.summary.clone().unwrap_or_else(|| format!("{}/{}", cache.ready, cache.desired))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{at, job, job_with};
    use serde_json::json;

    #[test]
    fn a_run_under_way_has_rate_and_time_left() {
        let view = View::new(&job(), at("2026-01-01T12:00:00Z"));
        let expected = json!({
            "namespace": "science", "name": "ashes-2018", "state": "Running", "outcome": "underWay",
            "items": {"total": 248, "upToDate": 12, "succeeded": 143, "active": 60, "pending": 32, "failed": 1},
            "percent": 62, "itemsPerHour": 72.0, "etaSeconds": 4600,
            "workers": {"desired": 92, "active": 60, "ready": 58}, "cache": "3/3",
        });
        assert_eq!(serde_json::to_value(view).unwrap(), expected);
    }

    #[test]
    fn a_job_no_operator_has_seen_is_new_and_under_way() {
        let view = View::new(&AnalysisJob { status: None, ..job() }, at("2026-01-01T12:00:00Z"));
        assert_eq!(
            (view.state.as_str(), view.outcome, view.percent, view.eta_seconds),
            ("New", Outcome::UnderWay, None, None)
        );
    }

    #[test]
    fn the_operators_estimate_goes_before_our_own_until_it_has_passed() {
        let job = job_with(|status| status["estimatedCompletionTime"] = json!("2026-01-01T13:00:00Z"));
        assert_eq!(View::new(&job, at("2026-01-01T12:00:00Z")).eta_seconds, Some(3600));
        let late = View::new(&job, at("2026-01-01T14:00:00Z"));
        assert_eq!(late.eta_seconds, Some(9200), "92 movies at 36 an hour");
    }

    #[test]
    fn the_first_minute_has_no_rate() {
        let view = View::new(&job(), at("2026-01-01T10:00:59Z"));
        assert_eq!((view.items_per_hour, view.eta_seconds), (None, None));
    }

    #[test]
    fn each_end_is_told_from_the_others() {
        let after = |condition: &str, reason: &str| {
            outcome(&job_with(|status| {
                let list = status["conditions"].as_array_mut().unwrap();
                list.push(json!({"type": condition, "status": "True", "reason": reason, "message": "",
                                 "lastTransitionTime": "2026-01-01T12:00:00Z"}));
            }))
        };
        assert_eq!(after("Complete", "Complete"), Outcome::Complete);
        assert_eq!(after("Failed", "TooManyFailedItems"), Outcome::Failed);
        assert_eq!(after("Stalled", "InvalidGlob"), Outcome::Stalled);
        assert_eq!(after("Suspended", "Suspended"), Outcome::UnderWay);
    }

    #[test]
    fn a_standing_job_between_runs_is_complete() {
        let waiting = job_with(|status| status["conditions"][0]["reason"] = json!("Waiting"));
        assert_eq!(outcome(&waiting), Outcome::Complete);
    }

    #[test]
    fn a_status_of_an_older_generation_says_nothing() {
        let mut job = job_with(|status| status["conditions"][0]["reason"] = json!("Complete"));
        job.metadata.generation = Some(5);
        assert_eq!(outcome(&job), Outcome::UnderWay);
    }
}
