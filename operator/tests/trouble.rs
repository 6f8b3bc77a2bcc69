//! What is wrong shows in the conditions within a minute, with what mends it, and heals by itself when mended.

#![allow(clippy::unwrap_used, clippy::panic)] // test code outside #[test] functions

mod world;

use analysisjob::reasons;
use mockapi::cluster::Stuck;
use serde_json::{Value, json};
use world::{SCIENCE, World};

/// Steps (of 10 s) until `reason` shows; at most a minute.
async fn shows(world: &mut World, reason: &str) {
    world.until(6, reason, |world| world.condition("a", "Stalled") == format!("True/{reason}")).await;
    assert!(world.condition("a", "Ready").starts_with("False/"), "{}", world.condition("a", "Ready"));
    assert!(!world.message("a", "Stalled").is_empty());
}

async fn heals(world: &mut World) {
    world.until(80, "complete", |world| world.is("a", "Complete")).await;
    assert_eq!(world.condition("a", "Stalled"), "False/AsExpected");
}

fn stuck(world: &World, role: &str, why: Option<Stuck>) {
    world.pods.with(SCIENCE, "a", |ledger| match why {
        Some(why) => drop(ledger.held.insert(role.to_owned(), why)),
        None => drop(ledger.held.remove(role)),
    });
}

#[tokio::test]
async fn what_keeps_pods_from_starting_is_named_for_every_kind_of_pod() {
    let troubles = [
        (Stuck::ImagePull("manifest unknown".into()), reasons::IMAGE_PULL_FAILED, "imagePullSecrets"),
        (Stuck::Config("secret \"keys\" not found".into()), reasons::MISSING_REFERENCE, "secret \"keys\" not found"),
        (
            Stuck::Unschedulable("persistentvolumeclaim \"results\" not found".into()),
            reasons::MISSING_CLAIM,
            "create the claim",
        ),
        (
            Stuck::Unschedulable("0/3 nodes are available: 3 Insufficient cpu.".into()),
            reasons::UNSCHEDULABLE,
            "ask for less",
        ),
    ];
    for role in ["plan", "work", "collect"] {
        for (why, reason, mend) in &troubles {
            let mut world = World::new(3, 1);
            stuck(&world, role, Some(why.clone()));
            world.create("a", json!({}));
            let phase = match role {
                "plan" => "Planning",
                "work" => "Running",
                _ => "Collecting",
            };
            world.until(60, phase, |world| world.condition("a", "Ready") == format!("True/{phase}")).await;
            shows(&mut world, reason).await;
            assert!(world.message("a", "Stalled").contains(mend), "{}", world.message("a", "Stalled"));
            stuck(&world, role, None);
            heals(&mut world).await;
        }
    }
}

#[tokio::test]
async fn a_cache_that_does_not_start_is_named() {
    let mut world = World::new(3, 1);
    stuck(&world, "cache", Some(Stuck::ImagePull("no such image".into())));
    world.pods.with(SCIENCE, "a", |ledger| ledger.held.insert("plan".into(), Stuck::Creating));
    world.create("a", json!({}));
    world.step().await;
    shows(&mut world, reasons::IMAGE_PULL_FAILED).await;
    assert_eq!(world.condition("a", "CacheReady"), "False/Starting");
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_named() {
    let mut world = World::new(3, 1);
    world.cluster.set_quota(SCIENCE, Some(0));
    world.create("a", json!({"cache": {"url": "http://cache:8080"}}));
    world.step().await;
    shows(&mut world, reasons::QUOTA_EXCEEDED).await;
    world.cluster.set_quota(SCIENCE, None);
    heals(&mut world).await;
}

#[tokio::test]
async fn a_configuration_that_pods_find_wrong_stalls_until_it_is_mended() {
    let mut world = World::new(3, 1);
    let wrong = Some(("MarkerMissing".to_owned(), "the marker file README.md is missing in /results".to_owned()));
    world.pods.with(SCIENCE, "a", |ledger| ledger.misconfigured = wrong);
    world.create("a", json!({}));
    shows(&mut world, "MarkerMissing").await;
    assert_eq!(world.condition("a", "OutputReady"), "False/MarkerMissing");
    // It stays so while it is tried again, without going back and forth.
    let since = |world: &World| {
        let status = world.status("a");
        status.conditions.iter().find(|one| one.type_ == "Stalled").map(|one| one.last_transition_time.clone())
    };
    let first = since(&world);
    for _ in 0..30 {
        world.step().await;
        assert_eq!(world.condition("a", "Stalled"), "True/MarkerMissing");
    }
    assert_eq!(since(&world), first);
    world.pods.with(SCIENCE, "a", |ledger| ledger.misconfigured = None);
    heals(&mut world).await;
}

#[tokio::test]
async fn an_overlay_that_is_no_pod_template_is_named_before_anything_runs() {
    let mut world = World::new(3, 1);
    world.create("a", json!({"workers": {"podTemplate": {"spec": {"nodeSelektor": {"disk": "fast"}}}}}));
    world.step().await;
    shows(&mut world, reasons::INVALID_POD_TEMPLATE).await;
    assert!(world.message("a", "Stalled").contains("spec.workers.podTemplate.spec.nodeSelektor"));
    assert_eq!(world.jobs(), Vec::<String>::new());
    world.edit("a", |job| {
        let overlay: Value = json!({"spec": {"nodeSelector": {"disk": "fast"}}});
        job.spec.workers.pod_template = overlay.as_object().cloned();
    });
    heals(&mut world).await;
}

#[tokio::test]
async fn what_the_api_server_refuses_is_said_in_its_words() {
    use mockapi::{Fault, When};
    let mut world = World::new(3, 1);
    world.api.operator().fault(
        Fault::invalid("spec.template.spec.tolerations[0].effect: Unsupported value"),
        When::Before,
        1000,
        |call| call.kind() == "Job" && call.manager() == "analysis-operator",
    );
    world.create("a", json!({"workers": {"podTemplate": {"spec": {"tolerations": [{"effect": "No"}]}}}}));
    world.step().await;
    shows(&mut world, reasons::INVALID_POD_TEMPLATE).await;
    assert!(world.message("a", "Stalled").contains("tolerations[0].effect"));
    world.api.operator().heal();
    heals(&mut world).await;
}

#[tokio::test]
async fn writes_that_fail_again_and_again_are_said() {
    use mockapi::{Fault, When};
    let mut world = World::new(3, 1);
    world.api.operator().fault(Fault::internal(), When::Before, 1000, |call| {
        call.kind() == "ConfigMap" && call.manager() == "analysis-operator"
    });
    world.create("a", json!({}));
    for _ in 0..6 {
        world.reconcile().await;
        world.cluster.step();
    }
    assert_eq!(world.condition("a", "Reconciling"), "True/Retrying");
    assert_eq!(world.condition("a", "Ready"), "False/Retrying");
    assert!(world.message("a", "Ready").contains("ConfigMap a-1-"), "{}", world.message("a", "Ready"));
    world.api.operator().heal();
    heals(&mut world).await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_taken_over() {
    let mut world = World::new(3, 1);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a-cache", "namespace": SCIENCE}, "spec": {"ports": [{"port": 1}]}});
    world.api.put_raw(service.clone()).unwrap();
    world.create("a", json!({}));
    world.step().await;
    shows(&mut world, reasons::NAME_TAKEN).await;
    let stands = world.api.get_raw::<k8s_openapi::api::core::v1::Service>(SCIENCE, "a-cache").unwrap();
    assert_eq!(stands["spec"], service["spec"]);
}

#[tokio::test]
async fn what_no_schema_sees_is_said_with_its_field() {
    for (spec, reason) in [
        (json!({"rescan": {"schedule": "61 4 * * *"}}), reasons::INVALID_SCHEDULE),
        (json!({"rescan": {"schedule": "@daily", "timeZone": "Mars/Olympus"}}), reasons::UNKNOWN_TIME_ZONE),
        (json!({"source": {"include": ["a[b"]}}), reasons::INVALID_GLOB),
    ] {
        let mut world = World::new(3, 1);
        world.create("a", spec);
        world.step().await;
        shows(&mut world, reason).await;
        assert!(world.message("a", "Stalled").starts_with("spec."), "{}", world.message("a", "Stalled"));
        world.edit("a", |job| {
            job.spec.rescan = None;
            job.spec.source.include = vec!["**/*.mov".into()];
        });
        heals(&mut world).await;
    }
}

#[tokio::test]
async fn a_plan_that_fails_for_good_fails_the_run() {
    use mockapi::{Cluster, cluster::Life};
    let mut world = World::new(3, 1);
    world.cluster = Cluster::new(&world.api, 1, |pod: &mockapi::cluster::PodInfo| match pod.role.as_str() {
        "plan" => {
            Life::runs(1, 69, r#"{"error": {"reason": "SourceUnavailable", "message": "the archive does not answer"}}"#)
        }
        _ => Life::Forever,
    });
    world.create("a", json!({}));
    world.until(400, "failed", |world| world.is("a", "Failed")).await;
    assert_eq!(world.condition("a", "Failed"), "True/PlanFailed");
    assert!(world.message("a", "Failed").contains("the archive does not answer"), "{}", world.message("a", "Failed"));
}

#[tokio::test]
async fn an_undecodable_child_stops_its_own_job_only() {
    let mut world = World::new(3, 1);
    world.create("a", json!({}));
    world.create("b", json!({}));
    world.step().await;
    let run = world.status("a").run.unwrap().id;
    let mut broken =
        (*world.api.get_raw::<k8s_openapi::api::batch::v1::Job>(SCIENCE, &format!("a-plan-{run}")).unwrap()).clone();
    broken["spec"]["parallelism"] = json!("many");
    world.api.put_raw(broken).unwrap();
    for _ in 0..40 {
        world.settle().await;
        world.cluster.step();
    }
    assert!(world.is("b", "Complete"));
    assert_eq!(world.condition("a", "Stalled"), "True/Unreadable");
    assert!(world.message("a", "Stalled").contains(&format!("a-plan-{run}")));
    assert!(world.errors.iter().any(|error| error.contains(&format!("a-plan-{run}"))), "{:?}", world.errors);
}
