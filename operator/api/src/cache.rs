//! `spec.cache`: where workers get frames from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pod::{PodTemplate, Quantity, ResourceRequirements, any_object},
    rule::{Rule, rules},
};

/// The frame cache: at most one of managed and url. Neither means a managed cache with its defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(&[Rule(
    "!has(self.managed) || !has(self.url)",
    "set at most one of managed and url",
    ".url",
)])))]
pub struct Cache {
    /// A lazycache of the job's own: made, sized and scaled to zero by the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedCache>,
    /// The address of a lazycache that exists, such as `http://lazycache.tools.svc:8080`; it is used as it is. http or
    /// https, at most 1,024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 1024), regex(pattern = r"^https?://[^\s?#]+$"))]
    pub url: Option<String>,
}

/// Which cache a job uses, the default filled in.
#[derive(Clone, Debug, PartialEq)]
pub enum FrameCache {
    /// One of the job's own.
    Managed(Box<ManagedCache>),
    /// One that exists, by its address.
    Url(String),
}

impl Default for FrameCache {
    fn default() -> Self {
        Self::Managed(Box::default())
    }
}

impl Cache {
    /// The cache this is; neither means a managed one with its defaults.
    pub fn choice(&self) -> FrameCache {
        match &self.url {
            Some(url) => FrameCache::Url(url.clone()),
            None => FrameCache::Managed(Box::new(self.managed.clone().unwrap_or_default())),
        }
    }
}

/// A lazycache of the job's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedCache {
    /// The lazycache image. Default: the one released with the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// How many cache pods there are while a run is under way. Every field has a default.
    pub replicas: CacheReplicas,
    /// What each cache pod asks of its node. Default: requests cpu 1 and memory 1Gi, limits memory 1Gi.
    pub resources: ResourceRequirements,
    /// What each cache pod keeps frames on besides memory: exactly one of ephemeral, emptyDir and none. Default: an
    /// emptyDir of 10Gi.
    pub storage: CacheStorage,
    /// A volume with copies of movies under their paths below rootURL; frames of those are read from it instead of
    /// from the archive. It is mounted read-only. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlay: Option<Overlay>,
    /// A strategic-merge overlay over the cache's pod template: metadata, nodeSelector, tolerations, affinity,
    /// volumes, … It has no schema here and is checked by a dry run. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub pod_template: Option<PodTemplate>,
}

impl Default for ManagedCache {
    fn default() -> Self {
        Self {
            image: None,
            replicas: CacheReplicas::default(),
            resources: ResourceRequirements::one_core("1Gi"),
            storage: CacheStorage::default(),
            overlay: None,
            pod_template: None,
        }
    }
}

/// How many cache pods: one per workersPerReplica workers, at least min, at most max.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(&[Rule("self.min <= self.max", "min is greater than max", ".min")])))]
pub struct CacheReplicas {
    /// At least so many; 1 to 100. Default: 1.
    #[schemars(range(min = 1, max = 100))]
    pub min: u32,
    /// At most so many; 1 to 100. Default: 8.
    #[schemars(range(min = 1, max = 100))]
    pub max: u32,
    /// So many workers share one cache pod; 1 to 1,000. Default: 25.
    #[schemars(range(min = 1, max = 1000))]
    pub workers_per_replica: u32,
}

impl Default for CacheReplicas {
    fn default() -> Self {
        Self { min: 1, max: 8, workers_per_replica: 25 }
    }
}

/// The disk of a cache pod: exactly one of ephemeral, emptyDir and none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&[Rule(
    "[has(self.ephemeral), has(self.emptyDir), has(self.none)].filter(x, x).size() == 1",
    "set exactly one of ephemeral, emptyDir and none",
    "",
)])))]
pub struct CacheStorage {
    /// A volume of its own for each pod, gone with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<EphemeralDisk>,
    /// The node's disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<NodeDisk>,
    /// No disk: frames are kept in memory only. Written as `none: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<NoDisk>,
}

impl Default for CacheStorage {
    fn default() -> Self {
        Self { ephemeral: None, empty_dir: Some(NodeDisk::default()), none: None }
    }
}

/// A generic ephemeral volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EphemeralDisk {
    /// How big, such as 50Gi.
    pub size: Quantity,
    /// The storage class. Default: the cluster's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub storage_class_name: Option<String>,
}

/// The node's disk, bounded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeDisk {
    /// The most a pod may use. Default: 10Gi.
    pub size_limit: Quantity,
}

impl Default for NodeDisk {
    fn default() -> Self {
        Self { size_limit: Quantity::from("10Gi") }
    }
}

/// No disk at all; it has no fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoDisk {}

/// Local copies of movies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overlay {
    /// The claim that holds the copies.
    pub persistent_volume_claim: OverlayClaim,
}

/// A claim with copies of movies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverlayClaim {
    /// The claim's name, in the job's namespace.
    #[schemars(length(min = 1, max = 253))]
    pub claim_name: String,
    /// The folder in the volume that stands for rootURL. Default: its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[^/\s][^\s]*$"))]
    pub sub_path: Option<String>,
}
