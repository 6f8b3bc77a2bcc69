//! The cluster: what becomes of Jobs, Deployments and pods.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may
#![allow(clippy::needless_pass_by_value)] // json!(…) is given as it is made

mod make;

use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::{Job, JobStatus},
    core::v1::{Event, Pod},
};
use kube::ResourceExt;
use make::{config_map, job};
use mockapi::{
    Cluster, MockApi,
    cluster::{Life, PodInfo, Script, Stuck, Turn},
};
use serde_json::{Value, json};

fn cluster(job: &Value, script: impl Script + 'static) -> (MockApi, Cluster) {
    let api = MockApi::new();
    api.put::<Job>(&serde_json::from_value(job.clone()).unwrap()).unwrap();
    let cluster = Cluster::new(&api, 1, script);
    (api, cluster)
}

fn status(api: &MockApi) -> JobStatus {
    api.get::<Job>("science", "w").unwrap().status.unwrap_or_default()
}

/// The conditions that are True, with their reasons.
fn conditions(api: &MockApi) -> Vec<String> {
    let conditions = status(api).conditions.unwrap_or_default();
    let held = conditions.iter().filter(|condition| condition.status == "True");
    held.map(|condition| format!("{} {}", condition.type_, condition.reason.clone().unwrap_or_default())).collect()
}

fn with(mut job: Value, spec: Value) -> Value {
    for (name, value) in spec.as_object().unwrap() {
        job["spec"][name] = value.clone();
    }
    job
}

fn policy() -> Value {
    json!({"rules": [
        {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [65]}},
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [75]}},
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [78]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]})
}

fn pods(api: &MockApi) -> Vec<Pod> {
    api.list::<Pod>("science")
}

#[test]
fn an_indexed_job_runs_each_index_once() {
    let (api, mut cluster) = cluster(&job("w"), |pod: &PodInfo| Life::runs(2, 0, format!("{}", pod.index.unwrap())));
    cluster.steps(2);
    let now = status(&api);
    assert_eq!((now.active, now.succeeded), (Some(2), None));
    cluster.steps(12);
    let end = status(&api);
    assert_eq!(conditions(&api), ["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
    assert_eq!((end.completed_indexes.as_deref(), end.succeeded, end.active), (Some("0-3"), Some(4), None));
    assert_eq!(end.failed_indexes.as_deref(), Some(""));
    assert!(end.completion_time.is_some());
    let pods = pods(&api);
    assert_eq!(pods.len(), 4);
    let last = &pods[3];
    assert_eq!(last.labels()["batch.kubernetes.io/job-name"], "w");
    assert_eq!(last.labels()["batch.kubernetes.io/job-completion-index"], "3");
    assert_eq!(last.owner_references()[0].kind, "Job");
    let said = last.status.clone().unwrap().container_statuses.unwrap()[0].state.clone().unwrap().terminated.unwrap();
    assert_eq!((said.exit_code, said.message.as_deref()), (0, Some("3")));
}

#[test]
fn a_plain_job_tries_again_until_its_limit() {
    let plain = json!({"completionMode": "NonIndexed", "completions": 1, "parallelism": 1, "backoffLimit": 1, "backoffLimitPerIndex": null});
    let (api, mut cluster) = cluster(&with(job("w"), plain), |_: &PodInfo| Life::runs(1, 1, ""));
    cluster.steps(20);
    assert_eq!(conditions(&api), ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    assert_eq!((status(&api).failed, pods(&api).len()), (Some(2), 2));
}

#[test]
fn an_index_fails_alone() {
    let code = |pod: &PodInfo| match (pod.index, pod.attempt) {
        (Some(0), _) => 65,
        (Some(1), _) | (Some(2), 0) => 1,
        _ => 0,
    };
    let spec = json!({"podFailurePolicy": policy(), "parallelism": 4});
    let (api, mut cluster) = cluster(&with(job("w"), spec), move |pod: &PodInfo| Life::runs(1, code(pod), ""));
    cluster.steps(20);
    let end = status(&api);
    assert_eq!((end.completed_indexes.as_deref(), end.failed_indexes.as_deref()), (Some("2,3"), Some("0,1")));
    assert_eq!(conditions(&api), ["FailureTarget FailedIndexes", "Failed FailedIndexes"]);
    assert_eq!(end.failed, Some(4), "65 once, index 1 twice, index 2 once");
}

#[test]
fn too_many_failed_indexes_fail_the_job() {
    let spec = json!({"podFailurePolicy": policy(), "maxFailedIndexes": 0});
    let script = |pod: &PodInfo| if pod.index == Some(0) { Life::runs(1, 65, "") } else { Life::Forever };
    let (api, mut cluster) = cluster(&with(job("w"), spec), script);
    cluster.steps(10);
    assert_eq!(conditions(&api), ["FailureTarget MaxFailedIndexesExceeded", "Failed MaxFailedIndexesExceeded"]);
    assert_eq!(status(&api).active, None);
}

#[test]
fn exit_78_fails_the_job_and_says_which_pod() {
    let spec = json!({"podFailurePolicy": policy()});
    let (api, mut cluster) = cluster(&with(job("w"), spec), |_: &PodInfo| Life::runs(1, 78, "{}"));
    cluster.steps(10);
    assert_eq!(conditions(&api), ["FailureTarget PodFailurePolicy", "Failed PodFailurePolicy"]);
    let message = status(&api).conditions.unwrap()[0].message.clone().unwrap();
    assert!(message.starts_with("Container worker for pod science/w-"), "{message}");
    assert!(message.ends_with("failed with exit code 78 matching FailJob rule at index 2"), "{message}");
}

#[test]
fn disruptions_and_interruptions_do_not_count() {
    let spec = json!({"podFailurePolicy": policy(), "backoffLimitPerIndex": 0, "completions": 1, "parallelism": 1});
    let (api, mut cluster) =
        cluster(&with(job("w"), spec), |pod: &PodInfo| Life::runs(if pod.attempt == 0 { 4 } else { 1 }, 0, ""));
    for _ in 0..3 {
        cluster.steps(4);
        let pod = cluster.running("")[0].clone();
        assert!(cluster.lose_node(&pod.namespace, &pod.name));
    }
    cluster.steps(3);
    let pod = cluster.running("")[0].clone();
    assert!(cluster.evict(&pod.namespace, &pod.name));
    cluster.steps(10);
    assert_eq!((status(&api).failed, conditions(&api).len()), (None, 2));
}

#[test]
fn suspend_ends_pods_and_resume_makes_them_anew() {
    let (api, mut cluster) = cluster(&job("w"), |_: &PodInfo| Life::Forever);
    cluster.steps(3);
    assert_eq!(cluster.running("").len(), 2);
    api.edit::<Job>("science", "w", |job| job.spec.as_mut().unwrap().suspend = Some(true)).unwrap();
    cluster.steps(3);
    assert_eq!((cluster.running("").len(), status(&api).active), (0, None));
    assert_eq!(conditions(&api), ["Suspended JobSuspended"]);
    api.edit::<Job>("science", "w", |job| job.spec.as_mut().unwrap().suspend = Some(false)).unwrap();
    cluster.steps(5);
    assert_eq!(cluster.running("").len(), 2);
    assert!(conditions(&api).is_empty());
}

#[test]
fn parallelism_moves_both_ways() {
    let (api, mut cluster) = cluster(&job("w"), |_: &PodInfo| Life::Forever);
    for width in [4, 1] {
        api.edit::<Job>("science", "w", |job| job.spec.as_mut().unwrap().parallelism = Some(width)).unwrap();
        cluster.steps(5);
        assert_eq!(cluster.running("").len(), width as usize);
    }
}

#[test]
fn a_job_deleted_in_the_background_takes_its_pods() {
    let (api, mut cluster) = cluster(&job("w"), |_: &PodInfo| Life::Forever);
    cluster.steps(3);
    api.delete::<Job>("science", "w");
    cluster.steps(3);
    assert_eq!(api.count::<Pod>(), 0);
}

#[test]
fn a_finished_job_goes_after_its_time() {
    let spec = json!({"ttlSecondsAfterFinished": 60});
    let (api, mut cluster) = cluster(&with(job("w"), spec), |_: &PodInfo| Life::runs(1, 0, ""));
    cluster.steps(30);
    assert_eq!((api.count::<Job>(), api.count::<Pod>()), (0, 0));
}

#[test]
fn a_job_ends_at_its_deadline() {
    let (api, mut cluster) =
        cluster(&with(job("w"), json!({"activeDeadlineSeconds": 60})), |_: &PodInfo| Life::Forever);
    cluster.steps(12);
    assert_eq!(conditions(&api), ["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
}

#[test]
fn a_grace_that_is_over_kills() {
    struct Deaf;
    impl Script for Deaf {
        fn step(&mut self, _: &PodInfo) -> Turn {
            Turn::Goes
        }
        fn asked_to_end(&mut self, _: &PodInfo) -> Turn {
            Turn::Goes
        }
    }
    let mut patient = job("w");
    patient["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(50);
    let (api, mut cluster) = cluster(&patient, Deaf);
    cluster.steps(3);
    api.delete::<Job>("science", "w");
    cluster.steps(3);
    assert_eq!(api.count::<Pod>(), 2);
    cluster.steps(4);
    assert_eq!(api.count::<Pod>(), 0);
}

#[test]
fn a_stuck_pod_says_why() {
    let state = |stuck: Stuck| {
        let (api, mut cluster) = cluster(&job("w"), move |_: &PodInfo| Life::Stuck(stuck.clone()));
        cluster.steps(3);
        pods(&api)[0].status.clone().unwrap()
    };
    let waiting = |stuck| {
        let waiting = state(stuck).container_statuses.unwrap()[0].state.clone().unwrap().waiting.unwrap();
        (waiting.reason.unwrap(), waiting.message.unwrap_or_default())
    };
    let image = "Back-off pulling image".to_owned();
    assert_eq!(waiting(Stuck::ImagePull(image.clone())), ("ImagePullBackOff".into(), image));
    let secret = "secret \"x\" not found".to_owned();
    assert_eq!(waiting(Stuck::Config(secret.clone())), ("CreateContainerConfigError".into(), secret));
    assert_eq!(waiting(Stuck::Creating).0, "ContainerCreating");
    let claim = "persistentvolumeclaim \"results\" not found".to_owned();
    let conditions = state(Stuck::Unschedulable(claim.clone())).conditions.unwrap();
    assert_eq!(
        (conditions[0].reason.clone(), conditions[0].message.clone()),
        (Some("Unschedulable".into()), Some(claim))
    );
}

#[test]
fn a_pod_waits_for_its_config_map() {
    let mut mounted = job("w");
    mounted["spec"]["template"]["spec"]["volumes"] = json!([{"name": "job", "configMap": {"name": "late"}}]);
    let (api, mut cluster) = cluster(&mounted, |_: &PodInfo| Life::Forever);
    cluster.steps(4);
    assert!(cluster.running("").is_empty());
    api.put_raw(config_map("late", json!({}))).unwrap();
    cluster.steps(2);
    assert_eq!(cluster.running("").len(), 2);
}

#[test]
fn a_quota_makes_an_event_and_no_pods() {
    let (api, mut cluster) = cluster(&job("w"), |_: &PodInfo| Life::Forever);
    cluster.set_quota("science", Some(0));
    cluster.steps(3);
    assert_eq!(api.count::<Pod>(), 0);
    let events = api.list::<Event>("science");
    assert_eq!((events.len(), events[0].reason.as_deref(), events[0].count), (1, Some("FailedCreate"), Some(3)));
    assert!(events[0].message.as_deref().unwrap().contains("exceeded quota"));
    assert_eq!(events[0].involved_object.name.as_deref(), Some("w"));
    cluster.set_quota("science", None);
    cluster.steps(3);
    assert_eq!(cluster.running("").len(), 2);
}

#[test]
fn a_deployment_becomes_available_and_follows_its_replicas() {
    let api = MockApi::new();
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x-cache", "namespace": "science"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "c"}},
            "template": {"metadata": {"labels": {"app": "c"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        },
    });
    api.put::<Deployment>(&serde_json::from_value(deployment).unwrap()).unwrap();
    let mut cluster = Cluster::new(&api, 1, |_: &PodInfo| Life::Forever);
    let ready = || api.get::<Deployment>("science", "x-cache").unwrap().status.unwrap();
    cluster.step();
    assert_eq!((ready().replicas, ready().ready_replicas), (Some(2), None));
    cluster.steps(4);
    assert_eq!((ready().available_replicas, ready().observed_generation), (Some(2), Some(1)));
    assert_eq!(ready().conditions.unwrap()[0].status, "True");
    let pod = cluster.running("")[0].clone();
    cluster.kill(&pod.namespace, &pod.name);
    cluster.step();
    assert_eq!(ready().ready_replicas, Some(1));
    cluster.steps(2);
    assert_eq!(ready().ready_replicas, Some(2), "restarted in place");
    api.edit::<Deployment>("science", "x-cache", |d| d.spec.as_mut().unwrap().replicas = Some(0)).unwrap();
    cluster.steps(3);
    assert_eq!((ready().replicas, ready().observed_generation, api.count::<Pod>()), (None, Some(2), 0));
}

#[test]
fn the_same_seed_gives_the_same_cluster() {
    let run = |seed| {
        let api = MockApi::new();
        api.put::<Job>(&serde_json::from_value(job("w")).unwrap()).unwrap();
        let mut cluster = Cluster::new(&api, seed, |_: &PodInfo| Life::runs(3, 0, ""));
        for _ in 0..10 {
            cluster.step();
            cluster.kill_any("");
        }
        pods(&api).iter().map(|pod| serde_json::to_string(pod).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
