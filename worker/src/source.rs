//! The archive as the worker sees it: folders, movies, packets, grey images. Today lazycache runs in process.

use std::sync::Arc;

use bytes::Bytes;
use frame::{DirectoryPath, FrameNumber, MoviePath};
use lazycache::Lazycache;
use motion::Grey;
use plan::SourceIdentity;

use crate::{item_error::ItemError, result::MovieInfo};

/// Reads movies through a lazycache in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Source {
    cache: Lazycache,
}

/// An open movie.
#[derive(Debug)]
pub struct Movie {
    inner: Arc<lazycache::Movie>,
}

/// What a folder of the archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// File names, sorted.
    pub files: Vec<String>,
    /// Folder names without a slash, sorted.
    pub folders: Vec<String>,
}

impl Source {
    /// The archive at `root`: an http(s) address, or a folder.
    pub fn open(root: &str) -> Result<Self, lazycache::Error> {
        Ok(Self { cache: Lazycache::open(root)? })
    }

    /// What `folder` (below the root, ending in `/` or empty) holds; `None` where there is no such folder.
    pub async fn list(&self, folder: &str) -> Result<Option<Listing>, lazycache::Error> {
        let path = DirectoryPath::parse(folder)?;
        match self.cache.list(&path).await {
            Ok(found) => Ok(Some(Listing { files: found.files, folders: found.directories })),
            Err(error) if error.kind() == lazycache::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Which version of a movie there is now, without reading it.
    pub async fn identity(&self, path: &MoviePath) -> Result<SourceIdentity, lazycache::Error> {
        Ok(as_source(&self.cache.identity(path).await?))
    }

    /// Opens a movie: reads its index.
    pub async fn movie(&self, path: &MoviePath) -> Result<Arc<Movie>, lazycache::Error> {
        Ok(Arc::new(Movie { inner: self.cache.movie(path).await? }))
    }

    /// The compressed bytes of frame `number` (1-based): one range read.
    pub async fn packet(&self, movie: &Movie, number: u32) -> Result<Bytes, ItemError> {
        let number = FrameNumber::new(number).map_err(lazycache::Error::from)?;
        Ok(self.cache.packet(&movie.inner, number).await?)
    }
}

impl Movie {
    /// Number of frames.
    pub fn num_frames(&self) -> u32 {
        self.inner.num_frames()
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.inner.width(), self.inner.height())
    }

    /// Where it is read from.
    pub fn url(&self) -> &str {
        self.inner.url()
    }

    /// What makes its bytes this version.
    pub fn identity(&self) -> SourceIdentity {
        as_source(self.inner.identity())
    }

    /// The movie as result files describe it.
    pub fn info(&self, path: &MoviePath) -> MovieInfo {
        MovieInfo {
            duration: self.inner.duration_seconds(),
            num_frames: self.num_frames(),
            url: format!("/{path}"),
            cache_url: self.url().to_owned(),
        }
    }
}

fn as_source(identity: &lazycache::Identity) -> SourceIdentity {
    let lazycache::Identity { size, etag, last_modified } = identity.clone();
    SourceIdentity { size, etag, last_modified }
}

/// Decodes a packet to a grey image, reduced by `reduction` in both directions. Burns a core; not for an async thread.
pub fn grey(movie: &Movie, number: u32, packet: &[u8], reduction: u32) -> Result<Grey, ItemError> {
    let image = lazycache::decode::grey(&movie.inner, packet, reduction)
        .map_err(|error| ItemError::Decode { frame: number, source: error.into() })?;
    Ok(Grey { width: image.width, height: image.height, data: image.data })
}
