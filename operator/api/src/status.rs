//! `status`: what the operator says about a job. Its size does not depend on the number of movies: counts, conditions
//! and at most a handful of samples, below 8 KiB in all.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What the operator has seen and done; derived afresh from the cluster, never accumulated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AnalysisJobStatus {
    /// The metadata.generation this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready (the children match this generation; its reason is the STATUS column), Reconciling, Stalled (someone must
    /// act; the message says what to do), Complete, Failed, Suspended, CacheReady, Planned, OutputReady.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
    /// What the plan of the run says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanStatus>,
    /// How many movies are in which state. The numbers add up to total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemsStatus>,
    /// Movies done (up to date or succeeded) of all, such as `155/248`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub progress: Option<String>,
    /// The movies given up: how many, some of them, and where all are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<FailuresStatus>,
    /// The run under way, or the last one when completionTime is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunStatus>,
    /// The worker pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<WorkersStatus>,
    /// The frame cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheStatus>,
    /// Where results go, in one word: `pvc/results/motion` or `s3://bucket/prefix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub output: Option<String>,
    /// When the archive was last looked through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scan_time: Option<Time>,
    /// When a standing job looks for new movies next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_scan_time: Option<Time>,
    /// When the run is expected to end, rounded to 10 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_completion_time: Option<Time>,
    /// When the run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// When the run ended; absent while one is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
}

/// The most failure samples a status shows.
pub const MAX_FAILURE_SAMPLES: usize = 10;
/// The most movies of the plan a status shows.
pub const MAX_PLAN_SAMPLES: usize = 5;
/// The longest path shown, in bytes; a CamHD path has 83.
pub const MAX_PATH: usize = 120;
/// The longest message of a failure sample, in bytes.
pub const MAX_FAILURE_MESSAGE: usize = 96;
/// The longest message of a condition, in bytes.
pub const MAX_CONDITION_MESSAGE: usize = 200;

impl AnalysisJobStatus {
    /// Cuts samples and texts to the limits above: whatever happens, the status stays below 8 KiB. The schema's own
    /// limits are wider, so that an object is never refused for a long text.
    pub fn shorten(&mut self) {
        for condition in &mut self.conditions {
            shorten(&mut condition.message, MAX_CONDITION_MESSAGE);
        }
        if let Some(plan) = &mut self.plan {
            plan.sample.truncate(MAX_PLAN_SAMPLES);
            plan.sample.iter_mut().for_each(|path| shorten(path, MAX_PATH));
        }
        if let Some(failures) = &mut self.failures {
            failures.samples.truncate(MAX_FAILURE_SAMPLES);
            for sample in &mut failures.samples {
                shorten(&mut sample.item, MAX_PATH);
                shorten(&mut sample.message, MAX_FAILURE_MESSAGE);
            }
        }
    }

    /// Whether a run is under way: the same words as in the rules that keep output and strategy fixed.
    pub fn run_under_way(&self) -> bool {
        self.run.is_some() && self.completion_time.is_none()
    }
}

/// Cuts a text to at most `most` bytes, an ellipsis at its end telling so.
fn shorten(text: &mut String, most: usize) {
    const ELLIPSIS: &str = "…";
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most.saturating_sub(ELLIPSIS.len())));
        text.push_str(ELLIPSIS);
    }
}

/// What the plan of a run says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanStatus {
    /// Movies found that the source admits.
    pub discovered: u32,
    /// Movies whose result is there and up to date.
    pub up_to_date: u32,
    /// Movies this run analyses.
    pub selected: u32,
    /// Indexes of the Indexed Job.
    pub indexes: u32,
    /// Digest of the plan, as `sha256:` and 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71))]
    pub digest: Option<String>,
    /// The first selected movies, at most 5.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(max = 1024)), extend("x-kubernetes-list-type" = "atomic"))]
    pub sample: Vec<String>,
}

/// How many movies are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ItemsStatus {
    /// All movies of the run.
    pub total: u32,
    /// Nothing was to be done: the result was up to date.
    pub up_to_date: u32,
    /// Analysed in this run.
    pub succeeded: u32,
    /// In the hands of a worker.
    pub active: u32,
    /// Waiting for a worker.
    pub pending: u32,
    /// Given up.
    pub failed: u32,
}

/// The movies given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FailuresStatus {
    /// How many.
    pub count: u32,
    /// Some of them, at most 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "atomic"))]
    pub samples: Vec<FailureSample>,
    /// Where all of them are listed, as a path below the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub report: Option<String>,
}

/// One movie given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FailureSample {
    /// The movie's path below rootURL.
    #[schemars(length(max = 1024))]
    pub item: String,
    /// Why, in one word, such as `DecodeError`.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// Why, in a sentence.
    #[schemars(length(max = 512))]
    pub message: String,
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RunStatus {
    /// Generation and hash of what the run computes, such as `4-7c9f`.
    #[schemars(length(max = 64))]
    pub id: String,
    /// Digest of everything that decides what the run computes: another digest is another run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71))]
    pub digest: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
    /// Seconds it was suspended or waited in a queue; they do not count towards activeDeadlineSeconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_seconds: Option<u64>,
    /// Its child Jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 8),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub jobs: Vec<ChildJob>,
}

/// A child Job of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChildJob {
    /// The Job's name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// What it does: plan, work or collect.
    pub kind: ChildJobKind,
    /// Pods pending or running.
    #[serde(default)]
    pub active: u32,
    /// Pods (plan, collect) or indexes (work) that succeeded.
    #[serde(default)]
    pub succeeded: u32,
    /// Pods (plan, collect) or indexes (work) that failed.
    #[serde(default)]
    pub failed: u32,
}

/// What a child Job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ChildJobKind {
    /// Lists the archive and writes the plan.
    Plan,
    /// Computes the results.
    Work,
    /// Gathers tables and the report.
    Collect,
}

/// The worker pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkersStatus {
    /// Pods wanted now: parallelism, or fewer when less is left to do.
    pub desired: u32,
    /// Pods pending or running; the replicas of the scale subresource.
    pub active: u32,
    /// Pods running and ready.
    pub ready: u32,
    /// The label selector of the worker pods, as text, for the scale subresource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub selector: Option<String>,
}

/// The frame cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CacheStatus {
    /// Pods wanted now.
    pub desired: u32,
    /// Pods ready.
    pub ready: u32,
    /// Pods ready of those wanted, such as `3/3`; `external` with cache.url. The CACHE column, since a column shows one
    /// field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub summary: Option<String>,
    /// Where workers reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub url: Option<String>,
}

/// The conditions, with the limits of `metav1.Condition`, which the type of k8s-openapi leaves out.
fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "description": "One thing that is so, is not so, or is not known.",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "type": {"type": "string", "maxLength": 64, "description": "What the condition is about."},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it is so: True, False or Unknown."},
                "reason": {
                    "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                    "description": "Why, in one word, for programs.",
                },
                "message": {"type": "string", "maxLength": 1024, "description": "Why, in a sentence, for people; what mends it, where something must be mended."},
                "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When status last changed."},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0, "description": "The metadata.generation it speaks of."},
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition() -> serde_json::Value {
        serde_json::json!({
            "type": "Reconciling", "status": "Unknown", "reason": "TooManyFailedItems", "message": "ü".repeat(5000),
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": u32::MAX,
        })
    }

    fn worst() -> AnalysisJobStatus {
        let long = "x".repeat(5000);
        let failure =
            FailureSample { item: long.clone(), reason: "PermissionDenied".to_owned(), message: long.clone() };
        let jobs = [ChildJobKind::Plan, ChildJobKind::Work, ChildJobKind::Collect].map(|kind| ChildJob {
            name: "n".repeat(63),
            kind,
            active: u32::MAX,
            succeeded: u32::MAX,
            failed: u32::MAX,
        });
        AnalysisJobStatus {
            conditions: (0..9).map(|_| serde_json::from_value(condition()).unwrap()).collect(),
            plan: Some(PlanStatus { sample: vec![long; 100], digest: Some("d".repeat(71)), ..PlanStatus::default() }),
            items: Some(ItemsStatus { total: u32::MAX, ..ItemsStatus::default() }),
            failures: Some(FailuresStatus { samples: vec![failure; 100], ..FailuresStatus::default() }),
            run: Some(RunStatus {
                id: "4-7c9f".to_owned(),
                digest: Some("d".repeat(71)),
                suspended_seconds: Some(u64::MAX),
                start_time: None,
                jobs: jobs.into(),
            }),
            workers: Some(WorkersStatus { selector: Some("s".repeat(120)), ..WorkersStatus::default() }),
            cache: Some(CacheStatus { url: Some("u".repeat(120)), ..CacheStatus::default() }),
            output: Some("o".repeat(200)),
            ..AnalysisJobStatus::default()
        }
    }

    #[test]
    fn a_status_stays_below_8_kib() {
        let mut status = worst();
        status.shorten();
        let bytes = serde_json::to_vec(&status).unwrap().len();
        assert!(bytes < 8 * 1024, "{bytes} bytes");
        assert_eq!(status.conditions[0].message, format!("{}…", "ü".repeat(98)));
        assert_eq!(status.failures.map(|failures| failures.samples.len()), Some(MAX_FAILURE_SAMPLES));
    }

    #[test]
    fn a_run_is_under_way_until_it_has_ended() {
        let mut status = AnalysisJobStatus::default();
        assert!(!status.run_under_way());
        status.run = Some(RunStatus::default());
        assert!(status.run_under_way());
        status.completion_time = serde_json::from_str("\"2026-01-01T00:00:00Z\"").unwrap();
        assert!(!status.run_under_way());
    }
}
