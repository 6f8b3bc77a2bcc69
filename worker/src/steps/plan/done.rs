//! What is done already: the output is asked, and the archive where a result may be stale.

use std::collections::HashSet;

use frame::MoviePath;
use futures::{StreamExt, TryStreamExt, stream};
use plan::{
    Decision, OverwritePolicy, ResultNames,
    ledger::{Recorded, decide, digest},
};

use super::PlanStepError;
use crate::{
    job::Job,
    result::{PROVENANCE_BYTES, recorded_digest},
    source::Source,
    store::{Store, StoreError},
};

/// So many movies are asked for at once: each is a short read of the output and one request to the archive.
const AT_ONCE: usize = 32;

/// Those of `movies` whose results do not stand as the AnalysisJob wants them, in order.
pub(super) async fn not_done(
    job: &Job,
    source: &Source,
    store: &Store,
    movies: Vec<MoviePath>,
) -> Result<Vec<MoviePath>, PlanStepError> {
    let mut items = Vec::new();
    // Neighbours of one folder need one listing of the output.
    for group in movies.chunk_by(|a, b| a.parent() == b.parent()) {
        let Some(first) = group.first() else { continue };
        let held = store.names_in(first.parent().as_str().trim_end_matches('/')).await?;
        let decisions = stream::iter(group).map(|movie| decision(job, source, store, &held, movie)).buffered(AT_ONCE);
        let decisions: Vec<Decision> = decisions.try_collect().await?;
        let open = group.iter().zip(decisions).filter(|(_, decision)| *decision != Decision::UpToDate);
        items.extend(open.map(|(movie, _)| movie.clone()));
    }
    Ok(items)
}

/// What the ledger says of one movie whose folder holds `held`.
async fn decision(
    job: &Job,
    source: &Source,
    store: &Store,
    held: &HashSet<String>,
    movie: &MoviePath,
) -> Result<Decision, PlanStepError> {
    let names = ResultNames::of(movie, &job.analysis);
    if job.policy == OverwritePolicy::Always || !held.contains(file_name(&names.rows)) {
        return Ok(Decision::Compute);
    }
    let derived = names.regions.as_deref().is_none_or(|name| held.contains(file_name(name)));
    if job.policy == OverwritePolicy::IfMissing {
        return Ok(decide(job.policy, &Recorded::Result { digest: None, derived }, ""));
    }
    let recorded = recorded_rows(store, &names, derived).await?;
    if !matches!(recorded, Recorded::Result { digest: Some(_), .. }) {
        return Ok(decide(job.policy, &recorded, ""));
    }
    match source.identity(movie).await {
        Ok(identity) => Ok(decide(job.policy, &recorded, &digest(&job.analysis, movie, &identity))),
        // While the archive is silent nothing is known, and everything would be planned anew.
        Err(source) if source.is_outage() => Err(PlanStepError::Ask { movie: movie.to_string(), source }),
        // A movie that cannot be asked now is left to the work step, which reports it item by item.
        Err(_) => Ok(Decision::Compute),
    }
}

/// What the output holds for `movie`.
pub(crate) async fn recorded(job: &Job, store: &Store, movie: &MoviePath) -> Result<Recorded, StoreError> {
    let names = ResultNames::of(movie, &job.analysis);
    let derived = match &names.regions {
        Some(name) => store.exists(name).await?,
        None => true,
    };
    recorded_rows(store, &names, derived).await
}

async fn recorded_rows(store: &Store, names: &ResultNames, derived: bool) -> Result<Recorded, StoreError> {
    let start = store.read_start(&names.rows, PROVENANCE_BYTES).await?;
    Ok(start.map_or(Recorded::Nothing, |start| Recorded::Result { digest: recorded_digest(&start), derived }))
}

fn file_name(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, file)| file)
}
