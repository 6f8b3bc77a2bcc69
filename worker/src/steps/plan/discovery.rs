//! The movies an AnalysisJob means, folder by folder in the order of the archive: only one folder's names are held.

use frame::MoviePath;
use jiff::civil::Date;
use plan::{Selection, selection::Folder};

use super::PlanStepError;
use crate::{
    job::{Job, Movies},
    source::Source,
};

/// Movies of a list are handed on so many at a time.
const CHUNK: usize = 1000;

/// A walk through the archive, or through a list.
pub(super) enum Discovery<'a> {
    Listed(std::slice::Chunks<'a, MoviePath>),
    Crawl(Crawl<'a>),
}

/// Folders are looked into depth first, in order of their names.
pub(super) struct Crawl<'a> {
    job: &'a Job,
    source: &'a Source,
    selection: &'a Selection,
    today: Date,
    /// The next one last.
    open: Vec<Folder>,
    left: u64,
    any_listed: bool,
    first_missing: Option<String>,
}

impl<'a> Discovery<'a> {
    pub(super) fn new(job: &'a Job, source: &'a Source, today: Date) -> Self {
        match &job.movies {
            Movies::Listed(items) => Self::Listed(items.chunks(CHUNK)),
            Movies::Selected(selection) => {
                let mut open = selection.folders(today);
                open.reverse();
                let left = selection.limit();
                Self::Crawl(Crawl { job, source, selection, today, open, left, any_listed: false, first_missing: None })
            }
        }
    }

    /// The next movies, all of one folder or of a list; `None` at the end. May be empty.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<MoviePath>>, PlanStepError> {
        match self {
            Self::Listed(chunks) => Ok(chunks.next().map(<[MoviePath]>::to_vec)),
            Self::Crawl(crawl) => crawl.next().await,
        }
    }
}

impl Crawl<'_> {
    async fn next(&mut self) -> Result<Option<Vec<MoviePath>>, PlanStepError> {
        let Some(Folder { path, recursive }) = self.open.pop().filter(|_| self.left > 0) else {
            return self.ended().map_or(Ok(None), Err);
        };
        let listed = self.source.list(&path).await;
        let fail = |source| PlanStepError::List { folder: format!("{}{path}", self.job.root), source };
        let Some(listing) = listed.map_err(fail)? else {
            self.first_missing.get_or_insert(path);
            return Ok(Some(Vec::new()));
        };
        self.any_listed = true;
        if recursive {
            let below = listing.folders.iter().rev().map(|name| Folder { path: format!("{path}{name}/"), recursive });
            self.open.extend(below);
        }
        let paths = listing.files.iter().map(|name| format!("{path}{name}"));
        let admitted = paths.filter(|path| self.selection.admits(path, self.today));
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let movies: Vec<_> = admitted.filter_map(|path| MoviePath::parse(&path).ok()).take(most).collect();
        self.left -= movies.len() as u64;
        Ok(Some(movies))
    }

    /// Days without movies are nothing unusual; when no folder at all exists, the prefix is wrong.
    fn ended(&mut self) -> Option<PlanStepError> {
        let path = self.first_missing.take().filter(|_| !self.any_listed)?;
        Some(PlanStepError::NoFolder { folder: format!("{}{path}", self.job.root) })
    }
}
