//! Local copies of movies before an archive: what is there is read from there.

use std::sync::Arc;

use frame::{DirectoryPath, MoviePath};

use super::{FolderOrigin, Identity, Origin, OriginError, Part, Piece};
use crate::listing::Listing;

/// A folder of copies before another origin. A copy is a version of its own: when it comes or goes while a movie is read,
/// the movie has changed. Folders are listed as the archive has them.
#[derive(Debug)]
pub struct OverlayOrigin {
    copies: FolderOrigin,
    /// Copies stand directly in the folder, whatever folders their movies stand in.
    flat: bool,
    archive: Arc<dyn Origin>,
}

impl OverlayOrigin {
    /// `copies` before `archive`.
    pub fn new(copies: FolderOrigin, flat: bool, archive: Arc<dyn Origin>) -> Self {
        Self { copies, flat, archive }
    }

    /// Where a copy would stand, if there is one.
    async fn copy_of(&self, path: &MoviePath) -> Option<MoviePath> {
        let copy = if self.flat { MoviePath::parse(path.file_name()).ok()? } else { path.clone() };
        self.copies.has(&copy).await.then_some(copy)
    }
}

#[async_trait::async_trait]
impl Origin for OverlayOrigin {
    async fn read(&self, path: &MoviePath, part: Part, expected: Option<&Identity>) -> Result<Piece, OriginError> {
        match self.copy_of(path).await {
            Some(copy) => self.copies.read(&copy, part, expected).await,
            None => self.archive.read(path, part, expected).await,
        }
    }

    async fn identity(&self, path: &MoviePath) -> Result<Identity, OriginError> {
        match self.copy_of(path).await {
            Some(copy) => self.copies.identity(&copy).await,
            None => self.archive.identity(path).await,
        }
    }

    async fn list(&self, path: &DirectoryPath) -> Result<Listing, OriginError> {
        self.archive.list(path).await
    }

    fn url(&self, path: &str) -> String {
        self.archive.url(path)
    }

    fn load(&self) -> Option<(usize, usize)> {
        self.archive.load()
    }
}
