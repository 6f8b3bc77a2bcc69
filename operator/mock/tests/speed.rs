//! Nothing is quadratic: a thousand jobs with their children, in moments.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod make;

use std::time::Instant;

use analysisjob::AnalysisJob;
use k8s_openapi::api::batch::v1::Job;
use kube::{Api, api::ListParams};
use make::{analysis, api, apply, job, jobs};
use serde_json::json;

#[tokio::test]
async fn a_thousand_jobs_find_each_its_own_children() {
    let (api, client) = api();
    let aj: Api<AnalysisJob> = Api::namespaced(client.clone(), "science");
    let start = Instant::now();
    for n in 0..1000 {
        apply(&aj, "user", &analysis(&format!("a{n}"))).await.unwrap();
        for part in ["plan", "work", "collect"] {
            let mut child = job(&format!("a{n}-{part}"));
            child["metadata"]["labels"] = json!({"camhd.science/analysisjob": format!("a{n}")});
            apply(&jobs(&client), "op", &child).await.unwrap();
        }
    }
    for n in 0..1000 {
        let own = ListParams::default().labels(&format!("camhd.science/analysisjob=a{n}"));
        assert_eq!(jobs(&client).list(&own).await.unwrap().items.len(), 3);
    }
    assert_eq!(aj.list(&ListParams::default()).await.unwrap().items.len(), 1000);
    let took = start.elapsed();
    println!("4,000 applies, 1,001 lists: {took:?}");
    assert_eq!(api.count::<Job>(), 3000);
}
