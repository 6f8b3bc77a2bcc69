//! The CRD in a real API server: it installs and upgrades, its subresources and columns work, and `kubectl explain`
//! reads as a manual.
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod columns;
mod explain;
mod install;
mod subresources;

use std::process::Output;

use analysisjob::AnalysisJob;
use e2e::Namespace;
use kube::api::PostParams;
use serde_json::{Value, json};

fn mk_job() -> Value {
    json!({
        "apiVersion": "camhd.science/v1alpha1",
        "kind": "AnalysisJob",
        "metadata": {"name": "a-job"},
        "spec": {
            "source": {"http": {"rootURL": "http://archive.test/files/"}, "prefixes": ["RS03/"]},
            "analysis": {"opticalFlow": {}},
            "output": {"persistentVolumeClaim": {"claimName": "out"}},
        },
    })
}

async fn create(space: &Namespace<'_>) {
    let job: AnalysisJob = serde_json::from_value(mk_job()).unwrap();
    space.api::<AnalysisJob>().create(&PostParams::default(), &job).await.unwrap();
}

/// What a program has printed; it must have succeeded.
fn printed(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
