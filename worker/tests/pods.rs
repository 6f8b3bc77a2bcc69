//! The data pods: what each says and how each ends, whatever happens to it.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::time::{Duration, Instant};

use archive::fault::{Fault, Rule};
use serde_json::{Value, json};
use support::{
    Lab, movie,
    pods::{Pods, RUN},
    visit,
};

/// Breaks a movie for good.
fn ruin(lab: &Lab, number: u32) {
    std::fs::write(lab.root().join(movie(number)), "no movie at all").unwrap();
}

fn several(spec: &mut Value) {
    spec["workers"]["itemsPerIndex"] = json!(2);
}

#[test]
fn pods_give_what_one_machine_gives() {
    let lab = Lab::of(3);
    lab.run_plain("machine");
    let pods = lab.pods("out", |_| {});
    let plan = pods.plan();
    assert_eq!((plan.code, plan.items()), (Some(0), (3, 0, 0, 0)), "{}", plan.stderr);
    let planned = &plan.message["plan"];
    assert_eq!(
        (&planned["selected"], &planned["indexes"], &planned["itemsPerIndex"]),
        (&json!(3), &json!(3), &json!(1))
    );
    assert_eq!(planned["sample"], json!([movie(1), movie(2), movie(3)]));
    assert!(planned["digest"].as_str().unwrap().starts_with("sha256:"));
    for index in 0..3 {
        let work = pods.work(index);
        assert_eq!((work.code, work.items()), (Some(0), (1, 0, 1, 0)), "{}", work.stderr);
    }
    let collect = pods.collect();
    assert_eq!((collect.code, collect.items()), (Some(0), (3, 0, 3, 0)), "{}", collect.stderr);
    assert_eq!(collect.message["report"], format!(".analysis/{RUN}/failures.jsonl"));
    assert_eq!(lab.results("out"), lab.results("machine"));
    for table in ["regions.csv", "failures.jsonl"] {
        let read = |output| std::fs::read_to_string(lab.output(output).join(table)).unwrap();
        assert_eq!(read("out"), read("machine"), "{table}");
    }
    assert!(lab.output("out/report.html").exists());
}

#[test]
fn a_plan_that_stands_is_kept() {
    let lab = Lab::of(2);
    let pods = lab.pods("out", |_| {});
    let first = pods.plan();
    // A movie more in the archive, and one done: neither may move the slice of an index.
    std::fs::copy(lab.root().join(movie(1)), lab.root().join("A/2018/07/24/A.mov")).unwrap();
    assert_eq!(pods.work(0).code, Some(0));
    assert_eq!(pods.plan().message, first.message);
    // Half a plan is none.
    let file = lab.output("out").join(format!(".analysis/{RUN}/plan.jsonl"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.trim_end().rsplit_once('\n').unwrap().0).unwrap();
    let again = pods.plan();
    assert_eq!((again.code, again.items()), (Some(0), (3, 1, 0, 0)), "{}", again.stderr);
}

#[test]
fn a_run_with_nothing_to_do_has_a_plan_of_no_index() {
    let lab = Lab::of(1);
    lab.pods("out", |_| {}).run();
    std::fs::remove_dir_all(lab.output("out/.analysis")).unwrap();
    let pods = lab.pods("out", |_| {});
    let plan = pods.plan();
    assert_eq!((plan.items(), &plan.message["plan"]["indexes"]), ((1, 1, 0, 0), &json!(0)));
    let beyond = pods.work(0);
    assert_eq!((beyond.code, beyond.items()), (Some(0), (0, 0, 0, 0)));
    assert_eq!(pods.collect().items(), (1, 1, 0, 0));
}

#[test]
fn an_index_of_one_bad_movie_fails_for_good_and_one_of_several_tells_it() {
    let lab = Lab::of(2);
    ruin(&lab, 1);
    let pods = lab.pods("one", |_| {});
    pods.plan();
    let bad = pods.work(0);
    assert_eq!((bad.code, bad.items()), (Some(65), (1, 0, 0, 1)), "{}", bad.stderr);
    assert_eq!(
        (&bad.message["failures"][0]["item"], &bad.message["failures"][0]["reason"]),
        (&json!(movie(1)), &json!("NotAMovie"))
    );
    assert_eq!(pods.work(1).code, Some(0));
    let collect = pods.collect();
    assert_eq!((collect.code, collect.items()), (Some(0), (2, 0, 1, 1)), "{}", collect.stderr);
    let lines = std::fs::read_to_string(lab.output("one").join(format!(".analysis/{RUN}/failures.jsonl"))).unwrap();
    assert_eq!(serde_json::from_str::<Value>(lines.trim()).unwrap(), collect.message["failures"][0]);

    let pods = lab.pods("two", several);
    assert_eq!(pods.plan().message["plan"]["indexes"], 1);
    let mixed = pods.work(0);
    assert_eq!((mixed.code, mixed.items()), (Some(0), (2, 0, 1, 1)), "{}", mixed.stderr);
}

#[test]
fn a_movie_that_may_heal_is_left_to_the_job_which_counts() {
    let lab = Lab::of(1);
    let pods = lab.pods("out", |_| {});
    pods.plan();
    lab.server.inject(Rule::on(".mov", Fault::Status { status: 403, retry_after: None }));
    for attempts in [1, 2] {
        let sick = pods.work(0);
        assert_eq!(
            (sick.code, &sick.message["failures"][0]["attempts"]),
            (Some(69), &json!(attempts)),
            "{}",
            sick.stderr
        );
    }
    assert_eq!(pods.collect().items(), (1, 0, 0, 1));
    lab.server.clear_faults();
    assert_eq!(pods.work(0).code, Some(0));
    assert_eq!(pods.collect().items(), (1, 0, 1, 0), "what an earlier pod reported is taken back");
}

#[test]
fn what_is_not_as_it_should_be_is_told_with_78_and_a_reason() {
    let lab = Lab::of(1);
    let told = |pods: &Pods, step: &str, reason: &str, word: &str| {
        let ended = pods.start(step, &[("JOB_COMPLETION_INDEX", "0")]).end();
        assert_eq!((ended.code, ended.reason()), (Some(78), reason), "{}", ended.stderr);
        assert!(ended.message["error"]["message"].as_str().unwrap().contains(word), "{}", ended.message);
    };
    let marked = lab.pods("marked", |spec| spec["output"]["markerFile"] = json!("README.md"));
    for step in ["plan", "work", "collect"] {
        told(&marked, step, "MarkerMissing", "the marker file README.md is missing in ");
    }
    told(&lab.pods("a", |_| {}).with("ANALYSIS_OUTPUT", "/nowhere"), "plan", "OutputMissing", "/nowhere");
    told(&lab.pods("b", |_| {}).with("ANALYSIS_OUTPUT", "s3"), "plan", "OutputInvalid", "spec.output.s3");
    told(&lab.pods("c", |_| {}).with("ANALYSIS_JOB", "/nowhere.json"), "plan", "JobInvalid", "/nowhere.json");
    told(&lab.pods("d", |_| {}).with("ANALYSIS_RUN", "../x"), "plan", "JobInvalid", "../x");
    told(&lab.pods("e", |spec| spec["source"]["prefixes"] = json!(["B/"])), "plan", "PrefixMissing", "files/B/");
    told(&lab.pods("f", |spec| spec["source"]["include"] = json!(["a[b"])), "plan", "InvalidGlob", "a[b");
    told(&lab.pods("g", |_| {}), "collect", "PlanMissing", "plan.jsonl");
    let garbled = lab.pods("h", |_| {});
    std::fs::write(garbled.job(), "{\"spec\":").unwrap();
    told(&garbled, "plan", "JobInvalid", "job.json");
    let cluster = lab.pods("i", |_| {}).with("ANALYSIS_CACHE_URL", "cache:8080");
    told(&cluster, "plan", "SourceInvalid", "cache:8080");
}

#[test]
fn a_command_line_that_is_not_understood_has_a_termination_message_too() {
    let lab = Lab::of(0);
    let ended = lab.pods("out", |_| {}).with("ANALYSIS_PATIENCE", "soon").start("plan", &[]).end();
    assert_eq!((ended.code, ended.reason()), (Some(2), "CommandLineInvalid"), "{}", ended.stderr);
}

#[test]
fn a_list_kept_elsewhere_names_the_movies() {
    let lab = Lab::of(2);
    let list = lab.folder.path().join("list");
    std::fs::write(&list, format!("# the second\n{}\n", movie(2))).unwrap();
    let from = json!({"configMapKeyRef": {"name": "list", "key": "list"}});
    let change = |spec: &mut Value| {
        spec["source"].as_object_mut().unwrap().remove("prefixes");
        spec["source"]["itemsFrom"] = from;
    };
    let pods = lab.pods("out", change).with("ANALYSIS_ITEMS_FILE", list.to_str().unwrap());
    let plan = pods.plan();
    assert_eq!((plan.items(), &plan.message["plan"]["sample"]), ((1, 0, 0, 0), &json!([movie(2)])), "{}", plan.stderr);
    assert_eq!(pods.work(0).code, Some(0));
}

#[test]
fn a_later_job_of_a_run_begins_at_its_first_index() {
    let lab = Lab::of(2);
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_FIRST_INDEX", "1");
    pods.plan();
    assert_eq!(pods.work(0).items(), (1, 0, 1, 0));
    assert!(lab.results("out").keys().all(|name| name.contains("M-20180722")), "{:?}", lab.results("out").keys());
}

#[test]
fn without_a_number_the_cost_of_a_movie_decides_how_many_an_index_does() {
    let lab = Lab::of(1);
    let auto = lab.pods("out", |spec| spec["workers"]["itemsPerIndex"] = json!("Auto"));
    // 40 frames of 640 x 360 are computed in a moment: ten minutes hold hundreds.
    assert_eq!(auto.plan().message["plan"]["itemsPerIndex"], 595);
}

#[test]
fn a_silent_archive_uses_up_no_try() {
    let lab = Lab::of(1);
    let pods = lab.pods("out", |_| {});
    pods.plan();
    lab.server.set_down(true);
    let work = pods.work(0);
    assert_eq!((work.code, work.reason()), (Some(75), "OriginUnavailable"), "{}", work.stderr);
    let plan = lab.pods("other", |_| {}).plan();
    assert_eq!((plan.code, plan.reason()), (Some(69), "OriginUnavailable"), "{}", plan.stderr);
    // One that comes back in time is only waited for.
    let patient = lab.pods("out", |_| {}).with("ANALYSIS_PATIENCE", "60");
    let running = patient.start_work(0);
    std::thread::sleep(Duration::from_secs(2));
    lab.server.set_down(false);
    let ended = running.end();
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 1, 0)), "{}", ended.stderr);
    assert_eq!(pods.collect().items(), (1, 0, 1, 0));
}

#[test]
fn a_pod_told_to_stop_ends_the_movie_in_hand_and_says_75() {
    let lab = Lab::of(6);
    let pods = lab.pods("out", |spec| spec["workers"]["itemsPerIndex"] = json!(6));
    pods.plan();
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 60 }));
    let running = pods.start_work(0);
    wait_until(|| results_of(&lab, "out") >= 1);
    running.terminate();
    let ended = running.end();
    assert_eq!((ended.code, ended.reason()), (Some(75), "Interrupted"), "{}", ended.stderr);
    let (total, _, done, failed) = ended.items();
    assert_eq!((total, failed, results_of(&lab, "out") as u64), (6, 0, done), "{}", ended.message);
    assert!(done < 6);
    nothing_is_half(&lab, "out");
    lab.server.clear_faults();
    let rest = pods.work(0);
    assert_eq!((rest.code, rest.items()), (Some(0), (6, done, 6 - done, 0)), "{}", rest.stderr);
}

#[test]
fn a_movie_that_outlasts_the_grace_is_dropped() {
    let lab = Lab::of(1);
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_GRACE_SECONDS", "11");
    pods.plan();
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 5_000 }));
    let running = pods.start_work(0);
    wait_until(|| lab.server.counts().requests_to(".mov") > 1);
    running.terminate();
    let told = Instant::now();
    let ended = running.end();
    assert_eq!((ended.code, ended.items()), (Some(75), (1, 0, 0, 0)), "{}", ended.stderr);
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    nothing_is_half(&lab, "out");
}

#[test]
fn pods_share_one_output_at_once() {
    let lab = Lab::of(4);
    lab.run_plain("machine");
    let pods = lab.pods("out", several);
    pods.plan();
    // Both indexes, and one of them twice.
    let running: Vec<_> = [0, 1, 1].map(|index| pods.start_work(index)).into();
    for pod in running {
        let ended = pod.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    assert_eq!(pods.collect().items(), (4, 0, 4, 0));
    assert_eq!(lab.results("out"), lab.results("machine"));
    nothing_is_half(&lab, "out");
}

#[test]
fn an_index_whose_pod_was_killed_comes_to_the_same_results() {
    let lab = Lab::of(6);
    lab.run_plain("machine");
    let pods = lab.pods("out", |spec| spec["workers"]["itemsPerIndex"] = json!(6));
    pods.plan();
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 40 }));
    for done in [1, 3] {
        let mut running = pods.start_work(0);
        wait_until(|| results_of(&lab, "out") >= done);
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }
    lab.server.clear_faults();
    let rest = pods.work(0);
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    assert!(rest.items().1 >= 3 && rest.items().1 + rest.items().2 == 6, "{}", rest.message);
    assert_eq!(pods.collect().items(), (6, 0, 6, 0));
    assert_eq!(lab.results("out"), lab.results("machine"));
}

#[test]
fn an_index_that_computes_everything_anew_still_gets_ahead_when_it_is_started_again() {
    let lab = Lab::of(2);
    let always = |spec: &mut Value| {
        several(spec);
        spec["output"]["overwritePolicy"] = json!("Always");
    };
    lab.pods("out", always).run();
    std::fs::remove_dir_all(lab.output("out/.analysis")).unwrap();
    let pods = lab.pods("out", always);
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(pods.plan().items(), (2, 0, 0, 0));
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(pods.work(0).items(), (2, 0, 2, 0));
    assert_eq!(pods.work(0).items(), (2, 2, 0, 0));
}

#[test]
fn a_worker_told_to_stop_before_it_has_begun_says_75() {
    let lab = Lab::of(1);
    let pods = lab.pods("out", |_| {});
    // There is no plan yet: the pod waits for it to appear.
    let running = pods.start_work(0);
    std::thread::sleep(Duration::from_millis(500));
    running.terminate();
    let ended = running.end();
    assert_eq!((ended.code, ended.reason()), (Some(75), "Interrupted"), "{}", ended.stderr);
}

#[test]
fn a_movie_nobody_reported_is_not_counted_as_done() {
    let lab = Lab::of(2);
    let pods = lab.pods("out", |_| {});
    pods.plan();
    // The pod of index 1 was killed each time it was started.
    assert_eq!(pods.work(0).code, Some(0));
    let collect = pods.collect();
    assert_eq!((collect.code, collect.items()), (Some(0), (2, 0, 1, 1)));
    assert_eq!(
        (&collect.message["failures"][0]["item"], &collect.message["failures"][0]["reason"]),
        (&json!(movie(2)), &json!("NotDone"))
    );
}

fn nothing_is_half(lab: &Lab, output: &str) {
    visit(&lab.output(output), &mut |path| {
        assert!(!path.to_str().unwrap().contains('#'), "{} is half", path.display());
    });
}

fn results_of(lab: &Lab, output: &str) -> usize {
    let mut count = 0;
    visit(&lab.output(output), &mut |path| {
        count += usize::from(path.to_str().unwrap().ends_with("_optical_flow.json"));
    });
    count
}

fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited for a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}
