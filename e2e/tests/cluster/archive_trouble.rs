//! An archive that is away, slow, or holds what is no movie.

use std::time::Duration;

use archive::{Fault, Rule, layout::movie_path};
use serde_json::json;

use crate::support::{
    Job, Space, Stand,
    job::{RUN, failures_before, holds},
    machine::expected,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn an_archive_that_is_away_is_waited_for() {
    let space = Space::new("outage").await;
    let stand = Stand::with(&space, 12).await;
    stand.inject(Rule::on(".mov", Fault::Delay { ms: 300 })).await;
    let job = Job::start(&space, &stand, "patient", |spec| spec["retry"] = json!({"limitPerItem": 0})).await;
    job.until_succeeded(2).await;
    stand.down_for(Duration::from_secs(30)).await;
    let items = job.until_complete().await.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (12, 12, 0));
    let counted: Vec<u32> = job.pods("work").await.iter().filter_map(failures_before).collect();
    assert!(counted.iter().all(|count| *count == 0), "no try was used up: {counted:?}");
    stand.heal().await;
    assert_eq!(stand.results("results").await, expected(12));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_broken_movie_fails_alone() {
    let space = Space::new("broken").await;
    let stand = Stand::with(&space, 6).await;
    stand.ruin(4).await;
    let allowed = json!({"limitPerItem": 1, "maxFailedItems": 1});
    let job = Job::start(&space, &stand, "forgiving", |spec| spec["retry"] = allowed).await;
    let status = job.until_complete().await;
    let items = status.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (6, 5, 1));
    let failures = status.failures.unwrap();
    let sample = &failures.samples[0];
    assert_eq!((failures.count, sample.item.as_str()), (1, movie_path(4).to_str().unwrap()));
    assert_eq!(sample.reason, "NotAMovie");
    let line = stand.read("results", "failures.jsonl").await;
    assert!(line.contains("NotAMovie") && line.trim_end().lines().count() == 1, "{line}");
    let mut others = expected(6);
    others.retain(|name, _| !name.contains(movie_path(4).file_stem().unwrap().to_str().unwrap()));
    assert_eq!(stand.results("results").await, others);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn more_failures_than_allowed_end_the_run() {
    let space = Space::new("hopeless").await;
    let stand = Stand::with(&space, 6).await;
    for number in [1, 3, 5] {
        stand.ruin(number).await;
    }
    let allowed = json!({"limitPerItem": 0, "maxFailedItems": 1});
    let job = Job::start(&space, &stand, "strict", |spec| spec["retry"] = allowed).await;
    let status = job.until("the run to fail", RUN, |status| holds(status, "Failed").then(|| status.clone())).await;
    let failed = status.conditions.iter().find(|one| one.type_ == "Failed").unwrap();
    assert_eq!(failed.reason, "TooManyFailedItems");
    assert!(status.failures.unwrap().count >= 2);
    assert!(!holds(&job.status().await, "Complete"));
}
