//! Workers that are evicted and deleted at random while they work.

use archive::{Fault, Rule};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, EvictParams};

use crate::support::{
    Job, Space, Stand,
    job::{failures_before, phase},
    machine::expected,
};

/// Movies of the run.
const MOVIES: u32 = 40;
/// Workers that are disturbed, in all.
const DISTURBED: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn evicted_and_deleted_workers_cost_no_result_and_no_retry() {
    let space = Space::new("disruption").await;
    let stand = Stand::with(&space, MOVIES).await;
    // Every read is late, so that workers are met at work.
    stand.inject(Rule::on(".mov", Fault::Delay { ms: 400 })).await;
    let job =
        Job::start(&space, &stand, "disturbed", |spec| spec["retry"] = serde_json::json!({"limitPerItem": 0})).await;
    let mut disturbed = Vec::new();
    while disturbed.len() < DISTURBED {
        let victim = next_victim(&job, &disturbed).await;
        disturb(&space, &victim, disturbed.len()).await;
        disturbed.push(victim);
    }
    stand.heal().await;
    let status = job.until_complete().await;
    let items = status.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed, items.pending), (MOVIES, MOVIES, 0, 0));
    let work = job.jobs("work").await;
    assert_eq!(work.len(), 1, "one run, one work Job");
    assert_eq!(work[0].status.as_ref().unwrap().failed_indexes.as_deref().unwrap_or_default(), "");
    let counted: Vec<u32> = job.pods("work").await.iter().filter_map(failures_before).collect();
    assert!(
        !counted.is_empty() && counted.iter().all(|count| *count == 0),
        "no index was counted as failed: {counted:?}"
    );
    assert_eq!(stand.results("results").await, expected(MOVIES));
}

/// A worker that runs and has not been disturbed, whichever comes first by name: names of pods are random.
async fn next_victim(job: &Job<'_>, disturbed: &[String]) -> String {
    e2e::wait::until("a worker to disturb", crate::support::job::START, async || {
        let pods = job.pods("work").await;
        let running = pods.iter().filter(|pod| phase(pod) == "Running").filter_map(|pod| pod.metadata.name.clone());
        running.filter(|name| !disturbed.contains(name)).min().ok_or_else(|| format!("{} pods", pods.len()))
    })
    .await
    .unwrap()
}

/// Turn by turn: deleted, with time for the movie in hand; evicted likewise; evicted and killed a second later, in the
/// midst of a movie. Only an eviction may do that uncounted: it leaves a sign in the pod's conditions.
async fn disturb(space: &Space, pod: &str, turn: usize) {
    let pods = space.api::<Pod>();
    let soon = EvictParams { delete_options: Some(DeleteParams::default().grace_period(1)), ..EvictParams::default() };
    let done = match turn % 3 {
        0 => pods.delete(pod, &DeleteParams::default()).await.map(drop),
        1 => pods.evict(pod, &EvictParams::default()).await.map(drop),
        _ => pods.evict(pod, &soon).await.map(drop),
    };
    match done {
        // A pod that has just ended need not be disturbed.
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        other => other.unwrap(),
    }
}
