//! Child Jobs and the Deployments, reduced to what is looked at: how much is wanted, how far it is.
//!
//! Kubernetes' own types hold room for a whole pod template in each object; a thousand AnalysisJobs have three thousand
//! of them. A field that is missing here is neither decoded nor kept.

use std::borrow::Cow;

use k8s_openapi::{
    NamespaceResourceScope,
    api::batch::v1::JobCondition,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::Resource;
use serde::{Deserialize, Serialize};

/// A child Job as the watch keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JobFacts {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What is wanted of it.
    pub spec: Option<JobWish>,
    /// How far it is.
    pub status: Option<JobState>,
}

/// The part of a Job's spec that is looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobWish {
    /// Pods at a time.
    pub parallelism: Option<i32>,
    /// Indexes.
    pub completions: Option<i32>,
    /// `Indexed` or `NonIndexed`.
    pub completion_mode: Option<String>,
    /// Whether it is held.
    pub suspend: Option<bool>,
}

/// The part of a Job's status that is looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobState {
    /// Pods pending or running.
    pub active: Option<i32>,
    /// Pods ready.
    pub ready: Option<i32>,
    /// Pods that are being deleted.
    pub terminating: Option<i32>,
    /// Pods that succeeded.
    pub succeeded: Option<i32>,
    /// Pods that failed.
    pub failed: Option<i32>,
    /// Indexes that succeeded, as `0,3-5`.
    pub completed_indexes: Option<String>,
    /// Indexes that failed, in the same form.
    pub failed_indexes: Option<String>,
    /// When it was let go.
    pub start_time: Option<Time>,
    /// Complete and Failed; the others are not kept.
    pub conditions: Option<Vec<JobCondition>>,
}

/// A Deployment, of a cache or of a queue's workers, as the watch keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DeploymentFacts {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What is wanted of it.
    pub spec: Option<DeploymentWish>,
    /// How far it is.
    pub status: Option<DeploymentState>,
}

/// The part of a Deployment's spec that is looked at.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DeploymentWish {
    /// Pods wanted.
    pub replicas: Option<i32>,
}

/// The part of a Deployment's status that is looked at.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeploymentState {
    /// Pods there are.
    pub replicas: Option<i32>,
    /// Pods ready.
    pub ready_replicas: Option<i32>,
}

/// Says which kind of the API a reduced type is read from.
macro_rules! read_from {
    ($facts:ty, $group:literal, $kind:literal, $plural:literal) => {
        impl Resource for $facts {
            type DynamicType = ();
            type Scope = NamespaceResourceScope;

            fn kind((): &()) -> Cow<'_, str> {
                $kind.into()
            }

            fn group((): &()) -> Cow<'_, str> {
                $group.into()
            }

            fn version((): &()) -> Cow<'_, str> {
                "v1".into()
            }

            fn plural((): &()) -> Cow<'_, str> {
                $plural.into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

read_from!(JobFacts, "batch", "Job", "jobs");
read_from!(DeploymentFacts, "apps", "Deployment", "deployments");
