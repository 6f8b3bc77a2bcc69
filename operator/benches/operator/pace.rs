//! How many reconciles a core does in a second, and what is written while nothing happens.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use analysis_operator::reconcile::reconcile;
use analysisjob::AnalysisJob;
use kube::core::DeserializeGuard;
use serde_json::json;

use crate::{
    figures::{Figure, thousands},
    world::{SCIENCE, World, fill_now},
};

const GOAL: &str = "200/s";

type Guarded = Arc<DeserializeGuard<AnalysisJob>>;

/// AnalysisJobs from their creation to their end, every write included.
pub async fn full_life(jobs: usize) -> Figure {
    let mut world = stage(jobs, 4);
    let (mut count, mut took) = (0, Duration::ZERO);
    for _ in 0..200 {
        if (0..jobs).all(|job| world.is(&name(job), "Complete")) {
            break;
        }
        let (reconciled, time) = pass(&world, &look(&world)).await;
        count += reconciled;
        took += time;
        world.cluster.step();
    }
    assert!(world.is(&name(0), "Complete"), "the AnalysisJobs do not come to their end");
    let rate = per_second(count, took);
    let writes = world.api.operator().writes();
    let what = format!(
        "reconciles, {jobs} AnalysisJobs from creation to end ({} reconciles, {} writes)",
        thousands(count),
        thousands(writes)
    );
    Figure::of(what, format!("{}/s", thousands(rate)), GOAL, rate >= 200)
}

/// A world of so many AnalysisJobs that run: each has analysed a movie and is at the next, with a plan Job, a work Job,
/// a Deployment, a Service, a ConfigMap and pods.
pub async fn running(jobs: usize) -> World {
    let mut world = stage(jobs, 4);
    for _ in 0..60 {
        let done = (0..jobs).all(|job| world.status(&name(job)).items.is_some_and(|items| items.succeeded > 0));
        if done {
            break;
        }
        pass(&world, &look(&world)).await;
        world.cluster.step();
    }
    world.settle().await;
    assert_eq!(world.condition(&name(jobs - 1), "Ready"), "True/Running");
    world
}

/// Reconciles that find everything as it should be.
pub async fn idle(world: &mut World) -> Figure {
    let jobs = look(world);
    let before = world.api.operator().writes();
    let (mut count, mut took) = (0, Duration::ZERO);
    while took < Duration::from_secs(3) {
        let (reconciled, time) = pass(world, &jobs).await;
        count += reconciled;
        took += time;
    }
    assert_eq!(world.api.operator().writes(), before, "nothing was to be written");
    let rate = per_second(count, took);
    let what = format!("reconciles that find nothing to do, among {} AnalysisJobs", thousands(jobs.len() as u64));
    Figure::of(what, format!("{}/s", thousands(rate)), GOAL, rate >= 200)
}

/// A minute in which nothing happens but every AnalysisJob is looked at every 10 s.
pub async fn idle_minute(world: &mut World) -> Figure {
    let jobs = look(world);
    let before = world.api.operator().writes();
    for _ in 0..6 {
        world.api.advance(10);
        pass(world, &jobs).await;
    }
    let writes = world.api.operator().writes() - before;
    let what = format!(
        "writes in an idle minute, {} AnalysisJobs running (renewals of the lease not counted)",
        thousands(jobs.len() as u64)
    );
    Figure::of(what, thousands(writes), "0", writes == 0)
}

fn stage(jobs: usize, movies: usize) -> World {
    let world = World::new(movies, 1);
    world.api.operator().keep_log(false);
    for job in 0..jobs {
        world.pods.with(SCIENCE, &name(job), |ledger| ledger.steps_per_item = 3);
        world.create(&name(job), json!({"workers": {"parallelism": 1}}));
    }
    world
}

fn name(job: usize) -> String {
    format!("ashes-2018-{job:04}")
}

/// Fills the stores, as watches would have.
fn look(world: &World) -> Vec<Guarded> {
    let snapshot = world.api.snapshot();
    fill_now(&world.context.stores, &snapshot);
    snapshot.list::<DeserializeGuard<AnalysisJob>>().into_iter().map(Arc::new).collect()
}

/// Reconciles each once: how many, and the time they took.
async fn pass(world: &World, jobs: &[Guarded]) -> (u64, Duration) {
    let start = Instant::now();
    for job in jobs {
        reconcile(Arc::clone(job), Arc::clone(&world.context)).await.unwrap();
    }
    (jobs.len() as u64, start.elapsed())
}

fn per_second(count: u64, took: Duration) -> u64 {
    (count as f64 / took.as_secs_f64()) as u64
}
