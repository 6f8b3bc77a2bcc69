//! Deletion, finalizers, and what becomes of dependents.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod make;

use analysisjob::AnalysisJob;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ConfigMap, Pod},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Preconditions},
};
use make::{analysis, api, code, config_map, config_maps, job, jobs};
use mockapi::MockApi;
use serde_json::{Value, json};

/// An AnalysisJob that owns a Job that owns a pod.
fn family(api: &MockApi) -> String {
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
    let top = uid(&api.put_raw(analysis("x")).unwrap());
    let owned = |mut object: Value, kind: &str, name: &str, uid: &str| {
        object["metadata"]["ownerReferences"] = json!([
            {"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true}
        ]);
        object
    };
    let middle = uid(&api.put_raw(owned(job("w"), "AnalysisJob", "x", &top)).unwrap());
    api.put_raw(owned(pod("p", None), "Job", "w", &middle)).unwrap();
    top
}

fn pod(name: &str, node: Option<&str>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "science", "labels": {"role": "work"}},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 120, "containers": []},
    })
}

fn left(api: &MockApi) -> (usize, usize, usize) {
    (api.count::<AnalysisJob>(), api.count::<Job>(), api.count::<Pod>())
}

#[tokio::test]
async fn in_the_background_the_owner_goes_first() {
    let (api, client) = api();
    family(&api);
    let aj: Api<AnalysisJob> = Api::namespaced(client, "science");
    aj.delete("x", &DeleteParams::background()).await.unwrap();
    assert_eq!(left(&api), (0, 1, 1));
    api.gc();
    assert_eq!(left(&api), (0, 0, 0));
}

#[tokio::test]
async fn in_the_foreground_the_owner_goes_last() {
    let (api, client) = api();
    family(&api);
    let aj: Api<AnalysisJob> = Api::namespaced(client, "science");
    aj.delete("x", &DeleteParams::foreground()).await.unwrap();
    assert!(aj.get("x").await.unwrap().metadata.deletion_timestamp.is_some());
    assert_eq!(left(&api), (1, 1, 1));
    api.gc();
    assert_eq!(left(&api), (0, 0, 0));
}

#[tokio::test]
async fn a_job_deleted_without_a_policy_leaves_its_pods() {
    let (api, client) = api();
    api.auto_gc(true);
    family(&api);
    jobs(&client).delete("w", &DeleteParams::default()).await.unwrap();
    assert_eq!(left(&api), (1, 0, 1));
    assert!(api.get::<Pod>("science", "p").unwrap().metadata.owner_references.is_none());
}

#[tokio::test]
async fn a_child_of_an_owner_that_is_gone_does_not_stay() {
    let (api, _client) = api();
    family(&api);
    let job = api.get_raw::<Job>("science", "w").unwrap();
    api.auto_gc(true);
    api.delete::<AnalysisJob>("science", "x");
    assert_eq!(left(&api), (0, 0, 0));
    api.put_raw(Value::clone(&job)).unwrap();
    api.gc();
    assert_eq!(left(&api), (0, 0, 0));
}

#[tokio::test]
async fn a_finalizer_holds_an_object_until_it_is_taken_away() {
    let (api, client) = api();
    let mut map = config_map("a", json!({}));
    map["metadata"]["finalizers"] = json!(["example/hold"]);
    api.put_raw(map).unwrap();
    config_maps(&client).delete("a", &DeleteParams::default()).await.unwrap();
    assert!(config_maps(&client).get("a").await.unwrap().metadata.deletion_timestamp.is_some());
    api.edit::<ConfigMap>("science", "a", |map| map.finalizers_mut().clear()).unwrap();
    assert_eq!(api.count::<ConfigMap>(), 0);
}

#[tokio::test]
async fn a_running_pod_has_its_grace_and_none_at_zero() {
    let (api, client) = api();
    let pods: Api<Pod> = Api::namespaced(client, "science");
    for name in ["a", "b", "c"] {
        api.put_raw(pod(name, Some("node"))).unwrap();
    }
    pods.delete("a", &DeleteParams::default()).await.unwrap();
    let ending = pods.get("a").await.unwrap().metadata;
    assert_eq!(ending.deletion_grace_period_seconds, Some(120));
    assert_eq!(ending.deletion_timestamp.unwrap().0.as_second(), api.now().as_second() + 120);
    let now = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    let gone = pods.delete_collection(&now, &ListParams::default().labels("role=work")).await.unwrap();
    assert_eq!(gone.left().unwrap().items.len(), 3);
    assert_eq!(api.count::<Pod>(), 0);
}

#[tokio::test]
async fn a_delete_of_another_life_is_refused() {
    let (api, client) = api();
    api.put_raw(config_map("a", json!({}))).unwrap();
    let other = Preconditions { uid: Some("other".into()), resource_version: None };
    let params = DeleteParams { preconditions: Some(other), ..DeleteParams::default() };
    assert_eq!(code(config_maps(&client).delete("a", &params).await), 409);
    assert_eq!(code(config_maps(&client).delete("b", &DeleteParams::default()).await), 404);
}
