//! What a person changes while a job runs.

use serde_json::json;

use crate::world::{World, printed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_job_has_no_pods_and_goes_on_where_it_was() {
    let world = World::new("suspend", 4).await;
    world.kubelet.hold("work");
    world.apply("a", json!({})).await;
    world.until("a", "Ready", "True/Running").await;
    let run = world.status("a").await.run.unwrap().id;
    until_pods(&world, 2).await;
    world.edit("a", json!({"suspend": true})).await;
    world.until("a", "Ready", "True/Suspended").await;
    until_pods(&world, 0).await;
    assert_eq!(world.cache_replicas("a").await, Some(0));
    assert!(world.child("a", "work").await.spec.unwrap().suspend.unwrap());
    println!("{}", world.get("a"));
    world.edit("a", json!({"suspend": false})).await;
    world.until("a", "Ready", "True/Running").await;
    until_pods(&world, 2).await;
    assert_eq!(world.cache_replicas("a").await, Some(1));
    world.kubelet.release("work");
    let status = world.until_complete("a").await;
    assert_eq!(status.run.unwrap().id, run);
    assert_eq!(world.kubelet.done(), ["collect", "plan", "work 0", "work 1", "work 2", "work 3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_scale_acts_at_once_and_starts_no_run() {
    let world = World::new("scale", 4).await;
    world.kubelet.hold("work");
    world.apply("a", json!({})).await;
    world.until("a", "Ready", "True/Running").await;
    until_pods(&world, 2).await;
    for count in [4, 1] {
        printed(&world.space.kubectl(&["scale", "analysisjob/a", &format!("--replicas={count}")]).unwrap());
        until_pods(&world, count).await;
        assert_eq!(world.child("a", "work").await.spec.unwrap().parallelism, i32::try_from(count).ok());
    }
    assert_eq!(world.runs().await.len(), 1);
    assert_eq!(world.child_jobs().await.len(), 2, "a plan and its work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_work_starts_a_new_run_after_the_old_one_has_gone() {
    let world = World::new("anew", 3).await;
    world.kubelet.hold("work");
    world.kubelet.set(|play| play.drains_held = true);
    world.apply("a", json!({})).await;
    world.until("a", "Ready", "True/Running").await;
    until_pods(&world, 2).await;
    let old = world.status("a").await.run.unwrap().id;
    world.edit("a", json!({"analysis": {"opticalFlow": {"stride": 5}}})).await;
    let message = world.until("a", "Ready", "False/Draining").await;
    println!("{}{message}", world.get("a"));
    // The old pods hold on: so does the old run, and no new one begins.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(world.runs().await, [old.clone()].into());
    assert_eq!(world.pods("work").await.len(), 2);
    world.kubelet.set(|play| play.drains_held = false);
    world.kubelet.release("work");
    let status = world
        .until_true("the new run to be complete", async || {
            let runs = world.runs().await;
            assert!(runs.len() <= 1, "Jobs of two runs at once: {runs:?}");
            let status = world.status("a").await;
            let complete = status.conditions.iter().any(|one| one.type_ == "Complete" && one.status == "True");
            if complete { Ok(status) } else { Err(format!("{runs:?}")) }
        })
        .await;
    assert_ne!(status.run.unwrap().id, old);
    let configs = world.space.api::<k8s_openapi::api::core::v1::ConfigMap>();
    let ours = kube::api::ListParams::default().labels(analysisjob::labels::JOB);
    assert_eq!(configs.list(&ours).await.unwrap().items.len(), 1, "the old run's ConfigMap has gone");
}

async fn until_pods(world: &World, wanted: usize) {
    let wait = world.until_true("worker pods", async || {
        let seen = world.pods("work").await;
        let live = seen.iter().filter(|pod| {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            pod.metadata.deletion_timestamp.is_none() && phase == Some("Running")
        });
        let live = live.count();
        if live == wanted { Ok(()) } else { Err(format!("{live} of {wanted}")) }
    });
    wait.await;
}
