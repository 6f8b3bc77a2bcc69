//! Plan: list the archive, keep what the AnalysisJob selects, drop what the output already holds, write the plan.

use std::collections::{BTreeMap, HashSet};

use frame::MoviePath;
use jiff::civil::Date;
use plan::{
    Decision, OverwritePolicy, Plan, ResultNames,
    ledger::{Recorded, decide, digest},
    run::PlanHeader,
    selection::Folder,
};

use crate::{
    job::{Job, Movies},
    result::{PROVENANCE_BYTES, recorded_digest},
    source::Source,
    store::{Store, StoreError},
};

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
        source: lazycache::Error,
    },
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
}

impl PlanStepError {
    /// Whether the archive did not answer, so that a later try may go better.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::List { source, .. } if source.kind() == lazycache::ErrorKind::OriginUnavailable)
    }
}

/// Makes the plan and writes it beside the results. `today` is the day open date ranges end.
pub async fn make(job: &Job, source: &Source, store: &Store, today: Date) -> Result<Plan, PlanStepError> {
    let movies = discover(job, source, today).await?;
    let discovered = movies.len() as u64;
    let items = drop_done(job, source, store, movies).await?;
    let header = PlanHeader {
        run: job.run.clone(),
        discovered,
        up_to_date: discovered - items.len() as u64,
        items_per_index: job.items_per_index,
    };
    let plan = Plan { header, items };
    // A run with nothing to do leaves no papers: it changes nothing at all.
    if !plan.items.is_empty() {
        store.write(&job.run.plan_file(), plan.to_json_lines()?).await?;
    }
    Ok(plan)
}

/// The movies the AnalysisJob means, in the order of the archive.
async fn discover(job: &Job, source: &Source, today: Date) -> Result<Vec<MoviePath>, PlanStepError> {
    let selection = match &job.movies {
        Movies::Listed(items) => return Ok(items.clone()),
        Movies::Selected(selection) => selection,
    };
    let mut found = Vec::new();
    let (mut listed, mut first_missing) = (false, None);
    for folder in selection.folders(today) {
        let mut open = vec![folder];
        while let Some(Folder { path, recursive }) = open.pop() {
            let listing = source
                .list(&path)
                .await
                .map_err(|error| PlanStepError::List { folder: format!("{}{path}", job.root), source: error })?;
            let Some(listing) = listing else {
                first_missing.get_or_insert(path);
                continue;
            };
            listed = true;
            let paths = listing.files.iter().map(|name| format!("{path}{name}"));
            let movies =
                paths.filter(|path| selection.admits(path, today)).filter_map(|path| MoviePath::parse(&path).ok());
            found.extend(movies);
            if found.len() as u64 >= selection.limit() {
                found.truncate(usize::try_from(selection.limit()).unwrap_or(usize::MAX));
                return Ok(found);
            }
            if recursive {
                let below =
                    listing.folders.iter().rev().map(|name| Folder { path: format!("{path}{name}/"), recursive });
                open.extend(below);
            }
        }
    }
    match first_missing {
        // Days without movies are nothing unusual; when no folder at all exists, the prefix is wrong.
        Some(path) if !listed => Err(PlanStepError::NoFolder { folder: format!("{}{path}", job.root) }),
        _ => Ok(found),
    }
}

/// The movies whose results do not stand as the AnalysisJob wants them.
async fn drop_done(
    job: &Job,
    source: &Source,
    store: &Store,
    movies: Vec<MoviePath>,
) -> Result<Vec<MoviePath>, PlanStepError> {
    let mut folders = BTreeMap::<String, HashSet<String>>::new();
    let mut items = Vec::new();
    for movie in movies {
        let names = ResultNames::of(&movie, &job.analysis);
        let folder = names.rows.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        if !folders.contains_key(&folder) {
            // Movies come folder by folder: only the current one is kept.
            folders.clear();
            folders.insert(folder.clone(), store.names_in(&folder).await?);
        }
        let present = folders.get(&folder).is_some_and(|held| held.contains(file_name(&names.rows)));
        if !present || decision(job, source, store, &movie).await? != Decision::UpToDate {
            items.push(movie);
        }
    }
    Ok(items)
}

/// What the ledger says of one movie.
async fn decision(job: &Job, source: &Source, store: &Store, movie: &MoviePath) -> Result<Decision, PlanStepError> {
    let recorded = recorded(job, store, movie).await?;
    let wanted = match (job.policy, &recorded) {
        (OverwritePolicy::IfStale, Recorded::Result { digest: Some(_), .. }) => {
            // A movie that cannot be asked now is left to the work step, which waits and reports item by item.
            match source.identity(movie).await {
                Ok(identity) => digest(&job.analysis, movie, &identity),
                Err(_) => return Ok(Decision::Compute),
            }
        }
        _ => String::new(),
    };
    Ok(decide(job.policy, &recorded, &wanted))
}

/// What the output holds for `movie`.
pub(crate) async fn recorded(job: &Job, store: &Store, movie: &MoviePath) -> Result<Recorded, StoreError> {
    let names = ResultNames::of(movie, &job.analysis);
    let Some(start) = store.read_start(&names.rows, PROVENANCE_BYTES).await? else { return Ok(Recorded::Nothing) };
    let derived = match &names.regions {
        Some(name) => store.exists(name).await?,
        None => true,
    };
    Ok(Recorded::Result { digest: recorded_digest(&start), derived })
}

fn file_name(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, file)| file)
}
