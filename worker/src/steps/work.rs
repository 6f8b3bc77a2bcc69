//! Work: do the items of a plan. Every item stands for itself: what fails is noted with its reason, the others are done.
//!
//! Read next: `compute` (one item's rows and files), `checkpoint` (what is kept of one that is not done).

mod checkpoint;
mod compute;
mod series;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use frame::MoviePath;
use futures::{StreamExt, stream};
use plan::{
    Counts, Decision, Failure, OverwritePolicy, ResultNames, Summary,
    ledger::{decide, digest},
};
use tokio_util::sync::CancellationToken;

use crate::{
    item_error::{ItemError, chain},
    job::Job,
    outage::{Outage, Waiting},
    pipeline::Pipeline,
    steps::plan::recorded,
    store::{Store, StoreError},
};

/// How often the rows of an item that is not done are saved, unless something else is said.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(30);

/// What the items of a run share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Work {
    /// The AnalysisJob, lowered.
    pub job: Arc<Job>,
    /// Frames to rows.
    pub pipeline: Pipeline,
    /// The output.
    pub store: Store,
    /// Waits when the archive is silent.
    pub outage: Outage,
    /// How often an item is tried again here, when that may help.
    pub retries: u32,
    /// Once cancelled, no new item is begun; those in hand save a checkpoint and are finished.
    pub stop: CancellationToken,
    /// Once cancelled, those in hand save a checkpoint and are left.
    pub halt: CancellationToken,
    /// The rows of an item that is not done are saved so often.
    pub checkpoint_every: Duration,
    /// Under `Always`, what was written after this (see `Store::modified`) was written by this run and counts as done: a
    /// pod that is started again must get ahead.
    pub done_since: Option<i64>,
}

/// How the work ended.
#[derive(Debug, Default)]
pub struct Done {
    /// Counts and failures. Items that were not begun are pending.
    pub summary: Summary,
    /// Whether one of the failures may go better another time.
    pub may_heal: bool,
}

/// How one item ended.
enum Outcome {
    Done,
    AlreadyDone,
    /// With whether another time may go better.
    Failed(Failure, bool),
    /// Left, with what was done of it saved.
    Left,
}

/// Why an attempt ended early.
enum AttemptError {
    Item(ItemError),
    Store(StoreError),
    /// The process is ending.
    Halted,
}

impl<E: Into<ItemError>> From<E> for AttemptError {
    fn from(error: E) -> Self {
        Self::Item(error.into())
    }
}

impl Work {
    /// Does `items`, several at once. An error at the output ends the work: no item could be kept.
    pub async fn run(&self, items: &[MoviePath]) -> Result<Done, StoreError> {
        let counts = Counts { total: items.len() as u64, ..Counts::default() };
        let mut done = Done { summary: Summary { items: counts, failures: Vec::new() }, may_heal: false };
        let summary = &mut done.summary;
        // Two movies a core: while one waits for its next movie's index, the other has frames to decode.
        let at_once = self.pipeline.cpu.threads() * 2;
        let begun = stream::iter(items).take_while(|_| std::future::ready(!self.stop.is_cancelled()));
        let mut outcomes = begun.map(|movie| self.item(movie)).buffer_unordered(at_once);
        while let Some(outcome) = outcomes.next().await {
            match outcome? {
                Outcome::Done => summary.items.succeeded += 1,
                Outcome::AlreadyDone => summary.items.up_to_date += 1,
                Outcome::Left => {}
                Outcome::Failed(failure, may_heal) => {
                    summary.items.failed += 1;
                    done.may_heal |= may_heal;
                    self.pipeline
                        .progress
                        .say(&format!("failed: {}: {}: {}", failure.item, failure.reason, failure.message));
                    summary.failures.push(failure);
                }
            }
        }
        summary.failures.sort_by(|a, b| a.item.cmp(&b.item));
        Ok(done)
    }

    /// Tries one item until it is done, cannot succeed, or its tries or the patience are used up.
    async fn item(&self, movie: &MoviePath) -> Result<Outcome, StoreError> {
        let (mut attempts, mut waiting) = (0, Waiting::default());
        loop {
            let error = match self.attempt_in_time(movie).await {
                Ok(outcome) => {
                    self.outage.answered();
                    self.pipeline.progress.finished(true);
                    return Ok(outcome);
                }
                Err(AttemptError::Store(error)) => return Err(error),
                Err(AttemptError::Halted) => return Ok(Outcome::Left),
                Err(AttemptError::Item(error)) => error,
            };
            if error.is_outage() {
                if let Some(wait) = self.outage.silent(&mut waiting, Instant::now()) {
                    let (cause, seconds) = (chain(&error), wait.as_secs_f64());
                    self.pipeline.progress.say(&format!("waiting {seconds:.1} s for the archive: {movie}: {cause}"));
                    tokio::time::sleep(wait).await;
                    continue;
                }
                attempts += 1;
            } else {
                self.outage.answered();
                attempts += 1;
                if error.may_heal() && attempts <= self.retries {
                    continue;
                }
            }
            self.pipeline.progress.finished(false);
            let (item, reason) = (movie.to_string(), error.reason().to_owned());
            let failure = Failure { item, reason, attempts, message: chain(&error) };
            return Ok(Outcome::Failed(failure, error.may_heal()));
        }
    }

    async fn attempt_in_time(&self, path: &MoviePath) -> Result<Outcome, AttemptError> {
        let deadline = self.job.item_deadline;
        match tokio::time::timeout(deadline, self.attempt(path)).await {
            Ok(ended) => ended,
            Err(_) => Err(ItemError::Deadline { seconds: deadline.as_secs() }.into()),
        }
    }

    async fn attempt(&self, path: &MoviePath) -> Result<Outcome, AttemptError> {
        let movie = self.pipeline.source.movie(path).await?;
        let wanted = digest(&self.job.analysis, path, movie.identity());
        match self.decision(path, &wanted).await.map_err(AttemptError::Store)? {
            Decision::UpToDate => return Ok(Outcome::AlreadyDone),
            Decision::Derive => self.derive(path).await?,
            Decision::Compute => self.compute(path, &movie, wanted).await?,
        }
        Ok(Outcome::Done)
    }

    /// Asks the ledger again: since the plan was made, another worker may have done the item.
    async fn decision(&self, path: &MoviePath, wanted: &str) -> Result<Decision, StoreError> {
        let policy = match self.job.policy {
            OverwritePolicy::Always if self.is_of_this_run(path).await? => OverwritePolicy::IfStale,
            OverwritePolicy::Always => return Ok(Decision::Compute),
            other => other,
        };
        Ok(decide(policy, &recorded(&self.job, &self.store, path).await?, wanted))
    }

    async fn is_of_this_run(&self, path: &MoviePath) -> Result<bool, StoreError> {
        let Some(since) = self.done_since else { return Ok(false) };
        let written = self.store.modified(&ResultNames::of(path, &self.job.analysis).rows).await?;
        Ok(written.is_some_and(|written| written > since))
    }
}
