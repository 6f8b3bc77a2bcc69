//! The archive as the worker sees it: folders, movies, frames. They come through a lazycache in this process, which
//! decodes here, or through a lazycache server, which decodes there.

mod ahead;
mod error;
mod pixels;
mod server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ahead::Ahead;
use bytes::Bytes;
use frame::{DirectoryPath, FrameNumber, MoviePath};
use futures::{
    Stream, StreamExt,
    stream::{self, FuturesOrdered},
};
use lazycache::{ErrorKind, Lazycache};
use plan::{SourceIdentity, cost::MovieSize};
use server::FrameServer;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

pub use error::{ServerError, SourceError};
pub use pixels::{Colours, Decoded, Greys, Pixels};

use crate::{item_error::ItemError, pictures::Pictures, result::MovieInfo};

/// Reads movies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Source(Way);

#[derive(Debug, Clone)]
enum Way {
    InProcess(Lazycache),
    Server(FrameServer),
}

/// An open movie. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Movie {
    facts: Arc<Facts>,
    /// Its index, where frames are decoded in this process.
    index: Option<Arc<lazycache::Movie>>,
    /// Taken of the frames that are decoded.
    pictures: Arc<Pictures>,
}

/// What is known of a movie.
#[derive(Debug, Clone)]
struct Facts {
    num_frames: u32,
    duration_seconds: f64,
    size: (u32, u32),
    url: String,
    cache_url: String,
    identity: SourceIdentity,
}

/// A frame as it came, before anything was computed.
#[derive(Debug)]
pub struct Fetched<P: Pixels> {
    /// Its number, 1-based.
    pub number: u32,
    /// How long it took to come, since it was asked for or since the one before it.
    pub took: Duration,
    pixels: P,
    came: Came<P::Image>,
}

#[derive(Debug)]
enum Came<T> {
    /// Compressed.
    Packet(Arc<lazycache::Movie>, Bytes),
    /// Decoded by a server.
    Image(Decoded<T>),
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
    /// The archive at `root`: an http(s) address, or a folder. Frames are decoded in this process.
    pub fn open(root: &str) -> Result<Self, SourceError> {
        Ok(Self(Way::InProcess(Lazycache::open(root)?)))
    }

    /// The archive at `root`, an http(s) address, through the lazycache server at `server`.
    pub fn through(server: &str, root: &str) -> Result<Self, SourceError> {
        Ok(Self(Way::Server(FrameServer::new(server, root)?)))
    }

    /// Fails when a frame server is not there, or does not serve the archive.
    pub async fn check(&self) -> Result<(), SourceError> {
        match &self.0 {
            Way::InProcess(_) => Ok(()),
            Way::Server(server) => Ok(server.check().await?),
        }
    }

    /// What `folder` (below the root, ending in `/` or empty) holds; `None` where there is no such folder.
    pub async fn list(&self, folder: &str) -> Result<Option<Listing>, SourceError> {
        let path = DirectoryPath::parse(folder).map_err(lazycache::Error::from)?;
        let listing = match &self.0 {
            Way::InProcess(cache) => cache
                .list(&path)
                .await
                .map(|found| Listing { files: found.files, folders: found.directories })
                .map_err(SourceError::from),
            Way::Server(server) => server.list(&path).await.map_err(SourceError::from),
        };
        match listing {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Which version of a movie there is now, without reading it.
    pub async fn identity(&self, path: &MoviePath) -> Result<SourceIdentity, SourceError> {
        match &self.0 {
            Way::InProcess(cache) => Ok(as_source(&cache.identity(path).await?)),
            Way::Server(server) => Ok(server.identity(path).await?),
        }
    }

    /// Opens a movie: its index is read.
    pub async fn movie(&self, path: &MoviePath) -> Result<Arc<Movie>, SourceError> {
        let movie = match &self.0 {
            Way::InProcess(cache) => Movie::in_process(cache.movie(path).await?),
            Way::Server(server) => Movie::new(server.movie(path).await?, None),
        };
        Ok(Arc::new(movie))
    }

    /// The frames `numbers` (1-based) of `movie` as `pixels`, in their order, `ahead` of them fetched before they are asked
    /// for, and more from an archive that answers late: a task of its own fetches, so that the archive sends while a core
    /// computes. Ends with the first error.
    pub fn frames<P: Pixels>(
        &self,
        movie: &Movie,
        numbers: Vec<u32>,
        pixels: P,
        ahead: usize,
    ) -> impl Stream<Item = Result<Fetched<P>, SourceError>> + Send + use<P> {
        let (sender, mut receiver) = mpsc::channel(ahead.max(1));
        let (source, movie) = (self.clone(), movie.clone());
        let task = tokio::spawn(async move {
            let mut frames = match &source.0 {
                Way::Server(server) if !server.is_one_by_one() => {
                    many(server.frames(&movie.facts, numbers, pixels), pixels).boxed()
                }
                _ => source.one_by_one(&movie, numbers, pixels, ahead).boxed(),
            };
            while let Some(frame) = frames.next().await {
                let failed = frame.is_err();
                if sender.send(frame).await.is_err() || failed {
                    return;
                }
            }
        });
        // Who drops the frames ends the fetching.
        let task = AbortOnDropHandle::new(task);
        stream::poll_fn(move |context| {
            let _ = &task;
            receiver.poll_recv(context)
        })
    }

    /// Frames that are asked for one by one, at least `least` at once.
    fn one_by_one<P: Pixels>(
        &self,
        movie: &Movie,
        numbers: Vec<u32>,
        pixels: P,
        least: usize,
    ) -> impl Stream<Item = Result<Fetched<P>, SourceError>> + Send + use<P> {
        let start = move |source: Self, movie: Movie, number| {
            let fetched = tokio::spawn(async move { source.fetch(&movie, number, pixels).await });
            AbortOnDropHandle::new(fetched)
        };
        let (source, movie) = (self.clone(), movie.clone());
        let state = (numbers.into_iter(), FuturesOrdered::new(), Ahead::new(least), Instant::now());
        stream::unfold(state, move |(mut numbers, mut coming, mut ahead, last)| {
            let more = ahead.frames().saturating_sub(coming.len());
            coming.extend(numbers.by_ref().take(more).map(|number| start(source.clone(), movie.clone(), number)));
            async move {
                let frame = match coming.next().await? {
                    Ok(frame) => frame,
                    Err(_) => Err(lazycache::Error::Panicked.into()),
                };
                let now = Instant::now();
                if let Ok(frame) = &frame {
                    ahead.came(frame.took, now - last);
                }
                Some((frame, (numbers, coming, ahead, now)))
            }
        })
    }

    /// One frame: one range read, or one request.
    pub async fn fetch<P: Pixels>(&self, movie: &Movie, number: u32, pixels: P) -> Result<Fetched<P>, SourceError> {
        let start = Instant::now();
        let came = match (&self.0, &movie.index) {
            (Way::InProcess(cache), Some(index)) => {
                let number = FrameNumber::new(number).map_err(lazycache::Error::from)?;
                Came::Packet(Arc::clone(index), cache.packet(index, number).await?)
            }
            (Way::InProcess(_), None) => {
                // A movie of another source; it has no bytes here.
                return Err(lazycache::Error::NoFrame { number, frames: 0 }.into());
            }
            (Way::Server(server), _) => Came::Image(server.frame(&movie.facts, number, pixels).await?),
        };
        Ok(Fetched { number, took: start.elapsed(), pixels, came })
    }
}

/// Frames that come one after the other, each with how long it was waited for.
fn many<P: Pixels>(
    frames: impl Stream<Item = Result<(u32, Decoded<P::Image>), ServerError>> + Send,
    pixels: P,
) -> impl Stream<Item = Result<Fetched<P>, SourceError>> + Send {
    let frames = Box::pin(frames);
    stream::unfold(frames, move |mut frames| async move {
        let start = Instant::now();
        let frame = frames.next().await?;
        let frame =
            frame.map(|(number, image)| Fetched { number, took: start.elapsed(), pixels, came: Came::Image(image) });
        Some((frame.map_err(SourceError::from), frames))
    })
}

impl<P: Pixels> Fetched<P> {
    /// The image, decoded if it must be. May burn a core; not for an async thread.
    pub fn decode(self) -> Result<Decoded<P::Image>, ItemError> {
        match self.came {
            Came::Image(image) => Ok(image),
            Came::Packet(movie, packet) => {
                let decoded = self.pixels.of_packet(&movie, &packet);
                decoded.map_err(|source| ItemError::Decode { frame: self.number, source: source.into() })
            }
        }
    }
}

impl Movie {
    fn in_process(index: Arc<lazycache::Movie>) -> Self {
        let facts = Facts {
            num_frames: index.num_frames(),
            duration_seconds: index.duration_seconds(),
            size: (index.width(), index.height()),
            url: index.url().to_owned(),
            cache_url: index.url().to_owned(),
            identity: as_source(index.identity()),
        };
        Self::new(facts, Some(index))
    }

    fn new(facts: Facts, index: Option<Arc<lazycache::Movie>>) -> Self {
        let pictures = Arc::new(Pictures::of(facts.num_frames));
        Self { facts: Arc::new(facts), index, pictures }
    }

    /// Pictures of it, for the report.
    pub fn pictures(&self) -> &Pictures {
        &self.pictures
    }

    /// Number of frames.
    pub fn num_frames(&self) -> u32 {
        self.facts.num_frames
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.facts.size
    }

    /// As far as its cost goes.
    pub fn cost_size(&self) -> MovieSize {
        let (width, height) = self.facts.size;
        MovieSize { frames: self.facts.num_frames, width, height }
    }

    /// Where it is in the archive.
    pub fn url(&self) -> &str {
        &self.facts.url
    }

    /// What makes its bytes this version.
    pub fn identity(&self) -> &SourceIdentity {
        &self.facts.identity
    }

    /// The movie as result files describe it.
    pub fn info(&self, path: &MoviePath) -> MovieInfo {
        MovieInfo {
            duration: self.facts.duration_seconds,
            num_frames: self.facts.num_frames,
            url: format!("/{path}"),
            cache_url: self.facts.cache_url.clone(),
        }
    }
}

fn as_source(identity: &lazycache::Identity) -> SourceIdentity {
    let lazycache::Identity { size, etag, last_modified } = identity.clone();
    SourceIdentity { size, etag, last_modified }
}
