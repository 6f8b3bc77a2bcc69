//! The operator and the cache, killed.

use std::collections::BTreeSet;

use archive::{Fault, Rule};
use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::DeleteParams};
use serde_json::json;

use crate::support::{
    Job, Space, Stand, cluster,
    job::{RUN, START},
    machine::expected,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn the_operator_may_be_killed_in_every_phase() {
    let space = Space::new("operator-killed").await;
    let stand = Stand::with(&space, 8).await;
    // Listings and reads are late, so that the phases last.
    stand.inject(Rule::on("", Fault::Delay { ms: 300 })).await;
    let job = Job::start(&space, &stand, "orphan", |_| {}).await;
    for wanted in ["Planning", "Running", "Collecting"] {
        job.until(&format!("the phase {wanted} or a later one"), RUN, |status| {
            let ready = status.conditions.iter().find(|one| one.type_ == "Ready")?;
            let order = ["Planning", "Running", "Collecting", "Complete"];
            let at = |name: &str| order.iter().position(|phase| *phase == name);
            (at(&ready.reason)? >= at(wanted)?).then_some(())
        })
        .await;
        cluster().await.kill_operator().await;
    }
    let status = job.until_complete().await;
    let items = status.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (8, 8, 0));
    for role in ["plan", "work", "collect"] {
        assert_eq!(job.jobs(role).await.len(), 1, "one {role} Job");
    }
    let runs: BTreeSet<String> =
        job.jobs("work").await.iter().filter_map(|job| job.labels().get(analysisjob::labels::RUN).cloned()).collect();
    assert_eq!(runs.len(), 1, "one run: {runs:?}");
    assert_eq!(stand.results("results").await, expected(8));
    cluster().await.until_rolled_out().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_cache_that_is_killed_costs_no_result() {
    let space = Space::new("cache-killed").await;
    let stand = Stand::with(&space, 12).await;
    stand.inject(Rule::on(".mov", Fault::Delay { ms: 500 })).await;
    let job = Job::start(&space, &stand, "uncached", |spec| spec["retry"] = json!({"limitPerItem": 0})).await;
    for results in [1, 4] {
        job.until_succeeded(results).await;
        let cache = job.until_running("cache", 1).await.remove(0).name_any();
        space.api::<Pod>().delete(&cache, &DeleteParams::default().grace_period(0)).await.unwrap();
        e2e::wait::until("another cache to run", START, async || {
            let pods = job.until_running("cache", 1).await;
            if pods[0].name_any() == cache { Err("the same".to_owned()) } else { Ok(()) }
        })
        .await
        .unwrap();
    }
    stand.heal().await;
    let items = job.until_complete().await.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (12, 12, 0));
    assert_eq!(stand.results("results").await, expected(12));
}
