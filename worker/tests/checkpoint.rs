//! A long movie whose pod is killed, evicted or told to stop: the next pod goes on where it was.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::path::{Path, PathBuf};

use archive::fault::{Fault, Rule};
use serde_json::{Value, json};
use support::{
    Lab,
    checkpoint::{checkpoints, rows_in, wait_until},
    pods::Pods,
    visit,
};

/// Rows that stand in the checkpoint below `output`; 0 where there is none.
fn saved(lab: &Lab, output: &str) -> usize {
    rows_in(&lab.output(output))
}

fn slowly(lab: &Lab) {
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 20 }));
}

fn full(spec: &mut Value) {
    spec["analysis"] = json!({"opticalFlow": {"decoder": "Full"}});
}

fn statistics(spec: &mut Value) {
    spec["analysis"] = json!({"frameStatistics": {"stride": 10}});
}

/// Runs `pods` once more, undisturbed; gives what it printed and how many frames it asked for.
fn rest(lab: &Lab, pods: &Pods) -> (String, u64) {
    lab.server.clear_faults();
    let before = lab.requests();
    let ended = pods.work(0);
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 1, 0)), "{}", ended.stderr);
    (ended.stderr, lab.requests() - before - 2)
}

#[test]
fn a_pod_that_takes_up_a_killed_one_decodes_the_rest_and_the_window_of_a_pair() {
    let lab = Lab::of_frames(300);
    // Of a movie of 300 frames at stride 10: 30 rows of pairs that need 31 frames, or of 30 frames.
    for (name, analysis, window) in [("flow", full as fn(&mut Value), 1), ("statistics", statistics, 0)] {
        lab.pods(&format!("{name}-machine"), analysis).run();
        let pods = lab.pods(name, analysis).with("ANALYSIS_CHECKPOINT_SECONDS", "0");
        assert_eq!(pods.plan().code, Some(0));
        slowly(&lab);
        let mut running = pods.start_work(0);
        wait_until(|| saved(&lab, name) >= 10);
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        let done = saved(&lab, name);
        assert!(done < 30, "killed too late: {done}");
        let (said, frames) = rest(&lab, &pods);
        assert_eq!(frames, 30 - done as u64 + window, "{name}: {done} rows were saved");
        assert!(said.contains(&format!("goes on from a checkpoint with {done} of 30 rows")), "{said}");
        assert_eq!(lab.results(name), lab.results(&format!("{name}-machine")));
        assert_eq!(checkpoints(&lab.output(name)), Vec::<PathBuf>::new(), "gone when the result stands");
    }
}

#[test]
fn a_pod_told_to_stop_saves_what_it_has_and_says_75() {
    let lab = Lab::of_frames(300);
    lab.pods("machine", |_| {}).run();
    // No grace: as where a node is taken away at once. The usual time between checkpoints does not matter.
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_GRACE_SECONDS", "10");
    pods.plan();
    slowly(&lab);
    let running = pods.start_work(0);
    let before = lab.requests();
    wait_until(|| lab.requests() >= before + 24);
    running.terminate();
    let ended = running.end();
    assert_eq!((ended.code, ended.reason()), (Some(75), "Interrupted"), "{}", ended.stderr);
    let done = saved(&lab, "out") as u64;
    assert!((1..30).contains(&done), "{done} rows");
    assert_eq!(rest(&lab, &pods).1, 31 - done);
    assert_eq!(lab.results("out"), lab.results("machine"));
}

#[test]
fn a_checkpoint_that_is_damaged_or_of_something_else_is_left_aside_and_said() {
    let lab = Lab::of_frames(300);
    lab.pods("machine", |_| {}).run();
    let damage = |file: &Path| {
        let mut bytes = std::fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    for (name, word) in [("damaged", "it is damaged"), ("other", "of other parameters")] {
        let first = if name == "other" { full } else { |_: &mut Value| {} };
        let pods = lab.pods(name, first).with("ANALYSIS_GRACE_SECONDS", "10");
        pods.plan();
        slowly(&lab);
        let running = pods.start_work(0);
        let before = lab.requests();
        wait_until(|| lab.requests() >= before + 24);
        running.terminate();
        assert_eq!(running.end().code, Some(75));
        let checkpoint = checkpoints(&lab.output(name)).remove(0);
        if name == "damaged" {
            damage(&checkpoint);
        }
        let (said, frames) = rest(&lab, &lab.pods(name, |_| {}));
        assert!(said.contains("checkpoint is left aside") && said.contains(word), "{said}");
        assert_eq!(frames, 31, "{name}");
        assert_eq!(lab.results(name), lab.results("machine"));
        assert!(checkpoints(&lab.output(name)).is_empty());
    }
}

#[test]
fn a_movie_that_is_done_in_time_leaves_no_checkpoint_and_asks_for_none_to_be_removed() {
    let lab = Lab::of_frames(60);
    lab.pods("out", |_| {}).run();
    let mut folders = Vec::new();
    visit(&lab.output("out"), &mut |path| folders.push(path.parent().unwrap().to_owned()));
    assert!(folders.iter().all(|folder| !folder.ends_with("checkpoints")), "{folders:?}");
}
