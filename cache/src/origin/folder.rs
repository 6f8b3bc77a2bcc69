//! A folder of movies on this machine. Reads are on a thread that may block.

use std::{
    fs::{File, Metadata},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    path::PathBuf,
};

use frame::{DirectoryPath, MoviePath};

use super::{Identity, Origin, OriginError, Part, Piece};
use crate::listing::Listing;

/// An archive in a folder.
#[derive(Debug, Clone)]
pub struct FolderOrigin {
    root: PathBuf,
}

impl FolderOrigin {
    /// The archive below `root`.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Whether there is such a file.
    pub(super) async fn has(&self, path: &MoviePath) -> bool {
        let path = self.root.join(path.as_str());
        tokio::fs::metadata(path).await.is_ok_and(|metadata| metadata.is_file())
    }

    fn open(&self, path: &MoviePath) -> Result<(File, Metadata, PathBuf), OriginError> {
        let path = self.root.join(path.as_str());
        let opened = File::open(&path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
        match opened {
            Ok((file, metadata)) if metadata.is_file() => Ok((file, metadata, path)),
            Ok(_) => Err(OriginError::NotFound { url: path.display().to_string() }),
            Err(source) => Err(self.not_there(path, source)),
        }
    }

    /// Only below a root that is there can something be missing; without its mount, an archive is out of reach.
    fn not_there(&self, path: PathBuf, source: io::Error) -> OriginError {
        match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory if self.root.is_dir() => {
                OriginError::NotFound { url: path.display().to_string() }
            }
            _ => OriginError::Io { path, source },
        }
    }

    fn read_now(&self, path: &MoviePath, part: Part, expected: Option<&Identity>) -> Result<Piece, OriginError> {
        let (file, metadata, path) = self.open(path)?;
        let identity = identity_of(&metadata);
        if expected.is_some_and(|expected| *expected != identity) {
            return Err(OriginError::Changed { url: path.display().to_string() });
        }
        let size = identity.size;
        let range = match part {
            Part::Bytes(range) if expected.is_some() && range.end > size => {
                let url = path.display().to_string();
                return Err(OriginError::Short { url, wanted: range.end, got: size });
            }
            Part::Bytes(range) => range.start.min(size)..range.end.min(size),
            Part::Last(count) => size.saturating_sub(count)..size,
        };
        let bytes = read_at(file, &range).map_err(|source| OriginError::Io { path, source })?;
        Ok(Piece { offset: range.start, bytes: bytes.into(), identity })
    }

    fn list_now(&self, path: &DirectoryPath) -> Result<Listing, OriginError> {
        let path = self.root.join(path.as_str());
        let fail = |source| self.not_there(path.clone(), source);
        let mut listing = Listing::default();
        for entry in std::fs::read_dir(&path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // A link counts as what it leads to; a dangling one is not there.
            match std::fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_dir() => listing.directories.push(name),
                Ok(metadata) if metadata.is_file() => listing.files.push(name),
                _ => {}
            }
        }
        listing.sort();
        Ok(listing)
    }
}

/// By a copy, not a mapping of the file: who reads a mapping of a file that is cut meanwhile is killed, with all other
/// requests; and the copy is little beside what is made of it (docs/profiles.md). Nothing is filled with zeros that is then read over.
fn read_at(mut file: File, range: &Range<u64>) -> io::Result<Vec<u8>> {
    let length = range.end - range.start;
    let mut bytes = Vec::with_capacity(length as usize);
    file.seek(SeekFrom::Start(range.start))?;
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

#[async_trait::async_trait]
impl Origin for FolderOrigin {
    async fn read(&self, path: &MoviePath, part: Part, expected: Option<&Identity>) -> Result<Piece, OriginError> {
        let (origin, path, expected) = (self.clone(), path.clone(), expected.cloned());
        blocking(move || origin.read_now(&path, part, expected.as_ref())).await
    }

    async fn identity(&self, path: &MoviePath) -> Result<Identity, OriginError> {
        let (origin, path) = (self.clone(), path.clone());
        blocking(move || origin.open(&path).map(|(_, metadata, _)| identity_of(&metadata))).await
    }

    async fn list(&self, path: &DirectoryPath) -> Result<Listing, OriginError> {
        let (origin, path) = (self.clone(), path.clone());
        blocking(move || origin.list_now(&path)).await
    }

    fn url(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }

    fn is_local(&self) -> bool {
        true
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OriginError> + Send + 'static,
) -> Result<T, OriginError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(OriginError::Io { path: PathBuf::new(), source: io::Error::other(error) }),
    }
}

/// Size and time of change. No entity tag: it would differ from the one a web server gives the same file.
fn identity_of(metadata: &Metadata) -> Identity {
    let last_modified = metadata.modified().ok().map(httpdate::fmt_http_date);
    Identity { size: metadata.len(), etag: None, last_modified }
}
