//! Sick archives and broken movies: each item fails or recovers by itself, with its reason; the others are done.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use archive::fault::{Fault, Rule};
use serde_json::Value;
use support::{Ended, Lab, movie};

/// (item, reason, attempts) of every line of failures.jsonl.
fn failures(lab: &Lab, output: &str) -> Vec<(String, String, u64)> {
    let text = std::fs::read_to_string(lab.output(output).join("failures.jsonl")).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(!line["message"].as_str().unwrap().is_empty());
        (
            line["item"].as_str().unwrap().into(),
            line["reason"].as_str().unwrap().into(),
            line["attempts"].as_u64().unwrap(),
        )
    };
    text.lines().map(line).collect()
}

#[test]
fn broken_movies_fail_alone_and_each_says_why() {
    let lab = Lab::of(2);
    let whole = std::fs::read(lab.root().join(movie(1))).unwrap();
    let folder = lab.root().join("A/2018/07/24");
    std::fs::write(folder.join("cut.mov"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.join("text.mov"), "This is no movie at all, but a text of some length.\n".repeat(40))
        .unwrap();
    std::fs::write(folder.join("empty.mov"), "").unwrap();
    let mut garbled = whole.clone();
    // Every frame's bytes, but not the index at the end.
    garbled[4096..whole.len() - 8192].fill(0x5a);
    std::fs::write(folder.join("garbled.mov"), garbled).unwrap();
    let ended = lab.run_plain("out");
    assert_eq!((ended.code, ended.items()), (Some(1), (2, 0, 4)), "{}", ended.stderr);
    let reasons = [("cut", "Truncated"), ("empty", "NotAMovie"), ("garbled", "DecodeError"), ("text", "NotAMovie")];
    let expected: Vec<_> =
        reasons.map(|(name, reason)| (format!("A/2018/07/24/{name}.mov"), reason.to_owned(), 1)).into();
    assert_eq!(failures(&lab, "out"), expected);
    assert_eq!(ended.summary["failures"].as_array().unwrap().len(), 4);
    let run = ended.summary["run"].as_str().unwrap();
    let report = std::fs::read_to_string(lab.output("out").join(format!(".analysis/{run}/failures.jsonl"))).unwrap();
    assert_eq!(report.lines().count(), 4);
}

#[test]
fn a_movie_that_is_not_there_fails_alone() {
    let lab = Lab::of(1);
    let items = format!("items: [{}, A/2018/07/24/gone.mov]", movie(1));
    let ended = lab.run(&lab.job(&[("prefixes: [A/]", &items)]), "out");
    assert_eq!((ended.code, ended.items()), (Some(1), (1, 0, 1)), "{}", ended.stderr);
    assert_eq!(failures(&lab, "out"), [("A/2018/07/24/gone.mov".into(), "NotFound".into(), 1)]);
}

#[test]
fn what_passes_is_waited_out_and_counts_as_no_failure() {
    let undisturbed = Lab::of(1);
    undisturbed.run_plain("out");
    for fault in [
        Rule::on(".mov", Fault::Status { status: 503, retry_after: Some(1) }).times(2),
        Rule::on(".mov", Fault::Status { status: 500, retry_after: None }).times(7),
        Rule::on(".mov", Fault::Drop { after: 1000 }).times(5),
        Rule::on(".mov", Fault::Short { missing: 10 }).times(1).after(3),
        Rule::on(".mov", Fault::WrongRange { shift: 1 }).times(1).after(3),
        Rule::on("2018", Fault::Status { status: 503, retry_after: Some(1) }).times(2),
    ] {
        undisturbed.server.inject(fault.clone());
        let ended = undisturbed.run_plain("sick");
        assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 0)), "{fault:?}: {}", ended.stderr);
        assert_eq!(undisturbed.results("sick"), undisturbed.results("out"), "{fault:?}");
        std::fs::remove_dir_all(undisturbed.output("sick")).unwrap();
        undisturbed.server.clear_faults();
    }
}

#[test]
fn what_stays_is_an_error_and_never_wrong_rows() {
    let lab = Lab::of(2);
    let sick = "M-20180721";
    for (fault, reason) in [
        (Fault::IgnoreRange, "OriginError"),
        (Fault::WrongRange { shift: 7 }, "OriginError"),
        (Fault::Short { missing: 1 }, "OriginError"),
        (Fault::Status { status: 403, retry_after: None }, "OriginError"),
        (Fault::Status { status: 503, retry_after: None }, "OriginUnavailable"),
    ] {
        lab.server.inject(Rule::on(sick, fault.clone()));
        let ended = lab.run_plain("out");
        assert_eq!((ended.code, ended.items()), (Some(1), (1, 0, 1)), "{fault:?}: {}", ended.stderr);
        let found = failures(&lab, "out");
        assert_eq!((found.len(), found[0].1.as_str()), (1, reason), "{fault:?}: {found:?}");
        std::fs::remove_dir_all(lab.output("out")).unwrap();
        lab.server.clear_faults();
    }
}

#[test]
fn a_movie_exchanged_while_it_is_read_is_read_anew() {
    let lab = Lab::of(1);
    lab.run_plain("undisturbed");
    lab.server.inject(Rule::on(".mov", Fault::Swapped).times(1).after(4));
    let ended = lab.run_plain("out");
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 0)), "{}", ended.stderr);
    assert_eq!(lab.results("out"), lab.results("undisturbed"));
    assert_eq!(ended.frames(), 5, "frames of the first try do not count");
}

#[test]
fn an_archive_that_is_down_fails_the_items_it_was_asked_for() {
    let lab = Lab::of(1);
    let items = format!("items: [{}, A/b.mov, A/c.mov, A/d.mov]", movie(1));
    let file = lab.job(&[("prefixes: [A/]", &items)]);
    let url = lab.server.url();
    let Lab { folder, server } = lab;
    drop(server);
    let ended = run_against(&url, &file, folder.path());
    assert_eq!((ended.code, ended.items()), (Some(1), (0, 0, 4)), "{}", ended.stderr);
    assert!(
        ended.summary["failures"].as_array().unwrap().iter().all(|failure| failure["reason"] == "OriginUnavailable")
    );
}

#[test]
fn an_archive_that_cannot_be_listed_ends_the_run_as_unavailable() {
    let lab = Lab::of(0);
    let (file, url) = (lab.job(&[]), lab.server.url());
    let Lab { folder, server } = lab;
    drop(server);
    let ended = run_against(&url, &file, folder.path());
    assert_eq!(ended.code, Some(69), "{}", ended.stderr);
    assert!(ended.stderr.contains("failed to list http://127.0.0.1:"), "{}", ended.stderr);
}

fn run_against(url: &str, file: &std::path::Path, folder: &std::path::Path) -> Ended {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_analysis-worker"));
    command.arg("run").arg(file).args(["--json", "--patience", "1", "--source-root", url]);
    Ended::of(&command.arg("--output").arg(folder.join("out")).output().unwrap())
}
