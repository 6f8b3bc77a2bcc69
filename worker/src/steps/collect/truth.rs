//! What is true of a whole run, told from its papers and its output alone: whoever counts again counts the same.

use std::collections::{BTreeMap, HashMap};

use frame::MoviePath;
use plan::{Counts, Failure, Plan, ResultNames, RunId, Summary};

use crate::{
    job::Job,
    store::{Store, StoreError},
};

/// A result may be a little older than the plan that asks for it: somebody did the item between the plan's look at it
/// and its writing.
const LEEWAY_SECONDS: i64 = 600;

/// The reason of an item that has neither a result nor a report.
pub(crate) const NOT_DONE: &str = "NotDone";

/// Counts the items of `plan`: failed is what an index says has failed, and what has neither failed nor left a result of
/// this run; all else has succeeded.
pub async fn truth(job: &Job, store: &Store, plan: &Plan) -> Result<Summary, StoreError> {
    let mut said = said_failures(store, &job.run).await?;
    let since = store.modified(&job.run.plan_file()).await?.unwrap_or(i64::MIN).saturating_sub(LEEWAY_SECONDS);
    let mut failures = Vec::new();
    for group in plan.items.chunk_by(|a, b| a.parent() == b.parent()) {
        let Some(first) = group.first() else { continue };
        let held = store.entries_in(first.parent().as_str().trim_end_matches('/')).await?;
        for movie in group {
            match said.remove(movie.as_str()) {
                Some(failure) => failures.push(failure),
                None if is_of_this_run(job, &held, movie, since) => {}
                None => failures.push(not_done(movie)),
            }
        }
    }
    failures.sort_by(|a, b| a.item.cmp(&b.item));
    let failed = failures.len() as u64;
    let items = Counts {
        total: plan.header.discovered,
        up_to_date: plan.header.up_to_date,
        succeeded: plan.items.len() as u64 - failed,
        failed,
    };
    Ok(Summary { items, failures })
}

/// What every index that has failures has written, by item. A line that cannot be read is no failure of a movie.
async fn said_failures(store: &Store, run: &RunId) -> Result<BTreeMap<String, Failure>, StoreError> {
    let folder = run.index_failures_folder();
    let mut found = BTreeMap::new();
    for name in store.names_in(&folder).await? {
        found.extend(read_failures(store, &format!("{folder}/{name}")).await?);
    }
    Ok(found)
}

/// The failures in a file, by item; none where there is no file.
pub(crate) async fn read_failures(store: &Store, name: &str) -> Result<BTreeMap<String, Failure>, StoreError> {
    let bytes = store.read(name).await?.unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let failures = lines.filter_map(|line| serde_json::from_slice::<Failure>(line).ok());
    Ok(failures.map(|failure| (failure.item.clone(), failure)).collect())
}

/// Both files stand, and one of them was written since: an old result of a movie whose new one failed does not count.
fn is_of_this_run(job: &Job, held: &HashMap<String, i64>, movie: &MoviePath, since: i64) -> bool {
    let names = ResultNames::of(movie, &job.analysis);
    let written = |name: &str| held.get(name.rsplit_once('/').map_or(name, |(_, file)| file)).copied();
    let Some(rows) = written(&names.rows) else { return false };
    let regions = match &names.regions {
        Some(name) => written(name),
        None => Some(rows),
    };
    regions.is_some_and(|regions| rows.max(regions) >= since)
}

fn not_done(movie: &MoviePath) -> Failure {
    let message = "there is neither a result of this run nor a report of what happened: its pod was killed every time \
                   (too little memory?), or was never started";
    Failure { item: movie.to_string(), reason: NOT_DONE.to_owned(), attempts: 0, message: message.to_owned() }
}
