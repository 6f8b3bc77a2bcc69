//! Wrong input shows in the conditions, with a reason and what mends it, and heals when it is mended.

use std::time::Duration;

use e2e::wait;
use k8s_openapi::api::core::v1::{ResourceQuota, Service};
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, from_value, json};

use crate::world::World;

/// How long a trouble may take to be told.
const A_MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spec_that_cannot_work_says_what_to_mend() {
    let world = World::new("wrong", 1).await;
    let unknown = json!({"spec": {"nodeSelektor": {"disk": "fast"}}});
    let refused = json!({"spec": {"tolerations": [{"key": "gpu", "operator": "Nonsense"}]}});
    let wrong = [
        ("unknown", workers(&unknown), "InvalidPodTemplate", "spec.workers.podTemplate.spec.nodeSelektor"),
        ("refused", workers(&refused), "InvalidPodTemplate", "tolerations[0].operator"),
        (
            "cache",
            json!({"cache": {"managed": {"podTemplate": refused}}}),
            "InvalidPodTemplate",
            "tolerations[0].operator",
        ),
        ("cron", json!({"rescan": {"schedule": "99 * * * *"}}), "InvalidSchedule", "spec.rescan.schedule"),
        (
            "zone",
            json!({"rescan": {"schedule": "@daily", "timeZone": "Moon/Crater"}}),
            "UnknownTimeZone",
            "Moon/Crater",
        ),
        (
            "glob",
            json!({"source": {"http": {"rootURL": "https://archive.example.org/"}, "prefixes": ["A/"], "include": ["[a"]}}),
            "InvalidGlob",
            "[a",
        ),
    ];
    for (name, spec, _, _) in &wrong {
        world.apply(name, spec.clone()).await;
    }
    for (name, _, reason, words) in &wrong {
        let message = world.until_within(wait::SHORT, name, "Stalled", &format!("True/{reason}")).await;
        println!("{name}: {reason}: {message}");
        assert!(message.contains(words), "{name}: {message}");
        world.until(name, "Ready", &format!("False/{reason}")).await;
    }
    assert_eq!(world.child_jobs().await.len(), 0, "nothing is begun that cannot end");
    for (name, _, _, _) in &wrong {
        let mended = json!({"workers": {"podTemplate": null}, "cache": null, "rescan": null, "source": {"include": ["**/*.mov"]}});
        world.edit(name, mended).await;
    }
    for (name, _, _, _) in &wrong {
        world.until_complete(name).await;
        world.until(name, "Stalled", "False/AsExpected").await;
    }
}

fn workers(overlay: &Value) -> Value {
    json!({"workers": {"parallelism": 2, "podTemplate": overlay}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_quota_is_told_within_a_minute_and_heals() {
    let world = World::new("quota", 2).await;
    let quota: ResourceQuota =
        from_value(json!({"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})).unwrap();
    let quotas = world.space.api::<ResourceQuota>();
    quotas.create(&PostParams::default(), &quota).await.unwrap();
    world
        .until_true("the quota to count", async || {
            let status = quotas.get("none").await.unwrap().status;
            if status.and_then(|status| status.used).is_some() { Ok(()) } else { Err("not counted".to_owned()) }
        })
        .await;
    world.apply("a", json!({})).await;
    let message = world.until_within(A_MINUTE, "a", "Stalled", "True/QuotaExceeded").await;
    println!("{message}\n{}", world.get("a"));
    assert!(message.contains("free some of the quota, or raise it"), "{message}");
    quotas.delete("none", &DeleteParams::default()).await.unwrap();
    // The Job controller tries again within its own backoff.
    world.until_within(2 * A_MINUTE, "a", "Complete", "True/Complete").await;
    world.until("a", "Stalled", "False/AsExpected").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_have_to_mend_is_told_and_heals_by_itself() {
    let world = World::new("others", 2).await;
    let service = json!({"metadata": {"name": "taken-cache"}, "spec": {"ports": [{"port": 80}]}});
    let services = world.space.api::<Service>();
    services.create(&PostParams::default(), &from_value(service).unwrap()).await.unwrap();
    world
        .kubelet
        .set(|play| play.misconfigured = Some(("MarkerMissing", "the marker file README.md is missing in /results")));
    world.apply("taken", json!({})).await;
    world.apply("marker", json!({})).await;
    let message = world.until("taken", "Stalled", "True/NameTaken").await;
    println!("{message}");
    assert!(message.contains("Service taken-cache exists and is not of this AnalysisJob"), "{message}");
    let message = world.until("marker", "Stalled", "True/MarkerMissing").await;
    println!("{message}\n{}", world.get("marker"));
    assert!(message.contains("README.md is missing"), "{message}");
    world.until("marker", "OutputReady", "False/MarkerMissing").await;
    let foreign = services.get("taken-cache").await.unwrap();
    assert!(
        foreign.metadata.managed_fields.unwrap().iter().all(|one| one.manager.as_deref() != Some("analysis-operator"))
    );
    services.delete("taken-cache", &DeleteParams::default()).await.unwrap();
    world.kubelet.set(|play| play.misconfigured = None);
    for name in ["taken", "marker"] {
        world.until_complete(name).await;
        world.until(name, "Stalled", "False/AsExpected").await;
        assert!(world.status(name).await.completion_time.is_some());
    }
}
