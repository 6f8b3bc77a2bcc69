//! `analysis-worker report DIR`: the report and the tables of a folder of results, made anew.

use std::path::{Path, PathBuf};

use plan::exit;

use crate::{
    steps::collect::{CollectError, FAILURES, REPORT, gather, movies::find, package::PACKAGE, truth::read_failures},
    store::{Store, StoreError},
};

/// Shown below the help of `report`.
pub const EXAMPLES: &str = "\
Examples:
  analysis-worker report results/ashes
  analysis-worker report /mnt/results --name ashes-2018

Exit codes:
  0   the report is written
  2   the command line was not understood
  69  the folder could not be read or written
  78  there is no such folder, or no result in it";

/// What it is told.
#[derive(Debug, Clone, clap::Args)]
pub struct ReportArguments {
    /// Folder with results: that of `run --output`, or a copy of a job's output.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The report's title [default: that of the report that is there, else the folder's name].
    #[arg(long, env = "ANALYSIS_REPORT_NAME", value_name = "NAME")]
    pub name: Option<String>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder is not there.
    #[error("there is no folder {}: give the one that `run --output` wrote to", .folder.display())]
    NoFolder {
        /// As given.
        folder: PathBuf,
    },
    /// The folder is another's.
    #[error(
        "there is no result in {}: no file below it is named STEM_optical_flow.json or STEM_frame_statistics.json",
        .folder.display()
    )]
    NoResults {
        /// As given.
        folder: PathBuf,
    },
    /// The folder could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The report could not be written.
    #[error(transparent)]
    Collect(#[from] CollectError),
}

impl ReportError {
    /// The exit code (see `plan::exit`).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoFolder { .. } | Self::NoResults { .. } => exit::CONFIGURATION,
            Self::Store(_) | Self::Collect(_) => exit::UNAVAILABLE,
        }
    }
}

/// Writes the report and the tables; `failures.jsonl` stays what it is, and is shown. Gives the page's path and how many
/// movies have results.
pub async fn report(arguments: &ReportArguments) -> Result<(PathBuf, usize), ReportError> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        return Err(ReportError::NoFolder { folder: folder.clone() });
    }
    let store = Store::share_folder(folder.clone())?;
    let found = find(&store).await?;
    if found.is_empty() {
        return Err(ReportError::NoResults { folder: folder.clone() });
    }
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => name_before(&store).await?.unwrap_or_else(|| name_of(folder)),
    };
    let failures: Vec<_> = read_failures(&store, FAILURES).await?.into_values().collect();
    gather(&name, &store, &found, &failures).await?;
    Ok((folder.join(REPORT), found.len()))
}

/// The name in the description of the tables, where one stands.
async fn name_before(store: &Store) -> Result<Option<String>, StoreError> {
    let bytes = store.read(PACKAGE).await?.unwrap_or_default();
    let package: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    Ok(package.and_then(|package| package["name"].as_str().map(str::to_owned)))
}

fn name_of(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.file_name().map_or_else(|| "results".to_owned(), |name| name.to_string_lossy().into_owned())
}
