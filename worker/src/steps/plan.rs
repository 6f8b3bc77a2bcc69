//! Plan: list the archive, keep what the AnalysisJob selects, drop what the output already holds, write the plan.

mod discovery;
mod done;

use std::time::Instant;

use discovery::Discovery;
use jiff::civil::Date;
use plan::{Document, Plan, PlanHeader, cost, document::Items, message::Planned, run::PlanError};

pub(crate) use done::recorded;

use crate::{
    item_error::chain,
    job::Job,
    outage::{Outage, Waiting},
    progress::Progress,
    source::{Source, SourceError},
    store::{Store, StoreError},
};

/// Into so many parts the plan of strategy Queue is divided.
const QUEUE_PARTS: u64 = 10;

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanStepError {
    /// A folder of the archive could not be listed.
    #[error("failed to list {folder}")]
    List {
        /// The folder, with the root.
        folder: String,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// The archive did not say which version of a movie it has.
    #[error("failed to ask for the version of {movie}")]
    Ask {
        /// The movie.
        movie: String,
        /// Why.
        #[source]
        source: SourceError,
    },
    /// The frame server is not to be had.
    #[error("failed to reach the frame server")]
    Server(#[source] SourceError),
    /// A prefix does not exist.
    #[error("there is no folder {folder} (spec.source.prefixes)")]
    NoFolder {
        /// The folder, with the root.
        folder: String,
    },
    /// The output could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The plan could not be written as JSON.
    #[error("failed to encode the plan")]
    Encode(#[from] serde_json::Error),
    /// The plan that was written cannot be read back.
    #[error("failed to read back {name}")]
    ReadBack {
        /// The plan.
        name: String,
        /// Why.
        #[source]
        source: PlanError,
    },
}

impl PlanStepError {
    /// Whether the archive did not answer, so that a later try may go better.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::List { source, .. } | Self::Ask { source, .. } | Self::Server(source) if source.is_outage())
    }
}

/// Makes the plan and writes it beside the results. `today` is the day open date ranges end.
pub async fn make(job: &Job, source: &Source, store: &Store, today: Date) -> Result<Plan, PlanStepError> {
    let document = look(job, source, store, today).await?;
    let plan = Plan { header: document.header().clone(), items: document.items().collect() };
    // A run with nothing to do leaves no papers: it changes nothing at all.
    if !plan.items.is_empty() {
        store.write(&job.run.plan_file(), document.into_text()).await?;
    }
    Ok(plan)
}

/// Gives the plan of this run that stands, if it is whole: a worker must never see its slice change. Else makes it and
/// writes it; of two that do so at once both give what the first wrote. In short: the document of a large archive is not held
/// longer than it must be.
pub async fn keep_or_make(
    job: &Job,
    source: &Source,
    store: &Store,
    today: Date,
) -> Result<(PlanHeader, Planned), PlanStepError> {
    let name = job.run.plan_file();
    let in_short = |document: &Document| (document.header().clone(), Planned::of(document));
    match standing(store, &name).await? {
        Some(Ok(kept)) => return Ok(in_short(&kept)),
        // Nobody can have worked on half a plan.
        Some(Err(error)) => {
            tracing::warn!(%name, error = chain(&error), "made anew");
            store.delete(&name).await?;
        }
        None => {}
    }
    source.check().await.map_err(PlanStepError::Server)?;
    let document = look(job, source, store, today).await?;
    let made = in_short(&document);
    if store.create(&name, document.into_text()).await? {
        return Ok(made);
    }
    let fail = |source| PlanStepError::ReadBack { name: name.clone(), source };
    let kept = standing(store, &name).await?.unwrap_or(Err(PlanError::Empty)).map_err(fail)?;
    Ok(in_short(&kept))
}

async fn standing(store: &Store, name: &str) -> Result<Option<Result<Document, PlanError>>, StoreError> {
    let Some(bytes) = store.read(name).await? else { return Ok(None) };
    let text = String::from_utf8(bytes.into());
    Ok(Some(Document::parse(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))))
}

/// Lists the archive and asks the output; writes nothing.
async fn look(job: &Job, source: &Source, store: &Store, today: Date) -> Result<Document, PlanStepError> {
    let (mut discovered, mut items) = (0, Items::default());
    let mut discovery = Discovery::new(job, source, today);
    while let Some(movies) = discovery.next().await? {
        discovered += movies.len() as u64;
        for movie in done::not_done(job, source, store, movies).await? {
            items.push(&movie)?;
        }
    }
    let header = PlanHeader {
        run: job.run.clone(),
        discovered,
        up_to_date: discovered - items.count(),
        items_per_index: items_per_index(job, source, &items).await,
        items: items.count(),
    };
    Ok(items.under(header)?)
}

/// As the AnalysisJob says, else as the cost of a movie says: the first of a few that can be opened stands for all.
async fn items_per_index(job: &Job, source: &Source, items: &Items) -> u32 {
    let count = items.count();
    if job.queue.is_some() {
        // An index only watches over its part of the list: these are as fine as progress is told.
        return u32::try_from(count.div_ceil(QUEUE_PARTS)).unwrap_or(u32::MAX).max(1);
    }
    if let Some(count) = job.items_per_index {
        return count.max(1);
    }
    let mut size = cost::MovieSize::CAMHD;
    for item in [count / 2, 0, count.saturating_sub(1)].into_iter().filter_map(|at| items.get(at)) {
        match source.movie(&item).await {
            Ok(movie) => {
                size = movie.cost_size();
                break;
            }
            Err(error) => tracing::info!(%item, error = chain(&error), "cannot stand for the others"),
        }
    }
    cost::items_per_index(cost::item_seconds(&job.analysis, size, job.worker_threads))
}

/// Tries `step` until the archive answers, as long as the patience lasts.
pub async fn patiently<T>(
    outage: &Outage,
    progress: &Progress,
    mut step: impl AsyncFnMut() -> Result<T, PlanStepError>,
) -> Result<T, PlanStepError> {
    let mut waiting = Waiting::default();
    loop {
        match step().await {
            Err(error) if error.is_outage() => match outage.silent(&mut waiting, Instant::now()) {
                Some(wait) => {
                    progress.say(&format!("waiting {:.1} s for the archive: {}", wait.as_secs_f64(), chain(&error)));
                    tokio::time::sleep(wait).await;
                }
                None => return Err(error),
            },
            other => {
                outage.answered();
                return other;
            }
        }
    }
}

/// Today, UTC.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}
