//! What does not grow: the status of a run of a million movies, and the definition.

use std::sync::Arc;

use analysis_operator::reconcile::{
    facts::JobFacts,
    observe::Observed,
    pods::PodFacts,
    run::{Phase, situation},
    status,
    validate::{Images, validate},
};
use analysisjob::{AnalysisJob, crd, labels, yaml::print_crd};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    figures::{Figure, kib, thousands},
    world::job,
};

/// Indexes of one Job, at most.
const SHARD: u32 = 10_000;
const KIB: usize = 1024;

/// The status in the middle of a run of so many movies, one index each: every second index is done, so that the lists of
/// indexes are as long as they get, some have failed, and texts are long.
pub fn status(movies: u32) -> Figure {
    let name = "a".repeat(crd::MAX_NAME as usize);
    let mut job: AnalysisJob = job(&name, json!({"workers": {"itemsPerIndex": 1, "parallelism": 3000}}));
    job.metadata.uid = Some("00000000-0000-4000-8000-000000000000".to_owned());
    job.metadata.generation = Some(1000);
    let images = Images { worker: "analysis-worker:test".into(), cache: "lazycache:test".into() };
    let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    let analysis = validate(&job, &images).unwrap();
    let mut observed = alone(job);
    let run = situation(&analysis, &observed, now).run.id;
    for shard in 0..movies.div_ceil(SHARD) {
        let name = format!("{name}-work-{run}-{shard}");
        observed.jobs.insert(name.clone(), Arc::new(work_job(&name, &run, movies, shard)));
        observed.pods.extend((0..20).map(|pod| failed_pod(shard, pod * 2)));
    }
    let situation = situation(&analysis, &observed, now);
    assert_eq!(situation.phase, Phase::Working);
    let status = status::status(&analysis, &observed, &situation, Some(8), None, now);
    let items = status.items.clone().unwrap();
    assert!(items.total == movies && items.succeeded > movies / 3 && items.failed > 0, "{items:?}");
    let bytes = serde_json::to_vec(&status).unwrap().len();
    let what = format!("status of a run of {} movies", thousands(movies.into()));
    Figure::of(what, kib(bytes), "8 KiB", bytes < 8 * KIB)
}

fn alone(job: AnalysisJob) -> Observed {
    Observed {
        job: Arc::new(job),
        jobs: [].into(),
        configs: [].into(),
        cache: None,
        workers: None,
        service: None,
        claim: None,
        pods: Vec::new(),
        leftover: None,
    }
}

fn work_job(name: &str, run: &str, movies: u32, shard: u32) -> JobFacts {
    let path = "A/".repeat(500);
    let plan = json!({
        "discovered": movies, "selected": movies, "indexes": movies, "itemsPerIndex": 1,
        "digest": format!("sha256:{}", "0".repeat(64)), "sample": [path, path, path, path, path],
    });
    let completed: Vec<String> = (0..SHARD).step_by(2).map(|index| index.to_string()).collect();
    object(json!({
        "metadata": {
            "name": name,
            "uid": format!("shard-{shard}"),
            "labels": {labels::RUN: run, labels::ROLE: labels::WORK},
            "annotations": {labels::PLAN_COUNTS: plan.to_string(), labels::FIRST_INDEX: (shard * SHARD).to_string()},
        },
        "spec": {"completions": SHARD, "completionMode": "Indexed", "template": {}},
        "status": {"completedIndexes": completed.join(","), "failedIndexes": "1,3,5", "active": 30, "ready": 30},
    }))
}

/// A pod whose movie failed, and that says much about it.
fn failed_pod(shard: u32, index: u32) -> Arc<PodFacts> {
    let (item, message) = ("A/".repeat(100), "long ".repeat(100));
    let failure = json!({"item": item, "reason": "PermissionDenied", "attempts": 3, "message": message});
    let said = json!({"items": {"total": 1, "upToDate": 0, "succeeded": 0, "failed": 1}, "failures": [failure]});
    let end = json!({"exitCode": 0, "message": said.to_string()});
    Arc::new(object(json!({
        "metadata": {
            "labels": {"batch.kubernetes.io/job-completion-index": index.to_string()},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "x", "uid": format!("shard-{shard}")}],
        },
        "status": {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": end}}]},
    })))
}

fn object<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// The definition, as it is applied.
pub fn definition() -> Figure {
    let bytes = print_crd().unwrap().len();
    Figure::of("CustomResourceDefinition, as YAML", kib(bytes), "100 KiB", bytes < 100 * KIB)
}
