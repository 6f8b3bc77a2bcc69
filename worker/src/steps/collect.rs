//! Collect: from all results that stand in the output to `regions.csv`, `movie_metadata.csv`, `datapackage.json`,
//! `failures.jsonl` and `report.html`.

pub mod movies;
pub mod package;
pub mod tables;
pub mod truth;

use std::collections::HashSet;

use base64::Engine;
use futures::{StreamExt, stream};
use plan::Failure;

use self::{
    movies::{Found, find, read},
    package::{PACKAGE, package},
    tables::{MOVIE_METADATA_CSV, Tables},
};
use crate::{
    job::Job,
    pictures::{COLUMNS, tiles},
    report::{self, Report, overview::Overview, timeline::Pictures},
    store::{Store, StoreError},
};

pub use tables::REGIONS_CSV;

/// The failures of the newest run.
pub const FAILURES: &str = "failures.jsonl";
/// The page.
pub const REPORT: &str = "report.html";
/// So many results are read at once.
const AT_ONCE: usize = 16;

/// Why the results could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The output could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A table could not be written.
    #[error("failed to write a row of a table")]
    Csv(#[from] csv::Error),
    /// A line could not be encoded.
    #[error("failed to encode what was collected")]
    Encode(#[from] serde_json::Error),
}

/// Writes `failures`, a line each, under `name` beside the run's papers and as those of the newest run.
pub async fn write_failures(store: &Store, name: &str, failures: &[Failure]) -> Result<(), CollectError> {
    Ok(store.write(name, failure_lines(failures)?).await?)
}

/// Writes what is made from all results together. `failures` are those of the newest run.
pub async fn collect(job: &Job, store: &Store, failures: &[Failure]) -> Result<(), CollectError> {
    write_failures(store, FAILURES, failures).await?;
    gather(&job.name, store, &find(store).await?, failures).await
}

/// The same for the results `found`, but for `failures.jsonl`, which is left as it is. Results are read once each and a
/// few at a time.
pub async fn gather(name: &str, store: &Store, found: &[Found], failures: &[Failure]) -> Result<(), CollectError> {
    let mut tables = Tables::new()?;
    let mut report = Report::new(name, found.len(), failures);
    let mut written = HashSet::new();
    let mut movies =
        stream::iter(found).map(|found| async move { (found, read(store, found).await) }).buffered(AT_ONCE);
    while let Some((found, overview)) = movies.next().await {
        let Some(overview) = overview? else { continue };
        tables.add(&overview)?;
        let pictures = pictures(store, found, &overview, report.is_on_first_page()).await?;
        if let Some((name, content)) = report.add(&overview, pictures.as_ref())? {
            store.write(&name, content).await?;
            written.insert(name);
        }
    }
    drop(movies);
    let tables = tables.finish()?;
    store.write(PACKAGE, serde_json::to_vec_pretty(&package(name, &tables))?).await?;
    store.write(REGIONS_CSV, tables.regions).await?;
    store.write(MOVIE_METADATA_CSV, tables.movies).await?;
    for (name, content) in report.finish(jiff::Timestamp::now())? {
        store.write(&name, content).await?;
        written.insert(name);
    }
    sweep(store, &written).await
}

/// Removes the files of a report that had more pages.
async fn sweep(store: &Store, written: &HashSet<String>) -> Result<(), CollectError> {
    for name in store.names_in(report::FOLDER).await? {
        let name = format!("{}/{name}", report::FOLDER);
        if !written.contains(&name) {
            store.delete(&name).await?;
        }
    }
    Ok(())
}

/// Where a movie's pictures are. On the first page they are within it, so that it is whole wherever it is copied to.
async fn pictures(
    store: &Store,
    found: &Found,
    overview: &Overview,
    within: bool,
) -> Result<Option<Pictures>, StoreError> {
    let Some(name) = &found.pictures else { return Ok(None) };
    let address = if within {
        let Some(bytes) = store.read(name).await? else { return Ok(None) };
        format!("data:image/jpeg;base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes))
    } else {
        name.clone()
    };
    Ok(Some(Pictures { address, tiles: tiles(overview.num_frames), columns: COLUMNS }))
}

/// As JSON, a line each.
pub(crate) fn failure_lines(failures: &[Failure]) -> Result<String, serde_json::Error> {
    let mut lines = String::new();
    for failure in failures {
        lines.push_str(&serde_json::to_string(failure)?);
        lines.push('\n');
    }
    Ok(lines)
}
