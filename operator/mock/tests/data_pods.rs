//! The model of the data pods, driven by a toy of an operator.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod make;

use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use make::job;
use mockapi::{Cluster, DataPods, MockApi, cluster::Stuck};
use serde_json::{Value, json};

const NAME: &str = "x";

fn step(api: &MockApi, role: &str, completions: u64) {
    let mut step = job(&format!("x-{role}-1"));
    let labels = json!({"camhd.science/role": role, "camhd.science/run": "1", "camhd.science/analysisjob": NAME});
    step["spec"]["template"]["metadata"] = json!({"labels": labels});
    step["spec"]["completions"] = json!(completions);
    step["spec"]["parallelism"] = json!(8);
    step["spec"]["backoffLimitPerIndex"] = json!(20);
    step["spec"]["podFailurePolicy"] = json!({"rules": [
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [75]}},
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [78]}},
    ]});
    api.put::<Job>(&serde_json::from_value(step).unwrap()).unwrap();
}

/// The termination message of the last pod of a role.
fn said(api: &MockApi, role: &str) -> Value {
    let pods = api.list::<Pod>("science");
    let message = pods.iter().filter(|pod| pod.metadata.name.as_deref().unwrap().contains(role)).find_map(|pod| {
        let status = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
        status.state.as_ref()?.terminated.as_ref()?.message.clone()
    });
    serde_json::from_str(&message.unwrap()).unwrap()
}

fn world(items: usize) -> (MockApi, DataPods, Cluster) {
    let (api, data) = (MockApi::new(), DataPods::new(items));
    let cluster = Cluster::new(&api, 3, data.clone());
    (api, data, cluster)
}

#[test]
fn a_run_computes_every_item_once_and_tells_the_truth() {
    let (api, data, mut cluster) = world(25);
    data.with("science", NAME, |ledger| {
        ledger.items_per_index = 2;
        ledger.items[3].done = true;
        ledger.break_item(7, "DecodeError");
    });
    step(&api, "plan", 1);
    cluster.steps(5);
    let plan = said(&api, "plan");
    assert_eq!(plan["items"], json!({"total": 25, "upToDate": 1, "succeeded": 0, "failed": 0}));
    assert_eq!((&plan["plan"]["selected"], &plan["plan"]["indexes"]), (&json!(24), &json!(12)));
    step(&api, "work", 12);
    cluster.steps(20);
    step(&api, "collect", 1);
    cluster.steps(5);
    let truth = said(&api, "collect");
    assert_eq!(truth["items"], json!({"total": 25, "upToDate": 1, "succeeded": 23, "failed": 1}));
    assert_eq!(truth["failures"][0]["reason"], "DecodeError");
    let ledger = data.ledger("science", NAME);
    assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.unexplained(), ledger.collisions), (0, 0, 0, 0));
}

#[test]
fn killed_pods_cost_what_they_had_in_hand_and_no_more() {
    let (api, data, mut cluster) = world(60);
    data.with("science", NAME, |ledger| {
        ledger.steps_per_item = 3;
        ledger.items_per_index = 3;
    });
    step(&api, "plan", 1);
    cluster.steps(5);
    step(&api, "work", 20);
    for _ in 0..40 {
        cluster.step();
        cluster.kill_any("work");
    }
    cluster.steps(200);
    let ledger = data.ledger("science", NAME);
    assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.unexplained()), (0, 0, 0));
    assert!(ledger.lost_in_hand > 10, "{}", ledger.lost_in_hand);
}

#[test]
fn a_pod_told_to_end_finishes_the_item_in_hand() {
    let (api, data, mut cluster) = world(8);
    data.with("science", NAME, |ledger| {
        ledger.steps_per_item = 2;
        ledger.items_per_index = 8;
    });
    step(&api, "plan", 1);
    cluster.steps(5);
    step(&api, "work", 1);
    cluster.steps(4);
    let pod = cluster.running("work")[0].clone();
    assert!(cluster.evict(&pod.namespace, &pod.name));
    cluster.steps(3);
    let ledger = data.ledger("science", NAME);
    assert_eq!((ledger.done(), ledger.lost_in_hand), (1, 0));
    cluster.steps(40);
    assert_eq!(data.ledger("science", NAME).missing(), 0);
}

#[test]
fn what_is_wrong_is_said_by_exit_78() {
    let (api, data, mut cluster) = world(8);
    data.with("science", NAME, |ledger| ledger.misconfigured = Some(("MarkerMissing".into(), "no README.md".into())));
    step(&api, "plan", 1);
    cluster.steps(6);
    assert_eq!(said(&api, "plan"), json!({"error": {"reason": "MarkerMissing", "message": "no README.md"}}));
    let plan = api.get::<Job>("science", "x-plan-1").unwrap().status.unwrap();
    assert!(plan.conditions.unwrap().iter().any(|condition| condition.type_ == "Failed"));
}

#[test]
fn work_before_its_plan_is_noticed() {
    let (api, data, mut cluster) = world(8);
    step(&api, "work", 1);
    cluster.steps(5);
    assert_eq!(data.ledger("science", NAME).workers_without_plan, 1);
}

#[test]
fn pods_of_a_role_can_be_held() {
    let (api, data, mut cluster) = world(8);
    let stuck = Stuck::Unschedulable("persistentvolumeclaim \"results\" not found".into());
    data.with("science", NAME, |ledger| ledger.held.insert("plan".into(), stuck));
    step(&api, "plan", 1);
    cluster.steps(5);
    assert!(cluster.running("plan").is_empty());
    data.with("science", NAME, |ledger| ledger.held.clear());
    cluster.steps(5);
    assert_eq!(data.ledger("science", NAME).runs["1"].planned, 1);
}
