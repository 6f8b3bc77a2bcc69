//! The programs of the data pods: `plan`, `work` and `collect`, as the operator's Jobs start them.
//!
//! ```text
//!   arguments (environment) ─▶ Pod::open: job.json, source, output, marker ─▶ one step ─▶ Ending: exit code, termination message
//! ```
//!
//! Every pod can be killed at any instruction and started again: the output says what is done. Every ending but a kill
//! writes a termination message. Read next: [`arguments`], [`work`] (what each exit code of a worker means).

pub mod arguments;
pub mod collect;
pub mod drain;
pub mod ending;
pub mod error;
pub mod feed;
pub mod plan;
pub mod queue;
pub mod work;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use ::plan::{Message, Plan, exit};
use arguments::{Common, WorkArguments};
use ending::Ending;
use error::PodError;
use futures::FutureExt;
use tokio::runtime::{Builder, Runtime};

use crate::{job::Job, outage::Outage, progress::Progress, signal::terminated, source::Source, store::Store};

/// How long an ending pod waits for a write under way.
const LAST_WRITE: Duration = Duration::from_secs(5);
/// The value of `--output` that means spec.output.s3.
const BUCKET: &str = "s3";

/// Which program.
#[derive(Debug, Clone)]
pub enum Step {
    /// List the archive, write the plan.
    Plan(Common),
    /// Do the items of one index.
    Work(WorkArguments),
    /// Gather tables, the report and the truth.
    Collect(Common),
    /// Put the plan on its list, and wait until it is done.
    Feed(feed::FeedArguments),
    /// Do items of a list.
    Drain(drain::DrainArguments),
}

/// What every step works with.
pub struct Pod {
    /// The AnalysisJob, lowered.
    pub job: Arc<Job>,
    /// The archive.
    pub source: Source,
    /// The output.
    pub store: Store,
    /// Waits when the archive is silent.
    pub outage: Outage,
    /// Plain lines.
    pub progress: Progress,
}

impl Pod {
    /// Reads the AnalysisJob, opens source and output, and makes sure that it is the right output.
    pub async fn open(common: &Common) -> Result<Self, PodError> {
        let yaml = common.job.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let job = if yaml {
            // A person's file, on a laptop that lends a hand.
            Job::read(&common.job, None)?
        } else {
            Job::read_for_pod(&common.job, &common.run, common.items_file.as_deref())?
        };
        let source = match &common.cache_url {
            Some(server) => Source::through(server, &job.root)?,
            None => Source::open(&job.root)?,
        };
        let store = match (common.output.as_str(), &job.s3) {
            (BUCKET, Some(bucket)) => Store::open_bucket(bucket)?,
            (BUCKET, None) => return Err(PodError::NoBucket),
            (folder, _) => Store::share_folder(folder.into())?,
        };
        if let Some(marker) = &job.marker {
            store.require_marker(marker).await?;
        }
        let outage = Outage::new(Duration::from_secs(common.patience));
        Ok(Self { job: Arc::new(job), source, store, outage, progress: Progress::new(common.progress) })
    }

    /// The whole plan of the run.
    pub async fn plan(&self) -> Result<Plan, PodError> {
        let (name, place) = (self.job.run.plan_file(), self.store.place().to_owned());
        let Some(bytes) = self.store.read(&name).await? else { return Err(PodError::PlanMissing { name, place }) };
        let plan = Plan::from_json_lines(&String::from_utf8_lossy(&bytes));
        plan.map_err(|source| PodError::PlanDamaged { name, place, source })
    }
}

/// Runs `step` to its end, whatever that is, and tells it.
pub fn run(step: Step) -> std::process::ExitCode {
    let (common, threads) = match &step {
        Step::Plan(common) | Step::Collect(common) => (common.clone(), 2),
        Step::Work(work) => (work.common.clone(), work.threads),
        Step::Feed(feed) => (feed.common.clone(), 2),
        Step::Drain(drain) => (drain.common(), drain.threads),
    };
    let ending = match runtime(threads) {
        Ok(runtime) => {
            let ending = runtime.block_on(guarded(step));
            // A write under way comes to its end, so that no temporary file is left; what has not begun does not begin.
            runtime.shutdown_timeout(LAST_WRITE);
            ending
        }
        Err(error) => Ending::failed(&PodError::Runtime(error)),
    };
    ending.tell(common.termination_log.as_deref())
}

/// Not a thread per core of the node: a pod has the cores it asked for.
fn runtime(threads: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(threads.max(2)).enable_all().build()
}

/// A step that has nothing half to keep: told to stop, it stops.
async fn unless_told_to_stop(step: impl Future<Output = Result<Message, PodError>>) -> Result<Ending, PodError> {
    tokio::select! {
        ended = step => ended.map(Ending::done),
        () = terminated() => {
            let message = "interrupted; what was written is whole, start again".to_owned();
            Ok(Ending { code: exit::INTERRUPTED, message: Message::error("Interrupted", message) })
        }
    }
}

/// A panic is an ending too, and is told like one. Nothing that it may have left half is used after it.
async fn guarded(step: Step) -> Ending {
    let work = async {
        match step {
            Step::Plan(common) => plan::run(&common).await,
            Step::Work(arguments) => work::run(&arguments).await,
            Step::Collect(common) => collect::run(&common).await,
            Step::Feed(arguments) => feed::run(&arguments).await,
            Step::Drain(arguments) => drain::run(&arguments).await,
        }
    };
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(ending)) => ending,
        Ok(Err(error)) => Ending::failed(&error),
        Err(_) => Ending::failed(&PodError::Panicked),
    }
}
