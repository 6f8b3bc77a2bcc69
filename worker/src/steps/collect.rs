//! Collect: from all results that stand in the output to `regions.csv`, `failures.jsonl` and `report.html`.

use frame::MoviePath;
use plan::{Failure, Plan, Summary};

use crate::{
    job::Job,
    report::{self, MovieReport},
    result::{OpticalFlowFile, RegionsFile},
    store::{Store, StoreError},
};

/// The table of static regions, as the published data set has it.
pub const REGIONS_CSV: &str = "regions.csv";
/// The failures of the newest run.
pub const FAILURES: &str = "failures.jsonl";
/// The page.
pub const REPORT: &str = "report.html";
/// Motion curves are drawn up to so many movies; beyond, the page shows regions only.
const CURVES_LIMIT: usize = 200;

const REGIONS_ENDING: &str = "_optical_flow_regions.json";

/// Why the results could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The output could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A table could not be written.
    #[error("failed to write a row of {REGIONS_CSV}")]
    Csv(#[from] csv::Error),
    /// A line could not be encoded.
    #[error("failed to encode {FAILURES}")]
    Encode(#[from] serde_json::Error),
}

/// Writes what is made from all results together. `done` is what the work step said.
pub async fn collect(job: &Job, store: &Store, plan: &Plan, done: &Summary) -> Result<(), CollectError> {
    write_failures(job, store, plan, &done.failures).await?;
    let movies = read_movies(store).await?;
    store.write(REGIONS_CSV, regions_csv(&movies)?).await?;
    let page = report::page(&job.name, &movies, &done.failures, jiff::Timestamp::now());
    store.write(REPORT, page).await?;
    Ok(())
}

async fn write_failures(job: &Job, store: &Store, plan: &Plan, failures: &[Failure]) -> Result<(), CollectError> {
    let mut lines = String::new();
    for failure in failures {
        lines.push_str(&serde_json::to_string(failure)?);
        lines.push('\n');
    }
    if !plan.items.is_empty() {
        store.write(&job.run.failures_file(), lines.clone()).await?;
    }
    store.write(FAILURES, lines).await?;
    Ok(())
}

/// Every movie with regions in the output, sorted by path. A file that is no regions file is left out and said.
async fn read_movies(store: &Store) -> Result<Vec<MovieReport>, StoreError> {
    let names = store.names_below("", REGIONS_ENDING).await?;
    let with_curves = names.len() <= CURVES_LIMIT;
    let mut movies = Vec::with_capacity(names.len());
    for name in names {
        let Some(bytes) = store.read(&name).await? else { continue };
        let file: RegionsFile = match serde_json::from_slice(&bytes) {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%name, %error, "left out of the report: not a regions file of this version");
                continue;
            }
        };
        let rows_name = format!("{}_optical_flow.json", name.trim_end_matches(REGIONS_ENDING));
        let rows = if with_curves { read_rows(store, &rows_name).await? } else { None };
        let rows = rows.map(|file| file.frame_stats).unwrap_or_default();
        movies.push(MovieReport { path: file.movie.url.trim_start_matches('/').to_owned(), file, rows });
    }
    Ok(movies)
}

async fn read_rows(store: &Store, name: &str) -> Result<Option<OpticalFlowFile>, StoreError> {
    Ok(store.read(name).await?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// One line per static region: `mov_basename`, `date_time`, `start_frame`, `end_frame`, `scene_tag`.
fn regions_csv(movies: &[MovieReport]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["mov_basename", "date_time", "start_frame", "end_frame", "scene_tag"])?;
    for movie in movies {
        let stem = MoviePath::parse(&movie.path).map(|path| path.stem().to_owned()).unwrap_or_default();
        let time = date_time(&stem).unwrap_or_default();
        for region in movie.file.regions.iter().filter(|region| region.kind == motion::RegionKind::Static) {
            let (start, end) = (region.start_frame.to_string(), region.end_frame.to_string());
            // There is no scene tagger yet: the column stands so that readers of the published table go on working.
            table.write_record([stem.as_str(), &time, &start, &end, "unknown"])?;
        }
    }
    table.into_inner().map_err(|error| error.into_error().into())
}

/// `CAMHDA301-20180724T030000Z` -> `2018-07-24T03:00:00`; `None` where the name holds no time.
fn date_time(stem: &str) -> Option<String> {
    let is_time = |part: &&str| part.len() == 15 && part.as_bytes()[8] == b'T';
    let part = stem.split(|c: char| !c.is_ascii_digit() && c != 'T').find(is_time)?;
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", part).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_from_the_movies_name() {
        assert_eq!(date_time("CAMHDA301-20180724T030000Z").unwrap(), "2018-07-24T03:00:00");
        assert_eq!(date_time("CAMHDA301-20150716T010015Z_01").unwrap(), "2015-07-16T01:00:15");
        assert_eq!(date_time("CAMHDA301-20189924T030000Z"), None);
        assert_eq!(date_time("dive-7"), None);
    }
}
