//! A bucket as the output, on a real S3 server in this process: signatures are checked, listings paged, XML somebody
//! else's.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::path::Path;

use archive::fault::{Fault, Rule};
use serde_json::{Value, json};
use support::{
    Lab,
    bucket::{Bucket, KEY, SECRET},
    checkpoint::{checkpoints, rows_in, wait_until},
    movie,
    pods::{Pods, RUN},
};

trait Output {
    /// Pods whose output is this bucket, below a prefix.
    fn pods(&self, lab: &Lab, change: impl FnOnce(&mut Value)) -> Pods;

    /// What an object below the prefix holds.
    fn read(&self, name: &str) -> Vec<u8>;
}

impl Output for Bucket {
    fn pods(&self, lab: &Lab, change: impl FnOnce(&mut Value)) -> Pods {
        let s3 =
            json!({"bucket": "results", "prefix": "motion/2018/", "endpoint": self.endpoint, "region": "eu-west-1"});
        let with_bucket = |spec: &mut Value| {
            spec["output"] = json!({"s3": s3});
            change(spec);
        };
        lab.pods("s3", with_bucket).with("AWS_ACCESS_KEY_ID", KEY).with("AWS_SECRET_ACCESS_KEY", SECRET)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join("motion/2018").join(name)).unwrap()
    }
}

fn beside(lab: &Lab) -> Bucket {
    Bucket::in_folder(&lab.folder.path().join("s3"))
}

#[test]
fn a_bucket_holds_what_a_folder_holds() {
    let lab = Lab::of(2);
    let bucket = beside(&lab);
    let folder = lab.pods("out", |_| {}).run();
    let ended = bucket.pods(&lab, |_| {}).run();
    assert_eq!((ended.code, ended.message), (Some(0), folder.message), "{}", ended.stderr);
    assert_eq!(lab.results("s3/results/motion/2018"), lab.results("out"));
    for table in ["regions.csv", "movie_metadata.csv", "datapackage.json", "failures.jsonl"] {
        assert_eq!(bucket.read(table), std::fs::read(lab.output("out").join(table)).unwrap(), "{table}");
    }
}

/// What a browser needs to show the report, instead of saving it.
#[test]
fn every_file_in_a_bucket_says_what_it_is() {
    let lab = Lab::of(1);
    let bucket = beside(&lab);
    let ended = bucket.pods(&lab, |_| {}).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let stem = movie(1).trim_end_matches(".mov").to_owned();
    lazycache::tls::use_ring();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let said = |name: &str| {
        let address = bucket.address(&format!("motion/2018/{name}"));
        let answer = runtime.block_on(reqwest::get(&address)).unwrap().error_for_status().unwrap();
        answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    for (name, expected) in [
        ("report.html", "text/html; charset=utf-8"),
        ("regions.csv", "text/csv; charset=utf-8"),
        ("movie_metadata.csv", "text/csv; charset=utf-8"),
        ("datapackage.json", "application/json"),
        ("failures.jsonl", "application/x-ndjson"),
        (&format!(".analysis/{RUN}/plan.jsonl"), "application/x-ndjson"),
        (&format!("{stem}_optical_flow.json"), "application/json"),
        (&format!("{stem}_frames.jpg"), "image/jpeg"),
    ] {
        assert_eq!(said(name), expected, "{name}");
    }
}

#[test]
fn a_bucket_is_a_ledger_too() {
    let lab = Lab::of(2);
    let bucket = beside(&lab);
    bucket.pods(&lab, |_| {}).run();
    let papers = bucket.folder.join("motion/2018/.analysis");
    let plan = String::from_utf8(bucket.read(&format!(".analysis/{RUN}/plan.jsonl"))).unwrap();
    assert_eq!(bucket.pods(&lab, |_| {}).plan().items(), (2, 0, 0, 0), "the plan that stands is kept");
    std::fs::remove_dir_all(&papers).unwrap();
    assert_eq!(bucket.pods(&lab, |_| {}).plan().items(), (2, 2, 0, 0), "{plan}");
}

/// Letters that an address or a store writes in another way.
#[test]
fn a_movie_of_any_name_is_computed_once_and_in_the_report() {
    let lab = Lab::of(1);
    let (path, name) = (lab.root().join(movie(1)), "é [1] {2}~^.mov");
    std::fs::rename(&path, path.with_file_name(name)).unwrap();
    let bucket = beside(&lab);
    let folder = lab.pods("out", |_| {});
    let tables = [
        (folder.run(), lab.output("out"), folder),
        (bucket.pods(&lab, |_| {}).run(), bucket.folder.join("motion/2018"), bucket.pods(&lab, |_| {})),
    ];
    for (ended, output, pods) in tables {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let table = std::fs::read_to_string(output.join("movie_metadata.csv")).unwrap();
        assert!(table.contains(name), "{table}");
        std::fs::remove_dir_all(output.join(".analysis")).unwrap();
        assert_eq!(pods.plan().items(), (1, 1, 0, 0), "{}", output.display());
    }
}

#[test]
fn a_failure_is_reported_and_taken_back() {
    let lab = Lab::of(1);
    let bucket = beside(&lab);
    let path = lab.root().join(movie(1));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, "no movie").unwrap();
    let pods = bucket.pods(&lab, |_| {});
    pods.plan();
    assert_eq!(pods.work(0).code, Some(65));
    assert_eq!(pods.collect().items(), (1, 0, 0, 1));
    std::fs::write(&path, whole).unwrap();
    assert_eq!(pods.work(0).code, Some(0));
    assert_eq!(pods.collect().items(), (1, 0, 1, 0));
}

#[test]
fn a_wrong_key_a_missing_bucket_and_a_missing_marker_are_told_with_78() {
    let lab = Lab::of(1);
    let bucket = beside(&lab);
    let told = |pods: &Pods, reason: &str| {
        let ended = pods.plan();
        assert_eq!((ended.code, ended.reason()), (Some(78), reason), "{}", ended.stderr);
        assert!(ended.message["error"]["message"].as_str().unwrap().contains("s3://"), "{}", ended.message);
        assert!(!ended.message.to_string().contains(SECRET));
    };
    told(&bucket.pods(&lab, |_| {}).with("AWS_SECRET_ACCESS_KEY", "another"), "OutputRefused");
    told(&bucket.pods(&lab, |spec| spec["output"]["s3"]["bucket"] = json!("nowhere")), "OutputMissing");
    let marked = |spec: &mut Value| spec["output"]["markerFile"] = json!("README.md");
    told(&bucket.pods(&lab, marked), "MarkerMissing");
    let marker = bucket.folder.join("motion/2018/README.md");
    std::fs::create_dir_all(Path::parent(&marker).unwrap()).unwrap();
    std::fs::write(marker, "the right one").unwrap();
    assert_eq!(bucket.pods(&lab, marked).plan().code, Some(0));
}

#[test]
fn a_pod_that_takes_up_a_killed_one_goes_on_from_its_checkpoint() {
    let lab = Lab::of_frames(300);
    lab.pods("machine", |_| {}).run();
    let bucket = beside(&lab);
    let below = bucket.folder.join("motion/2018");
    let pods = bucket.pods(&lab, |_| {}).with("ANALYSIS_CHECKPOINT_SECONDS", "0");
    pods.plan();
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 20 }));
    let mut running = pods.start_work(0);
    wait_until(|| rows_in(&below) >= 10);
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    lab.server.clear_faults();
    let (done, before) = (rows_in(&below) as u64, lab.requests());
    let ended = pods.work(0);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(lab.requests() - before - 2, 31 - done, "{done} rows were saved");
    assert_eq!(lab.results("s3/results/motion/2018"), lab.results("machine"));
    assert!(checkpoints(&below).is_empty());
}
