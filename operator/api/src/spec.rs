//! The root of the API: `AnalysisJob` and its spec. The parts of the spec are in the modules named after them.

// Each printed column has a type of its own; clippy takes those for one attribute said twice.
#![allow(clippy::duplicated_attributes)]

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analysis::Analysis,
    cache::Cache,
    output::Output,
    policy::{Rescan, Retry, UpdatePolicy},
    rule::{Rule, rules},
    source::Source,
    status::AnalysisJobStatus,
    workers::Workers,
};

/// What is to be analysed, how, and where the results go. source, analysis and output are required; everything else
/// has a default.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "camhd.science",
    version = "v1alpha1",
    kind = "AnalysisJob",
    plural = "analysisjobs",
    singular = "analysisjob",
    shortname = "aj",
    category = "analysis",
    namespaced,
    status = "AnalysisJobStatus",
    derive = "PartialEq",
    doc = "An AnalysisJob says which movies of an archive are analysed, with which analysis, and where one small result file per movie goes. The same file runs in a cluster (kubectl apply) and on one machine (analysis-worker run). The name starts with a letter and has at most 40 characters, so that the names of its Services and Jobs fit",
    scale(
        spec_replicas_path = ".spec.workers.parallelism",
        status_replicas_path = ".status.workers.active",
        label_selector_path = ".status.workers.selector"
    ),
    printcolumn(
        name = "Progress",
        type_ = "string",
        json_path = ".status.progress",
        description = "Movies done of all movies of the run"
    ),
    printcolumn(
        name = "Failed",
        type_ = "integer",
        json_path = ".status.items.failed",
        description = "Movies given up"
    ),
    printcolumn(
        name = "Active",
        type_ = "integer",
        json_path = ".status.workers.active",
        description = "Worker pods pending or running"
    ),
    printcolumn(
        name = "Cache",
        type_ = "string",
        json_path = ".status.cache.summary",
        description = "Cache pods ready of those wanted"
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        description = "What the job is doing: the reason of its condition Ready"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Time since the AnalysisJob was created"
    ),
    printcolumn(
        name = "Strategy",
        type_ = "string",
        json_path = ".spec.workers.strategy",
        description = "How work is handed to the workers",
        priority = 1
    ),
    printcolumn(
        name = "Next scan",
        type_ = "string",
        json_path = ".status.nextScanTime",
        description = "When a standing job looks for new movies next",
        priority = 1
    ),
    printcolumn(
        name = "Output",
        type_ = "string",
        json_path = ".status.output",
        description = "Where the results go",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(SPEC_RULES)))]
pub struct AnalysisJobSpec {
    /// Which movies: the archive they are in, and which of its movies count.
    pub source: Source,
    /// Which analysis is done on every movie: exactly one of opticalFlow and frameStatistics.
    pub analysis: Analysis,
    /// The frame cache between the archive and the workers: at most one of managed and url. Default: a managed cache
    /// with its defaults, made for this job and scaled to zero when no run is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// The pods that compute: how many, how big, and how they get their work. Every field has a default.
    #[serde(default)]
    pub workers: Workers,
    /// Where results go: exactly one of persistentVolumeClaim, claimTemplate and s3. It cannot change during a run.
    pub output: Output,
    /// What happens when a movie fails, and how many may fail before the run does. Every field has a default.
    #[serde(default)]
    pub retry: Retry,
    /// Makes the job a standing one: it looks for new movies on this schedule and analyses those without a result.
    /// Default: one run. Excludes ttlSecondsAfterFinished, because a standing job never finishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescan: Option<Rescan>,
    /// What happens to the run under way when the spec changes so that the work changes: Drain lets workers end the
    /// movies they hold, Replace stops them at once (movies half done go on from their checkpoint). Default: Drain.
    #[serde(default)]
    pub update_policy: UpdatePolicy,
    /// Plan only: the plan is made and shown in status.plan, and no worker pod and no result is made. Default: false.
    #[serde(default)]
    pub dry_run: bool,
    /// Stops the job without losing what is done: worker pods go, the cache goes to zero; false again goes on.
    /// Default: false.
    #[serde(default)]
    pub suspend: bool,
    /// The longest a run may take, in seconds, waiting and suspension not counted; then it fails. At least 1.
    /// Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31_536_000))]
    pub active_deadline_seconds: Option<u32>,
    /// The AnalysisJob is deleted so many seconds after it is complete or failed; results stay. 0 deletes at once.
    /// Default: it is kept. Excludes rescan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<u32>,
}

/// A Consumer takes its movies from the stream; everyone else names them.
const SPEC_RULES: &[Rule] = &[
    Rule(
        "!has(self.rescan) || !has(self.ttlSecondsAfterFinished)",
        "a standing job never finishes: remove rescan or ttlSecondsAfterFinished",
        ".ttlSecondsAfterFinished",
    ),
    Rule(
        "has(self.source.prefixes) || has(self.source.items) || has(self.source.itemsFrom) || (has(self.workers.queue) && self.workers.queue.role == 'Consumer')",
        "set exactly one of prefixes, items and itemsFrom; only a Consumer, which takes its movies from the stream, has none",
        ".source",
    ),
    Rule(
        "!has(self.workers.queue) || self.workers.queue.role != 'Consumer' || !(has(self.source.prefixes) || has(self.source.items) || has(self.source.itemsFrom))",
        "a Consumer takes its movies from the stream: remove prefixes, items and itemsFrom from source, or use role ProducerAndConsumer",
        ".source",
    ),
    Rule(
        "!has(self.rescan) || !has(self.workers.queue) || self.workers.queue.role != 'Consumer'",
        "a Consumer only lends workers: remove rescan, or use role ProducerAndConsumer",
        ".rescan",
    ),
    Rule("!has(self.rescan) || !self.dryRun", "a dry run plans once: remove rescan or dryRun", ".dryRun"),
];

/// The rules of the root, which sees both spec and status. A rule of the spec could compare with the old spec, but not
/// know whether a run is under way.
pub(crate) const ROOT_RULES: &[Rule] = &[
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.run) || has(oldSelf.status.completionTime) || self.spec.output == oldSelf.spec.output",
        "output cannot change while a run is under way: wait for its end, or delete the AnalysisJob and create it anew (results stay)",
        ".spec.output",
    ),
    Rule(
        "!has(oldSelf.status) || !has(oldSelf.status.run) || has(oldSelf.status.completionTime) || self.spec.workers.strategy == oldSelf.spec.workers.strategy",
        "strategy cannot change while a run is under way: wait for its end, or delete the AnalysisJob and create it anew (results stay)",
        ".spec.workers.strategy",
    ),
];

impl AnalysisJobSpec {
    /// The frame cache this job uses, with the default for an absent `cache` filled in.
    pub fn frame_cache(&self) -> crate::cache::FrameCache {
        self.cache.as_ref().map(Cache::choice).unwrap_or_default()
    }
}
