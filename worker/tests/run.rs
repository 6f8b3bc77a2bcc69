//! Whole runs of `analysis-worker run` against a served archive: what is computed, what is not computed again, what is
//! left when it is killed.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::time::{Duration, Instant};

use archive::fault::{Fault, Rule};
use support::{Ended, Lab, movie, read_json, visit};

#[test]
fn a_run_gives_rows_regions_tables_and_a_report() {
    let lab = Lab::of(2);
    let ended = lab.run_plain("out");
    assert_eq!((ended.code, ended.items()), (Some(0), (2, 0, 0)), "{}", ended.stderr);
    let flow = read_json(&lab.output("out").join(movie(1).replace(".mov", "_optical_flow.json")));
    let frames: Vec<_> = flow["frameStats"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let flow = &row["opticalFlow"];
            (
                row["frameNumber"].as_u64().unwrap(),
                flow["fromFrame"].as_u64().unwrap(),
                flow["toFrame"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(frames, [(1, 1, 6), (11, 6, 16), (21, 16, 26), (31, 26, 36)]);
    let regions = read_json(&lab.output("out").join(movie(1).replace(".mov", "_optical_flow_regions.json")));
    assert_eq!(regions["regions"][0]["type"], "static");
    let csv = std::fs::read_to_string(lab.output("out/regions.csv")).unwrap();
    assert_eq!(csv.lines().nth(1).unwrap(), "M-20180721T030000Z,2018-07-21T03:00:00,1,31,unknown");
    let report = std::fs::read_to_string(lab.output("out/report.html")).unwrap();
    assert!(report.contains(&movie(2)) && report.contains("static: frames 1 to 31"));
    assert_eq!(std::fs::read_to_string(lab.output("out/failures.jsonl")).unwrap(), "");
}

#[test]
fn the_published_keys_keep_their_names_and_types() {
    let lab = Lab::of(1);
    lab.run_plain("out");
    let file = read_json(&lab.output("out").join(movie(1).replace(".mov", "_optical_flow.json")));
    assert!(file["movie"]["Duration"].is_f64() && file["movie"]["NumFrames"] == 40);
    assert_eq!(file["movie"]["URL"], format!("/{}", movie(1)));
    assert!(file["movie"]["cacheURL"].is_string());
    let contents = serde_json::json!({
        "movie": "1.0", "frameStats": {"opticalFlow": "1.1"}, "performance": {"timing": "1.0", "hostinfo": "1.1"}});
    assert_eq!(file["contents"], contents);
    let row = &file["frameStats"][1];
    assert!(row["frameNumber"] == 11 && row["durationSeconds"].is_f64());
    let flow = &row["opticalFlow"];
    assert_eq!(flow["center"], serde_json::json!([-320.0, -180.0]));
    assert!(flow["flowScale"] == 1.0 && flow["imgScale"] == 0.25 && flow["valid"] == true);
    assert!(flow["similarity"].as_array().unwrap().iter().all(serde_json::Value::is_f64));
    let timing = &flow["performance"]["timing"];
    assert!(
        ["elapsedSeconds", "opticalFlow", "retrieveFrame1", "retrieveFrame2"].iter().all(|key| timing[key].is_f64())
    );
    let timing = &file["performance"]["timing"];
    assert!(
        timing["elapsedSeconds"].is_f64()
            && timing["startTime"].as_str().unwrap().len() == 26
            && timing["endTime"].is_string()
    );
    assert!(
        file["performance"]["hostinfo"]["hostname"].is_string() && file["performance"]["hostinfo"]["cpu"].is_string()
    );
}

#[test]
fn a_second_run_computes_nothing_and_reads_no_frame() {
    let lab = Lab::of(2);
    lab.run_plain("out");
    let before = lab.results("out");
    lab.server.reset_counts();
    let again = lab.run_plain("out");
    assert_eq!((again.code, again.items(), again.frames()), (Some(0), (0, 2, 0), 0));
    assert!(again.stderr.contains("all 2 movies are up to date"), "{}", again.stderr);
    // Six folders are listed and each movie is asked for its version; no byte of a movie is sent.
    let of_movies: u64 = [1, 2].map(|number| lab.server.counts().paths[&movie(number)]).iter().sum();
    assert_eq!(of_movies, 2);
    let bytes = lab.server.counts().path_bytes;
    assert!([1, 2].iter().all(|number| bytes.get(&movie(*number)).is_none_or(|sent| *sent == 0)), "{bytes:?}");
    assert_eq!(lab.results("out"), before);
}

#[test]
fn every_frame_is_fetched_once() {
    let lab = Lab::of(1);
    let ended = lab.run_plain("out");
    // Frames 1, 6, 16, 26, 36: five packets, after two reads of the index.
    assert_eq!((ended.frames(), lab.server.counts().paths[&movie(1)]), (5, 7));
}

#[test]
fn what_changed_is_done_again_and_only_that() {
    let lab = Lab::of(2);
    lab.run_plain("out");
    // Another version of one movie.
    let path = lab.root().join(movie(1));
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(lab.run_plain("out").items(), (1, 1, 0));
    // Other parameters.
    let finer = lab.job(&[("stride: 10", "stride: 5")]);
    assert_eq!(lab.run(&finer, "out").items(), (2, 0, 0));
    let whatever = lab.job(&[("IfStale", "IfMissing"), ("stride: 10", "stride: 20")]);
    assert_eq!(lab.run(&whatever, "out").items(), (0, 2, 0));
    let always = lab.job(&[("IfStale", "Always"), ("stride: 10", "stride: 20")]);
    assert_eq!((lab.run(&always, "out").items(), lab.run(&always, "out").items()), ((2, 0, 0), (2, 0, 0)));
}

#[test]
fn missing_regions_are_derived_without_decoding() {
    let lab = Lab::of(1);
    let without = lab.job(&[("method: Auto", "method: Auto, regions: false")]);
    lab.run(&without, "out");
    let name = movie(1).replace(".mov", "_optical_flow_regions.json");
    assert!(!lab.output("out").join(&name).exists());
    let ended = lab.run_plain("out");
    assert_eq!((ended.items(), ended.frames()), ((1, 0, 0), 0));
    lab.run_plain("whole");
    assert_eq!(lab.results("out"), lab.results("whole"));
}

#[test]
fn a_folder_gives_the_same_rows_as_a_server() {
    let lab = Lab::of(1);
    lab.run_plain("http");
    let folder = lab.run_from(lab.root().to_str().unwrap(), "folder");
    assert_eq!((folder.code, folder.items()), (Some(0), (1, 0, 0)), "{}", folder.stderr);
    let rows = |output| lab.results(output).into_values().map(|file| file["frameStats"].clone()).collect::<Vec<_>>();
    assert_eq!(rows("folder"), rows("http"));
}

#[test]
fn a_killed_run_goes_on_to_the_same_results() {
    let lab = Lab::of(6);
    lab.run_plain("undisturbed");
    let mut slow = lab.command(&lab.job(&[]), "killed");
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 40 }));
    let mut child = slow.args(["--threads", "1"]).spawn().unwrap();
    wait_until(|| results_of(&lab, "killed") >= 2);
    // SIGKILL: nothing of the program runs after this.
    child.kill().unwrap();
    child.wait().unwrap();
    let done = results_of(&lab, "killed");
    assert!((2..6).contains(&done), "killed in the middle, with {done} done");
    lab.server.clear_faults();
    let rest = lab.run_plain("killed");
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    assert_eq!(rest.items().0 + rest.items().1, 6);
    assert!(rest.items().1 >= 2, "what was done is not done again: {:?}", rest.items());
    assert_eq!(lab.results("killed"), lab.results("undisturbed"));
}

#[test]
fn an_interrupted_run_says_how_to_go_on_and_leaves_nothing_half() {
    let lab = Lab::of(4);
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 60 }));
    let mut command = lab.command(&lab.job(&[]), "out");
    let child =
        command.args(["--threads", "1"]).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let child = child.spawn().unwrap();
    wait_until(|| results_of(&lab, "out") >= 1);
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let ended = Ended::of(&child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    assert!(ended.stderr.contains("run again to go on"), "{}", ended.stderr);
    visit(&lab.output("out"), &mut |path| {
        assert!(!path.to_str().unwrap().contains('#'), "{} is half", path.display());
        if path.extension().is_some_and(|extension| extension == "json") {
            read_json(path);
        }
    });
}

#[test]
fn a_dry_run_only_plans() {
    let lab = Lab::of(2);
    let ended = lab.run(&lab.job(&[("  retry:", "  dryRun: true\n  retry:")]), "out");
    assert_eq!((ended.code, ended.items()), (Some(0), (0, 0, 0)));
    assert_eq!(ended.summary["items"]["total"], 2);
    assert!(lab.results("out").is_empty());
}

#[test]
fn an_output_without_its_marker_is_not_touched() {
    let lab = Lab::of(1);
    let file = lab.job(&[("overwritePolicy: IfStale", "markerFile: README.md")]);
    let ended = lab.run(&file, "out");
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("the marker file README.md is missing in "), "{}", ended.stderr);
    assert!(!lab.output("out").exists());
    std::fs::create_dir(lab.output("out")).unwrap();
    std::fs::write(lab.output("out/README.md"), "the right one").unwrap();
    assert_eq!(lab.run(&file, "out").code, Some(0));
}

#[test]
fn a_wrong_job_is_refused_with_the_field_and_what_is_allowed() {
    let lab = Lab::of(0);
    let ended = lab.run(&lab.job(&[("stride: 10", "strde: 10")]), "out");
    assert_eq!(ended.code, Some(78));
    assert!(
        ended.stderr.contains("spec.analysis.opticalFlow.strde") && ended.stderr.contains("stride"),
        "{}",
        ended.stderr
    );
    let ended = lab.run(&lab.folder.path().join("nowhere.yaml"), "out");
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("nowhere.yaml"), "{}", ended.stderr);
    let ended = lab.run_plain("out");
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("there is no folder") && ended.stderr.contains("files/A/"), "{}", ended.stderr);
}

fn results_of(lab: &Lab, output: &str) -> usize {
    let folder = lab.output(output);
    let mut count = 0;
    if folder.exists() {
        visit(&folder, &mut |path| count += usize::from(path.to_str().unwrap().ends_with("_optical_flow.json")));
    }
    count
}

fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited for a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}
