//! A whole AnalysisJob on this machine: plan, work, collect, with lazycache in process.

use std::{path::PathBuf, sync::Arc, time::Duration};

use plan::{Counts, Failure, Summary, exit};
use schemars::JsonSchema;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    cpu::Cpu,
    job::{Job, JobError},
    outage::Outage,
    pipeline::Pipeline,
    progress::{Progress, Style},
    source::{Source, SourceError},
    steps::{
        collect::{CollectError, FAILURES, REGIONS_CSV, REPORT, collect, write_failures},
        plan::{PlanStepError, make, patiently, today},
        work::{CHECKPOINT_EVERY, Work},
    },
    store::{Store, StoreError},
};

/// What a run on this machine is told on the command line.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The AnalysisJob file.
    pub file: PathBuf,
    /// Where results go; default `results/<name>`.
    pub output: Option<PathBuf>,
    /// Read the movies from here instead of spec.source.http.rootURL.
    pub source_root: Option<String>,
    /// Cores to use at most.
    pub threads: usize,
    /// How long the archive may be silent before movies are given up.
    pub patience: Duration,
    /// How progress is shown.
    pub progress: Style,
}

/// Why a run ended without having tried every movie.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The AnalysisJob is not what it should be.
    #[error(transparent)]
    Job(Box<JobError>),
    /// The source cannot be.
    #[error("failed to open the source {root}")]
    Source {
        /// As given.
        root: String,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// No plan.
    #[error("failed to plan the run")]
    Plan(#[from] PlanStepError),
    /// The output failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The results are there, the tables are not.
    #[error("failed to collect the results")]
    Collect(#[from] CollectError),
}

impl RunError {
    /// The exit code (see `plan::exit`).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Job(_) | Self::Source { .. } | Self::Plan(PlanStepError::NoFolder { .. }) => exit::CONFIGURATION,
            Self::Store(error) if error.is_configuration() => exit::CONFIGURATION,
            Self::Plan(_) | Self::Store(_) | Self::Collect(_) => exit::UNAVAILABLE,
        }
    }
}

impl From<JobError> for RunError {
    fn from(error: JobError) -> Self {
        Self::Job(Box::new(error))
    }
}

/// How a run ended; `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunSummary {
    /// The AnalysisJob's name.
    pub name: String,
    /// The run.
    pub run: String,
    /// The results' folder.
    pub output: PathBuf,
    /// The page.
    pub report: PathBuf,
    /// The table of static regions.
    pub regions: PathBuf,
    /// The failures, a JSON line each.
    pub failures_file: PathBuf,
    /// Movies by state.
    pub items: Counts,
    /// Every failure.
    pub failures: Vec<Failure>,
    /// Frames decoded.
    pub frames: u64,
    /// Seconds in all.
    pub elapsed_seconds: f64,
    /// True when only the plan was asked for (spec.dryRun).
    pub dry_run: bool,
}

impl RunSummary {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        if self.items.failed > 0 { exit::ITEMS_FAILED } else { exit::DONE }
    }
}

/// Runs the AnalysisJob of `options.file`. Can be dropped at any await: what is written is whole.
pub async fn run(options: &RunOptions, progress: &Progress) -> Result<RunSummary, RunError> {
    let job = Arc::new(Job::read(&options.file, options.source_root.as_deref())?);
    for note in &job.notes {
        progress.say(&format!("note: {note}"));
    }
    let output = options.output.clone().unwrap_or_else(|| PathBuf::from("results").join(&job.name));
    let source = Source::open(&job.root).map_err(|source| RunError::Source { root: job.root.clone(), source })?;
    if let Some(marker) = &job.marker {
        // Checked before the folder is made: a missing mount must not be papered over.
        require_marker(&output, marker)?;
    }
    let store = Store::open_folder(output.clone())?;
    let outage = Outage::new(options.patience);
    let plan = patiently(&outage, progress, async || make(&job, &source, &store, today()).await).await?;
    let mut done = Summary::default();
    progress.say(&planned_text(&plan, &job));
    if !job.dry_run {
        progress.planned(plan.items.len() as u64);
        let pipeline = Pipeline { source, cpu: Cpu::new(options.threads), progress: progress.clone() };
        let work = Work {
            job: Arc::clone(&job),
            pipeline,
            store: store.clone(),
            outage,
            retries: job.retries_per_item,
            stop: CancellationToken::new(),
            halt: CancellationToken::new(),
            checkpoint_every: CHECKPOINT_EVERY,
            done_since: None,
        };
        done = work.run(&plan.items).await?.summary;
        if !plan.items.is_empty() {
            write_failures(&store, &job.run.failures_file(), &done.failures).await?;
        }
        collect(&job, &store, &done.failures).await?;
    }
    let counts = progress.snapshot();
    let items = Counts {
        total: plan.header.discovered,
        up_to_date: plan.header.up_to_date + done.items.up_to_date,
        ..done.items
    };
    Ok(RunSummary {
        name: job.name.clone(),
        run: job.run.to_string(),
        report: output.join(REPORT),
        regions: output.join(REGIONS_CSV),
        failures_file: output.join(FAILURES),
        output,
        items,
        failures: done.failures,
        frames: counts.frames_done,
        elapsed_seconds: counts.elapsed.as_secs_f64(),
        dry_run: job.dry_run,
    })
}

fn require_marker(output: &std::path::Path, marker: &str) -> Result<(), StoreError> {
    if output.join(marker).is_file() {
        return Ok(());
    }
    Err(StoreError::Marker { marker: marker.to_owned(), folder: output.display().to_string() })
}

fn planned_text(plan: &plan::Plan, job: &Job) -> String {
    let (found, todo, stand) = (plan.header.discovered, plan.items.len(), plan.header.up_to_date);
    match (found, todo) {
        (0, _) => format!("no movie in {} is selected: see include, exclude and dateRange in spec.source", job.root),
        (_, 0) => format!("{}: all {found} movies are up to date, nothing to compute", job.name),
        _ => format!("{}: {found} movies, {stand} up to date, {todo} to do", job.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_retry_cannot_mend_exits_with_78() {
        let marker = StoreError::Marker { marker: "README.md".into(), folder: "out".into() };
        assert_eq!(RunError::Store(marker).exit_code(), 78);
        let no_folder = PlanStepError::NoFolder { folder: "x".into() };
        assert_eq!(RunError::Plan(no_folder).exit_code(), 78);
    }
}
