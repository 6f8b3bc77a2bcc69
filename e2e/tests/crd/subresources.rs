//! status and scale.

use analysisjob::{AnalysisJob, managers};
use k8s_openapi::api::autoscaling::v1::Scale;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{create, mk_job, printed};

#[tokio::test]
async fn spec_and_status_are_written_by_their_own_doors() {
    let space = e2e::shared().await.unwrap().namespace("doors").await.unwrap();
    let jobs = space.api::<AnalysisJob>();
    let mut job = mk_job();
    job["status"] = json!({"progress": "9/9"});
    let job = jobs.create(&PostParams::default(), &serde_json::from_value(job).unwrap()).await.unwrap();
    assert_eq!((job.status, job.metadata.generation), (None, Some(1)));

    let both = Patch::Merge(json!({"spec": {"suspend": true}, "status": {"progress": "1/9"}}));
    let job = jobs.patch_status("a-job", &PatchParams::default(), &both).await.unwrap();
    let progress = job.status.and_then(|status| status.progress);
    assert_eq!((job.spec.suspend, progress.as_deref(), job.metadata.generation), (false, Some("1/9"), Some(1)));

    let job = jobs.patch("a-job", &PatchParams::default(), &both).await.unwrap();
    assert_eq!((job.spec.suspend, job.metadata.generation), (true, Some(2)));
}

#[tokio::test]
async fn conditions_of_two_managers_live_side_by_side() {
    let space = e2e::shared().await.unwrap().namespace("conditions").await.unwrap();
    create(&space).await;
    let jobs = space.api::<AnalysisJob>();
    for (manager, kind) in [(managers::STATUS, "Ready"), ("someone-else", "Admitted")] {
        let condition = json!({
            "type": kind, "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let status = json!({"conditions": [condition]});
        let apply = json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "status": status});
        jobs.patch_status("a-job", &PatchParams::apply(manager), &Patch::Apply(&apply)).await.unwrap();
    }
    let status = jobs.get("a-job").await.unwrap().status.unwrap();
    let mut kinds: Vec<&str> = status.conditions.iter().map(|condition| condition.type_.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["Admitted", "Ready"]);
}

#[tokio::test]
async fn the_whole_status_comes_back_as_it_was_written() {
    let space = e2e::shared().await.unwrap().namespace("whole").await.unwrap();
    create(&space).await;
    let time = "2026-01-01T00:00:00Z";
    let written = json!({
        "observedGeneration": 1,
        "conditions": [{"type": "Ready", "status": "Unknown", "reason": "Planning", "message": "m", "lastTransitionTime": time, "observedGeneration": 1}],
        "plan": {"discovered": 248, "upToDate": 12, "selected": 236, "indexes": 236, "digest": format!("sha256:{}", "0".repeat(64)), "sample": ["a.mov"]},
        "items": {"total": 248, "upToDate": 12, "succeeded": 143, "active": 60, "pending": 32, "failed": 1},
        "progress": "155/248",
        "failures": {"count": 1, "samples": [{"item": "a.mov", "reason": "DecodeError", "message": "m"}], "report": ".analysis/4-7c9f/failures.jsonl"},
        "run": {"id": "4-7c9f", "startTime": time, "jobs": [{"name": "a-job-work-4-7c9f", "kind": "work", "active": 60, "succeeded": 143, "failed": 1}]},
        "workers": {"desired": 92, "active": 60, "ready": 58, "selector": "a=b"},
        "cache": {"desired": 3, "ready": 3, "summary": "3/3", "url": "http://a-job-cache.whole.svc:8080"},
        "output": "pvc/results/motion",
        "lastScanTime": time, "nextScanTime": time, "estimatedCompletionTime": time, "startTime": time, "completionTime": time,
    });
    let typed: AnalysisJob = {
        let mut job = mk_job();
        job["status"] = written.clone();
        serde_json::from_value(job).unwrap()
    };
    let apply = json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "status": typed.status});
    let params = PatchParams::apply(managers::STATUS).validation_strict();
    let job = space.api::<AnalysisJob>().patch_status("a-job", &params, &Patch::Apply(&apply)).await.unwrap();
    assert_eq!(serde_json::to_value(job.status).unwrap(), written);
}

#[tokio::test]
async fn scale_changes_parallelism_and_tells_the_workers() {
    let space = e2e::shared().await.unwrap().namespace("scale").await.unwrap();
    create(&space).await;
    let jobs = space.api::<AnalysisJob>();
    let status = Patch::Merge(json!({"status": {"workers": {"active": 7, "selector": "a=b"}}}));
    jobs.patch_status("a-job", &PatchParams::default(), &status).await.unwrap();

    printed(space.kubectl(&["scale", "aj/a-job", "--replicas=50"]).unwrap());
    assert_eq!(jobs.get("a-job").await.unwrap().spec.workers.parallelism, 50);
    let scale: Scale = space.api::<AnalysisJob>().get_scale("a-job").await.map(|scale| read(&scale)).unwrap();
    let status = scale.status.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(50));
    assert_eq!((status.replicas, status.selector.as_deref()), (7, Some("a=b")));

    for too_many in ["3001", "100000"] {
        let output = space.kubectl(&["scale", "aj/a-job", &format!("--replicas={too_many}")]).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("spec.workers.parallelism"), "{said}");
    }
}

fn read(scale: &impl serde::Serialize) -> Scale {
    let value: Value = serde_json::to_value(scale).unwrap();
    serde_json::from_value(value).unwrap()
}
