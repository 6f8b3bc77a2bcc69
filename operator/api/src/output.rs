//! `spec.output`: where results go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pod::{LocalObjectRef, Quantity},
    rule::{Rule, rules},
};

/// Where results go: exactly one of persistentVolumeClaim, claimTemplate and s3. What stands there is also the ledger:
/// a movie whose result is there and up to date is not analysed again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(&[Rule(
    "[has(self.persistentVolumeClaim), has(self.claimTemplate), has(self.s3)].filter(x, x).size() == 1",
    "set exactly one of persistentVolumeClaim, claimTemplate and s3",
    "",
)])))]
pub struct Output {
    /// A claim that exists in the job's namespace; ReadWriteMany unless all pods run on one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<OutputClaim>,
    /// A claim the operator makes, named `<job>-results`. It stays when the AnalysisJob is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_template: Option<ClaimTemplate>,
    /// A bucket of an S3-compatible object store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3>,
    /// When an existing result is computed again: IfMissing (never), IfStale (when the movie, the analysis or its
    /// parameters have changed since), Always (in every run). Default: IfStale.
    pub overwrite_policy: OverwritePolicy,
    /// A file that must exist in the output, such as README.md, or nothing starts: it proves that the right volume or
    /// bucket is there. A path below the output, at most 255 characters. Default: nothing is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^/\s][^\s]*$"))]
    pub marker_file: Option<String>,
}

/// A claim that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutputClaim {
    /// The claim's name, in the job's namespace.
    #[schemars(length(min = 1, max = 253))]
    pub claim_name: String,
    /// The folder in the volume below which results go, at most 512 characters. Default: its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[^/\s][^\s]*$"))]
    pub sub_path: Option<String>,
}

/// A claim the operator makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimTemplate {
    /// How big, such as 10Gi.
    pub size: Quantity,
    /// The storage class. Default: the cluster's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
    /// How pods may mount it: ReadWriteMany, ReadWriteOnce, ReadWriteOncePod. Default: ReadWriteMany.
    #[serde(default = "read_write_many")]
    // Atomic, for a set would be merged with the default, which belongs to nobody.
    #[schemars(length(min = 1, max = 3), extend("x-kubernetes-list-type" = "atomic"))]
    pub access_modes: Vec<AccessMode>,
}

fn read_write_many() -> Vec<AccessMode> {
    vec![AccessMode::ReadWriteMany]
}

/// How pods may mount a volume they write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccessMode {
    /// By pods on many nodes.
    ReadWriteMany,
    /// By pods on one node.
    ReadWriteOnce,
    /// By one pod.
    ReadWriteOncePod,
}

/// A bucket of an S3-compatible object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct S3 {
    /// The bucket's name.
    #[schemars(length(min = 3, max = 63), regex(pattern = r"^[a-z0-9][-.a-z0-9]*[a-z0-9]$"))]
    pub bucket: String,
    /// Put before every key, such as `motion/2018/`, at most 512 characters. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[^/\s][^\s]*$"))]
    pub prefix: Option<String>,
    /// The store's address, such as `https://minio.tools.svc:9000`. Default: Amazon S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 1024), regex(pattern = r"^https?://[^\s?#]+$"))]
    pub endpoint: Option<String>,
    /// The bucket's region. Default: us-east-1.
    #[serde(default = "first_region")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[-a-zA-Z0-9]+$"))]
    pub region: String,
    /// A Secret in the job's namespace with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. Default: the
    /// credentials of the pod itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectRef>,
}

fn first_region() -> String {
    "us-east-1".to_owned()
}

/// When an existing result is computed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OverwritePolicy {
    /// Never.
    IfMissing,
    /// When it was computed from something else.
    #[default]
    IfStale,
    /// In every run.
    Always,
}
