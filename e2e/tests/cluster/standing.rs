//! Jobs that stay: what a new movie, a change of the spec and an end of the job cost.

use std::time::Duration;

use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1,
    core::v1::{ConfigMap, Pod, Service},
};
use kube::api::{DeleteParams, ListParams};
use serde_json::json;

use crate::support::{
    Job, Space, Stand,
    job::{RUN, START, spec},
    machine::expected,
    movies::modified,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn only_what_is_new_or_changed_is_done_again() {
    let space = Space::new("standing").await;
    let stand = Stand::with(&space, 3).await;
    let mut wanted = spec(&stand);
    let job = Job::start(&space, &stand, "standing", |_| {}).await;
    job.until_complete().await;
    let first = job.status().await.run.unwrap().id;

    // A standing job scans every minute; the first scan finds two movies more.
    stand.put(3).await;
    stand.put(4).await;
    wanted["rescan"] = json!({"schedule": "* * * * *"});
    job.apply(&wanted).await;
    let second = job.until("a run over the new movies", RUN, |status| {
        let (items, run) = (status.items.as_ref()?, status.run.as_ref()?);
        (run.id != first && items.total == 5 && items.succeeded == 2).then(|| run.id.clone())
    });
    let second = second.await;
    let items = job.status().await.items.unwrap();
    assert_eq!((items.up_to_date, items.failed), (3, 0), "what stood was not done again: {items:?}");

    // Another version of one movie: that one only.
    stand.put_version(2, modified() + Duration::from_hours(1)).await;
    job.until("a run over the changed movie", RUN, |status| {
        let (items, run) = (status.items.as_ref()?, status.run.as_ref()?);
        (run.id != second && items.total == 5 && items.succeeded == 1 && items.up_to_date == 4).then_some(())
    })
    .await;

    // Other parameters: all of them, in a run of its own.
    wanted.as_object_mut().unwrap().remove("rescan");
    wanted["analysis"]["opticalFlow"]["stride"] = json!(20);
    job.apply(&wanted).await;
    job.until("a run with the new parameters", RUN, |status| {
        let items = status.items.as_ref()?;
        (crate::support::job::holds(status, "Complete") && items.succeeded == 5).then_some(())
    })
    .await;
    let rows = |value: &serde_json::Value| value["frameStats"].as_array().map(Vec::len);
    let results = stand.results("results").await;
    let counts: Vec<usize> = results.values().filter_map(rows).collect();
    assert_eq!(counts, [2; 5], "40 frames at stride 20");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_job_that_goes_leaves_its_results_and_nothing_else() {
    let space = Space::new("gone").await;
    let stand = Stand::with(&space, 2).await;
    let kept = Job::start(&space, &stand, "deleted", |_| {}).await;
    kept.until_complete().await;
    let first = expected(2);
    kept.api().delete("deleted", &DeleteParams::default()).await.unwrap();
    until_nothing_is_left(&space).await;
    let timed = Job::start(&space, &stand, "timed", |spec| {
        spec["ttlSecondsAfterFinished"] = json!(1);
        spec["output"]["persistentVolumeClaim"]["subPath"] = json!("again");
    })
    .await;
    e2e::wait::until("the job to go by itself", RUN, async || match timed.api().get_opt("timed").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await
    .unwrap();
    until_nothing_is_left(&space).await;
    let of_first = |name: &String| !name.starts_with("again/");
    let mut results = stand.results("results").await;
    assert_eq!(results.len(), 2 * first.len());
    results.retain(|name, _| of_first(name));
    assert_eq!(results, first);
}

/// No child of any AnalysisJob is left in the space.
async fn until_nothing_is_left(space: &Space) {
    let ours = ListParams::default().labels(analysisjob::labels::JOB);
    e2e::wait::until("the children to go", START, async || {
        let counts = [
            space.api::<v1::Job>().list(&ours).await.map(|list| list.items.len()),
            space.api::<Pod>().list(&ours).await.map(|list| list.items.len()),
            space.api::<Deployment>().list(&ours).await.map(|list| list.items.len()),
            space.api::<Service>().list(&ours).await.map(|list| list.items.len()),
            space.api::<ConfigMap>().list(&ours).await.map(|list| list.items.len()),
        ];
        let left: Vec<usize> = counts.into_iter().map(Result::unwrap_or_default).collect();
        if left.iter().all(|count| *count == 0) { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await
    .unwrap();
}
