//! Which decoder makes the small grey images: the one that is asked for, where it can; the result says which it was.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Lab, cache::Cache, movie, read_json};

fn full(spec: &mut Value) {
    spec["analysis"] = json!({"opticalFlow": {"decoder": "Full"}});
}

fn rows(lab: &Lab, output: &str) -> Value {
    read_json(&lab.output(output).join(movie(1).replace(".mov", "_optical_flow.json")))
}

/// (reduced, full), as the result says.
fn decoded(lab: &Lab, output: &str) -> (u64, u64) {
    let said = &rows(lab, output)["provenance"]["decodedFrames"];
    (said["reduced"].as_u64().unwrap(), said["full"].as_u64().unwrap())
}

#[test]
fn prores_is_decoded_as_asked_here_and_at_a_server_and_the_result_says_so() {
    let lab = Lab::of(1);
    let cache = Cache::over(&lab.server.url());
    for (name, analysis, expected) in [("reduced", (|_| {}) as fn(&mut Value), (5, 0)), ("full", full, (0, 5))] {
        lab.pods(name, analysis).run();
        assert_eq!(decoded(&lab, name), expected);
        let there = format!("{name}-server");
        lab.pods(&there, analysis).with("ANALYSIS_CACHE_URL", &cache.url).run();
        assert_eq!(lab.results(&there), lab.results(name));
    }
    let parameters = |name| rows(&lab, name)["provenance"]["parameters"]["decoder"].clone();
    assert_eq!((parameters("reduced"), parameters("full")), (json!("Reduced"), json!("Full")));
    // Close to each other, but not the same pixels, and so not the same numbers.
    let tx = |name| rows(&lab, name)["frameStats"][2]["opticalFlow"]["similarity"][2].as_f64().unwrap();
    let apart = (tx("reduced") - tx("full")).abs();
    assert!(apart < 0.5 && apart > 0.0, "{apart}: near, but not the same pixels");
}

#[test]
fn another_decoder_makes_a_result_stale() {
    let lab = Lab::of(1);
    lab.pods("out", |_| {}).run();
    std::fs::remove_dir_all(lab.output("out/.analysis")).unwrap();
    assert_eq!(lab.pods("out", |_| {}).plan().items(), (1, 1, 0, 0));
    std::fs::remove_dir_all(lab.output("out/.analysis")).unwrap();
    assert_eq!(lab.pods("out", full).plan().items(), (1, 0, 0, 0));
}

#[test]
fn what_is_not_prores_is_decoded_in_full_here_and_at_a_server_and_the_result_says_so() {
    let lab = Lab::of(0);
    let file = lab.root().join(movie(1));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let arguments = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30", "-frames:v", "40"];
    let render = Command::new("ffmpeg").args(arguments).args(["-c:v", "mjpeg"]).arg(&file).status().unwrap();
    assert!(render.success());
    let cache = Cache::over(&lab.server.url());
    lab.pods("here", |_| {}).run();
    lab.pods("there", |_| {}).with("ANALYSIS_CACHE_URL", &cache.url).run();
    assert_eq!((decoded(&lab, "here"), decoded(&lab, "there")), ((0, 5), (0, 5)));
    assert_eq!(lab.results("there"), lab.results("here"));
}
