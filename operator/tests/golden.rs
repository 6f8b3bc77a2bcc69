//! What is made for the samples, to the letter: a change of any child shows in review as a change of a file here.
//!
//! `GOLDEN=write cargo test -p analysis-operator --test golden` writes the files anew.

#![allow(clippy::unwrap_used)] // test code outside #[test] functions

use std::{path::Path, sync::Arc};

use analysis_operator::reconcile::{
    desired::{Resources, desired},
    items::Progress,
    observe::Observed,
    pods::PlanCounts,
    run::{End, Phase, Run, Situation},
    validate::{Images, validate},
};
use analysisjob::AnalysisJob;
use serde_json::{Value, json};

fn sample(name: &str) -> AnalysisJob {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../manifests/samples/{name}.yaml"));
    let mut job = analysisjob::yaml::read(std::fs::read(file).unwrap()).unwrap();
    job.metadata.uid = Some("6f0c".into());
    job.metadata.namespace = Some("science".into());
    job.metadata.generation = Some(4);
    job
}

fn situation(phase: Phase, plan: Option<PlanCounts>) -> Situation {
    let start = jiff::Timestamp::UNIX_EPOCH;
    Situation {
        run: Run { id: "4-7c9f03ab".into(), digest: "sha256:7c9f".into(), start, scan: start, known: true },
        phase,
        plan,
        progress: Progress::default(),
        suspended: false,
        queued: false,
        next_scan: None,
        misconfigured: None,
        redo: Vec::new(),
        look_again: None,
    }
}

/// The children of `job` in a phase, each by kind and name.
fn children(job: &AnalysisJob, phase: Phase, plan: Option<PlanCounts>) -> Value {
    let images = Images { worker: "analysis-worker:1".into(), cache: "lazycache:1".into() };
    let analysis = validate(job, &images).unwrap();
    let observed = Observed::childless(Arc::new(job.clone()));
    let wanted = desired(&analysis, &observed, &situation(phase, plan)).unwrap();
    let Resources {
        config,
        claim,
        service,
        cache,
        workers,
        jobs,
        rehearsal: _,
        changes,
        deletions,
        stale_configs,
        expired,
    } = wanted;
    assert!(changes.is_empty() && deletions.is_empty() && stale_configs.is_empty() && !expired);
    let mut made = json!({"config": config, "claim": claim, "service": service, "cache": cache, "jobs": jobs});
    if let Some(workers) = workers {
        made["workers"] = json!(workers);
    }
    made
}

fn assert_golden(name: &str) {
    let job = sample(name);
    let plan = PlanCounts {
        discovered: 20_000,
        selected: 12_000,
        indexes: 12_000,
        items_per_index: 1,
        ..PlanCounts::default()
    };
    let failed = End::Failed { reason: "TooManyFailedItems".into(), message: "121 of 12000 movies failed".into() };
    let made = json!({
        "planning": children(&job, Phase::Planning, None),
        "working": children(&job, Phase::Working, Some(plan.clone())),
        "collecting": children(&job, Phase::Collecting(failed), Some(plan)),
    });
    let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
    if std::env::var("GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        committed,
        text,
        "{} differs: GOLDEN=write cargo test -p analysis-operator --test golden",
        file.display()
    );
}

#[test]
fn the_smallest_sample_makes_these_children() {
    assert_golden("quickstart");
}

#[test]
fn the_sample_with_everything_makes_these_children() {
    assert_golden("camhd-month");
}

#[test]
fn a_bucket_as_output_makes_these_children() {
    assert_golden("s3-output");
}

#[test]
fn a_list_kept_elsewhere_makes_these_children() {
    assert_golden("items-from");
}

#[test]
fn a_list_that_many_drain_makes_these_children() {
    assert_golden("queue");
}
