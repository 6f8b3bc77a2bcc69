//! What keeps pods from running, in words a person can act on. Pure: pods and Jobs in, at most one trouble out.
//!
//! Nothing here reads Secrets or nodes: the kubelet and the scheduler say in the pods' status what is missing.

use std::sync::Arc;

use analysisjob::{labels, reasons};
use jiff::Timestamp;

use super::{
    facts::JobFacts,
    observe::{Observed, run_of},
    pods::{ContainerFacts, PodFacts},
    policy::deadline::seconds_between,
    run::{Situation, finished, is_of},
};

/// Something that keeps the run from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// A constant of [`reasons`].
    pub reason: &'static str,
    /// What is wrong and what mends it.
    pub message: String,
}

/// Pods get so many seconds to start before their state is a trouble.
pub const PATIENCE_SECONDS: u64 = 15;

/// The trouble of the run's pods or of the cache's pods; none while a pod of that kind works.
pub fn trouble(observed: &Observed, situation: &Situation, now: Timestamp) -> Option<Trouble> {
    let of_run = |pod: &&Arc<PodFacts>| pod.run() == situation.run.id;
    let data: Vec<&Arc<PodFacts>> = observed.pods.iter().filter(of_run).collect();
    let cache: Vec<&Arc<PodFacts>> = observed.pods.iter().filter(|pod| pod.role() == labels::CACHE).collect();
    of_pods(&data, now).or_else(|| of_pods(&cache, now)).or_else(|| without_pods(observed, situation, now))
}

/// When the troubles are to be looked at again: pods that have not started yet may be in trouble by then.
pub fn look_again(observed: &Observed, now: Timestamp) -> Option<Timestamp> {
    let young = observed
        .pods
        .iter()
        .filter(|pod| pod.status.phase == "Pending")
        .filter_map(|pod| pod.metadata.creation_timestamp.as_ref());
    let ripe = young.map(|created| super::policy::deadline::later(created.0, PATIENCE_SECONDS + 1));
    let bare = observed
        .jobs
        .values()
        .filter(|job| finished(job).is_none())
        .filter_map(|job| job.status.as_ref()?.start_time.as_ref());
    let bare = bare.map(|start| super::policy::deadline::later(start.0, PATIENCE_SECONDS + 1));
    ripe.chain(bare).filter(|at| *at > now).min()
}

fn of_pods(pods: &[&Arc<PodFacts>], now: Timestamp) -> Option<Trouble> {
    let works = |pod: &&Arc<PodFacts>| {
        pod.status.phase == "Running" && pod.status.container_statuses.iter().all(|one| one.state.waiting.is_none())
    };
    if pods.iter().any(works) {
        return None;
    }
    let old = |pod: &&&Arc<PodFacts>| {
        let created = pod.metadata.creation_timestamp.as_ref();
        created.is_some_and(|created| seconds_between(created.0, now) >= PATIENCE_SECONDS)
    };
    pods.iter().filter(|pod| !pod.has_ended()).filter(old).find_map(|pod| of_pod(pod))
}

fn of_pod(pod: &PodFacts) -> Option<Trouble> {
    of_scheduling(pod).or_else(|| pod.status.container_statuses.iter().find_map(of_container))
}

fn of_container(container: &ContainerFacts) -> Option<Trouble> {
    let waiting = container.state.waiting.as_ref()?;
    let said = waiting.message.as_deref().unwrap_or_default();
    let (reason, message) = match waiting.reason.as_str() {
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => (
            reasons::IMAGE_PULL_FAILED,
            format!(
                "image {} cannot be pulled: correct the image, or set workers.imagePullSecrets: {said}",
                container.image
            ),
        ),
        "CreateContainerConfigError" => {
            (reasons::MISSING_REFERENCE, format!("{said}: create it in this namespace, or correct the reference"))
        }
        "CreateContainerError" | "RunContainerError" => {
            (reasons::PODS_NOT_CREATED, format!("the container does not start: {said}"))
        }
        _ => return None,
    };
    Some(Trouble { reason, message })
}

fn of_scheduling(pod: &PodFacts) -> Option<Trouble> {
    let refused = pod.status.conditions.iter().find(|one| one.kind == "PodScheduled" && one.status == "False")?;
    let said = refused.message.as_deref().unwrap_or_default();
    let trouble = if said.contains("persistentvolumeclaim") || said.contains("PersistentVolumeClaim") {
        let message = format!("{said}: create the claim in this namespace, or correct its name");
        Trouble { reason: reasons::MISSING_CLAIM, message }
    } else {
        let message = format!("no node takes the pods: {said}: ask for less in workers.resources, or add nodes");
        Trouble { reason: reasons::UNSCHEDULABLE, message }
    };
    Some(trouble)
}

/// A Job that has been let go and has no pod: a quota or an admission policy refuses them. What exactly, only an event
/// of the Job says; [`crate::reconcile`] asks for it.
fn without_pods(observed: &Observed, situation: &Situation, now: Timestamp) -> Option<Trouble> {
    let bare = bare_job(observed, situation, now)?;
    Some(Trouble {
        reason: reasons::PODS_NOT_CREATED,
        message: format!("Job {bare} has no pods: `kubectl describe job {bare}` says why"),
    })
}

/// The Job of the run that should have pods and has none, by name.
pub fn bare_job(observed: &Observed, situation: &Situation, now: Timestamp) -> Option<String> {
    let bare = |job: &JobFacts| {
        let (Some(spec), Some(status)) = (&job.spec, &job.status) else { return false };
        let wants = spec.parallelism.unwrap_or(1) > 0 && !spec.suspend.unwrap_or(false) && finished(job).is_none();
        let waited = status.start_time.as_ref().is_some_and(|start| seconds_between(start.0, now) >= PATIENCE_SECONDS);
        let idle = status.active.unwrap_or(0) == 0 && !observed.pods.iter().any(|pod| is_of(pod, job));
        wants && waited && idle
    };
    let of_run = observed.jobs.iter().filter(|(_, job)| run_of(&***job) == situation.run.id);
    of_run.filter(|(_, job)| bare(job)).map(|(name, _)| name.clone()).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(status: &Value) -> Arc<PodFacts> {
        let pod = json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}, "status": status});
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    fn waiting(reason: &str, message: &str) -> Arc<PodFacts> {
        let waiting = json!({"waiting": {"reason": reason, "message": message}});
        pod(&json!({"phase": "Pending", "containerStatuses": [{"name": "worker", "image": "w:9", "state": waiting}]}))
    }

    fn told(pods: &[Arc<PodFacts>], at: &str) -> Option<&'static str> {
        let pods: Vec<&Arc<PodFacts>> = pods.iter().collect();
        of_pods(&pods, at.parse().unwrap()).map(|trouble| trouble.reason)
    }

    const LATER: &str = "2026-01-01T00:01:00Z";

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(told(&[waiting("ImagePullBackOff", "x")], LATER), Some(reasons::IMAGE_PULL_FAILED));
        let secret = waiting("CreateContainerConfigError", "secret \"keys\" not found");
        assert_eq!(told(&[secret], LATER), Some(reasons::MISSING_REFERENCE));
        let claim = json!({"type": "PodScheduled", "status": "False", "message": "persistentvolumeclaim \"results\" not found"});
        assert_eq!(
            told(&[pod(&json!({"phase": "Pending", "conditions": [claim]}))], LATER),
            Some(reasons::MISSING_CLAIM)
        );
        let full = json!({"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: 3 Insufficient cpu."});
        assert_eq!(
            told(&[pod(&json!({"phase": "Pending", "conditions": [full]}))], LATER),
            Some(reasons::UNSCHEDULABLE)
        );
    }

    #[test]
    fn pods_get_time_to_start() {
        assert_eq!(told(&[waiting("ErrImagePull", "x")], "2026-01-01T00:00:05Z"), None);
        assert_eq!(told(&[waiting("ContainerCreating", "")], LATER), None);
    }

    #[test]
    fn one_pod_in_trouble_does_not_stop_a_run_that_works() {
        let works =
            pod(&json!({"phase": "Running", "containerStatuses": [{"name": "worker", "state": {"running": {}}}]}));
        assert_eq!(told(&[waiting("ImagePullBackOff", "x"), works], LATER), None);
    }
}
