//! Random sequences of edits, suspensions, evictions, outages, late watches and restarts: whatever happens, a job that is
//! left alone at last becomes complete, every movie has its result once, and nobody computed what stood.

#![allow(clippy::unwrap_used, clippy::panic)] // test code outside #[test] functions

mod world;

use analysisjob::labels;
use proptest::prelude::*;
use serde_json::json;
use world::{SCIENCE, World};

/// What happens between two steps.
#[derive(Clone, Debug)]
enum Act {
    Nothing,
    Parallelism(u32),
    Suspend(bool),
    ChangeWork(u32),
    Retry(u8),
    Kill,
    Evict,
    Restart,
    CrashAtWrite { write: u64, after: bool },
    LateWatches,
    Outage(bool),
    BreakThenMend(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Nothing),
        2 => (0u32..12).prop_map(Act::Parallelism),
        2 => any::<bool>().prop_map(Act::Suspend),
        2 => (1u32..4).prop_map(Act::ChangeWork),
        1 => any::<u8>().prop_map(Act::Retry),
        2 => Just(Act::Kill),
        2 => Just(Act::Evict),
        1 => Just(Act::Restart),
        3 => (1u64..6, any::<bool>()).prop_map(|(write, after)| Act::CrashAtWrite { write, after }),
        3 => Just(Act::LateWatches),
        1 => any::<bool>().prop_map(Act::Outage),
        1 => (0usize..12).prop_map(Act::BreakThenMend),
    ]
}

fn perform(world: &mut World, act: &Act, seed: u64) {
    match act {
        Act::Nothing => {}
        Act::Parallelism(count) => world.edit("a", |job| job.spec.workers.parallelism = *count),
        Act::Suspend(suspend) => world.edit("a", |job| job.spec.suspend = *suspend),
        Act::ChangeWork(stride) => world.edit("a", |job| job.spec.retry.item_deadline_seconds = 1000 + stride),
        Act::Retry(value) => world.edit("a", |job| {
            job.metadata.annotations.get_or_insert_default().insert(labels::RETRY.into(), value.to_string());
        }),
        Act::Kill => drop(world.cluster.kill_any("work")),
        Act::Evict => {
            if let Some(pod) = world.cluster.running("work").first() {
                world.cluster.evict(SCIENCE, &pod.name);
            }
        }
        Act::Restart => world.restart(),
        Act::CrashAtWrite { write, after: true } => world.api.operator().crash_after(*write),
        Act::CrashAtWrite { write, after: false } => world.api.operator().crash_before(*write),
        Act::LateWatches => {
            let mut state = seed;
            world.watch_on(|span| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % (span + 1)
            });
        }
        Act::Outage(outage) => world.pods.with(SCIENCE, "a", |ledger| ledger.outage = *outage),
        Act::BreakThenMend(item) => world.pods.with(SCIENCE, "a", |ledger| {
            if ledger.items[*item].broken.is_some() {
                ledger.mend(*item);
            } else if !ledger.items[*item].done {
                ledger.break_item(*item, "DecodeError");
            }
        }),
    }
}

/// Everything is well again, and the job is told to go on.
fn heal(world: &mut World) {
    world.api.operator().heal();
    world.restart();
    world.seen = None;
    world.pods.with(SCIENCE, "a", |ledger| {
        ledger.outage = false;
        (0..ledger.items.len()).for_each(|item| ledger.mend(item));
    });
    world.edit("a", |job| {
        job.spec.suspend = false;
        job.spec.workers.parallelism = 5;
        job.metadata.annotations.get_or_insert_default().insert(labels::RETRY.into(), "the last".into());
    });
}

async fn play(acts: Vec<Act>, seed: u64) {
    let mut world = World::new(12, seed);
    world.pods.with(SCIENCE, "a", |ledger| ledger.steps_per_item = 2);
    world.create("a", json!({"retry": {"maxFailedItems": "50%"}}));
    for (at, act) in acts.iter().enumerate() {
        perform(&mut world, act, seed.wrapping_add(at as u64));
        if world.api.operator().is_dead() {
            world.restart();
        }
        // A watch that is late does not settle: the operator looks twice, and time goes on.
        world.reconcile().await;
        world.reconcile().await;
        world.cluster.step();
    }
    heal(&mut world);
    world
        .until(150, "complete", |world| world.is("a", "Complete") && world.pods.ledger(SCIENCE, "a").missing() == 0)
        .await;
    let ledger = world.pods.ledger(SCIENCE, "a");
    assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.collisions), (0, 0, 0));
    // A movie that broke in a worker's hand was begun for nothing, and nobody is to blame.
    if !acts.iter().any(|act| matches!(act, Act::BreakThenMend(_))) {
        assert_eq!(ledger.unexplained(), 0);
    }
    assert_eq!(ledger.workers_without_plan, 0);
    let items = world.status("a").items.unwrap();
    assert_eq!((items.up_to_date + items.succeeded, items.failed, items.pending), (12, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_movie_gets_its_result_once(acts in proptest::collection::vec(act(), 0..30), seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(acts, seed));
    }
}
