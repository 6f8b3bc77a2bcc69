//! The kinds the mock serves: one row each. A new kind is one more row.

use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    coordination::v1::Lease,
    core::v1::{ConfigMap, Event as CoreEvent, PersistentVolumeClaim, Pod, Service},
    events::v1::Event,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// How the objects of one kind are named and treated.
#[derive(Debug)]
pub struct Row {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// The word in URLs, such as `analysisjobs`.
    pub plural: &'static str,
    /// The word in objects, such as `AnalysisJob`.
    pub kind: &'static str,
    /// Whether `/status` is a door of its own.
    pub has_status: bool,
    /// Whether `metadata.generation` counts changes of the spec.
    pub has_generation: bool,
    /// What the type of the kind makes of an object: fields it does not know are gone.
    pub(crate) typed: fn(&Value) -> Result<Value, serde_json::Error>,
}

/// Place of a kind in [`KINDS`].
pub(crate) type KindId = usize;

/// Every kind served.
pub static KINDS: [Row; 10] = [
    kind::<analysisjob::AnalysisJob>("camhd.science", "v1alpha1", "analysisjobs", "AnalysisJob", true, true),
    kind::<Job>("batch", "v1", "jobs", "Job", true, true),
    kind::<Deployment>("apps", "v1", "deployments", "Deployment", true, true),
    kind::<Service>("", "v1", "services", "Service", true, false),
    kind::<ConfigMap>("", "v1", "configmaps", "ConfigMap", false, false),
    kind::<PersistentVolumeClaim>("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", true, false),
    kind::<Pod>("", "v1", "pods", "Pod", true, true),
    kind::<CoreEvent>("", "v1", "events", "Event", false, false),
    kind::<Event>("events.k8s.io", "v1", "events", "Event", false, false),
    kind::<Lease>("coordination.k8s.io", "v1", "leases", "Lease", false, false),
];

pub(crate) const ANALYSIS_JOB: KindId = 0;
pub(crate) const JOB: KindId = 1;
pub(crate) const DEPLOYMENT: KindId = 2;
pub(crate) const SERVICE: KindId = 3;
pub(crate) const CONFIG_MAP: KindId = 4;
pub(crate) const CLAIM: KindId = 5;
pub(crate) const POD: KindId = 6;
pub(crate) const CORE_EVENT: KindId = 7;

const fn kind<T: Serialize + DeserializeOwned>(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    kind: &'static str,
    has_status: bool,
    has_generation: bool,
) -> Row {
    Row { group, version, plural, kind, has_status, has_generation, typed: typed::<T> }
}

fn typed<T: Serialize + DeserializeOwned>(object: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(object)?)
}

impl Row {
    /// `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Its name in messages: `jobs.batch`, `pods`.
    pub(crate) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

/// The kind with this group and plural.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<KindId> {
    KINDS.iter().position(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The kind whose objects carry these words.
pub(crate) fn of_object(object: &Value) -> Option<KindId> {
    let (version, word) = (object["apiVersion"].as_str()?, object["kind"].as_str()?);
    KINDS.iter().position(|kind| kind.kind == word && kind.api_version() == version)
}
