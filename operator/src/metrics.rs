//! What the operator counts, and `/metrics` in the `OpenMetrics` text format. [`TABLE`] is the documentation: the
//! reference is generated from it, and a test holds that it and the registry name the same metrics.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use analysisjob::{AnalysisJob, AnalysisJobStatus, conditions};
use jiff::Timestamp;
use kube::ResourceExt;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};

/// Name, type, labels and meaning of every metric.
pub const TABLE: &[(&str, &str, &str, &str)] = &[
    (
        "analysis_operator_reconciles",
        "counter",
        "result, reason",
        "Reconciles: result is ok or error, reason names the step that failed",
    ),
    ("analysis_operator_reconcile_duration_seconds", "histogram", "", "How long a reconcile takes, writes included"),
    ("analysis_operator_queue_depth", "gauge", "", "Reconciles under way or waiting for their turn"),
    (
        "analysis_operator_api_requests",
        "counter",
        "verb, kind, code",
        "Requests to the API server, by answer; code 0 when there was none",
    ),
    ("analysis_operator_leader", "gauge", "", "1 while this process leads, else 0"),
    (
        "analysis_operator_undecodable_objects",
        "gauge",
        "kind",
        "Watched objects that cannot be decoded and are left alone",
    ),
    ("analysis_operator_build", "info", "version", "1; the release is in the label"),
    ("analysis_jobs", "gauge", "namespace, status", "AnalysisJobs by the reason of Ready, the STATUS column"),
    (
        "analysis_items",
        "gauge",
        "namespace, name, state",
        "Movies of the run by state: upToDate, succeeded, active, pending, failed",
    ),
    ("analysis_job_stalled", "gauge", "namespace, name, reason", "1 while Stalled is True"),
    ("analysis_job_failed", "gauge", "namespace, name, reason", "1 while Failed is True"),
    (
        "analysis_job_next_scan_timestamp_seconds",
        "gauge",
        "namespace, name",
        "When a standing job looks for new movies next",
    ),
    (
        "analysis_job_last_progress_timestamp_seconds",
        "gauge",
        "namespace, name",
        "When movies were last done, or given up; only while workers compute",
    ),
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    verb: String,
    kind: String,
    code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabels {
    namespace: String,
    status: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JobLabels {
    namespace: String,
    name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    namespace: String,
    name: String,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReasonLabels {
    namespace: String,
    name: String,
    reason: String,
}

type FloatGauge = Gauge<f64, AtomicU64>;

/// The counters. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ResultLabels, Counter>,
    duration: Histogram,
    queue: Gauge,
    requests: Family<RequestLabels, Counter>,
    leader: Gauge,
    undecodable: Family<KindLabels, Gauge>,
    jobs: Family<StatusLabels, Gauge>,
    items: Family<StateLabels, Gauge>,
    stalled: Family<ReasonLabels, Gauge>,
    failed: Family<ReasonLabels, Gauge>,
    next_scan: Family<JobLabels, FloatGauge>,
    last_progress: Family<JobLabels, FloatGauge>,
    seen: Arc<Mutex<HashMap<JobKey, Seen>>>,
}

type JobKey = (String, String);

/// What was said of a job last, so that it can be taken back.
#[derive(Clone, Debug, Default)]
struct Seen {
    status: String,
    stalled: Option<String>,
    failed: Option<String>,
    done: u32,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let help = |name: &str| TABLE.iter().find(|row| row.0 == name).map_or("", |row| row.3);
        macro_rules! register {
            ($name:literal, $metric:expr) => {{
                let metric = $metric;
                registry.register($name, help($name), metric.clone());
                metric
            }};
        }
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("analysis_operator_build", help("analysis_operator_build"), build);
        Self {
            reconciles: register!("analysis_operator_reconciles", Family::default()),
            duration: register!(
                "analysis_operator_reconcile_duration_seconds",
                Histogram::new(exponential_buckets(0.001, 2.0, 14))
            ),
            queue: register!("analysis_operator_queue_depth", Gauge::default()),
            requests: register!("analysis_operator_api_requests", Family::default()),
            leader: register!("analysis_operator_leader", Gauge::default()),
            undecodable: register!("analysis_operator_undecodable_objects", Family::default()),
            jobs: register!("analysis_jobs", Family::default()),
            items: register!("analysis_items", Family::default()),
            stalled: register!("analysis_job_stalled", Family::default()),
            failed: register!("analysis_job_failed", Family::default()),
            next_scan: register!("analysis_job_next_scan_timestamp_seconds", Family::default()),
            last_progress: register!("analysis_job_last_progress_timestamp_seconds", Family::default()),
            seen: Arc::default(),
            registry: Arc::new(registry),
        }
    }

    /// All metrics as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// A reconcile begins.
    pub fn begin(&self) {
        self.queue.inc();
    }

    /// A reconcile has ended; `error` is its reason when it failed.
    pub fn end(&self, error: Option<&'static str>, seconds: f64) {
        self.queue.dec();
        self.duration.observe(seconds);
        let (result, reason) = error.map_or(("ok", ""), |reason| ("error", reason));
        self.reconciles.get_or_create(&ResultLabels { result, reason }).inc();
    }

    /// A request to the API server was answered, or (code 0) was not.
    pub fn request(&self, verb: &str, kind: &str, code: u16) {
        let labels = RequestLabels { verb: verb.to_owned(), kind: kind.to_owned(), code: code.to_string() };
        self.requests.get_or_create(&labels).inc();
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// How many watched objects of `kind` cannot be decoded.
    pub fn undecodable(&self, kind: &'static str, count: usize) {
        self.undecodable.get_or_create(&KindLabels { kind }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// What the status of a job says.
    pub fn observe_job(&self, job: &AnalysisJob, status: &AnalysisJobStatus, now: Timestamp) {
        let key = (job.namespace().unwrap_or_default(), job.name_any());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.get(&key).cloned();
        let after = Seen {
            status: crate::reconcile::status::ready_reason(status).to_owned(),
            stalled: reason_of(status, conditions::STALLED),
            failed: reason_of(status, conditions::FAILED),
            done: status.items.as_ref().map_or(0, |items| items.succeeded + items.failed),
        };
        self.move_gauges(&key, before.as_ref(), Some(&after));
        self.set_items(&key, status);
        let labels = JobLabels { namespace: key.0.clone(), name: key.1.clone() };
        match &status.next_scan_time {
            Some(next) => {
                self.next_scan.get_or_create(&labels).set(next.0.as_second() as f64);
            }
            None => {
                self.next_scan.remove(&labels);
            }
        }
        let working = after.status == analysisjob::reasons::RUNNING;
        if !working {
            self.last_progress.remove(&labels);
        } else if before.as_ref().is_none_or(|before| before.done != after.done || before.status != after.status) {
            self.last_progress.get_or_create(&labels).set(now.as_second() as f64);
        }
        seen.insert(key, after);
    }

    /// Forgets jobs that are gone.
    pub fn keep(&self, is_there: impl Fn(&str, &str) -> bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<JobKey> = seen.keys().filter(|(namespace, name)| !is_there(namespace, name)).cloned().collect();
        for key in gone {
            let before = seen.remove(&key);
            self.move_gauges(&key, before.as_ref(), None);
            for state in STATES {
                self.items.remove(&StateLabels { namespace: key.0.clone(), name: key.1.clone(), state });
            }
            let labels = JobLabels { namespace: key.0.clone(), name: key.1.clone() };
            self.next_scan.remove(&labels);
            self.last_progress.remove(&labels);
        }
    }

    fn move_gauges(&self, key: &JobKey, before: Option<&Seen>, after: Option<&Seen>) {
        let status = |seen: &Seen| StatusLabels { namespace: key.0.clone(), status: seen.status.clone() };
        let reason =
            |reason: &String| ReasonLabels { namespace: key.0.clone(), name: key.1.clone(), reason: reason.clone() };
        if let Some(before) = before {
            self.jobs.get_or_create(&status(before)).dec();
            if let Some(word) = &before.stalled {
                self.stalled.remove(&reason(word));
            }
            if let Some(word) = &before.failed {
                self.failed.remove(&reason(word));
            }
        }
        if let Some(after) = after {
            self.jobs.get_or_create(&status(after)).inc();
            if let Some(word) = &after.stalled {
                self.stalled.get_or_create(&reason(word)).set(1);
            }
            if let Some(word) = &after.failed {
                self.failed.get_or_create(&reason(word)).set(1);
            }
        }
    }

    fn set_items(&self, (namespace, name): &JobKey, status: &AnalysisJobStatus) {
        let Some(items) = &status.items else { return };
        let counts = [items.up_to_date, items.succeeded, items.active, items.pending, items.failed];
        for (state, count) in STATES.into_iter().zip(counts) {
            let labels = StateLabels { namespace: namespace.clone(), name: name.clone(), state };
            self.items.get_or_create(&labels).set(count.into());
        }
    }
}

const STATES: [&str; 5] = ["upToDate", "succeeded", "active", "pending", "failed"];

fn reason_of(status: &AnalysisJobStatus, kind: &str) -> Option<String> {
    let condition = status.conditions.iter().find(|one| one.type_ == kind && one.status == "True")?;
    Some(condition.reason.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job() -> AnalysisJob {
        serde_json::from_value(json!({
            "apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "metadata": {"name": "a", "namespace": "n"},
            "spec": {"source": {"http": {"rootURL": "http://x"}}, "analysis": {"opticalFlow": {}}, "output": {}},
        }))
        .unwrap()
    }

    fn status(stalled: &str) -> AnalysisJobStatus {
        let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
        serde_json::from_value(json!({
            "conditions": [condition("Ready", "True", "Running"), condition("Stalled", stalled, "ImagePullFailed"), condition("Failed", stalled, "PlanFailed")],
            "items": {"total": 5, "succeeded": 2, "pending": 3}, "nextScanTime": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn the_table_names_every_metric() {
        let metrics = Metrics::new();
        metrics.begin();
        metrics.end(None, 0.1);
        metrics.request("get", "Job", 200);
        metrics.undecodable("Job", 0);
        metrics.observe_job(&job(), &status("True"), Timestamp::UNIX_EPOCH);
        let text = metrics.text();
        let mut named: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let mut table: Vec<&str> = TABLE.iter().map(|row| row.0).collect();
        named.sort_unstable();
        table.sort_unstable();
        assert_eq!(named, table);
    }

    #[test]
    fn what_is_over_is_taken_back() {
        let metrics = Metrics::new();
        metrics.observe_job(&job(), &status("True"), Timestamp::UNIX_EPOCH);
        assert!(
            metrics.text().contains("analysis_job_stalled{namespace=\"n\",name=\"a\",reason=\"ImagePullFailed\"} 1")
        );
        metrics.observe_job(&job(), &status("False"), Timestamp::UNIX_EPOCH);
        assert!(!metrics.text().contains("analysis_job_stalled{"));
        metrics.keep(|_, _| false);
        let text = metrics.text();
        assert!(
            !text.contains("analysis_items{") && text.contains("analysis_jobs{namespace=\"n\",status=\"Running\"} 0"),
            "{text}"
        );
    }
}
