//! The life of AnalysisJobs, played on a mocked API and cluster: what a person sees at each turn.

mod world;

use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Pod},
};
use serde_json::json;
use world::{SCIENCE, World};

#[tokio::test]
async fn a_job_goes_from_plan_over_work_to_collect_and_is_complete() {
    let mut world = World::new(7, 1);
    world.create("a", json!({}));
    let mut seen = Vec::new();
    for _ in 0..40 {
        world.step().await;
        let reason = world.condition("a", "Ready");
        if seen.last() != Some(&reason) {
            seen.push(reason);
        }
    }
    assert_eq!(seen, ["True/Planning", "True/Running", "True/Collecting", "True/Complete"]);
    let status = world.status("a");
    assert_eq!(status.progress.as_deref(), Some("7/7"));
    assert!(status.completion_time.is_some() && world.is("a", "Complete") && !world.is("a", "Failed"));
    let ledger = world.pods.ledger(SCIENCE, "a");
    assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.collected), (0, 0, 1));
    assert_eq!(world.cache_replicas("a"), Some(0));
    assert_eq!(world.errors, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_written_when_nothing_has_changed() {
    let mut world = World::new(3, 1);
    world.create("a", json!({}));
    world.until(40, "complete", |world| world.is("a", "Complete")).await;
    world.settle().await;
    let before = world.api.operator().writes();
    for _ in 0..30 {
        world.api.advance(60);
        world.reconcile().await;
    }
    assert_eq!(world.api.operator().writes(), before);
}

#[tokio::test]
async fn the_number_of_writes_follows_time_and_not_the_number_of_movies() {
    let mut counts = Vec::new();
    for items in [20, 200] {
        let mut world = World::new(items, 1);
        world.create("a", json!({"workers": {"parallelism": items}, "cache": {"url": "http://cache:8080"}}));
        world.until(60, "complete", |world| world.is("a", "Complete")).await;
        counts.push(world.api.operator().writes());
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn a_dry_run_shows_its_plan_and_makes_no_worker() {
    let mut world = World::new(12, 1);
    world.create("a", json!({"dryRun": true}));
    world.until(20, "planned", |world| world.condition("a", "Complete") == "True/DryRun").await;
    let plan = world.status("a").plan.unwrap();
    assert_eq!((plan.discovered, plan.selected, plan.sample.len()), (12, 12, 5));
    assert!(world.jobs().iter().all(|name| name.contains("-plan-")), "{:?}", world.jobs());
    world.edit("a", |job| job.spec.dry_run = false);
    world.until(40, "complete", |world| world.condition("a", "Complete") == "True/Complete").await;
    assert_eq!(world.pods.ledger(SCIENCE, "a").done(), 12);
}

#[tokio::test]
async fn a_held_job_has_no_pods_and_goes_on_where_it_was() {
    for phase in ["Planning", "Running", "Collecting"] {
        let mut world = World::new(30, 1);
        world.pods.with(SCIENCE, "a", |ledger| ledger.steps_per_item = 2);
        world.create("a", json!({}));
        world.until(60, phase, |world| world.condition("a", "Ready") == format!("True/{phase}")).await;
        world.edit("a", |job| job.spec.suspend = true);
        world
            .until(20, "held", |world| {
                let gone = world.api.list::<Pod>(SCIENCE).iter().all(|pod| {
                    pod.status
                        .as_ref()
                        .is_some_and(|status| matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")))
                });
                gone && world.condition("a", "Suspended") == "True/Suspended" && world.cache_replicas("a") == Some(0)
            })
            .await;
        assert_eq!(world.condition("a", "Ready"), "True/Suspended", "{phase}");
        world.edit("a", |job| job.spec.suspend = false);
        world.until(90, "complete", |world| world.is("a", "Complete")).await;
        let ledger = world.pods.ledger(SCIENCE, "a");
        assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.unexplained()), (0, 0, 0), "{phase}");
    }
}

#[tokio::test]
async fn scaling_acts_at_once_and_starts_no_run() {
    let mut world = World::new(60, 1);
    world.pods.with(SCIENCE, "a", |ledger| ledger.steps_per_item = 3);
    world.create("a", json!({"workers": {"parallelism": 2}}));
    world.until(20, "running", |world| world.condition("a", "Ready") == "True/Running").await;
    let run = world.status("a").run.unwrap().id;
    world.edit("a", |job| job.spec.workers.parallelism = 9);
    world.settle().await;
    assert_eq!(world.child("a", "work").unwrap().spec.unwrap().parallelism, Some(9));
    assert_eq!(world.status("a").run.unwrap().id, run);
    world.edit("a", |job| job.spec.workers.parallelism = 0);
    world.until(20, "idle", |world| world.status("a").workers.unwrap_or_default().active == 0).await;
    assert_eq!(world.condition("a", "Ready"), "True/Running");
}

#[tokio::test]
async fn a_change_of_the_work_starts_a_new_run_after_the_old_one_has_gone() {
    for policy in ["Drain", "Replace"] {
        let mut world = World::new(20, 1);
        world.pods.with(SCIENCE, "a", |ledger| ledger.steps_per_item = 3);
        world.create("a", json!({"updatePolicy": policy}));
        world.until(30, "half way", |world| world.pods.ledger(SCIENCE, "a").done() >= 4).await;
        let old = world.status("a").run.unwrap().id;
        world.edit("a", |job| job.spec.retry.limit_per_item = 5);
        let mut both = false;
        for _ in 0..80 {
            world.step().await;
            let runs: std::collections::BTreeSet<String> = world
                .api
                .list::<Job>(SCIENCE)
                .iter()
                .filter_map(|job| job.metadata.labels.as_ref()?.get(analysisjob::labels::RUN).cloned())
                .collect();
            both |= runs.len() > 1;
        }
        let status = world.status("a");
        assert!(world.is("a", "Complete"), "{policy} {status:?}");
        assert_ne!(status.run.unwrap().id, old);
        assert!(!both, "{policy}: Jobs of two runs at once");
        let ledger = world.pods.ledger(SCIENCE, "a");
        assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.collisions), (0, 0, 0), "{policy}");
        assert_eq!(world.api.list::<ConfigMap>(SCIENCE).len(), 1, "the old run's ConfigMap has gone");
    }
}

#[tokio::test]
async fn too_many_failed_movies_fail_the_run_and_are_listed() {
    let mut world = World::new(20, 1);
    world.pods.with(SCIENCE, "a", |ledger| (0..3).for_each(|item| ledger.break_item(item, "DecodeError")));
    world.create("a", json!({"retry": {"maxFailedItems": 2, "limitPerItem": 1}}));
    world.until(60, "failed", |world| world.is("a", "Failed")).await;
    assert_eq!(world.condition("a", "Failed"), "True/TooManyFailedItems");
    assert_eq!(world.condition("a", "Stalled"), "True/TooManyFailedItems");
    assert_eq!(world.condition("a", "Ready"), "False/Failed");
    let failures = world.status("a").failures.unwrap();
    assert!(failures.count >= 3 && failures.report.is_some() && !failures.samples.is_empty(), "{failures:?}");
    assert!(world.message("a", "Failed").contains("kubectl analysis retry"));
    // Mended and tried again: the annotation starts a run over what is left.
    world.pods.with(SCIENCE, "a", |ledger| (0..3).for_each(|item| ledger.mend(item)));
    world.edit("a", |job| {
        job.metadata.annotations.get_or_insert_default().insert(analysisjob::labels::RETRY.into(), "1".into());
    });
    world.until(60, "complete", |world| world.is("a", "Complete")).await;
    assert_eq!(world.condition("a", "Failed"), "False/AsExpected");
    assert_eq!(world.pods.ledger(SCIENCE, "a").missing(), 0);
}

#[tokio::test]
async fn few_failed_movies_leave_the_run_complete() {
    let mut world = World::new(20, 1);
    world.pods.with(SCIENCE, "a", |ledger| ledger.break_item(3, "NotAMovie"));
    world.create("a", json!({"retry": {"maxFailedItems": "5%", "limitPerItem": 0}}));
    world.until(60, "complete", |world| world.is("a", "Complete")).await;
    let items = world.status("a").items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed, items.pending), (20, 19, 1, 0));
}

#[tokio::test]
async fn a_deadline_fails_the_run_and_time_held_does_not_count() {
    let mut world = World::new(200, 1);
    world.pods.with(SCIENCE, "a", |ledger| ledger.steps_per_item = 5);
    world.create("a", json!({"activeDeadlineSeconds": 300}));
    world.until(20, "running", |world| world.condition("a", "Ready") == "True/Running").await;
    world.edit("a", |job| job.spec.suspend = true);
    for _ in 0..60 {
        world.step().await;
    }
    world.edit("a", |job| job.spec.suspend = false);
    world.step().await;
    assert!(!world.is("a", "Failed"), "ten minutes held do not count");
    world.until(60, "failed", |world| world.is("a", "Failed")).await;
    assert_eq!(world.condition("a", "Failed"), "True/DeadlineExceeded");
}

#[tokio::test]
async fn a_standing_job_scans_by_its_schedule() {
    let mut world = World::new(5, 1);
    world.create("a", json!({"rescan": {"schedule": "15 4 * * *"}}));
    world.until(40, "waiting", |world| world.condition("a", "Ready") == "True/Waiting").await;
    let first = world.status("a");
    assert_eq!(first.next_scan_time.as_ref().unwrap().0.to_string(), "2026-01-01T04:15:00Z");
    world.pods.with(SCIENCE, "a", |ledger| ledger.grow(3));
    world.api.set_time("2026-01-01T04:15:00Z".parse().unwrap());
    world
        .until(60, "scanned again", |world| {
            let status = world.status("a");
            status.completion_time.is_some() && status.run.map(|run| run.id) != first.run.clone().map(|run| run.id)
        })
        .await;
    let second = world.status("a");
    assert_eq!(second.next_scan_time.unwrap().0.to_string(), "2026-01-02T04:15:00Z");
    assert_eq!(second.plan.map(|plan| (plan.up_to_date, plan.selected)), Some((5, 3)));
    let ledger = world.pods.ledger(SCIENCE, "a");
    assert_eq!((ledger.done(), ledger.computed_twice()), (8, 0));
}

#[tokio::test]
async fn a_finished_job_goes_when_its_time_is_over_and_results_stay() {
    let mut world = World::new(2, 1);
    world.create("a", json!({"ttlSecondsAfterFinished": 600, "output": {"persistentVolumeClaim": null, "claimTemplate": {"size": "1Gi"}}}));
    world.until(40, "complete", |world| world.is("a", "Complete")).await;
    world.api.advance(601);
    world.reconcile().await;
    world.cluster.steps(3);
    assert!(world.api.get::<analysisjob::AnalysisJob>(SCIENCE, "a").is_none());
    assert_eq!(
        (world.jobs().len(), world.api.list::<Deployment>(SCIENCE).len(), world.api.list::<ConfigMap>(SCIENCE).len()),
        (0, 0, 0)
    );
    assert_eq!(world.api.list::<PersistentVolumeClaim>(SCIENCE).len(), 1);
}

#[tokio::test]
async fn more_than_ten_thousand_indexes_become_several_jobs() {
    let mut world = World::new(10_050, 1);
    world.create("a", json!({"workers": {"parallelism": 3000}}));
    world.until(60, "complete", |world| world.is("a", "Complete")).await;
    let run = world.status("a").run.unwrap();
    let names: Vec<&str> = run.jobs.iter().map(|job| job.name.as_str()).collect();
    assert!(names.contains(&format!("a-work-{}-1", run.id).as_str()), "{names:?}");
    let ledger = world.pods.ledger(SCIENCE, "a");
    assert_eq!((ledger.missing(), ledger.computed_twice()), (0, 0));
    assert_eq!(world.status("a").progress.as_deref(), Some("10050/10050"));
}

#[tokio::test]
async fn the_cache_follows_the_workers() {
    let mut world = World::new(400, 1);
    world.pods.with(SCIENCE, "a", |ledger| ledger.steps_per_item = 4);
    world.create("a", json!({"workers": {"parallelism": 60}, "cache": {"managed": {"replicas": {"min": 1, "max": 8, "workersPerReplica": 25}}}}));
    world.until(30, "three caches", |world| world.cache_replicas("a") == Some(3)).await;
    world.edit("a", |job| job.spec.workers.parallelism = 10);
    world.until(30, "one cache", |world| world.cache_replicas("a") == Some(1)).await;
}

#[tokio::test]
async fn a_size_of_the_cache_that_someone_else_set_is_put_back() {
    let mut world = World::new(60, 1);
    world.pods.with(SCIENCE, "a", |ledger| ledger.steps_per_item = 4);
    world.create("a", json!({}));
    world.until(30, "running", |world| world.condition("a", "Ready") == "True/Running").await;
    world.api.edit::<Deployment>(SCIENCE, "a-cache", |cache| cache.spec.as_mut().unwrap().replicas = Some(7)).unwrap();
    world.settle().await;
    assert_eq!(world.cache_replicas("a"), Some(1));
}

#[tokio::test]
async fn kueue_holds_and_admits_its_jobs() {
    let mut world = World::new(3, 1);
    let mut job = world::job("a", json!({}));
    job.metadata.labels = Some([("kueue.x-k8s.io/queue-name".to_owned(), "science".to_owned())].into());
    world.api.put(&job).unwrap();
    world.step().await;
    world.settle().await;
    assert_eq!(world.condition("a", "Ready"), "True/Queued");
    for _ in 0..60 {
        // Kueue admits what waits.
        for job in world.api.list::<Job>(SCIENCE) {
            let name = job.metadata.name.unwrap();
            world.api.edit::<Job>(SCIENCE, &name, |job| job.spec.as_mut().unwrap().suspend = Some(false)).unwrap();
        }
        world.step().await;
    }
    assert!(world.is("a", "Complete"), "{:?}", world.status("a"));
}
