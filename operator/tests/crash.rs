//! The operator dies at every single write, and sees the world late: all the same every movie gets its result, once.

#![allow(clippy::unwrap_used, clippy::panic)] // test code outside #[test] functions

mod world;

use serde_json::json;
use world::{SCIENCE, World};

/// A life with a change of the work in its middle, and a movie that fails.
async fn live(world: &mut World) {
    world.pods.with(SCIENCE, "a", |ledger| {
        ledger.steps_per_item = 2;
        ledger.break_item(2, "DecodeError");
    });
    world.create("a", json!({"retry": {"maxFailedItems": 1, "limitPerItem": 0}}));
    let mut changed = false;
    for _ in 0..150 {
        if world.api.operator().is_dead() {
            world.restart();
        }
        world.step().await;
        if !changed && world.pods.ledger(SCIENCE, "a").done() >= 3 {
            world.edit("a", |job| job.spec.retry.item_deadline_seconds = 77);
            changed = true;
        }
        if changed && world.is("a", "Complete") && world.status("a").observed_generation == Some(2) {
            return;
        }
    }
    panic!("never complete: {:?} {:?}", world.status("a"), world.errors);
}

fn assert_each_movie_once(world: &World, what: &str) {
    let ledger = world.pods.ledger(SCIENCE, "a");
    let counts = (ledger.missing(), ledger.computed_twice(), ledger.collisions, ledger.unexplained());
    assert_eq!(counts, (0, 0, 0, 0), "{what}: lost, computed twice, in two hands, unexplained");
    let items = world.status("a").items.unwrap();
    assert_eq!((items.up_to_date + items.succeeded, items.failed), (7, 1), "{what}");
    let runs: std::collections::BTreeSet<&str> = ledger.runs.keys().map(String::as_str).collect();
    assert_eq!(runs.len(), 2, "{what}: {runs:?}");
}

#[tokio::test]
async fn a_crash_before_or_after_any_write_loses_nothing_and_doubles_nothing() {
    let mut undisturbed = World::new(8, 1);
    live(&mut undisturbed).await;
    assert_each_movie_once(&undisturbed, "undisturbed");
    let writes = undisturbed.api.operator().writes();
    assert!(writes > 20, "{writes}");
    for write in 1..=writes {
        for after in [false, true] {
            let mut world = World::new(8, 1);
            let operator = world.api.operator().clone();
            if after {
                operator.crash_after(write);
            } else {
                operator.crash_before(write);
            }
            live(&mut world).await;
            assert_each_movie_once(&world, &format!("crash {} write {write}", if after { "after" } else { "before" }));
        }
    }
}

#[tokio::test]
async fn a_second_process_that_takes_over_anywhere_makes_nothing_twice() {
    for takeover in 1..60 {
        let mut world = World::new(8, 1);
        world.create("a", json!({"retry": {"maxFailedItems": 1}}));
        for step in 0..60 {
            if step == takeover {
                world.restart();
            }
            world.step().await;
        }
        let ledger = world.pods.ledger(SCIENCE, "a");
        assert!(world.is("a", "Complete"));
        assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.collected), (0, 0, 1), "at {takeover}");
    }
}

#[tokio::test]
async fn an_api_server_that_fails_now_and_then_only_delays() {
    use mockapi::{Fault, When};
    for (fault, when) in [
        (Fault::internal(), When::Before),
        (Fault::internal(), When::After),
        (Fault::too_many(1), When::Before),
        (Fault::Lost, When::After),
    ] {
        let mut world = World::new(8, 1);
        let mut count = 0;
        world.api.operator().fault(fault.clone(), when, 40, move |_| {
            count += 1;
            count % 3 == 0
        });
        live(&mut world).await;
        assert_each_movie_once(&world, &format!("{fault:?}"));
    }
}
