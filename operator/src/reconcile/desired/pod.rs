//! What all our pods have in common: they pass PodSecurity `restricted`, hold no API token, and write nowhere but to
//! volumes.

use analysisjob::pod::{EnvFromSource, EnvVar as ApiEnvVar, LocalObjectRef, ResourceRequirements as ApiResources};
use k8s_openapi::api::core::v1::{
    Capabilities, EmptyDirVolumeSource, EnvFromSource as CoreEnvFrom, EnvVar, LocalObjectReference, PodSecurityContext,
    PodSpec, ResourceRequirements, SeccompProfile, SecurityContext, Volume, VolumeMount,
};
use serde::{Serialize, de::DeserializeOwned};

/// The user and group of all our images.
const UID: i64 = 10_001;

/// A pod spec that passes PodSecurity `restricted`, without containers.
pub(super) fn hardened() -> PodSpec {
    PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(UID),
            run_as_group: Some(UID),
            fs_group: Some(UID),
            // A volume with a million results is not chowned at every start.
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

/// The security context of a container.
pub(super) fn locked() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..SecurityContext::default()
    }
}

/// An environment variable with a value.
pub(super) fn env(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.into()), value_from: None }
}

/// A volume on the node's disk.
pub(super) fn scratch(name: &str, size: &str) -> Volume {
    let source = EmptyDirVolumeSource { size_limit: Some(quantity(size)), medium: None };
    Volume { name: name.to_owned(), empty_dir: Some(source), ..Volume::default() }
}

/// Where a volume is mounted.
pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

pub(super) fn quantity(text: &str) -> k8s_openapi::apimachinery::pkg::api::resource::Quantity {
    k8s_openapi::apimachinery::pkg::api::resource::Quantity(text.to_owned())
}

pub(super) fn resources(ours: &ApiResources) -> ResourceRequirements {
    core(ours)
}

pub(super) fn env_vars(ours: &[ApiEnvVar]) -> Vec<EnvVar> {
    core(ours)
}

pub(super) fn env_from(ours: &[EnvFromSource]) -> Vec<CoreEnvFrom> {
    core(ours)
}

pub(super) fn pull_secrets(ours: &[LocalObjectRef]) -> Option<Vec<LocalObjectReference>> {
    (!ours.is_empty()).then(|| core(ours))
}

/// Our types of pod fields are subsets of the core types, with the same names: what one writes the other reads.
fn core<T: DeserializeOwned + Default>(ours: &(impl Serialize + ?Sized)) -> T {
    serde_json::to_value(ours).and_then(serde_json::from_value).unwrap_or_default()
}
