//! Work: do the items of a plan. Every item stands for itself: what fails is noted with its reason, the others are done.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use frame::MoviePath;
use futures::{StreamExt, stream};
use motion::Region;
use plan::{
    Analysis, Counts, Decision, Failure, OpticalFlow, OverwritePolicy, ResultNames, SourceIdentity, Summary,
    ledger::{decide, digest},
};
use tokio_util::sync::CancellationToken;

use crate::{
    item_error::{ItemError, chain},
    job::Job,
    outage::{Outage, Waiting},
    pipeline::Pipeline,
    result::{
        FileTiming, HostInfo, MovieInfo, OpticalFlowFile, Performance, Provenance, RegionsFile, optical_flow_contents,
        regions_contents,
    },
    source::Movie,
    steps::plan::recorded,
    store::{Store, StoreError},
};

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
    /// Once cancelled, no new item is begun; those in hand are finished.
    pub stop: CancellationToken,
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
}

/// Why an attempt ended early.
enum AttemptError {
    Item(ItemError),
    Store(StoreError),
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
        let Analysis::OpticalFlow(flow) = self.job.analysis else {
            return Err(AttemptError::Item(ItemError::Unsupported { analysis: self.job.analysis.name() }));
        };
        match self.decision(path, &wanted).await.map_err(AttemptError::Store)? {
            Decision::UpToDate => return Ok(Outcome::AlreadyDone),
            Decision::Derive => self.derive(path, &flow).await?,
            Decision::Compute => self.compute(path, &movie, &flow, wanted).await?,
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

    async fn compute(
        &self,
        path: &MoviePath,
        movie: &Arc<Movie>,
        flow: &OpticalFlow,
        digest: String,
    ) -> Result<(), AttemptError> {
        let (started, start) = (jiff::Timestamp::now(), Instant::now());
        let frames = plan::analysis::distinct_frames(&flow.pairs(movie.num_frames())).len();
        let (decoded, progress) = (AtomicU64::new(0), &self.pipeline.progress);
        progress.opened(frames);
        let rows = self.pipeline.optical_flow(movie, flow, &decoded).await;
        let frame_stats = rows.inspect_err(|_| progress.again(frames, decoded.load(Relaxed)))?;
        let names = ResultNames::of(path, &self.job.analysis);
        let info = movie.info(path);
        let timing = FileTiming {
            elapsed_seconds: start.elapsed().as_secs_f64(),
            start_time: stamp(started),
            end_time: stamp(jiff::Timestamp::now()),
        };
        let file = OpticalFlowFile {
            provenance: self.provenance(movie, digest),
            movie: info.clone(),
            contents: optical_flow_contents(),
            frame_stats,
            performance: Performance { timing, hostinfo: HostInfo::here() },
        };
        // The rows go last: they are the ledger entry, so a result that counts as done is whole.
        if let Some(name) = &names.regions {
            self.write_regions(name, info, &file, flow).await?;
        }
        self.write_pictures(path, movie).await?;
        let bytes =
            serde_json::to_vec(&file).map_err(|source| ItemError::Encode { name: names.rows.clone(), source })?;
        self.store.write(&names.rows, bytes).await.map_err(AttemptError::Store)
    }

    /// Only the regions are missing: they are made from the rows that stand.
    async fn derive(&self, path: &MoviePath, flow: &OpticalFlow) -> Result<(), AttemptError> {
        let names = ResultNames::of(path, &self.job.analysis);
        let Some(name) = &names.regions else { return Ok(()) };
        let bytes = self.store.read(&names.rows).await.map_err(AttemptError::Store)?.unwrap_or_default();
        let file: OpticalFlowFile =
            serde_json::from_slice(&bytes).map_err(|source| ItemError::Rows { name: names.rows.clone(), source })?;
        self.write_regions(name, file.movie.clone(), &file, flow).await
    }

    async fn write_regions(
        &self,
        name: &str,
        movie: MovieInfo,
        file: &OpticalFlowFile,
        flow: &OpticalFlow,
    ) -> Result<(), AttemptError> {
        let regions = regions_of(file, flow.range.stride);
        let file = RegionsFile { movie, contents: regions_contents(), regions };
        let bytes = serde_json::to_vec(&file).map_err(|source| ItemError::Encode { name: name.to_owned(), source })?;
        self.store.write(name, bytes).await.map_err(AttemptError::Store)
    }

    /// Pictures for the report. No result hangs on them: one that cannot be made is missing.
    async fn write_pictures(&self, path: &MoviePath, movie: &Movie) -> Result<(), AttemptError> {
        match movie.pictures().sheet() {
            Ok(Some(sheet)) => self.store.write(&crate::pictures::name(path), sheet).await.map_err(AttemptError::Store),
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::warn!(movie = %path, %error, "failed to make the pictures for the report");
                Ok(())
            }
        }
    }

    fn provenance(&self, movie: &Movie, digest: String) -> Provenance {
        let SourceIdentity { size, etag, last_modified } = movie.identity().clone();
        Provenance {
            analyzer: concat!("analysis-worker ", env!("CARGO_PKG_VERSION")).to_owned(),
            analysis: self.job.analysis.name().to_owned(),
            revision: self.job.analysis.revision(),
            parameters: self.job.analysis.parameters(),
            source_url: movie.url().to_owned(),
            etag,
            size,
            last_modified,
            digest,
        }
    }
}

fn regions_of(file: &OpticalFlowFile, stride: u32) -> Vec<Region> {
    let rows: Vec<motion::Row> = file.frame_stats.iter().map(crate::result::FlowRow::motion_row).collect();
    motion::regions(&rows, stride)
}

/// UTC as the old files write it: `2017-07-26 01:22:55.069721`.
fn stamp(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_the_published_files() {
        let time: jiff::Timestamp = "2017-07-26T01:22:55.069721Z".parse().unwrap();
        assert_eq!(stamp(time), "2017-07-26 01:22:55.069721");
    }
}
