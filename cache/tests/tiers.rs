//! What is kept, where, and what becomes of it: in memory, on disk, across restarts, and when the disk is sick.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::path::{Path, PathBuf};

use archive::{Fault, Movie, Rule, Server};
use frame::{Format, FrameAddress, FrameNumber, MoviePath, Rendition};
use lazycache::{
    ErrorKind, HttpOptions, Lazycache, Resources, Settings,
    metrics::{DiskTrouble, Stage, Tier},
    tier::{DiskSettings, What},
};

const NAME: &str = "X.mov";

struct Lab {
    folder: tempfile::TempDir,
    server: Server,
}

fn lab() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    let lab = Lab { server: Server::start(folder.path()).unwrap(), folder };
    lab.render(8);
    lab
}

impl Lab {
    fn render(&self, frames: u32) {
        let movie = Movie { frames, size: (320, 180), plume: 0.0, ..Movie::default() };
        movie.render(&self.folder.path().join(NAME)).unwrap();
    }

    fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// A cache as a new process has it.
    fn cache(&self, memory: u64, disk: Option<u64>) -> Lazycache {
        let disk = disk.map(|bytes| DiskSettings { folder: self.disk(), bytes });
        let resources = Resources::new(Settings { memory, disk, ..Settings::default() });
        Lazycache::open_with(&self.server.url(), HttpOptions::default(), None, resources).unwrap()
    }
}

fn path() -> MoviePath {
    MoviePath::parse(NAME).unwrap()
}

fn number(number: u32) -> FrameNumber {
    FrameNumber::new(number).unwrap()
}

fn address(number: u32, format: Format) -> FrameAddress {
    let number = FrameNumber::new(number).unwrap();
    FrameAddress { movie: path(), number, format, rendition: Rendition::default() }
}

async fn packet(cache: &Lazycache, frame: u32) -> Result<bytes::Bytes, lazycache::Error> {
    let movie = cache.movie(&path()).await?;
    cache.packet(&movie, number(frame)).await
}

fn runs(cache: &Lazycache, stage: Stage) -> u64 {
    cache.resources().metrics().runs(stage)
}

fn hits(cache: &Lazycache, tier: Tier, what: What) -> u64 {
    cache.resources().metrics().hits(tier, what)
}

/// Every file of the disk tier that holds an entry of this kind.
fn entries(root: &Path, what: What) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root.join("v1").join(what.as_str())).into_iter().flatten() {
        found.extend(std::fs::read_dir(folder.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    found
}

#[tokio::test]
async fn a_repeat_costs_no_request_and_a_packet_serves_every_format() {
    let lab = lab();
    let cache = lab.cache(64 << 20, None);
    let first = cache.frame(&address(2, Format::Png)).await.unwrap();
    lab.server.reset_counts();
    assert_eq!(cache.frame(&address(2, Format::Png)).await.unwrap(), first);
    assert_eq!(runs(&cache, Stage::Decode), 1, "the answer was kept");
    cache.frame(&address(2, Format::Jpeg)).await.unwrap();
    assert_eq!((lab.server.counts().requests, runs(&cache, Stage::Decode)), (0, 2), "the packet was kept");
}

#[tokio::test]
async fn a_hundred_equal_requests_at_once_are_one_fetch_and_one_decode() {
    let lab = lab();
    let cache = lab.cache(0, None);
    cache.movie(&path()).await.unwrap();
    lab.server.reset_counts();
    lab.server.inject(Rule::on(NAME, Fault::Delay { ms: 100 }));
    let address = address(3, Format::Jpeg);
    let answers = futures::future::join_all((0..100).map(|_| cache.frame(&address))).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!((lab.server.counts().requests, runs(&cache, Stage::Decode)), (1, 1));
}

#[tokio::test]
async fn pixels_are_not_kept_where_the_packet_is() {
    let lab = lab();
    let cache = lab.cache(64 << 20, None);
    for _ in 0..2 {
        cache.frame(&address(1, Format::Bmp)).await.unwrap();
    }
    assert_eq!((runs(&cache, Stage::Fetch), runs(&cache, Stage::Decode)), (1, 2));
}

#[tokio::test]
async fn a_restart_is_warm_and_asks_only_whether_the_movie_is_the_same() {
    let lab = lab();
    let before = lab.cache(0, Some(64 << 20));
    let jpeg = before.frame(&address(2, Format::Jpeg)).await.unwrap();
    let packet_before = packet(&before, 5).await.unwrap();
    before.resources().tiers().flush().await;
    drop(before);
    lab.server.reset_counts();
    let after = lab.cache(0, Some(64 << 20));
    assert_eq!(after.frame(&address(2, Format::Jpeg)).await.unwrap(), jpeg);
    assert_eq!(packet(&after, 5).await.unwrap(), packet_before);
    let counts = lab.server.counts();
    assert_eq!((counts.requests, counts.bytes), (1, 0), "one question, no byte: {counts:?}");
    assert_eq!(hits(&after, Tier::Disk, What::Index), 1);
}

#[tokio::test]
async fn what_is_on_disk_is_served_while_the_origin_is_away_and_not_when_the_movie_has_changed() {
    let lab = lab();
    let before = lab.cache(0, Some(64 << 20));
    let kept = packet(&before, 2).await.unwrap();
    before.resources().tiers().flush().await;
    lab.server.set_down(true);
    let away = lab.cache(0, Some(64 << 20));
    assert_eq!(packet(&away, 2).await.unwrap(), kept);
    assert_eq!(packet(&away, 3).await.unwrap_err().kind(), ErrorKind::OriginUnavailable);
    lab.server.set_down(false);
    lab.render(6);
    let changed = lab.cache(0, Some(64 << 20));
    assert_eq!(changed.movie(&path()).await.unwrap().num_frames(), 6);
    assert_eq!(hits(&changed, Tier::Disk, What::Packet), 0);
}

#[tokio::test]
async fn a_damaged_entry_is_read_anew_and_mended() {
    let lab = lab();
    let before = lab.cache(0, Some(64 << 20));
    let sound = packet(&before, 2).await.unwrap();
    before.resources().tiers().flush().await;
    drop(before);
    for (what, damage) in [("a bit", 0), ("cut", 1), ("empty", 2)] {
        for file in [entries(&lab.disk(), What::Packet), entries(&lab.disk(), What::Index)].concat() {
            let mut bytes = std::fs::read(&file).unwrap();
            match damage {
                0 => *bytes.last_mut().unwrap() ^= 1,
                1 => bytes.truncate(bytes.len() / 2),
                _ => bytes.clear(),
            }
            std::fs::write(&file, bytes).unwrap();
        }
        let cache = lab.cache(0, Some(64 << 20));
        assert_eq!(packet(&cache, 2).await.unwrap(), sound, "{what}");
        assert_eq!(cache.resources().metrics().disk_troubles(DiskTrouble::Damaged), 2, "{what}");
        cache.resources().tiers().flush().await;
        let mended = lab.cache(0, Some(64 << 20));
        assert_eq!(packet(&mended, 2).await.unwrap(), sound, "{what}");
        assert_eq!(hits(&mended, Tier::Disk, What::Packet), 1, "{what}");
    }
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_costs_a_warning_never_an_answer() {
    let lab = lab();
    std::fs::write(lab.disk(), "a file where the folder should be").unwrap();
    let cache = lab.cache(0, Some(64 << 20));
    assert!(cache.frame(&address(1, Format::Png)).await.is_ok());
    assert!(packet(&cache, 2).await.is_ok());
    cache.resources().tiers().flush().await;
    assert!(cache.resources().metrics().disk_troubles(DiskTrouble::Write) >= 1);
    assert!(cache.resources().report((0, 0)).contains("lazycache_disk_trouble_total{trouble=\"write\"}"));
}

#[tokio::test]
async fn a_disk_whose_entries_vanish_is_an_empty_one() {
    let lab = lab();
    let cache = lab.cache(0, Some(64 << 20));
    let sound = packet(&cache, 2).await.unwrap();
    cache.resources().tiers().flush().await;
    std::fs::remove_dir_all(lab.disk()).unwrap();
    assert_eq!(packet(&cache, 2).await.unwrap(), sound);
    cache.resources().tiers().flush().await;
    assert_eq!(entries(&lab.disk(), What::Packet).len(), 1, "written again");
}

#[tokio::test]
async fn the_disk_stays_within_its_bounds_and_the_index_stays() {
    let lab = lab();
    let one = packet(&lab.cache(0, None), 1).await.unwrap().len() as u64;
    let bound = 4 * one;
    let cache = lab.cache(0, Some(bound));
    // Asked for twice, so that also what comes when the disk is full gets in.
    for frame in (1..=8).chain(1..=8) {
        packet(&cache, frame).await.unwrap();
        cache.resources().tiers().flush().await;
        assert!(cache.resources().tiers().held().1 <= bound);
    }
    let files = [What::Index, What::Packet].map(|what| entries(&lab.disk(), what));
    let bytes: u64 = files.iter().flatten().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    assert_eq!((files[0].len(), bytes), (1, cache.resources().tiers().held().1));
    assert!(!files[1].is_empty() && bytes <= bound, "{} packets, {bytes} bytes", files[1].len());
    let smaller = lab.cache(0, Some(2 * one));
    smaller.resources().tiers().flush().await;
    assert!(smaller.resources().tiers().held().1 <= 2 * one, "a smaller bound holds after a restart");
}

#[tokio::test]
async fn a_movie_whose_origin_names_no_version_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 3, size: (64, 64), ..Movie::default() }.render(&folder.path().join(NAME)).unwrap();
    let file = std::sync::Arc::new(std::fs::read(folder.path().join(NAME)).unwrap());
    let answer = move |headers: axum::http::HeaderMap| {
        let file = std::sync::Arc::clone(&file);
        async move {
            let (size, range) = (file.len(), headers["range"].to_str().unwrap()[6..].to_owned());
            let (start, end) = match range.split_once('-').unwrap() {
                ("", last) => (size.saturating_sub(last.parse().unwrap()), size),
                (first, last) => (first.parse().unwrap(), (last.parse::<usize>().unwrap() + 1).min(size)),
            };
            let range = [("content-range", format!("bytes {start}-{}/{size}", end - 1))];
            (axum::http::StatusCode::PARTIAL_CONTENT, range, file[start..end].to_vec())
        }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}/", listener.local_addr().unwrap());
    let app = axum::Router::new().route("/X.mov", axum::routing::get(answer));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let resources = Resources::new(Settings { memory: 64 << 20, ..Settings::default() });
    let cache = Lazycache::open_with(&root, HttpOptions::default(), None, resources).unwrap();
    for _ in 0..2 {
        cache.frame(&address(1, Format::Png)).await.unwrap();
    }
    assert_eq!((runs(&cache, Stage::Fetch), runs(&cache, Stage::Decode)), (2, 2));
    server.abort();
}
