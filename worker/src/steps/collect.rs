//! Collect: from all results that stand in the output to `regions.csv`, `failures.jsonl` and `report.html`.

pub mod truth;

use frame::MoviePath;
use futures::{StreamExt, stream};
use plan::Failure;

use crate::{
    job::Job,
    report::{self, MovieReport, Totals},
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
/// Timelines are drawn of so many movies; the totals and the table hold all.
const SHOWN_LIMIT: usize = 1000;
/// So many results are read at once.
const AT_ONCE: usize = 16;

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

/// Writes `failures`, a line each, under `name` beside the run's papers and as those of the newest run.
pub async fn write_failures(store: &Store, name: &str, failures: &[Failure]) -> Result<(), CollectError> {
    Ok(store.write(name, failure_lines(failures)?).await?)
}

/// Writes what is made from all results together. `failures` are those of the newest run.
pub async fn collect(job: &Job, store: &Store, failures: &[Failure]) -> Result<(), CollectError> {
    write_failures(store, FAILURES, failures).await?;
    let names = store.names_below("", REGIONS_ENDING).await?;
    let with_curves = names.len() <= CURVES_LIMIT;
    let mut gathered = Gathered::new()?;
    let mut movies = stream::iter(names).map(|name| read_movie(store, name, with_curves)).buffered(AT_ONCE);
    while let Some(movie) = movies.next().await {
        if let Some(movie) = movie? {
            gathered.add(movie)?;
        }
    }
    let Gathered { table, totals, shown } = gathered;
    store.write(REGIONS_CSV, finish(table)?).await?;
    let page = report::page(&job.name, &totals, &shown, failures, jiff::Timestamp::now());
    store.write(REPORT, page).await?;
    Ok(())
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

/// What is gathered over the movies, one at a time: their number does not decide how much memory it takes.
struct Gathered {
    table: csv::Writer<Vec<u8>>,
    totals: Totals,
    shown: Vec<MovieReport>,
}

impl Gathered {
    fn new() -> Result<Self, csv::Error> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["mov_basename", "date_time", "start_frame", "end_frame", "scene_tag"])?;
        Ok(Self { table, totals: Totals::default(), shown: Vec::new() })
    }

    fn add(&mut self, movie: MovieReport) -> Result<(), csv::Error> {
        self.totals.add(&movie.file);
        add_rows(&mut self.table, &movie)?;
        if self.shown.len() < SHOWN_LIMIT {
            self.shown.push(movie);
        }
        Ok(())
    }
}

/// A movie with regions. A file that is no regions file is left out and said.
async fn read_movie(store: &Store, name: String, with_curves: bool) -> Result<Option<MovieReport>, StoreError> {
    let Some(bytes) = store.read(&name).await? else { return Ok(None) };
    let file: RegionsFile = match serde_json::from_slice(&bytes) {
        Ok(file) => file,
        Err(error) => {
            tracing::warn!(%name, %error, "left out of the report: not a regions file of this version");
            return Ok(None);
        }
    };
    let rows_name = format!("{}_optical_flow.json", name.trim_end_matches(REGIONS_ENDING));
    let rows = if with_curves { read_rows(store, &rows_name).await? } else { None };
    let rows = rows.map(|file| file.frame_stats).unwrap_or_default();
    Ok(Some(MovieReport { path: file.movie.url.trim_start_matches('/').to_owned(), file, rows }))
}

async fn read_rows(store: &Store, name: &str) -> Result<Option<OpticalFlowFile>, StoreError> {
    Ok(store.read(name).await?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// One line per static region: `mov_basename`, `date_time`, `start_frame`, `end_frame`, `scene_tag`.
fn add_rows(table: &mut csv::Writer<Vec<u8>>, movie: &MovieReport) -> Result<(), csv::Error> {
    let stem = MoviePath::parse(&movie.path).map(|path| path.stem().to_owned()).unwrap_or_default();
    let time = date_time(&stem).unwrap_or_default();
    for region in movie.file.regions.iter().filter(|region| region.kind == motion::RegionKind::Static) {
        let (start, end) = (region.start_frame.to_string(), region.end_frame.to_string());
        // There is no scene tagger yet: the column stands so that readers of the published table go on working.
        table.write_record([stem.as_str(), &time, &start, &end, "unknown"])?;
    }
    Ok(())
}

fn finish(table: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, csv::Error> {
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
