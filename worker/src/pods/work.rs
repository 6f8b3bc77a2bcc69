//! `analysis-worker work`: does the items of one index. What its exit codes mean to the Job:
//!
//! | end | exit | the Job |
//! |---|---|---|
//! | every item done, or several items and some of them failed | 0 | counts the index as complete |
//! | one item, which can never succeed | 65 | fails the index at once |
//! | one item, which failed and may go better another time | 69 | tries the index again, up to its limit |
//! | told to stop with items left, or the whole archive is silent | 75 | tries the index again, uncounted |

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use frame::MoviePath;
use plan::{Counts, Failure, Message, Plan, PlanHeader, Summary, exit};
use tokio_util::sync::CancellationToken;

use super::{Pod, arguments::WorkArguments, ending::Ending, error::PodError};
use crate::{
    cpu::Cpu,
    pipeline::Pipeline,
    signal::terminated,
    steps::{
        collect::{truth::read_failures, write_failures},
        plan::{PlanStepError, patiently},
        work::{Done, Work},
    },
    store::Store,
};

/// What a movie in hand is not given of the grace: the time to write and to end.
const RESERVE: Duration = Duration::from_secs(10);
/// What items in hand are given of the reserve to save what was done of them.
const SAVING: Duration = Duration::from_secs(4);
/// A volume may show a new file to other nodes only after its clients' caches have expired.
const PLAN_APPEARS_WITHIN: Duration = Duration::from_mins(1);

/// What a worker needs before it can begin.
struct Ready {
    pod: Pod,
    index: u32,
    header: PlanHeader,
    items: Vec<MoviePath>,
    /// When the plan was written.
    planned: Option<i64>,
}

/// Does one index. Can be killed at any instruction: at most the items in hand are lost.
pub async fn run(arguments: &WorkArguments) -> Result<Ending, PodError> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        terminated().await;
        told.cancel();
    });
    let ready = tokio::select! {
        ready = prepare(arguments) => ready,
        () = stop.cancelled() => return Ok(interrupted(Summary::default())),
    };
    match ready {
        // Nothing was tried, so no try is used up.
        Err(PodError::Plan(error)) if error.is_outage() => {
            Ok(Ending { code: exit::INTERRUPTED, ..Ending::failed(&PodError::Plan(error)) })
        }
        Err(error) => Err(error),
        Ok(ready) => work(arguments, ready, stop).await,
    }
}

async fn prepare(arguments: &WorkArguments) -> Result<Ready, PodError> {
    let pod = Pod::open(&arguments.common).await?;
    let index = arguments.first_index.saturating_add(arguments.index);
    let (header, items) = slice(&pod, index).await?;
    let planned = pod.store.modified(&pod.job.run.plan_file()).await?;
    let check = async || pod.source.check().await.map_err(PlanStepError::Server);
    patiently(&pod.outage, &pod.progress, check).await?;
    Ok(Ready { pod, index, header, items, planned })
}

async fn work(arguments: &WorkArguments, ready: Ready, stop: CancellationToken) -> Result<Ending, PodError> {
    let Ready { pod, index, header, items, planned } = ready;
    pod.progress.planned(items.len() as u64);
    let cpu = Cpu::new(arguments.threads);
    let work = Work {
        job: Arc::clone(&pod.job),
        pipeline: Pipeline { source: pod.source.clone(), cpu, progress: pod.progress.clone() },
        store: pod.store.clone(),
        outage: pod.outage.clone(),
        // One item per index: the Job tries again, and counts. Several: nobody else tries a single one of them again.
        retries: if header.items_per_index == 1 { 0 } else { pod.job.retries_per_item },
        stop: stop.clone(),
        halt: CancellationToken::new(),
        checkpoint_every: Duration::from_secs(arguments.checkpoint_seconds),
        done_since: planned,
    };
    let grace = Duration::from_secs(arguments.grace_seconds).saturating_sub(RESERVE);
    let lines = tokio::spawn(pod.progress.clone().print_plain_lines());
    let mut running = pin!(work.run(&items));
    let ended = tokio::select! {
        done = &mut running => Some(done?),
        () = out_of_grace(&stop, grace) => {
            work.halt.cancel();
            tokio::time::timeout(SAVING, running).await.ok().transpose()?
        }
    };
    lines.abort();
    match ended {
        Some(done) => finish(&pod, index, &header, done).await,
        None => Ok(interrupted(so_far(&pod, &items))),
    }
}

/// Ends when a pod that was told to stop has used up its grace.
async fn out_of_grace(stop: &CancellationToken, grace: Duration) {
    stop.cancelled().await;
    tokio::time::sleep(grace).await;
}

/// This index's part of the plan.
async fn slice(pod: &Pod, index: u32) -> Result<(PlanHeader, Vec<MoviePath>), PodError> {
    let (name, place) = (pod.job.run.plan_file(), pod.store.place().to_owned());
    let Some(text) = appearing(&pod.store, &name).await? else { return Err(PodError::PlanMissing { name, place }) };
    Plan::slice_of_json_lines(&text, index).map_err(|source| PodError::PlanDamaged { name, place, source })
}

async fn appearing(store: &Store, name: &str) -> Result<Option<String>, PodError> {
    let until = Instant::now() + PLAN_APPEARS_WITHIN;
    loop {
        if let Some(bytes) = store.read(name).await? {
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn finish(pod: &Pod, index: u32, header: &PlanHeader, done: Done) -> Result<Ending, PodError> {
    let Done { mut summary, may_heal } = done;
    if summary.items.pending() > 0 {
        return Ok(interrupted(summary));
    }
    if let Some(silent) = archive_is_silent(pod, &summary).await {
        let error = Message::error("OriginUnavailable", silent).error;
        return Ok(Ending { code: exit::INTERRUPTED, message: Message { error, ..summary.into() } });
    }
    report(&pod.store, &pod.job.run.index_failures_file(index), &mut summary.failures).await?;
    let code = match (header.items_per_index, summary.items.failed) {
        (1, 1..) if may_heal => exit::UNAVAILABLE,
        (1, 1..) => exit::BAD_INPUT,
        _ => exit::DONE,
    };
    Ok(Ending { code, message: summary.into() })
}

/// An archive that answers nothing at all is no fault of a movie: such an index waits, and none of its tries is used up.
async fn archive_is_silent(pod: &Pod, summary: &Summary) -> Option<String> {
    let unavailable = lazycache::ErrorKind::OriginUnavailable.as_str();
    let failure = summary.failures.iter().find(|failure| failure.reason == unavailable)?;
    let folder = MoviePath::parse(&failure.item).ok()?.parent();
    let error = pod.source.list(folder.as_str()).await.err().filter(crate::source::SourceError::is_outage)?;
    Some(format!("the archive does not answer: {}", crate::item_error::chain(&error)))
}

/// Writes what failed, with the tries of earlier pods of this index; takes back what they wrote when nothing failed.
async fn report(store: &Store, name: &str, failures: &mut [Failure]) -> Result<(), PodError> {
    let before = read_failures(store, name).await?;
    if failures.is_empty() {
        if !before.is_empty() {
            store.delete(name).await?;
        }
        return Ok(());
    }
    for failure in failures.iter_mut() {
        failure.attempts += before.get(&failure.item).map_or(0, |earlier| earlier.attempts);
    }
    Ok(write_failures(store, name, failures).await?)
}

fn so_far(pod: &Pod, items: &[MoviePath]) -> Summary {
    let now = pod.progress.snapshot();
    let items = Counts { total: items.len() as u64, succeeded: now.done, failed: now.failed, ..Counts::default() };
    Summary { items, failures: Vec::new() }
}

fn interrupted(summary: Summary) -> Ending {
    let counts = summary.items;
    let text = format!("interrupted with {} of {} items left; what is done is kept", counts.pending(), counts.total);
    let error = Message::error("Interrupted", text).error;
    Ending { code: exit::INTERRUPTED, message: Message { error, ..summary.into() } }
}
