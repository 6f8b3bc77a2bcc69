//! Pods, reduced to what is looked at: whose they are, how they ended, what keeps them from running.

use std::borrow::Cow;

use analysisjob::labels;
use k8s_openapi::{
    NamespaceResourceScope,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::{Resource, ResourceExt};
use plan::Summary;
use serde::{Deserialize, Serialize};

/// A pod as the watch keeps it: metadata, phase, and what its containers say. Its spec is not read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PodFacts {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its status, reduced.
    #[serde(default)]
    pub status: PodState,
}

/// The part of a pod's status that is looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodState {
    /// Pending, Running, Succeeded, Failed or Unknown.
    pub phase: String,
    /// Ready, `PodScheduled`, …
    pub conditions: Vec<PodCondition>,
    /// One per container.
    pub container_statuses: Vec<ContainerFacts>,
}

/// One condition of a pod.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodCondition {
    /// Which.
    #[serde(rename = "type")]
    pub kind: String,
    /// True, False or Unknown.
    pub status: String,
    /// Why, in one word.
    pub reason: Option<String>,
    /// Why, in a sentence.
    pub message: Option<String>,
}

/// One container of a pod.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerFacts {
    /// Its name.
    pub name: String,
    /// Its image, as asked for.
    pub image: String,
    /// What it does.
    pub state: ContainerState,
}

/// What a container does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerState {
    /// It waits.
    pub waiting: Option<Waiting>,
    /// It has ended.
    pub terminated: Option<Terminated>,
}

/// Why a container waits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// In one word.
    pub reason: String,
    /// In a sentence.
    pub message: Option<String>,
}

/// How a container ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terminated {
    /// Its exit code.
    pub exit_code: i32,
    /// Its termination message.
    pub message: Option<String>,
    /// In one word: Completed, Error, `OOMKilled`.
    pub reason: Option<String>,
    /// When.
    pub finished_at: Option<Time>,
}

impl Resource for PodFacts {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Pod".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "pods".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// What a data pod says at its end (its termination message).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Message {
    /// Counts and failures.
    #[serde(flatten)]
    pub summary: Summary,
    /// What the plan says; from a plan pod.
    pub plan: Option<PlanCounts>,
    /// Where all failures are listed; from a collect pod.
    pub report: Option<String>,
    /// Why it could not work at all.
    pub error: Option<MessageError>,
}

/// What a plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanCounts {
    /// Movies found that the source admits; from the counts beside the plan.
    #[serde(skip_serializing_if = "is_zero")]
    pub discovered: u32,
    /// Movies whose result is there and up to date.
    #[serde(skip_serializing_if = "is_zero")]
    pub up_to_date: u32,
    /// Movies the run analyses.
    pub selected: u32,
    /// Indexes.
    pub indexes: u32,
    /// Movies an index handles; the last may have fewer.
    pub items_per_index: u32,
    /// Digest of the plan.
    pub digest: Option<String>,
    /// The first selected movies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Why a data pod could not work at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MessageError {
    /// In one word.
    pub reason: String,
    /// In a sentence.
    pub message: String,
}

impl PodFacts {
    /// What the pod is for: a role of [`labels`].
    pub fn role(&self) -> &str {
        self.labels().get(labels::ROLE).map_or("", String::as_str)
    }

    /// The run it belongs to.
    pub fn run(&self) -> &str {
        self.labels().get(labels::RUN).map_or("", String::as_str)
    }

    /// The child Job it is of.
    pub fn job_name(&self) -> &str {
        self.labels().get("batch.kubernetes.io/job-name").map_or("", String::as_str)
    }

    /// Its completion index within its Job.
    pub fn index(&self) -> Option<u32> {
        let key = "batch.kubernetes.io/job-completion-index";
        let text = self.labels().get(key).or_else(|| self.annotations().get(key));
        text?.parse().ok()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Whether it runs and is ready.
    pub fn is_ready(&self) -> bool {
        self.status.conditions.iter().any(|condition| condition.kind == "Ready" && condition.status == "True")
    }

    /// How its container ended.
    pub fn terminated(&self) -> Option<&Terminated> {
        self.status.container_statuses.iter().find_map(|container| container.state.terminated.as_ref())
    }

    /// Its termination message, where it is one. Text of another kind (a panic) is none.
    pub fn message(&self) -> Option<Message> {
        let text = self.terminated()?.message.as_deref()?;
        let mut message: Message = serde_json::from_str(text).ok()?;
        if let Some(plan) = &mut message.plan {
            let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            plan.discovered = count(message.summary.items.total);
            plan.up_to_date = count(message.summary.items.up_to_date);
        }
        Some(message)
    }
}
