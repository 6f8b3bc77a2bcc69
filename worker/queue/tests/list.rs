//! Every item once, whatever becomes of the workers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

mod support;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::join_all;
use queue::{Depth, List};
use support::{Redis, SOON, items};

/// Long enough that nothing is taken over in a test that does not mean to.
const LONG: Duration = Duration::from_mins(10);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);
const NOW: Duration = Duration::ZERO;

async fn drained_by(list: &List, consumer: &str) -> Vec<String> {
    let mut done = Vec::new();
    while let Some(taken) = list.take(consumer, NOW).await.unwrap() {
        tokio::task::yield_now().await;
        list.done(&taken).await.unwrap();
        done.push(taken.item);
    }
    done
}

#[tokio::test]
async fn every_item_is_handed_out_once_to_workers_that_draw_side_by_side() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    assert_eq!(list.fill("1-a", &items(2500)).await.unwrap(), 2500);
    let names: Vec<String> = (0..8).map(|number| format!("worker-{number}")).collect();
    let shares = join_all(names.iter().map(|name| drained_by(&list, name))).await;
    assert!(shares.iter().all(|share| !share.is_empty()), "each worker had a share");
    let mut all = shares.concat();
    all.sort();
    assert_eq!(all, items(2500));
    assert_eq!(list.depth().await.unwrap(), Depth { consumers: 8, ..Depth::default() });
}

#[tokio::test]
async fn filling_again_adds_nothing_and_names_the_later_run() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    let all = items(1200);
    let planners = join_all((0..4).map(|_| list.fill("1-a", &all))).await;
    assert_eq!(planners.into_iter().map(Result::unwrap).sum::<u64>(), 1200);
    assert_eq!(list.fill("2-b", &items(1201)).await.unwrap(), 1);
    assert_eq!(list.depth().await.unwrap().waiting, 1201);
    assert_eq!(list.take("a", NOW).await.unwrap().unwrap().run, "2-b");
}

#[tokio::test]
async fn an_item_whose_worker_died_is_taken_over_and_counted() {
    let redis = Redis::start().await;
    let list = redis.list(SHORT);
    list.fill("1-a", &items(1)).await.unwrap();
    let lost = list.take("dead", NOW).await.unwrap().unwrap();
    assert_eq!(lost.deliveries, 1);
    assert_eq!(list.take("next", NOW).await.unwrap(), None, "not before its time");
    let start = Instant::now();
    let taken = loop {
        if let Some(taken) = list.take("next", NOW).await.unwrap() {
            break taken;
        }
        assert!(start.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((&taken.item, taken.deliveries), (&lost.item, 2));
    assert!(!list.renew(&lost).await.unwrap(), "the first learns that it has lost the item");
    assert!(!list.bury(&lost, "Late", "").await.unwrap(), "and has no say any more");
    assert!(list.renew(&taken).await.unwrap());
    list.done(&taken).await.unwrap();
    assert!(!list.renew(&taken).await.unwrap());
    assert_eq!(list.depth().await.unwrap(), Depth { consumers: 2, ..Depth::default() });
}

#[tokio::test]
async fn what_the_loser_finished_after_all_is_not_handed_out_again() {
    let redis = Redis::start().await;
    let list = redis.list(NOW);
    list.fill("1-a", &items(1)).await.unwrap();
    let slow = list.take("slow", NOW).await.unwrap().unwrap();
    let taken = list.take("fast", NOW).await.unwrap().unwrap();
    list.done(&slow).await.unwrap();
    assert!(!list.renew(&taken).await.unwrap());
    assert_eq!(list.take("third", NOW).await.unwrap(), None);
    list.done(&taken).await.unwrap();
    assert_eq!((list.depth().await.unwrap().waiting, list.depth().await.unwrap().in_hand), (0, 0));
}

#[tokio::test]
async fn a_worker_that_renews_keeps_its_item() {
    let redis = Redis::start().await;
    let list = redis.list(Duration::from_secs(2));
    list.fill("1-a", &items(1)).await.unwrap();
    let held = list.take("slow", NOW).await.unwrap().unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        assert!(list.renew(&held).await.unwrap());
        assert_eq!(list.take("next", NOW).await.unwrap(), None);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(held.deliveries, 1);
}

#[tokio::test]
async fn a_released_item_is_there_at_once_and_was_never_delivered() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(1)).await.unwrap();
    for evicted in ["a", "b", "c"] {
        let taken = list.take(evicted, NOW).await.unwrap().unwrap();
        assert_eq!(taken.deliveries, 1, "spot nodes do not use up an item's tries");
        assert!(list.release(&taken).await.unwrap());
        list.leave(evicted).await.unwrap();
    }
    assert!(list.take("d", NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn an_item_that_failed_is_tried_again_after_its_pause() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(1)).await.unwrap();
    let taken = list.take("a", NOW).await.unwrap().unwrap();
    assert!(list.again(&taken, LONG / 2).await.unwrap());
    assert_eq!(list.take("b", NOW).await.unwrap(), None);
    assert!(!list.renew(&taken).await.unwrap(), "it is in nobody's hand meanwhile");
    assert_eq!(list.depth().await.unwrap(), Depth { waiting: 1, consumers: 1, ..Depth::default() });
    let short = redis.list(LONG / 2);
    assert_eq!(short.take("b", NOW).await.unwrap().unwrap().deliveries, 2);
}

#[tokio::test]
async fn a_worker_that_leaves_gives_back_what_it_holds() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(250)).await.unwrap();
    for _ in 0..250 {
        list.take("a", NOW).await.unwrap().unwrap();
    }
    list.leave("a").await.unwrap();
    assert_eq!(list.depth().await.unwrap(), Depth { waiting: 250, ..Depth::default() });
    let taken = list.take("b", NOW).await.unwrap().unwrap();
    assert_eq!(taken.deliveries, 1);
}

#[tokio::test]
async fn a_dead_letter_says_why_and_its_item_can_be_asked_for_again() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(2)).await.unwrap();
    let taken = list.take("a", NOW).await.unwrap().unwrap();
    assert!(list.bury(&taken, "DecodeError", &"ä".repeat(5000)).await.unwrap());
    let dead = list.dead(10).await.unwrap();
    assert_eq!((dead[0].item.as_str(), dead[0].run.as_str(), dead[0].deliveries), (items(1)[0].as_str(), "1-a", 1));
    assert_eq!((dead[0].reason.as_str(), dead[0].message.chars().count()), ("DecodeError", 1000));
    assert_eq!(list.holds(&items(3)).await.unwrap(), [false, true, false]);
    assert_eq!(list.fill("2-b", &items(2)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_waiting_worker_is_woken_by_the_first_item() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    let other = list.clone();
    let waits = tokio::spawn(async move { other.take("early", Duration::from_secs(50)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    list.fill("1-a", &items(1)).await.unwrap();
    let taken = tokio::time::timeout(SOON, waits).await.expect("woken").unwrap().unwrap();
    assert_eq!(taken.unwrap().item, items(1)[0]);
    assert_eq!(list.take("late", SHORT).await.unwrap(), None);
}

#[tokio::test]
async fn nothing_stays_of_a_list_that_was_drained() {
    let redis = Redis::start().await;
    let list = redis.list(LONG);
    list.fill("1-a", &items(300)).await.unwrap();
    drained_by(&list, "a").await;
    list.leave("a").await.unwrap();
    assert_eq!(list.depth().await.unwrap(), Depth::default());
    // What is left is one empty stream, and it goes by itself.
    let keys: BTreeMap<String, String> = redis
        .cli(&["keys", "*"])
        .lines()
        .map(|key| (key.to_owned(), redis.cli(&["xlen", key]) + " " + &redis.cli(&["ttl", key])))
        .collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let (key, told) = keys.first_key_value().unwrap();
    let (length, ttl) = told.split_once(' ').unwrap();
    assert!(key.starts_with("analysis:{tests/0a}") && length == "0" && ttl.parse::<i64>().unwrap() > 0, "{keys:?}");
}
