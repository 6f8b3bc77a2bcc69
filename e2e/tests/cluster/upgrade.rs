//! Another release of everything, in the middle of a run.

use std::collections::BTreeSet;

use archive::{Fault, Rule};
use kube::ResourceExt;
use serde_json::json;

use crate::support::{Job, Space, Stand, cluster, machine::expected};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn an_upgrade_under_way_and_back_costs_no_result() {
    let space = Space::new("upgrade").await;
    let stand = Stand::with(&space, 12).await;
    stand.inject(Rule::on(".mov", Fault::Delay { ms: 600 })).await;
    let job = Job::start(&space, &stand, "rolling", |spec| spec["retry"] = json!({"limitPerItem": 0})).await;
    job.until_succeeded(1).await;
    let run = job.status().await.run.unwrap().id;
    cluster().await.roll_to("-next").await;
    job.until_succeeded(4).await;
    cluster().await.roll_to("").await;
    stand.heal().await;
    let status = job.until_complete().await;
    let items = status.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (12, 12, 0));
    assert_eq!(status.run.unwrap().id, run, "an upgrade starts no run");
    let uids: BTreeSet<Option<String>> = job.jobs("work").await.iter().map(ResourceExt::uid).collect();
    assert_eq!(uids.len(), 1, "the work Job is the one it was");
    assert_eq!(stand.results("results").await, expected(12));
}
