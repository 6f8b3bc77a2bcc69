//! A run that is paused, resumed, made wider and narrower.

use archive::{Fault, Rule};
use e2e::wait;
use serde_json::json;

use crate::support::{
    Job, Space, Stand,
    job::{RUN, START, holds, phase},
    machine::expected,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_run_can_be_scaled_suspended_and_resumed_under_way() {
    let space = Space::new("scaling").await;
    let stand = Stand::with(&space, 24).await;
    stand.inject(Rule::on(".mov", Fault::Delay { ms: 2000 })).await;
    let job = Job::start(&space, &stand, "elastic", |spec| spec["workers"]["parallelism"] = json!(2)).await;
    for width in [2, 5, 1] {
        scale(&space, &job, width);
        until_active(&job, width).await;
    }
    job.until_running("work", 1).await;

    job.edit(json!({"suspend": true})).await;
    job.until("Suspended", RUN, |status| holds(status, "Suspended").then_some(())).await;
    until_gone(&job, "work").await;
    until_gone(&job, "cache").await;
    let before = job.status().await;
    assert!(!holds(&before, "Complete"), "it was suspended under way");

    job.edit(json!({"suspend": false})).await;
    job.until_running("work", 1).await;
    stand.heal().await;
    scale(&space, &job, 4);
    let status = job.until_complete().await;
    let items = status.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (24, 24, 0));
    assert_eq!(status.run.unwrap().id, before.run.unwrap().id, "it is the same run");
    assert_eq!(stand.results("results").await, expected(24));
}

/// `kubectl scale aj/NAME --replicas=COUNT`.
fn scale(space: &Space, job: &Job<'_>, count: i32) {
    let target = format!("analysisjobs/{}", job.name());
    let output = space.cluster().kubectl(["-n", space.name(), "scale", &target, &format!("--replicas={count}")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until the work Job has so many pods at work or about to be.
async fn until_active(job: &Job<'_>, count: i32) {
    wait::until(&format!("{count} active workers"), START, async || {
        let status = job.jobs("work").await.pop().and_then(|job| job.status).unwrap_or_default();
        let active = status.active.unwrap_or(0);
        if active == count { Ok(()) } else { Err(format!("{status:?}")) }
    })
    .await
    .unwrap();
}

async fn until_gone(job: &Job<'_>, role: &str) {
    wait::until(&format!("the {role} pods to go"), START, async || {
        let phases: Vec<String> = job.pods(role).await.iter().map(phase).collect();
        let there = phases.iter().any(|phase| ["Pending", "Running", "Terminating"].contains(&phase.as_str()));
        if there { Err(format!("{phases:?}")) } else { Ok(()) }
    })
    .await
    .unwrap();
}
