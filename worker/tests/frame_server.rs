//! Pods that get their frames from a lazycache server: the same rows, the same reasons, whatever happens to the server.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::time::Duration;

use archive::fault::{Fault, Rule};
use serde_json::{Value, json};
use support::{Lab, cache::Cache, movie, proxy::Proxy};

#[test]
fn a_server_gives_the_same_results_as_the_cache_in_process() {
    let lab = Lab::of(2);
    let cache = Cache::over(&lab.server.url());
    let here = lab.pods("here", |_| {}).run();
    let there = lab.pods("there", |_| {}).with("ANALYSIS_CACHE_URL", &cache.url).run();
    assert_eq!((there.code, there.items()), (Some(0), (2, 0, 2, 0)), "{}", there.stderr);
    assert_eq!(here.message, there.message);
    assert_eq!(lab.results("there"), lab.results("here"));
    let source = |output| {
        let name = movie(1).replace(".mov", "_optical_flow.json");
        let file: Value = support::read_json(&lab.output(output).join(name));
        (file["provenance"]["sourceURL"].clone(), file["movie"]["cacheURL"].as_str().unwrap().to_owned())
    };
    assert_eq!(source("there").0, source("here").0, "where the movie is");
    assert!(source("there").1.starts_with(&cache.url), "where its frames came from: {:?}", source("there"));
    // Who planned in process finds the same through a server, and the other way round.
    for (output, through) in [("here", true), ("there", false)] {
        std::fs::remove_dir_all(lab.output(output).join(".analysis")).unwrap();
        let mut pods = lab.pods(output, |_| {});
        if through {
            pods = pods.with("ANALYSIS_CACHE_URL", &cache.url);
        }
        assert_eq!(pods.plan().items(), (2, 2, 0, 0), "{output}");
    }
}

#[test]
fn broken_movies_have_the_same_reasons() {
    let lab = Lab::of(1);
    let whole = std::fs::read(lab.root().join(movie(1))).unwrap();
    let folder = lab.root().join("A/2018/07/24");
    std::fs::write(folder.join("cut.mov"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.join("text.mov"), "no movie at all").unwrap();
    let mut garbled = whole.clone();
    garbled[4096..whole.len() - 8192].fill(0x5a);
    std::fs::write(folder.join("garbled.mov"), garbled).unwrap();
    let cache = Cache::over(&lab.server.url());
    let all = |spec: &mut Value| {
        spec["workers"]["itemsPerIndex"] = json!(9);
        spec["source"].as_object_mut().unwrap().remove("prefixes");
        let names = ["cut", "gone", "garbled", "text"].map(|name| format!("A/2018/07/24/{name}.mov"));
        spec["source"]["items"] = json!([&[movie(1)][..], &names].concat());
    };
    let reasons = |ended: &support::pods::PodEnded| {
        let failures = ended.message["failures"].as_array().unwrap();
        failures.iter().map(|failure| (failure["item"].clone(), failure["reason"].clone())).collect::<Vec<_>>()
    };
    let here = lab.pods("here", all).run();
    let there = lab.pods("there", all).with("ANALYSIS_CACHE_URL", &cache.url).run();
    assert_eq!((here.items(), there.items()), ((5, 0, 1, 4), (5, 0, 1, 4)), "{}", there.stderr);
    assert_eq!(reasons(&there), reasons(&here));
}

#[test]
fn a_server_of_another_archive_is_named() {
    let lab = Lab::of(1);
    let cache = Cache::over("http://127.0.0.1:1/files/");
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_CACHE_URL", &cache.url);
    let ended = pods.plan();
    assert_eq!((ended.code, ended.reason()), (Some(78), "SourceInvalid"), "{}", ended.stderr);
    // A worker says so too: it must not take every movie for one that is not there.
    lab.pods("out", |_| {}).plan();
    assert_eq!(pods.work(0).reason(), "SourceInvalid");
    let text = ended.message["error"]["message"].as_str().unwrap();
    assert!(text.contains(&lab.server.url()) && text.contains("http://127.0.0.1:1/files/"), "{text}");
}

#[test]
fn a_server_that_is_replaced_is_waited_for() {
    let lab = Lab::of(1);
    let cache = Cache::over(&lab.server.url());
    let (url, address) = (cache.url.clone(), cache.url.replace("http://", ""));
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_CACHE_URL", &url).with("ANALYSIS_PATIENCE", "60");
    assert_eq!(pods.plan().code, Some(0));
    drop(cache);
    let running = pods.start_work(0);
    std::thread::sleep(Duration::from_secs(1));
    let _cache = Cache::at(&address, &lab.server.url());
    let ended = running.end();
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 1, 0)), "{}", ended.stderr);
}

#[test]
fn a_movie_exchanged_while_it_is_read_is_read_anew() {
    let lab = Lab::of(1);
    let cache = Cache::over(&lab.server.url());
    // Several items an index: the pod itself tries again.
    let several = |spec: &mut Value| spec["workers"]["itemsPerIndex"] = json!(2);
    lab.pods("undisturbed", several).run();
    let pods = lab.pods("out", several).with("ANALYSIS_CACHE_URL", &cache.url);
    pods.plan();
    lab.server.inject(Rule::on(".mov", Fault::Swapped).times(1).after(3));
    let ended = pods.work(0);
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 1, 0)), "{}", ended.stderr);
    assert_eq!(lab.results("out"), lab.results("undisturbed"));
}

#[test]
fn an_archive_that_is_silent_behind_the_server_uses_up_no_try() {
    let lab = Lab::of(1);
    let cache = Cache::over(&lab.server.url());
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_CACHE_URL", &cache.url);
    pods.plan();
    lab.server.set_down(true);
    let work = pods.work(0);
    assert_eq!((work.code, work.reason()), (Some(75), "OriginUnavailable"), "{}", work.stderr);
}

#[test]
fn a_server_that_is_not_there_uses_up_no_try() {
    let lab = Lab::of(1);
    let pods = lab.pods("out", |_| {});
    pods.plan();
    let work = pods.with("ANALYSIS_CACHE_URL", "http://127.0.0.1:1").work(0);
    assert_eq!((work.code, work.reason()), (Some(75), "OriginUnavailable"), "{}", work.stderr);
}

#[test]
fn answers_that_are_cut_off_lose_no_row_and_mix_none() {
    let lab = Lab::of_frames(300);
    lab.pods("undisturbed", |_| {}).run();
    let cache = Cache::over(&lab.server.url());
    // 80 x 45 bytes a frame: each of the first connections ends in the middle of one.
    let proxy = Proxy::before(&cache.url, 6, 20_000);
    let pods = lab.pods("out", |_| {});
    pods.plan();
    let ended = pods.with("ANALYSIS_CACHE_URL", &proxy.url).work(0);
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 1, 0)), "{}", ended.stderr);
    assert!(proxy.cuts() >= 3, "{}", proxy.cuts());
    assert_eq!(rows(&lab, "out"), rows(&lab, "undisturbed"));
}

#[test]
fn a_server_that_sends_no_several_frames_at_once_is_asked_for_one_by_one() {
    let lab = Lab::of_frames(300);
    lab.pods("undisturbed", |_| {}).run();
    let cache = Cache::one_by_one(&lab.server.url());
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_CACHE_URL", &cache.url).with("ANALYSIS_LOG", "warn");
    pods.plan();
    let ended = pods.work(0);
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 1, 0)), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("they are asked for one by one").count(), 1, "said once: {}", ended.stderr);
    assert_eq!(rows(&lab, "out"), rows(&lab, "undisturbed"));
}

#[test]
fn the_frames_of_a_movie_come_in_few_answers_and_each_is_read_once() {
    let lab = Lab::of_frames(300);
    let cache = Cache::over(&lab.server.url());
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_CACHE_URL", &cache.url);
    pods.plan();
    let before = lab.requests();
    assert_eq!(pods.work(0).code, Some(0));
    // 31 frames; the index was read when the run was planned, or is read now.
    assert!((31..=34).contains(&(lab.requests() - before)), "{}", lab.requests() - before);
}

fn rows(lab: &Lab, output: &str) -> Vec<Value> {
    lab.results(output).into_values().collect()
}
