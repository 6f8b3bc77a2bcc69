//! One archive: its folders, its movies' indexes (read once, kept), its frames.

mod group;

use std::{ops::Range, path::PathBuf, sync::Arc, time::Instant};

use bytes::Bytes;
use frame::{DirectoryPath, Format, FrameAddress, FrameNumber, MirrorRoot, MoviePath, Rendition};
use moka::future::Cache;
use quicktime::{Probe, Step};
use url::Url;

use crate::{
    Error, ErrorKind, Identity, Listing, Movie,
    encode::Encoded,
    flight::Flights,
    metrics::Stage,
    origin::{
        BucketOrigin, BucketRoot, FolderOrigin, HttpOptions, HttpOrigin, Origin, OriginError, OverlayOrigin, Part,
        Piece,
    },
    reduced,
    render::{RenderTiming, render},
    resources::{Answer, Resources},
    tier::Key,
};

/// A new movie's index is looked for in the first and the last so many bytes, read at once: `moov` stands at either end.
const HEAD: u64 = 64 << 10;
const TAIL: u64 = 1 << 20;
/// More reads than this for one index are no movie.
const MAX_READS: usize = 16;
/// Indexes kept, weighed in frames (12 bytes each at the most).
const INDEX_FRAMES: u64 = 4 << 20;

/// Local copies of movies, preferred over the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// Where they are.
    pub folder: PathBuf,
    /// Whether they stand directly in the folder, whatever folders their movies stand in.
    pub flat: bool,
}

/// One archive and what is known of its movies. Cheap to clone; clones share what they know.
#[derive(Debug, Clone)]
pub struct Lazycache {
    origin: Arc<dyn Origin>,
    indexes: Cache<MoviePath, Arc<Movie>>,
    opening: Flights<Arc<Movie>>,
    resources: Resources,
}

impl Lazycache {
    /// The archive at `root`: an http(s) address, a bucket (`s3://bucket/prefix`), a folder, or a folder's file address.
    /// Nothing but indexes is kept, nothing is bounded.
    pub fn open(root: &str) -> Result<Self, Error> {
        Self::open_with(root, HttpOptions::default(), None, Resources::default())
    }

    /// The archive at `root`, asked as `options` say, with local copies before it, sharing `resources` with others.
    pub fn open_with(
        root: &str,
        options: HttpOptions,
        copies: Option<&Copies>,
        resources: Resources,
    ) -> Result<Self, Error> {
        let origin = open_origin(root, options, &resources)?;
        let origin: Arc<dyn Origin> = match copies {
            Some(Copies { folder, flat }) => {
                Arc::new(OverlayOrigin::new(FolderOrigin::new(folder.clone()), *flat, origin))
            }
            None => origin,
        };
        Ok(Self::over(origin, resources))
    }

    /// The archive at `root`.
    pub fn mirror(root: &MirrorRoot) -> Result<Self, Error> {
        Self::open_with(root.url().as_str(), HttpOptions::default(), None, Resources::default())
    }

    fn over(origin: Arc<dyn Origin>, resources: Resources) -> Self {
        let weight = |_: &MoviePath, movie: &Arc<Movie>| movie.num_frames().max(1);
        let indexes = Cache::builder().max_capacity(INDEX_FRAMES).weigher(weight).build();
        Self { origin, indexes, opening: Flights::default(), resources }
    }

    /// What a folder holds.
    pub async fn list(&self, path: &DirectoryPath) -> Result<Listing, Error> {
        Ok(self.origin.list(path).await?)
    }

    /// Which version of a movie there is now, without reading it. An index of another version is forgotten.
    pub async fn identity(&self, path: &MoviePath) -> Result<Identity, Error> {
        let identity = self.origin.identity(path).await?;
        if self.indexes.get(path).await.is_some_and(|known| known.identity != identity) {
            self.forget(path).await;
        }
        Ok(identity)
    }

    /// Where a file is, for people and provenance.
    pub fn url(&self, path: &str) -> String {
        self.origin.url(path)
    }

    /// What this archive shares with others.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Requests to the archive that wait and that are under way, where they are bounded.
    pub fn load(&self) -> (usize, usize) {
        self.origin.load().unwrap_or_default()
    }

    /// Opens a movie: two parallel reads the first time, none after. Callers that ask at once share the reads.
    pub async fn movie(&self, path: &MoviePath) -> Result<Arc<Movie>, Error> {
        if let Some(movie) = self.indexes.get(path).await {
            return Ok(movie);
        }
        let key = Key::index(&self.url(path.as_str()));
        let work = || {
            let (this, path) = (self.clone(), path.clone());
            async move {
                let movie = Arc::new(this.find_index(&path, key).await?);
                this.indexes.insert(path, Arc::clone(&movie)).await;
                Ok(movie)
            }
        };
        let (movie, joined) = self.opening.join(key, work).await;
        self.count_joined(joined, key);
        movie
    }

    /// Opens a movie as it is now: where its index is known, the origin is asked whether it is still of this version.
    pub async fn fresh_movie(&self, path: &MoviePath) -> Result<Arc<Movie>, Error> {
        if self.indexes.contains_key(path) {
            self.identity(path).await?;
        }
        self.movie(path).await
    }

    /// The compressed bytes of a frame: one range read, or none where they are kept. Of a frame that cannot be decoded
    /// alone, those of all it is decoded from, packed; a few reads. Callers that ask at once share them.
    pub async fn packet(&self, movie: &Movie, number: FrameNumber) -> Result<Bytes, Error> {
        let frames = movie.num_frames();
        let range = movie.sample(number).ok_or(Error::NoFrame { number: number.get(), frames })?;
        let wanted = if movie.builds_upon_others() {
            Wanted::Group(number, movie.group(number).unwrap_or_else(|| vec![(range, false)]))
        } else {
            Wanted::One(range)
        };
        let key = Key::packet(&movie.url, &movie.identity, number);
        let kept = self.keeps(movie);
        if kept && let Some(bytes) = self.resources.tiers.in_memory(&key).await {
            return Ok(bytes);
        }
        let work = || {
            let (this, path, identity) = (self.clone(), movie.path.clone(), movie.identity.clone());
            async move { this.fetch(&path, wanted, &identity, kept.then_some(key)).await }
        };
        let (bytes, joined) = self.resources.packets.join(key, work).await;
        self.count_joined(joined, key);
        bytes
    }

    async fn fetch(
        &self,
        path: &MoviePath,
        wanted: Wanted,
        identity: &Identity,
        kept: Option<Key>,
    ) -> Result<Bytes, Error> {
        if let Some(key) = kept
            && let Some(bytes) = self.resources.tiers.on_disk(&key).await
            && wanted.may_be(&bytes)
        {
            return Ok(bytes);
        }
        let bytes = match wanted {
            Wanted::One(range) => self.bytes(path, identity, range).await?,
            Wanted::Group(number, samples) => group::read(self, path, identity, number, &samples).await?,
        };
        if let Some(key) = kept {
            self.resources.tiers.put(key, &bytes, true).await;
        }
        Ok(bytes)
    }

    /// A stretch of a movie's file, from the origin.
    async fn bytes(&self, path: &MoviePath, identity: &Identity, range: Range<u64>) -> Result<Bytes, Error> {
        let start = Instant::now();
        match self.origin.read(path, Part::Bytes(range), Some(identity)).await {
            Ok(piece) => {
                self.resources.metrics.ran(Stage::Fetch, start.elapsed());
                Ok(piece.bytes)
            }
            Err(error) => {
                if matches!(error, OriginError::Changed { .. } | OriginError::NotFound { .. }) {
                    self.forget(path).await;
                }
                Err(error.into())
            }
        }
    }

    /// Drops the index of a movie that is no longer what it was. What was kept of its frames is named by the old version,
    /// and no longer asked for.
    async fn forget(&self, path: &MoviePath) {
        self.indexes.invalidate(path).await;
        self.resources.tiers.remove(&Key::index(&self.url(path.as_str()))).await;
    }

    /// Whether bytes of this movie are worth keeping, and safe to keep.
    fn keeps(&self, movie: &Movie) -> bool {
        !self.origin.is_local() && movie.identity.tells_versions_apart()
    }

    fn count_joined(&self, joined: bool, key: Key) {
        if joined {
            self.resources.metrics.joined(key.what);
        }
    }

    /// A frame as it is asked for: read, decoded, scaled, encoded.
    pub async fn frame(&self, address: &FrameAddress) -> Result<Encoded, Error> {
        let movie = self.movie(&address.movie).await?;
        Ok(self.answer(&movie, address.number, address.format, address.rendition).await?.0)
    }

    /// A frame of an open movie as it is asked for, from what is kept or made anew. Also says how long the parts took; what
    /// was kept took none. Callers that ask for the same at once share one decode; when all of them have gone, work that has
    /// not begun does not begin.
    ///
    /// What the reduced decoder left to the full one is not kept: the name of an answer says which of them made it.
    pub async fn answer(
        &self,
        movie: &Arc<Movie>,
        number: FrameNumber,
        format: Format,
        rendition: Rendition,
    ) -> Result<(Encoded, RenderTiming), Error> {
        let rendition = reduced::settled(movie, rendition);
        let key = Key::answer(&movie.url, &movie.identity, number, format, &rendition);
        let kept = movie.identity.tells_versions_apart();
        if kept && let Some(bytes) = self.resources.tiers.in_memory(&key).await {
            let timing = RenderTiming::of_kept(rendition.decoder);
            return Ok((Encoded { bytes, content_type: format.content_type() }, timing));
        }
        let work = || {
            let (this, movie) = (self.clone(), Arc::clone(movie));
            async move { this.make(movie, number, format, rendition, kept.then_some(key)).await }
        };
        let (answer, joined) = self.resources.answers.join(key, work).await;
        self.count_joined(joined, key);
        let answer = answer?;
        let timing = answer.timing;
        Ok((answer.held(), timing))
    }

    async fn make(
        &self,
        movie: Arc<Movie>,
        number: FrameNumber,
        format: Format,
        rendition: Rendition,
        kept: Option<Key>,
    ) -> Result<Answer, Error> {
        let tiers = &self.resources.tiers;
        let decoder = rendition.decoder;
        if let Some(key) = kept
            && let Some(bytes) = tiers.on_disk(&key).await
        {
            let encoded = Encoded { bytes, content_type: format.content_type() };
            return Ok(Answer { encoded, timing: RenderTiming::of_kept(decoder), room: None });
        }
        let mut room = self.resources.room(room_for(&movie, number)).await?;
        let packet = self.packet(&movie, number).await?;
        let packet_bytes = packet.len();
        let place = self.resources.decodes.enter().await?;
        let metrics = Arc::clone(&self.resources.metrics);
        let work = move || {
            // The place is held until the decode ends: whoever goes away meanwhile makes no room for one more beside it.
            let _place = place;
            let made = render(&movie, &packet, format, rendition);
            if let Ok((_, timing)) = &made {
                metrics.ran(Stage::Decode, timing.extraction);
                metrics.ran(Stage::Encode, timing.encode);
            }
            made
        };
        let (encoded, timing) = tokio::task::spawn_blocking(work).await.map_err(|_| Error::Panicked)??;
        room.shrink_to(encoded.bytes.len() as u64);
        let small = encoded.bytes.len() <= packet_bytes;
        // What is kept was made by the decoder its movie's frames are made by; of another one nobody would know.
        let kept = kept.filter(|_| timing.decoder == decoder);
        // Pixels are ten times a packet and a decode away from it: only what is costly to make, or small, is worth keeping.
        let worth = small || matches!(format, Format::Png | Format::Jpeg);
        if let Some(key) = kept.filter(|_| worth) {
            tiers.put(key, &encoded.bytes, small).await;
        }
        Ok(Answer { encoded, timing, room: Some(Arc::new(room)) })
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

    /// The index of a movie: kept, if the origin still has this version, or does not say; else read.
    async fn find_index(&self, path: &MoviePath, key: Key) -> Result<Movie, Error> {
        if let Some(movie) = self.kept_index(path, &key).await {
            match self.origin.identity(path).await {
                Ok(identity) if identity == movie.identity => return Ok(movie),
                // What is kept is all there is while the origin is silent.
                Err(error) if error.kind() == ErrorKind::OriginUnavailable => return Ok(movie),
                Ok(_) | Err(_) => self.resources.tiers.remove(&key).await,
            }
        }
        let start = Instant::now();
        let (movie, index) = self.read_index(path).await?;
        self.resources.metrics.ran(Stage::Index, start.elapsed());
        if self.resources.tiers.has_disk() && self.keeps(&movie) {
            self.resources.tiers.put_on_disk(key, kept_form(&movie.identity, &index));
        }
        Ok(movie)
    }

    /// What an earlier process left; checked anew as if it came from the origin.
    async fn kept_index(&self, path: &MoviePath, key: &Key) -> Option<Movie> {
        let kept = self.resources.tiers.only_on_disk(key).await?;
        let end = kept.iter().position(|byte| *byte == b'\n')?;
        let identity: Identity = serde_json::from_slice(&kept[..end]).ok()?;
        let track = quicktime::Movie::read(&kept[end + 1..], identity.size).ok()?;
        Some(Movie { path: path.clone(), url: self.url(path.as_str()), identity, track })
    }

    /// Reads a movie's index from the origin. Also gives its bytes, the body of `moov`.
    async fn read_index(&self, path: &MoviePath) -> Result<(Movie, Vec<u8>), Error> {
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
                    let index = probe.index().unwrap_or_default().to_vec();
                    let (path, url) = (path.clone(), self.url(path.as_str()));
                    return Ok((Movie { path, url, identity, track: *track }, index));
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

/// What a frame is decoded from.
enum Wanted {
    /// Its own sample.
    One(Range<u64>),
    /// The samples of all it is decoded from, in decoding order, and of each whether it is decoded in passing.
    Group(FrameNumber, Vec<(Range<u64>, bool)>),
}

impl Wanted {
    /// Whether what is kept under its name can be it.
    fn may_be(&self, bytes: &Bytes) -> bool {
        match self {
            Self::One(range) => bytes.len() as u64 == range.end - range.start,
            Self::Group(..) => !bytes.is_empty(),
        }
    }
}

/// The origin at `root`.
fn open_origin(root: &str, options: HttpOptions, resources: &Resources) -> Result<Arc<dyn Origin>, Error> {
    let metrics = Arc::clone(&resources.metrics);
    let unknown = || Error::Root { root: root.to_owned() };
    if root.starts_with("http://") || root.starts_with("https://") {
        let mirror = MirrorRoot::parse(root).map_err(|_| unknown())?;
        return Ok(Arc::new(HttpOrigin::new(mirror, options, metrics).map_err(Error::Client)?));
    }
    if root.starts_with("s3://") {
        let root = BucketRoot::parse(root).ok_or_else(unknown)?;
        return Ok(Arc::new(BucketOrigin::new(root, &options, metrics)?));
    }
    let address = Url::parse(root).ok().filter(|address| address.scheme() == "file");
    let folder = address.and_then(|address| address.to_file_path().ok()).unwrap_or_else(|| root.into());
    if folder.is_dir() { Ok(Arc::new(FolderOrigin::new(folder))) } else { Err(unknown()) }
}

/// How an index is kept: its version as one line of JSON, then the body of `moov`.
fn kept_form(identity: &Identity, index: &[u8]) -> Bytes {
    let mut bytes = serde_json::to_vec(identity).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(index);
    bytes.into()
}

/// Bytes that making an answer may take: the packets, the decoded planes (4 bytes a pixel), colours and answer (4).
fn room_for(movie: &Movie, number: FrameNumber) -> u64 {
    let length = |range: Range<u64>| range.end - range.start;
    let group = movie.builds_upon_others().then(|| movie.group(number)).flatten();
    let packets = group.map_or_else(
        || movie.sample(number).map_or(0, length),
        |group| group.into_iter().map(|(range, _)| length(range)).sum(),
    );
    packets + u64::from(movie.width()) * u64::from(movie.height()) * 8
}
