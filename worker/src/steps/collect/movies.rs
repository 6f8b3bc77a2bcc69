//! Which movies have results in an output, and what those say.

use std::collections::BTreeMap;

use bytes::Bytes;
use plan::names::RUNS_FOLDER;

use crate::{
    pictures,
    report::{self, overview::Overview},
    store::{Store, StoreError},
};

const OPTICAL_FLOW: &str = "_optical_flow.json";
const REGIONS: &str = "_optical_flow_regions.json";
const FRAME_STATISTICS: &str = "_frame_statistics.json";

/// The result files of one movie, by their names in the output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The rows: optical flow, else frame statistics.
    pub rows: Option<String>,
    /// The regions.
    pub regions: Option<String>,
    /// Small pictures.
    pub pictures: Option<String>,
}

/// Every movie that has a result, sorted by path.
pub async fn find(store: &Store) -> Result<Vec<Found>, StoreError> {
    Ok(sorted(store.names_below("", "").await?))
}

fn sorted(names: Vec<String>) -> Vec<Found> {
    let mut movies = BTreeMap::<String, Found>::new();
    let ours = [RUNS_FOLDER, report::FOLDER];
    for name in names {
        if name.split_once('/').is_some_and(|(folder, _)| ours.contains(&folder)) {
            continue;
        }
        let of = |ending: &str| name.strip_suffix(ending).map(str::to_owned);
        if let Some(base) = of(OPTICAL_FLOW) {
            movies.entry(base).or_default().rows = Some(name);
        } else if let Some(base) = of(REGIONS) {
            movies.entry(base).or_default().regions = Some(name);
        } else if let Some(base) = of(FRAME_STATISTICS) {
            movies.entry(base).or_default().rows.get_or_insert(name);
        } else if let Some(base) = of(pictures::ENDING) {
            movies.entry(base).or_default().pictures = Some(name);
        }
    }
    movies.into_values().filter(|found| found.rows.is_some() || found.regions.is_some()).collect()
}

/// Reads a movie's results. What is no result file is left out and said.
pub async fn read(store: &Store, found: &Found) -> Result<Option<Overview>, StoreError> {
    let (rows, regions) =
        (content(store, found.rows.as_deref()).await?, content(store, found.regions.as_deref()).await?);
    // A task of its own: a movie has a megabyte of rows, and the cores are idle.
    let parsed = tokio::spawn(async move { Overview::read(rows.as_deref(), regions.as_deref()) }).await;
    match parsed {
        Ok(Ok(overview)) => Ok(overview),
        Ok(Err(error)) => {
            let name = found.rows.as_ref().or(found.regions.as_ref());
            tracing::warn!(?name, %error, "left out of the report: not a result file of this version");
            Ok(None)
        }
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends; so does who asks.
            Err(_) => Ok(None),
        },
    }
}

async fn content(store: &Store, name: Option<&str>) -> Result<Option<Bytes>, StoreError> {
    match name {
        Some(name) => store.read(name).await,
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_movie_come_together_and_others_are_left() {
        let names = [
            ".analysis/1-a/x_optical_flow.json",
            "A/X_optical_flow_regions.json",
            "A/X_frames.jpg",
            "A/X_frame_statistics.json",
            "A/X_optical_flow.json",
            "A/Y_frame_statistics.json",
            "A/Z_frames.jpg",
            "README.md",
            "report/0002.js",
        ];
        let (x, y) = (
            Found {
                rows: Some("A/X_optical_flow.json".into()),
                regions: Some("A/X_optical_flow_regions.json".into()),
                pictures: Some("A/X_frames.jpg".into()),
            },
            Found { rows: Some("A/Y_frame_statistics.json".into()), ..Found::default() },
        );
        assert_eq!(sorted(names.map(str::to_owned).to_vec()), [x, y]);
    }
}
