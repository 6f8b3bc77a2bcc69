//! One archive: its folders, its movies' indexes (read once, kept), its frames.

mod group;

use std::sync::Arc;

use bytes::Bytes;
use frame::{DirectoryPath, Format, FrameAddress, FrameNumber, MirrorRoot, MoviePath, Rendition};
use moka::future::Cache;
use quicktime::{Probe, Step};
use url::Url;

use crate::{
    Error, Identity, Listing, Movie,
    encode::Encoded,
    origin::{FolderOrigin, HttpOrigin, Origin, OriginError, Part, Piece},
    render::{RenderTiming, render},
};

/// A new movie's index is looked for in the first and the last so many bytes, read at once: `moov` stands at either end.
const HEAD: u64 = 64 << 10;
const TAIL: u64 = 1 << 20;
/// More reads than this for one index are no movie.
const MAX_READS: usize = 16;
/// Indexes kept, weighed in frames (12 bytes each at the most).
const INDEX_FRAMES: u64 = 4 << 20;

/// One archive and what is known of its movies. Cheap to clone; clones share what they know.
#[derive(Debug, Clone)]
pub struct Lazycache {
    origin: Arc<dyn Origin>,
    indexes: Cache<MoviePath, Arc<Movie>>,
}

impl Lazycache {
    /// The archive at `root`: an http(s) address, a folder, or a folder's file address.
    pub fn open(root: &str) -> Result<Self, Error> {
        if root.starts_with("http://") || root.starts_with("https://") {
            let mirror = MirrorRoot::parse(root).map_err(|_| Error::Root { root: root.to_owned() })?;
            return Self::mirror(mirror);
        }
        let address = Url::parse(root).ok().filter(|address| address.scheme() == "file");
        let folder = address.and_then(|address| address.to_file_path().ok()).unwrap_or_else(|| root.into());
        if folder.is_dir() {
            return Ok(Self::over(Arc::new(FolderOrigin::new(folder))));
        }
        Err(Error::Root { root: root.to_owned() })
    }

    /// The archive at `root`.
    pub fn mirror(root: MirrorRoot) -> Result<Self, Error> {
        Ok(Self::over(Arc::new(HttpOrigin::new(root).map_err(Error::Client)?)))
    }

    fn over(origin: Arc<dyn Origin>) -> Self {
        let weight = |_: &MoviePath, movie: &Arc<Movie>| movie.num_frames().max(1);
        Self { origin, indexes: Cache::builder().max_capacity(INDEX_FRAMES).weigher(weight).build() }
    }

    /// What a folder holds.
    pub async fn list(&self, path: &DirectoryPath) -> Result<Listing, Error> {
        Ok(self.origin.list(path).await?)
    }

    /// Which version of a movie there is now, without reading it. An index of another version is forgotten.
    pub async fn identity(&self, path: &MoviePath) -> Result<Identity, Error> {
        let identity = self.origin.identity(path).await?;
        if self.indexes.get(path).await.is_some_and(|known| known.identity != identity) {
            self.indexes.invalidate(path).await;
        }
        Ok(identity)
    }

    /// Where a file is, for people and provenance.
    pub fn url(&self, path: &str) -> String {
        self.origin.url(path)
    }

    /// Opens a movie: two parallel reads the first time, none after. Callers that ask at once share the reads.
    pub async fn movie(&self, path: &MoviePath) -> Result<Arc<Movie>, Error> {
        let index = async { self.read_index(path).await.map(Arc::new) };
        self.indexes.try_get_with_by_ref(path, index).await.map_err(Error::Shared)
    }

    /// Opens a movie as it is now: where its index is known, the origin is asked whether it is still of this version.
    pub async fn fresh_movie(&self, path: &MoviePath) -> Result<Arc<Movie>, Error> {
        if self.indexes.contains_key(path) {
            self.identity(path).await?;
        }
        self.movie(path).await
    }

    /// The compressed bytes of a frame: exactly one range read. Of a frame that cannot be decoded alone, those of all it
    /// is decoded from, packed; a few reads.
    pub async fn packet(&self, movie: &Movie, number: FrameNumber) -> Result<Bytes, Error> {
        let frames = movie.num_frames();
        let range = movie.sample(number).ok_or(Error::NoFrame { number: number.get(), frames })?;
        if movie.builds_upon_others() {
            let samples = movie.group(number).unwrap_or_else(|| vec![range]);
            return group::read(self, movie, number, &samples).await;
        }
        self.bytes(movie, range).await
    }

    /// A stretch of a movie's file.
    async fn bytes(&self, movie: &Movie, range: std::ops::Range<u64>) -> Result<Bytes, Error> {
        match self.origin.read(&movie.path, Part::Bytes(range), Some(&movie.identity)).await {
            Ok(piece) => Ok(piece.bytes),
            Err(error) => {
                if matches!(error, OriginError::Changed { .. } | OriginError::NotFound { .. }) {
                    self.indexes.invalidate(&movie.path).await;
                }
                Err(error.into())
            }
        }
    }

    /// A frame as it is asked for: read, decoded, scaled, encoded.
    pub async fn frame(&self, address: &FrameAddress) -> Result<Encoded, Error> {
        let movie = self.movie(&address.movie).await?;
        let packet = self.packet(&movie, address.number).await?;
        Ok(Self::render(movie, packet, address.format, address.rendition).await?.0)
    }

    /// A packet as a picture: decoded, scaled, encoded, off the async threads. Also says how long the parts took.
    pub async fn render(
        movie: Arc<Movie>,
        packet: Bytes,
        format: Format,
        rendition: Rendition,
    ) -> Result<(Encoded, RenderTiming), Error> {
        let work = move || render(&movie, &packet, format, rendition);
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::Panicked)?
    }

    async fn read_index(&self, path: &MoviePath) -> Result<Movie, Error> {
        let (head, tail) = tokio::try_join!(
            self.origin.read(path, Part::Bytes(0..HEAD), None),
            self.origin.read(path, Part::Last(TAIL), None),
        )?;
        let identity = head.identity;
        if identity != tail.identity {
            return Err(OriginError::Changed { url: self.url(path.as_str()) }.into());
        }
        let mut probe = Probe::new(identity.size);
        probe.supply(head.offset, head.bytes.into());
        probe.supply(tail.offset, tail.bytes.into());
        let fail = |source| Error::Index { path: path.to_string(), source };
        for _ in 0..MAX_READS {
            match probe.step().map_err(fail)? {
                Step::Done(track) => {
                    return Ok(Movie { path: path.clone(), url: self.url(path.as_str()), identity, track: *track });
                }
                Step::Need(range) => {
                    let Piece { offset, bytes, .. } =
                        self.origin.read(path, Part::Bytes(range), Some(&identity)).await?;
                    probe.supply(offset, bytes.into());
                }
            }
        }
        Err(fail(quicktime::Error::NoIndex))
    }
}
