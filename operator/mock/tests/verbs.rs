//! Reading, making, replacing, patching: what the verbs promise.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod make;

use analysisjob::AnalysisJob;
use k8s_openapi::api::{batch::v1::Job, coordination::v1::Lease, core::v1::ConfigMap, events::v1::Event};
use kube::{
    Api, Resource, ResourceExt,
    api::{ListParams, Patch, PatchParams, PostParams},
    runtime::events::{EventType, Recorder, Reporter},
};
use make::{analysis, api, code, config_map, config_maps, job, jobs};
use serde_json::{Value, from_value, json};

#[tokio::test]
async fn an_object_is_made_once() {
    let (api, client) = api();
    let maps = config_maps(&client);
    let map: ConfigMap = from_value(config_map("a", json!({"k": "v"}))).unwrap();
    let made = maps.create(&PostParams::default(), &map).await.unwrap();
    assert!(made.uid().is_some() && made.resource_version().is_some());
    assert_eq!(made.creation_timestamp().unwrap().0, api.now());
    assert_eq!(code(maps.create(&PostParams::default(), &map).await), 409);
    assert_eq!(maps.get("a").await.unwrap().data, map.data);
    assert_eq!(code(maps.get("b").await), 404);
    assert!(maps.get_opt("b").await.unwrap().is_none());
}

#[tokio::test]
async fn a_replace_of_an_old_version_conflicts() {
    let (_api, client) = api();
    let maps = config_maps(&client);
    let first =
        maps.create(&PostParams::default(), &from_value(config_map("a", json!({"k": "1"}))).unwrap()).await.unwrap();
    let mut second = first.clone();
    second.data = Some([("k".into(), "2".into())].into());
    let replaced = maps.replace("a", &PostParams::default(), &second).await.unwrap();
    assert_ne!(replaced.resource_version(), first.resource_version());
    assert_eq!(code(maps.replace("a", &PostParams::default(), &second).await), 409);
}

#[tokio::test]
async fn lists_select_by_label_name_and_namespace() {
    let (api, client) = api();
    for (name, role) in [("a", "plan"), ("b", "work"), ("c", "work")] {
        let mut object = job(name);
        object["metadata"]["labels"]["role"] = json!(role);
        api.put::<Job>(&from_value(object).unwrap()).unwrap();
    }
    let mut elsewhere = job("b");
    elsewhere["metadata"]["namespace"] = json!("other");
    api.put::<Job>(&from_value(elsewhere).unwrap()).unwrap();
    let names = async |jobs: Api<Job>, params: ListParams| -> Vec<String> {
        jobs.list(&params).await.unwrap().items.iter().map(ResourceExt::name_any).collect()
    };
    assert_eq!(names(jobs(&client), ListParams::default().labels("role=work")).await, ["b", "c"]);
    assert_eq!(names(jobs(&client), ListParams::default().fields("metadata.name=c")).await, ["c"]);
    assert_eq!(names(Api::all(client.clone()), ListParams::default()).await, ["b", "a", "b", "c"]);
    assert_eq!(code(jobs(&client).list(&ListParams::default().fields("spec.suspend=true")).await), 400);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (api, client) = api();
    for name in ["a", "b", "c"] {
        api.put_raw(config_map(name, json!({}))).unwrap();
    }
    let first = config_maps(&client).list(&ListParams::default().limit(2)).await.unwrap();
    let next = first.metadata.continue_.clone().unwrap();
    let rest = config_maps(&client).list(&ListParams::default().limit(2).continue_token(&next)).await.unwrap();
    assert_eq!((first.items.len(), rest.items.len()), (2, 1));
}

#[tokio::test]
async fn spec_and_status_have_doors_of_their_own() {
    let (_api, client) = api();
    let aj: Api<AnalysisJob> = Api::namespaced(client, "science");
    make::apply(&aj, "user", &analysis("x")).await.unwrap();
    let both = json!({"status": {"progress": "1/2"}, "spec": {"suspend": true}});
    let by_status = aj.patch_status("x", &PatchParams::default(), &Patch::Merge(&both)).await.unwrap();
    assert_eq!(by_status.status.as_ref().unwrap().progress.as_deref(), Some("1/2"));
    assert!(!by_status.spec.suspend);
    assert_eq!(by_status.metadata.generation, Some(1));
    let both = json!({"status": {"progress": "9/9"}, "spec": {"suspend": true}});
    let by_spec = aj.patch("x", &PatchParams::default(), &Patch::Merge(&both)).await.unwrap();
    assert_eq!(by_spec.status.as_ref().unwrap().progress.as_deref(), Some("1/2"));
    assert!(by_spec.spec.suspend);
    assert_eq!(by_spec.metadata.generation, Some(2));
}

#[tokio::test]
async fn a_dry_run_answers_and_writes_nothing() {
    let (api, client) = api();
    let params = PatchParams { dry_run: true, ..PatchParams::apply("op").force() };
    let answer = jobs(&client).patch("w", &params, &Patch::Apply(job("w"))).await.unwrap();
    assert_eq!(answer.spec.unwrap().suspend, Some(false));
    assert_eq!(api.count::<Job>(), 0);
    assert!(!api.operator().log()[0].write);
    let mut wrong = job("w");
    wrong["spec"]["template"]["spec"]["restartPolicy"] = json!("Always");
    assert_eq!(code(jobs(&client).patch("w", &params, &Patch::Apply(wrong)).await), 422);
}

#[tokio::test]
async fn a_jobs_template_is_fixed_and_its_width_is_not() {
    let (_api, client) = api();
    make::apply(&jobs(&client), "op", &job("w")).await.unwrap();
    let patch = |patch| {
        let jobs = jobs(&client);
        async move { jobs.patch("w", &PatchParams::default(), &Patch::Merge(patch)).await }
    };
    let image = json!({"spec": {"template": {"spec": {"priorityClassName": "high"}}}});
    assert_eq!(code(patch(image).await), 422);
    assert_eq!(code(patch(json!({"spec": {"completions": 9}})).await), 422);
    assert_eq!(code(patch(json!({"spec": {"backoffLimitPerIndex": 2}})).await), 422);
    let wide = patch(json!({"spec": {"parallelism": 3, "suspend": true}})).await.unwrap();
    assert_eq!(wide.spec.unwrap().parallelism, Some(3));
    assert_eq!(wide.metadata.generation, Some(2));
}

#[tokio::test]
async fn fields_nobody_knows_are_refused_by_apply_and_dropped_by_others() {
    let (_api, client) = api();
    let mut typo = job("w");
    typo["spec"]["paralelism"] = json!(3);
    assert_eq!(code(make::apply(&jobs(&client), "op", &typo).await), 400);
    make::apply(&jobs(&client), "op", &job("w")).await.unwrap();
    let patch = json!({"spec": {"paralelism": 3}});
    let same = jobs(&client).patch("w", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    assert_eq!(same.metadata.generation, Some(1));
}

#[tokio::test]
async fn what_is_not_served_is_not_found() {
    let (api, client) = api();
    let secrets: Api<k8s_openapi::api::core::v1::Secret> = Api::namespaced(client.clone(), "science");
    assert_eq!(code(secrets.list(&ListParams::default()).await), 404);
    api.set_version(32);
    assert_eq!(client.apiserver_version().await.unwrap().minor, "32");
    assert_eq!(client.list_api_group_resources("batch/v1").await.unwrap().resources[0].name, "jobs");
}

#[tokio::test]
async fn events_are_made_once_and_then_counted() {
    let (api, client) = api();
    let reporter = Reporter { controller: "analysis-operator".into(), instance: None };
    let recorder = Recorder::new(client, reporter);
    let about = api.put_raw(analysis("x")).unwrap();
    let about: AnalysisJob = from_value(Value::clone(&about)).unwrap();
    let event = kube::runtime::events::Event {
        type_: EventType::Normal,
        reason: "Planned".into(),
        note: Some("248 movies".into()),
        action: "Plan".into(),
        secondary: None,
    };
    for _ in 0..2 {
        recorder.publish(&event, &about.object_ref(&())).await.unwrap();
    }
    let events = api.list::<Event>("science");
    assert_eq!((events.len(), events[0].series.as_ref().map(|series| series.count)), (1, Some(2)));
}

#[tokio::test]
async fn a_lease_is_taken_by_one() {
    let (api, client) = api();
    let leases: Api<Lease> = Api::namespaced(client.clone(), "science");
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"},
    });
    let mut held = make::apply(&leases, "a", &lease).await.unwrap();
    let mut rival = held.clone();
    held.spec.as_mut().unwrap().lease_transitions = Some(1);
    rival.spec.as_mut().unwrap().holder_identity = Some("b".into());
    leases.replace("l", &PostParams::default(), &held).await.unwrap();
    assert_eq!(code(leases.replace("l", &PostParams::default(), &rival).await), 409);
    let stolen = json!({"metadata": {"resourceVersion": held.resource_version()}, "spec": {"holderIdentity": "b"}});
    assert_eq!(code(leases.patch("l", &PatchParams::default(), &Patch::Merge(stolen)).await), 409);
    assert_eq!(api.get::<Lease>("science", "l").unwrap().spec.unwrap().holder_identity.as_deref(), Some("a"));
}
