//! What is dropped from an object before it is kept: everything no reconcile reads. A thousand AnalysisJobs with all
//! their children must fit into a few ten MiB, and pod templates are most of what they weigh.

use analysisjob::labels;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Service};
use kube::{Resource, core::ObjectMeta};

use crate::reconcile::{
    facts::{DeploymentFacts, JobFacts},
    pods::PodFacts,
    validate::KUEUE_QUEUE,
};

/// A kind that is kept in a store.
pub trait Kept: Resource<DynamicType = ()> {
    /// Drops from the body what no reconcile reads.
    fn shed(&mut self);
}

impl Kept for JobFacts {
    fn shed(&mut self) {
        let Some(conditions) = self.status.as_mut().and_then(|status| status.conditions.as_mut()) else { return };
        conditions.retain(|condition| matches!(condition.type_.as_str(), "Complete" | "Failed"));
        conditions.shrink_to_fit();
    }
}

impl Kept for DeploymentFacts {
    fn shed(&mut self) {}
}

impl Kept for ConfigMap {
    fn shed(&mut self) {
        self.data = None;
        self.binary_data = None;
    }
}

impl Kept for Service {
    fn shed(&mut self) {
        self.spec = None;
        self.status = None;
    }
}

impl Kept for PersistentVolumeClaim {
    fn shed(&mut self) {
        self.spec = None;
    }
}

impl Kept for PodFacts {
    fn shed(&mut self) {
        let status = &mut self.status;
        status.conditions.retain(|condition| matches!(condition.kind.as_str(), "Ready" | "PodScheduled"));
        for condition in status.conditions.iter_mut().filter(|condition| condition.status == "True") {
            (condition.reason, condition.message) = (None, None);
        }
        status.conditions.shrink_to_fit();
        for container in &mut status.container_statuses {
            // The image is named only where it cannot be pulled.
            if container.state.waiting.is_none() {
                container.image = String::new();
            }
        }
        status.container_statuses.shrink_to_fit();
    }
}

/// Labels that are read.
const LABELS: [&str; 6] = [
    labels::JOB,
    labels::RUN,
    labels::ROLE,
    KUEUE_QUEUE,
    "batch.kubernetes.io/job-name",
    "batch.kubernetes.io/job-completion-index",
];
/// Annotations that are read.
const ANNOTATIONS: [&str; 6] = [
    labels::APPLIED,
    labels::PLAN_COUNTS,
    labels::FIRST_INDEX,
    labels::END_REASON,
    labels::END_MESSAGE,
    "batch.kubernetes.io/job-completion-index",
];

/// Drops from an AnalysisJob what no reconcile reads: above all the copy of itself that kubectl leaves in it.
pub fn shed_job(job: &mut ObjectMeta) {
    job.managed_fields = None;
    if let Some(all) = &mut job.annotations {
        all.retain(|key, _| key == labels::RETRY);
    }
    job.annotations.take_if(|all| all.is_empty());
}

/// Drops from the metadata what no reconcile reads.
pub(super) fn shed_meta(meta: &mut ObjectMeta) {
    meta.managed_fields = None;
    meta.generate_name = None;
    meta.finalizers = None;
    if let Some(all) = &mut meta.labels {
        all.retain(|key, _| LABELS.contains(&key.as_str()));
    }
    if let Some(all) = &mut meta.annotations {
        all.retain(|key, _| ANNOTATIONS.contains(&key.as_str()));
    }
    meta.annotations.take_if(|all| all.is_empty());
    for owner in meta.owner_references.iter_mut().flatten() {
        // Owners are told by their uid.
        (owner.api_version, owner.kind, owner.name) = (String::new(), String::new(), String::new());
    }
}
