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

impl AnalysisJobStatus {
    /// Whether a run is under way: the same words as in the rules that keep output and strategy fixed.
    pub fn run_under_way(&self) -> bool {
        self.run.is_some() && self.completion_time.is_none()
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
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,
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
