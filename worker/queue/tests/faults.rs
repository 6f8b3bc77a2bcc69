//! Redis itself is killed, restarted, emptied, filled up, or keeps its door shut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

mod support;

use std::time::{Duration, Instant};

use queue::{List, ListName, QueueError, Server, Taken};
use support::{Redis, SOON, items};

const LONG: Duration = Duration::from_mins(10);
const NOW: Duration = Duration::ZERO;

/// What a worker does: it asks until it gets an answer.
async fn taken_at_last(list: &List) -> Option<Taken> {
    let start = Instant::now();
    loop {
        match list.take("a", NOW).await {
            Ok(taken) => return taken,
            Err(error) => assert!(error.is_outage() && start.elapsed() < SOON, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_on_the_list_outlives_a_redis_that_writes_it_down() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(3)).await.unwrap();
    let first = list.take("a", NOW).await.unwrap().unwrap();
    redis.kill();
    let error = list.take("a", NOW).await.unwrap_err();
    assert!(error.is_outage(), "{error:?}");
    assert!(error.to_string().starts_with("failed to take an item of tests/0a at the Redis server"), "{error}");
    redis.again().await;
    let second = taken_at_last(&list).await.unwrap();
    assert_ne!(first.item, second.item);
    assert!(list.renew(&first).await.unwrap(), "what was in hand still is");
    list.done(&first).await.unwrap();
    list.done(&second).await.unwrap();
    assert_eq!(list.take("a", NOW).await.unwrap().unwrap().item, items(3)[2]);
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_filled_again() {
    let mut redis = Redis::start().await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(2)).await.unwrap();
    let in_hand = list.take("a", NOW).await.unwrap().unwrap();
    redis.kill();
    redis.again().await;
    assert_eq!(taken_at_last(&list).await, None);
    assert_eq!(list.holds(&items(2)).await.unwrap(), [false, false], "the planner sees that they are gone");
    assert!(!list.renew(&in_hand).await.unwrap());
    list.done(&in_hand).await.unwrap();
    assert_eq!(list.fill("1-a", &items(2)).await.unwrap(), 2);
    assert_eq!(list.take("a", NOW).await.unwrap().unwrap().item, items(1)[0]);
}

#[tokio::test]
async fn a_full_redis_takes_no_more_but_lets_items_be_done() {
    let redis = Redis::with(&["--save", "", "--maxmemory-policy", "noeviction"]).await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(2000)).await.unwrap();
    redis.cli(&["config", "set", "maxmemory", "1mb"]);
    let more: Vec<String> = items(4000).split_off(2000);
    let error = list.fill("1-a", &more).await.unwrap_err();
    assert!(error.is_outage(), "{error:?}");
    assert_eq!(list.holds(&more[..1]).await.unwrap(), [false], "nothing half");
    let mut done = 0;
    while let Some(taken) = list.take("a", NOW).await.unwrap() {
        assert!(list.renew(&taken).await.unwrap());
        list.done(&taken).await.unwrap();
        done += 1;
    }
    assert_eq!(done, 2000);
    redis.cli(&["config", "set", "maxmemory", "100mb"]);
    assert_eq!(list.fill("1-a", &more).await.unwrap(), 2000);
}

#[tokio::test]
async fn a_user_that_may_touch_nothing_else_is_enough() {
    let rules = ["on", ">secret", "~analysis:*", "-@all", "+@stream", "+@hash", "+@scripting", "+@connection"];
    let more = ["+expire", "+exists", "+info", "-flushall"];
    let redis = Redis::start().await;
    let set = [&["acl", "setuser", "drain"][..], &rules[..], &more[..]].concat();
    assert_eq!(redis.cli(&set), "OK");
    let list = |password: &str, stream: &str| {
        let server = Server::open(&redis.address("drain", password)).unwrap();
        List::new(server, ListName::new(stream, "0a").unwrap(), LONG)
    };
    let allowed = list("secret", "camhd");
    allowed.fill("1-a", &items(2)).await.unwrap();
    let taken = allowed.take("a", NOW).await.unwrap().unwrap();
    assert!(allowed.renew(&taken).await.unwrap());
    allowed.bury(&taken, "DecodeError", "no").await.unwrap();
    let taken = allowed.take("a", Duration::from_millis(10)).await.unwrap().unwrap();
    allowed.done(&taken).await.unwrap();
    allowed.leave("a").await.unwrap();
    assert_eq!(allowed.depth().await.unwrap().dead, 1);
    assert_eq!(allowed.dead(5).await.unwrap().len(), 1);
    let refused = list("guess", "camhd").take("a", NOW).await.unwrap_err();
    assert!(!refused.is_outage() && !format!("{refused:?}").contains("guess"), "{refused:?}");
    assert!(matches!(refused, QueueError::Command { .. }));
}

/// A free port. It may be taken by another before Redis has it, which then does not start.
fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

#[tokio::test]
async fn another_redis_that_takes_over_goes_on_with_the_list() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut leader = Redis::with(&["--port", &port, "--save", ""]).await;
    let follower = Redis::with(&["--replicaof", "127.0.0.1", &port, "--save", ""]).await;
    // What a name in the network does: it leads to whoever leads.
    let front = folder.path().join("front");
    let lead = |redis: &Redis| {
        let _ = std::fs::remove_file(&front);
        std::os::unix::fs::symlink(redis.folder().join("socket"), &front).unwrap();
    };
    lead(&leader);
    let server = Server::open(&format!("redis+unix://{}", front.display())).unwrap();
    let list = List::new(server, ListName::new("tests", "0a").unwrap(), LONG);
    list.fill("1-a", &items(50)).await.unwrap();
    let in_hand = list.take("a", NOW).await.unwrap().unwrap();
    let start = Instant::now();
    while leader.cli(&["wait", "1", "100"]) != "1" {
        assert!(start.elapsed() < SOON, "the follower does not follow");
    }
    leader.kill();
    assert_eq!(follower.cli(&["replicaof", "no", "one"]), "OK");
    lead(&follower);
    let mut rest = Vec::new();
    while let Some(taken) = taken_at_last(&list).await {
        list.done(&taken).await.unwrap();
        rest.push(taken.item);
    }
    assert!(list.renew(&in_hand).await.unwrap(), "what was in hand still is");
    list.done(&in_hand).await.unwrap();
    rest.push(in_hand.item);
    rest.sort();
    assert_eq!(rest, items(50));
}

#[tokio::test]
async fn a_redis_that_hangs_is_away_and_then_there_again() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(1)).await.unwrap();
    redis.signal("-STOP");
    let error = list.take("a", NOW).await.unwrap_err();
    redis.signal("-CONT");
    assert!(error.is_outage(), "{error:?}");
    // The question that was not answered may have been done all the same: then the item is in this worker's hand.
    if let Some(taken) = taken_at_last(&list).await {
        assert_eq!(taken.item, items(1)[0]);
    }
    list.leave("a").await.unwrap();
    assert_eq!(list.take("b", NOW).await.unwrap().unwrap().item, items(1)[0], "given back by whoever leaves");
}
