//! What cannot change while a run is under way, and what can.

use analysisjob::{AnalysisJob, crd, managers};
use e2e::Namespace;
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{
    Refusal,
    cases::{mk_job, queue},
    refusal,
};

/// A stored job whose status is this.
async fn job_with(space: &Namespace<'_>, status: Value) -> Api<AnalysisJob> {
    let jobs = space.api::<AnalysisJob>();
    jobs.create(&PostParams::default(), &serde_json::from_value(mk_job()).unwrap()).await.unwrap();
    let status = Patch::Merge(json!({"status": status}));
    jobs.patch_status("a-job", &PatchParams::default(), &status).await.unwrap();
    jobs
}

async fn change(jobs: &Api<AnalysisJob>, spec: Value) -> Result<AnalysisJob, Refusal> {
    let patch = Patch::Merge(json!({"spec": spec}));
    jobs.patch("a-job", &PatchParams::default(), &patch).await.map_err(refusal)
}

fn other_output() -> Value {
    json!({"output": {"persistentVolumeClaim": {"claimName": "other"}}})
}

fn other_strategy() -> Value {
    json!({"workers": queue("ProducerAndConsumer")})
}

/// The rules of the root: field and message.
fn rules_of_the_root() -> Vec<(String, String)> {
    let schema = crd::schema().unwrap();
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap().trim_start_matches('.').to_owned();
    let rules = schema["x-kubernetes-validations"].as_array().unwrap();
    rules.iter().map(|rule| (text(rule, "fieldPath"), text(rule, "message"))).collect()
}

#[tokio::test]
async fn refuse_every_change_a_rule_of_the_root_forbids_during_a_run() {
    let space = e2e::shared().await.unwrap().namespace("running").await.unwrap();
    let jobs = job_with(&space, json!({"run": {"id": "1-aaaa"}})).await;
    for (path, message) in rules_of_the_root() {
        let spec = match path.as_str() {
            "spec.output" => other_output(),
            "spec.workers.strategy" => other_strategy(),
            path => panic!("no case for the rule of {path}"),
        };
        let found = change(&jobs, spec).await.unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == path && found[0].1.contains(&message), "{path}: {message}\n{found:?}");
    }
}

#[tokio::test]
async fn refuse_another_output_during_a_run_to_server_side_apply_too() {
    let space = e2e::shared().await.unwrap().namespace("running").await.unwrap();
    let jobs = job_with(&space, json!({"run": {"id": "1-aaaa"}})).await;
    let mut job = mk_job();
    job["spec"]["output"] = other_output()["output"].take();
    let params = PatchParams::apply("a-person").force();
    let found = jobs.patch("a-job", &params, &Patch::Apply(&job)).await.map_err(refusal).unwrap_err();
    assert_eq!(found[0].0, "spec.output", "{found:?}");
}

#[tokio::test]
async fn admit_every_other_change_during_a_run() {
    let space = e2e::shared().await.unwrap().namespace("running").await.unwrap();
    let jobs = job_with(&space, json!({"run": {"id": "1-aaaa"}})).await;
    let changes = [
        json!({"workers": {"parallelism": 99}}),
        json!({"suspend": true}),
        json!({"analysis": {"opticalFlow": {"stride": 20}}}),
        json!({"source": {"prefixes": ["RS01/"]}}),
        json!({"cache": {"managed": {"replicas": {"max": 3}}}}),
        json!({"ttlSecondsAfterFinished": 60}),
        // Said again, or left to its default, is no change.
        json!({"output": {"persistentVolumeClaim": {"claimName": "out"}, "overwritePolicy": null}}),
        json!({"workers": {"strategy": "Indexed"}}),
    ];
    for spec in changes {
        let found = change(&jobs, spec.clone()).await;
        assert!(found.is_ok(), "{spec}: {found:?}");
    }
}

#[tokio::test]
async fn admit_another_output_and_strategy_before_and_after_a_run() {
    let plane = e2e::shared().await.unwrap();
    let ended = json!({"run": {"id": "1-aaaa"}, "completionTime": "2026-01-01T00:00:00Z"});
    for status in [json!({}), json!({"observedGeneration": 1}), ended] {
        let space = plane.namespace("ended").await.unwrap();
        let jobs = job_with(&space, status).await;
        change(&jobs, other_output()).await.unwrap();
        change(&jobs, other_strategy()).await.unwrap();
    }
}

#[tokio::test]
async fn admit_the_status_that_begins_and_ends_a_run() {
    let space = e2e::shared().await.unwrap().namespace("status").await.unwrap();
    let jobs = job_with(&space, json!({})).await;
    let begun = json!({"run": {"id": "1-aaaa"}, "startTime": "2026-01-01T00:00:00Z"});
    let mut ended = begun.clone();
    ended["completionTime"] = json!("2026-01-01T00:00:00Z");
    for status in [&begun, &ended, &begun] {
        let apply = json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "status": status});
        let params = PatchParams::apply(managers::STATUS).force();
        let job = jobs.patch_status("a-job", &params, &Patch::Apply(&apply)).await.unwrap();
        assert_eq!(&serde_json::to_value(job.status).unwrap(), status);
    }
}
