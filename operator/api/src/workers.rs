//! `spec.workers`: the pods that compute, and how they get their work.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    number::ItemsPerIndex,
    pod::{EnvFromSource, EnvVar, KeyRef, LocalObjectRef, PodTemplate, ResourceRequirements, any_object},
    rule::{Rule, rules},
};

/// The pods that compute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(WORKERS_RULES)))]
pub struct Workers {
    /// The analysis-worker image. Default: the one released with the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// How work is handed out: Indexed (an Indexed Job, each index a slice of the plan; needs nothing else) or Queue
    /// (a Redis stream which workers in several clusters drain together). It cannot change during a run. Default:
    /// Indexed.
    pub strategy: Strategy,
    /// The stream of strategy Queue; required with it, refused without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// The most worker pods at a time, and what `kubectl scale` and a HorizontalPodAutoscaler change; 0 to 3,000. 0
    /// pauses the work. Default: 10.
    #[schemars(range(min = 0, max = 3000))]
    pub parallelism: u32,
    /// How many movies one index of the Indexed Job handles: 1 to 1,000, or Auto (1 when a movie takes more than about
    /// 2 minutes, else enough for about 10 minutes). Default: Auto.
    pub items_per_index: ItemsPerIndex,
    /// How many threads a worker computes with; 1 to 64. Ask for as many cores in resources. Default: 1.
    #[schemars(range(min = 1, max = 64))]
    pub threads: u32,
    /// What each worker pod asks of its node. Default: requests cpu 1 and memory 512Mi, limits memory 512Mi.
    pub resources: ResourceRequirements,
    /// Environment variables of the worker, at most 100. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 100),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub env: Vec<EnvVar>,
    /// ConfigMaps and Secrets whose keys all become environment variables, at most 16; later ones win. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub env_from: Vec<EnvFromSource>,
    /// Secrets in the job's namespace with which images are pulled, for workers and cache, at most 16. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub image_pull_secrets: Vec<LocalObjectRef>,
    /// The `PriorityClass` of the worker pods. Default: the cluster's own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub priority_class_name: Option<String>,
    /// A strategic-merge overlay over the workers' pod template: metadata, volumes, nodeSelector, tolerations,
    /// affinity, topologySpreadConstraints, … It has no schema here and is checked by a dry run. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_object")]
    pub pod_template: Option<PodTemplate>,
}

const WORKERS_RULES: &[Rule] = &[
    Rule(
        "self.strategy != 'Queue' || has(self.queue)",
        "strategy Queue needs a queue: set queue.redis and queue.stream",
        ".queue",
    ),
    Rule(
        "self.strategy == 'Queue' || !has(self.queue)",
        "queue is for strategy Queue only: set strategy: Queue, or remove queue",
        ".queue",
    ),
];

impl Default for Workers {
    fn default() -> Self {
        Self {
            image: None,
            strategy: Strategy::Indexed,
            queue: None,
            parallelism: 10,
            items_per_index: ItemsPerIndex::Auto,
            threads: 1,
            resources: ResourceRequirements::one_core("512Mi"),
            env: Vec::new(),
            env_from: Vec::new(),
            image_pull_secrets: Vec::new(),
            priority_class_name: None,
            pod_template: None,
        }
    }
}

/// How work is handed to the workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Strategy {
    /// An Indexed Job; each index is a slice of the plan.
    #[default]
    Indexed,
    /// A Redis stream.
    Queue,
}

/// A Redis stream of movies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// The Redis server (version 7 or newer).
    pub redis: Redis,
    /// The stream's name. Jobs with the same server and stream, the same archive and the same analysis share one list;
    /// others share nothing.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[-._:a-zA-Z0-9]+$"))]
    pub stream: String,
    /// What this job does: `ProducerAndConsumer` fills the stream and drains it, Consumer only lends workers. Default:
    /// `ProducerAndConsumer`.
    #[serde(default)]
    pub role: QueueRole,
}

/// A Redis server: exactly one of url and urlSecretRef.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(&[Rule(
    "has(self.url) != has(self.urlSecretRef)",
    "set exactly one of url and urlSecretRef",
    "",
)])))]
pub struct Redis {
    /// Its address, such as `redis://redis:6379/0`; redis or rediss, without a password (use urlSecretRef for one).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 9, max = 1024), regex(pattern = r"^rediss?://[^\s]+$"))]
    pub url: Option<String>,
    /// The key of a Secret that holds the address, password included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_secret_ref: Option<KeyRef>,
}

/// What a job does with its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum QueueRole {
    /// Fills the stream and drains it.
    #[default]
    ProducerAndConsumer,
    /// Only lends workers.
    Consumer,
}
