//! Strategy Queue beside a real Redis on this machine: pace, latency, and how long the last worker idles.
//!
//! `make bench-queue` runs it and writes the figures into docs/benchmarks.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a bench may

#[allow(dead_code)] // another bench uses the rest
#[path = "../../../../operator/benches/operator/figures.rs"]
mod figures;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use figures::{Figure, Section, machine, tell, thousands};
use futures::future::join_all;
use queue::List;
use support::{Redis, items};

const MANY: u32 = 30_000;
const WORKERS: usize = 8;
const SILENCE: Duration = Duration::from_mins(1);
const NOW: Duration = Duration::ZERO;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let about = Section {
        title: "Queue",
        about: format!("By `make bench-queue`, with a Redis 7 on the same machine, on {}.", machine()),
    };
    let mut figures = pace().await;
    figures.push(latency().await);
    figures.extend(tail().await);
    tell(&about, &figures);
}

/// Filling, and draining items that take no time.
async fn pace() -> Vec<Figure> {
    let redis = Redis::start().await;
    let (list, all) = (redis.list(SILENCE), items(MANY));
    let start = Instant::now();
    list.fill("1-a", &all).await.unwrap();
    let filled = start.elapsed().as_secs_f64();
    let start = Instant::now();
    list.fill("1-a", &all).await.unwrap();
    let again = start.elapsed().as_secs_f64();
    let memory = redis.cli(&["info", "memory"]);
    let used = memory.lines().find_map(|line| line.strip_prefix("used_memory_human:")).unwrap_or("?").trim().to_owned();
    let names: Vec<String> = (0..WORKERS).map(|number| format!("worker-{number}")).collect();
    let start = Instant::now();
    join_all(names.iter().map(|name| drained(&list, name))).await;
    let pace = f64::from(MANY) / start.elapsed().as_secs_f64();
    vec![
        Figure::of(format!("filling {} items", thousands(MANY.into())), format!("{filled:.2} s"), "5 s", filled < 5.0),
        Figure::aside("— filling them again, all there", format!("{again:.2} s")),
        Figure::aside("— memory of Redis with all of them", used),
        Figure::aside(
            format!("items that take no time through the list, {WORKERS} workers"),
            format!("{}/s", thousands(pace as u64)),
        ),
    ]
}

async fn drained(list: &List, consumer: &str) {
    while let Some(taken) = list.take(consumer, NOW).await.unwrap() {
        list.done(&taken).await.unwrap();
    }
}

/// From the fill to the first item in a waiting worker's hand.
async fn latency() -> Figure {
    let redis = Redis::start().await;
    let mut times = Vec::new();
    for round in 0..100_u32 {
        let list = redis.list(SILENCE);
        let waiting = redis.list(SILENCE);
        let waits = tokio::spawn(async move {
            let taken = waiting.take("early", Duration::from_secs(20)).await.unwrap().unwrap();
            let at = Instant::now();
            waiting.done(&taken).await.unwrap();
            at
        });
        tokio::time::sleep(Duration::from_millis(30)).await;
        let start = Instant::now();
        list.fill("1-a", &[format!("{round}.mov")]).await.unwrap();
        times.push(waits.await.unwrap().saturating_duration_since(start).as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let figure = format!("{:.1} ms, longest {:.1} ms", times[times.len() / 2], times[times.len() - 1]);
    Figure::aside("from the fill to the first item in hand, median of 100", figure)
}

/// Movies of uneven length: most short, every tenth ten times as long, the long ones towards the end.
fn lengths() -> Vec<Duration> {
    let long = |number: u64| number % 10 == 9 || number >= 190;
    (0..200).map(|number| Duration::from_millis(if long(number) { 200 } else { 20 })).collect()
}

/// How long workers have nothing to do while others still work, in worker-seconds over all worked.
async fn tail() -> Vec<Figure> {
    let ideal: Duration = lengths().iter().sum::<Duration>() / WORKERS as u32;
    let queue = through_a_list().await;
    let told = |took: Duration| {
        format!(
            "{:.2} s ({:+.0} % over {:.2} s, all workers busy to the end)",
            took.as_secs_f64(),
            100.0 * (took.as_secs_f64() / ideal.as_secs_f64() - 1.0),
            ideal.as_secs_f64()
        )
    };
    let mut figures = vec![Figure::aside(
        format!("200 items of uneven length (20 and 200 ms), {WORKERS} workers: Queue"),
        told(queue),
    )];
    for per_index in [1, 5, 25] {
        let took = by_indexes(per_index).await;
        figures.push(Figure::aside(
            format!("— Indexed, {per_index} items an index (pods that start at once)"),
            told(took),
        ));
    }
    figures
}

async fn through_a_list() -> Duration {
    let redis = Redis::start().await;
    let (list, lengths) = (redis.list(SILENCE), lengths());
    let names: Vec<String> = (0..lengths.len()).map(|number| number.to_string()).collect();
    list.fill("1-a", &names).await.unwrap();
    let start = Instant::now();
    let worker = async |consumer: String| {
        while let Some(taken) = list.take(&consumer, NOW).await.unwrap() {
            tokio::time::sleep(lengths[taken.item.parse::<usize>().unwrap()]).await;
            list.done(&taken).await.unwrap();
        }
    };
    join_all((0..WORKERS).map(|number| worker(format!("worker-{number}")))).await;
    start.elapsed()
}

/// As a Job does: a free worker takes the next index, and does all of its items.
async fn by_indexes(per_index: usize) -> Duration {
    let lengths = lengths();
    let next = std::sync::Mutex::new(lengths.chunks(per_index));
    let start = Instant::now();
    let worker = async || {
        loop {
            let Some(index) = next.lock().unwrap().next() else { return };
            for length in index {
                tokio::time::sleep(*length).await;
            }
        }
    };
    join_all((0..WORKERS).map(|_| worker())).await;
    start.elapsed()
}
