//! Strategy Queue: one list on a real Redis, any number of workers, every result once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

#[path = "../queue/tests/support/mod.rs"]
mod redis;
mod support;

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use archive::fault::{Fault, Rule};
use redis::{Redis, SOON};
use serde_json::json;
use support::{
    Lab, movie,
    pods::{PodRunning, Pods},
};

/// The pods of a run whose list is on `redis`.
fn pods(lab: &Lab, redis: &Redis, output: &str) -> Pods {
    let pods = lab.pods(output, |spec| spec["retry"] = json!({"limitPerItem": 1}));
    pods.with("ANALYSIS_REDIS", &redis.address("", ""))
        .with("ANALYSIS_STREAM", "tests")
        .with("ANALYSIS_SILENCE_SECONDS", "2")
        .with("ANALYSIS_GRACE_SECONDS", "30")
}

fn drain(pods: &Pods, name: &str) -> PodRunning {
    pods.start("drain", &[("ANALYSIS_CONSUMER", name)])
}

/// How many results stand.
fn results(lab: &Lab, output: &str) -> usize {
    lab.results(output).keys().filter(|name| name.ends_with("_optical_flow.json")).count()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn two_workers_of_a_list_give_what_one_machine_gives() {
    let (lab, redis) = (Lab::of(4), Redis::start().await);
    lab.run_plain("machine");
    let pods = pods(&lab, &redis, "out");
    assert_eq!(pods.plan().code, Some(0));
    // Workers may be there before there is a list.
    let workers = ["a", "b"].map(|name| drain(&pods, name));
    let fed = pods.start("feed", &[]).end();
    assert_eq!((fed.code, fed.items()), (Some(0), (4, 0, 4, 0)), "{}", fed.stderr);
    for worker in &workers {
        worker.terminate();
    }
    let ended = workers.map(PodRunning::end);
    assert!(ended.iter().all(|worker| worker.code == Some(0)), "{ended:?}");
    let shares: Vec<u64> = ended.iter().map(|worker| worker.message["items"]["succeeded"].as_u64().unwrap()).collect();
    assert_eq!(shares.iter().sum::<u64>(), 4, "each movie once: {shares:?}");
    assert_eq!(pods.collect().items(), (4, 0, 4, 0));
    assert_eq!(lab.results("out"), lab.results("machine"));
    assert_eq!(redis.cli(&["dbsize"]), "1", "an empty stream is left, and goes by itself");
}

#[tokio::test]
async fn a_movie_whose_worker_was_killed_is_done_by_another() {
    let (lab, redis) = (Lab::of(2), Redis::start().await);
    let pods = pods(&lab, &redis, "out");
    assert_eq!(pods.plan().code, Some(0));
    let feed = pods.start("feed", &[]);
    // The archive is slow while the first worker works, so that it is killed with a movie in hand.
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 60_000 }));
    let mut first = drain(&pods, "killed");
    until("a movie in the first worker's hand", || {
        redis.cli(&["xpending", &entries(&redis), "workers"]).contains("killed")
    })
    .await;
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    lab.server.clear_faults();
    let second = drain(&pods, "heir");
    let fed = feed.end();
    assert_eq!((fed.code, fed.items()), (Some(0), (2, 0, 2, 0)), "{}", fed.stderr);
    second.terminate();
    assert_eq!(second.end().message["items"]["succeeded"], 2);
}

fn entries(redis: &Redis) -> String {
    redis.cli(&["--scan", "--pattern", "*:entries"])
}

#[tokio::test]
async fn a_movie_that_cannot_be_done_is_a_dead_letter_and_in_the_report() {
    let (lab, redis) = (Lab::of(2), Redis::start().await);
    std::fs::write(lab.root().join(movie(1)), "no movie at all").unwrap();
    let pods = pods(&lab, &redis, "out");
    assert_eq!(pods.plan().code, Some(0));
    let worker = drain(&pods, "a");
    let fed = pods.start("feed", &[]).end();
    assert_eq!((fed.code, fed.items()), (Some(0), (2, 0, 1, 1)), "{}", fed.stderr);
    worker.terminate();
    worker.end();
    let collected = pods.collect();
    assert_eq!((collected.items(), &collected.message["failures"][0]["item"]), ((2, 0, 1, 1), &json!(movie(1))));
    let dead = redis.cli(&["--scan", "--pattern", "*:dead"]);
    let letter = redis.cli(&["xrange", &dead, "-", "+"]);
    assert!(letter.contains(&movie(1)) && letter.contains("4-7c9f"), "{letter}");
}

#[tokio::test]
async fn a_redis_that_forgot_everything_is_filled_again_and_nothing_is_done_twice() {
    let (lab, mut redis) = (Lab::of(3), Redis::start().await);
    let pods = pods(&lab, &redis, "out");
    assert_eq!(pods.plan().code, Some(0));
    let feed = pods.start("feed", &[]);
    until("a list", || !entries(&redis).is_empty()).await;
    redis.kill();
    // Both find no Redis, and wait.
    let worker = drain(&pods, "a");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(results(&lab, "out"), 0);
    redis.again().await;
    let fed = feed.end();
    assert_eq!((fed.code, fed.items()), (Some(0), (3, 0, 3, 0)), "{}", fed.stderr);
    assert!(fed.stderr.contains("for the list: failed to"), "{}", fed.stderr);
    worker.terminate();
    assert_eq!(worker.end().message["items"]["succeeded"], 3);
}

#[tokio::test]
async fn a_laptop_lends_a_hand_with_the_same_file_and_ends_when_nothing_is_left() {
    let (lab, redis) = (Lab::of(2), Redis::start().await);
    let pods = pods(&lab, &redis, "out");
    assert_eq!(pods.plan().code, Some(0));
    let feed = pods.start("feed", &[]);
    until("a list", || !entries(&redis).is_empty()).await;
    let job = lab.job(&[("http://127.0.0.1:1/files/", &lab.server.url())]);
    let mut laptop = Command::new(env!("CARGO_BIN_EXE_analysis-worker"));
    laptop.arg("drain").arg("--job").arg(job).arg("--output").arg(lab.output("out")).args(["--until-empty", "--redis"]);
    laptop.arg(redis.address("", "")).args(["--stream", "tests", "--movies", "2", "--threads", "2"]);
    let output = laptop.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let message: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(message["items"]["succeeded"], 2);
    assert_eq!(feed.end().items(), (2, 0, 2, 0));
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_gives_its_movie_back_uncounted() {
    let (lab, redis) = (Lab::of(1), Redis::start().await);
    let pods = pods(&lab, &redis, "out").with("ANALYSIS_GRACE_SECONDS", "10");
    assert_eq!(pods.plan().code, Some(0));
    let feed = pods.start("feed", &[]);
    lab.server.inject(Rule::on(".mov", Fault::Delay { ms: 60_000 }));
    // More workers than a movie has tries.
    for name in ["first", "second", "third"] {
        let worker = drain(&pods, name);
        until("the movie in hand", || redis.cli(&["xpending", &entries(&redis), "workers"]).contains(name)).await;
        worker.terminate();
        assert_eq!(worker.end().code, Some(0));
    }
    lab.server.clear_faults();
    let last = drain(&pods, "d");
    assert_eq!(feed.end().items(), (1, 0, 1, 0));
    last.terminate();
    last.end();
}

#[tokio::test]
async fn a_list_that_cannot_be_is_named_with_the_mend() {
    let (lab, redis) = (Lab::of(1), Redis::start().await);
    let bare = lab.pods("out", |_| {});
    let ended = bare.start("drain", &[]).end();
    assert_eq!((ended.code, ended.reason()), (Some(78), "QueueInvalid"));
    assert!(ended.stderr.contains("set --redis (ANALYSIS_REDIS), or spec.workers.queue.redis.url"), "{}", ended.stderr);
    let wrong = bare.with("ANALYSIS_REDIS", &redis.address("nobody", "secret")).with("ANALYSIS_STREAM", "tests");
    let ended = wrong.start("drain", &[]).end();
    assert_eq!((ended.code, ended.reason()), (Some(78), "QueueInvalid"), "{}", ended.stderr);
    assert!(ended.stderr.contains("authentication failed") && !ended.stderr.contains("secret"), "{}", ended.stderr);
}

/// A certificate of an authority of its own, for localhost.
fn certificates(folder: &std::path::Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=tests");
    openssl("req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost");
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1").unwrap();
    openssl("x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 2 -extfile names");
}

#[tokio::test]
async fn a_list_behind_tls_and_a_password_is_drained() {
    let lab = Lab::of(1);
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (certificate, key, authority) = (file("cert.pem"), file("key.pem"), file("ca.pem"));
    let redis = Redis::with(
        &[
            ["--tls-port", &port, "--tls-cert-file", &certificate, "--tls-key-file", &key].as_slice(),
            &["--tls-ca-cert-file", &authority, "--tls-auth-clients", "no", "--save", ""],
        ]
        .concat(),
    )
    .await;
    assert_eq!(redis.cli(&["acl", "setuser", "drain", "on", ">secret", "~analysis:*", "+@all"]), "OK");
    let address = format!("rediss://drain:secret@localhost:{port}/0");
    let pods = lab.pods("out", |_| {}).with("ANALYSIS_REDIS", &address).with("ANALYSIS_STREAM", "tests");
    assert_eq!(pods.plan().code, Some(0));
    let pods = pods.with("SSL_CERT_FILE", &authority);
    let worker = drain(&pods, "behind-tls");
    let fed = pods.start("feed", &[]).end();
    assert_eq!((fed.code, fed.items()), (Some(0), (1, 0, 1, 0)), "{}", fed.stderr);
    worker.terminate();
    let ended = worker.end();
    assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_silent_archive_uses_up_no_try_and_is_not_asked_again_and_again() {
    let (lab, redis) = (Lab::of(1), Redis::start().await);
    let pods = pods(&lab, &redis, "out");
    assert_eq!(pods.plan().code, Some(0));
    let feed = pods.start("feed", &[]);
    until("a list", || !entries(&redis).is_empty()).await;
    lab.server.set_down(true);
    let worker = drain(&pods, "patient");
    // Its patience is 2 s; what it would ask from then on, it would ask without a pause.
    tokio::time::sleep(Duration::from_secs(6)).await;
    lab.server.set_down(false);
    assert_eq!(feed.end().items(), (1, 0, 1, 0));
    worker.terminate();
    let ended = worker.end();
    let given_up = ended.stderr.matches("OriginUnavailable").count();
    assert!((1..=3).contains(&given_up), "given up {given_up} times: {}", ended.stderr);
}
