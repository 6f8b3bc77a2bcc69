//! Server-side apply: who owns what.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod make;

use analysisjob::AnalysisJob;
use k8s_openapi::api::{batch::v1::Job, core::v1::ConfigMap};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use make::{analysis, api, apply, code, config_map, config_maps, job, jobs};
use serde_json::json;

#[tokio::test]
async fn apply_makes_what_is_missing_and_then_keeps_the_revision() {
    let (api, client) = api();
    let first = apply(&jobs(&client), "op", &job("w")).await.unwrap();
    let revision = api.revision();
    let again = apply(&jobs(&client), "op", &job("w")).await.unwrap();
    assert_eq!(again.resource_version(), first.resource_version());
    assert_eq!(api.revision(), revision);
    let log = api.operator().log();
    assert_eq!((log[0].code, log[0].changed, log[1].code, log[1].changed), (201, true, 200, false));
}

#[tokio::test]
async fn a_field_left_out_is_removed_unless_another_owns_it() {
    let (api, client) = api();
    let maps = config_maps(&client);
    apply(&maps, "op", &config_map("a", json!({"mine": "1", "shared": "1"}))).await.unwrap();
    apply(&maps, "other", &config_map("a", json!({"shared": "1", "theirs": "1"}))).await.unwrap();
    assert_eq!(api.owners::<ConfigMap>("science", "a", &["data", "shared"]), ["op", "other"]);
    let left = apply(&maps, "op", &config_map("a", json!({}))).await.unwrap().data.unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), ["shared", "theirs"]);
    assert_eq!(api.owners::<ConfigMap>("science", "a", &["data", "shared"]), ["other"]);
}

#[tokio::test]
async fn a_conflict_is_refused_and_force_takes_the_field() {
    let (api, client) = api();
    let maps = config_maps(&client);
    apply(&maps, "op", &config_map("a", json!({"k": "1"}))).await.unwrap();
    assert_eq!(code(apply(&maps, "other", &config_map("a", json!({"k": "2"}))).await), 409);
    let force = PatchParams::apply("other").force();
    let map = maps.patch("a", &force, &Patch::Apply(config_map("a", json!({"k": "2"})))).await.unwrap();
    assert_eq!(map.data.unwrap()["k"], "2");
    assert_eq!(api.owners::<ConfigMap>("science", "a", &["data", "k"]), ["other"]);
}

#[tokio::test]
async fn a_field_someone_else_has_changed_is_theirs() {
    let (api, client) = api();
    apply(&jobs(&client), "op", &job("w")).await.unwrap();
    let kueue = PatchParams { field_manager: Some("kueue".into()), ..PatchParams::default() };
    jobs(&client)
        .patch("w", &kueue, &Patch::Merge(json!({"spec": {"suspend": true, "parallelism": 1}})))
        .await
        .unwrap();
    assert_eq!(api.owners::<Job>("science", "w", &["spec", "parallelism"]), ["kueue"]);
    let mut without = job("w");
    without["spec"].as_object_mut().unwrap().remove("parallelism");
    let spec = apply(&jobs(&client), "op", &without).await.unwrap().spec.unwrap();
    assert_eq!((spec.parallelism, spec.suspend), (Some(1), Some(true)));
    assert_eq!(code(apply(&jobs(&client), "op", &job("w")).await), 409);
}

#[tokio::test]
async fn lists_with_keys_are_merged_by_item() {
    let (_api, client) = api();
    let mut mine = job("w");
    mine["spec"]["suspend"] = json!(true);
    let worker = |env| json!([{"name": "worker", "env": env}]);
    mine["spec"]["template"]["spec"]["containers"] =
        json!([{"name": "worker", "image": "i", "env": [{"name": "A", "value": "1"}]}]);
    apply(&jobs(&client), "op", &mine).await.unwrap();
    let mut theirs = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "w"}});
    theirs["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}
    ]);
    let merged = apply(&jobs(&client), "other", &theirs).await.unwrap();
    assert_eq!(merged.metadata.owner_references.unwrap().len(), 1);
    theirs["spec"] = json!({"template": {"spec": {"containers": worker(json!([{"name": "B", "value": "2"}]))}}});
    let status = code(apply(&jobs(&client), "other", &theirs).await);
    assert_eq!(status, 422, "merged by name, and then refused because a template is fixed");
}

#[tokio::test]
async fn conditions_of_a_status_are_merged_by_type() {
    let (api, client) = api();
    let aj: Api<AnalysisJob> = Api::namespaced(client, "science");
    api.put_raw(analysis("x")).unwrap();
    let condition = |word: &str| json!({"type": word, "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let status = |conditions| json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "status": {"conditions": conditions}});
    let send = |manager: &str, body| {
        let (aj, params) = (aj.clone(), PatchParams::apply(manager).force());
        async move { aj.patch_status("x", &params, &Patch::Apply(body)).await.unwrap().status.unwrap().conditions }
    };
    send("op", status(json!([condition("Ready"), condition("Stalled")]))).await;
    send("other", status(json!([condition("Theirs")]))).await;
    let left = send("op", status(json!([condition("Ready")]))).await;
    assert_eq!(left.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(), ["Ready", "Theirs"]);
}

#[tokio::test]
async fn a_status_cannot_be_applied_to_nothing() {
    let (_api, client) = api();
    let aj: Api<AnalysisJob> = Api::namespaced(client, "science");
    let body = json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "status": {"progress": "0/1"}});
    assert_eq!(code(aj.patch_status("x", &PatchParams::apply("op").force(), &Patch::Apply(body)).await), 404);
}

#[tokio::test]
async fn apply_names_its_manager_kind_and_version() {
    let (_api, client) = api();
    let maps = config_maps(&client);
    let map = config_map("a", json!({}));
    assert_eq!(code(maps.patch("a", &PatchParams::default(), &Patch::Apply(&map)).await), 422);
    assert_eq!(code(maps.patch("b", &PatchParams::apply("op"), &Patch::Apply(&map)).await), 400);
    assert_eq!(code(maps.patch("a", &PatchParams::apply("op"), &Patch::Apply(json!({"data": {}}))).await), 400);
    let mut old = map.clone();
    old["metadata"]["uid"] = json!("of another life");
    assert_eq!(code(maps.patch("a", &PatchParams::apply("op"), &Patch::Apply(&old)).await), 409);
}
