//! An object this release cannot read harms nobody else.

use analysisjob::{AnalysisJob, labels};
use k8s_openapi::api::batch::v1::Job;
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
    core::DeserializeGuard,
};
use serde_json::{Value, json};

use crate::world::World;

/// A time the API server takes and our types cannot hold: they end a day earlier.
const TOO_LATE: &str = "9999-12-31T23:59:59Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_decoded_stops_no_other_job() {
    let world = World::new("broken", 2).await;
    world.kubelet.hold("work");
    world.apply("a", json!({})).await;
    let work = work_job(&world).await;
    condition(&world, &work, TOO_LATE).await;
    assert!(world.space.api::<Job>().get(&work).await.is_err(), "it can be read after all");
    world.kubelet.release("work");
    world.apply("c", json!({"suspend": true})).await;
    world.until("c", "Ready", "True/Suspended").await;
    // No rule of the CRD bounds a count of the status, our types do.
    total(&world, &json!({"total": 99_999_999_999_u64})).await;
    assert!(world.jobs().get("c").await.is_err(), "it can be read after all");
    world.apply("b", json!({})).await;
    world.until_complete("b").await;
    assert!(world.jobs().get("b").await.unwrap().uid().is_some());
    world
        .until_true("the metric to say so", async || {
            let text = world.operator.metrics.text();
            let told = |kind| text.contains(&format!("analysis_operator_undecodable_objects{{kind=\"{kind}\"}} 1"));
            if told("Job") && told("AnalysisJob") { Ok(()) } else { Err(text) }
        })
        .await;
    // Someone mends them: the jobs go on by themselves.
    condition(&world, &work, "2026-01-01T00:00:00Z").await;
    total(&world, &json!(null)).await;
    world.edit("c", json!({"suspend": false})).await;
    for name in ["a", "c"] {
        world.until_complete(name).await;
    }
}

/// Puts counts into the status of the AnalysisJob `c`.
async fn total(world: &World, items: &Value) {
    let patch = Patch::Merge(json!({"status": {"items": items}}));
    let jobs: Api<DeserializeGuard<AnalysisJob>> = Api::namespaced(world.space.client(), world.space.name());
    jobs.patch_status("c", &PatchParams::default(), &patch).await.unwrap();
}

/// The work Job of `a`, by name.
async fn work_job(world: &World) -> String {
    let ours = ListParams::default().labels(&format!("{}=a,{}={}", labels::JOB, labels::ROLE, labels::WORK));
    world
        .until_true("the work Job", async || {
            let jobs = world.space.api::<Job>().list_metadata(&ours).await.map_err(|error| error.to_string())?;
            jobs.items.first().map(ResourceExt::name_any).ok_or_else(|| "none yet".to_owned())
        })
        .await
}

/// Puts a condition of someone else on a Job, changed at this time.
async fn condition(world: &World, job: &str, time: &str) {
    let condition = json!({"type": "Theirs", "status": "True", "lastTransitionTime": time});
    let path = format!("/apis/batch/v1/namespaces/{}/jobs/{job}/status", world.space.name());
    let patch = json!({"status": {"conditions": [condition]}}).to_string();
    let request = http::Request::patch(format!("{path}?fieldManager=someone"))
        .header("content-type", "application/strategic-merge-patch+json")
        .body(patch.into_bytes());
    world.space.client().request_text(request.unwrap()).await.unwrap();
}
