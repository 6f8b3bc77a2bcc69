//! Two replicas: one writes; the other takes over when it is gone.

use std::{collections::BTreeMap, time::Duration};

use e2e::wait;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    kubelet::Kubelet,
    world::{Operator, World, namespace},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ready_standby_takes_over_and_the_run_goes_on() {
    let space = namespace("two").await;
    let kubelet = Kubelet::start(space.client(), space.name(), 4).await;
    kubelet.hold("plan");
    kubelet.hold("work");
    let first = Operator::start(&space, "first");
    leads(&first, wait::SHORT).await;
    first.until_ready().await;
    let second = Operator::start(&space, "second");
    second.until_ready().await;
    let mut world = World { operator: second, kubelet, space };
    world.apply("a", json!({})).await;
    world.until("a", "Ready", "True/Planning").await;
    assert_eq!(world.operator.writes(), BTreeMap::new(), "a standby writes nothing");

    // The holder dies without a word, while its plan ends.
    let died = Instant::now();
    first.kill();
    world.kubelet.release("plan");
    leads(&world.operator, wait::SHORT).await;
    let took = died.elapsed();
    println!("the standby leads {took:?} after the holder's sudden death");
    world.until("a", "Ready", "True/Running").await;

    // A holder that is asked to stop hands over at once.
    let third = Operator::start(&world.space, "third");
    third.until_ready().await;
    let stopping = std::mem::replace(&mut world.operator, third);
    let asked = Instant::now();
    stopping.ask_to_stop();
    leads(&world.operator, wait::SHORT).await;
    let took = asked.elapsed();
    println!("the standby leads {took:?} after the holder was asked to stop");
    assert!(took < analysis_operator::lease::TERM, "{took:?}: the lease was not given up, it ran out");
    stopping.ended().await;
    world.kubelet.release("work");
    world.until_complete("a").await;
    assert_eq!(world.kubelet.done(), ["collect", "plan", "work 0", "work 1", "work 2", "work 3"]);
    assert_eq!(world.child_jobs().await.len(), 3, "one Job each to plan, work and collect");
}

async fn leads(operator: &Operator, bound: Duration) {
    let look = async || if operator.leads() { Ok(()) } else { Err("it does not lead".to_owned()) };
    wait::until("the operator to lead", bound, look).await.unwrap();
}
