//! The library against a served archive: how much is asked for, and what comes of sick origins.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::path::Path;

use archive::{
    Movie, Server,
    fault::{Fault, Rule},
    movie_writer::{Shape, packets, write_long},
};
use frame::{DirectoryPath, FrameNumber, MoviePath};
use lazycache::{ErrorKind, Lazycache, Listing};

const NAME: &str = "A/X.mov";

fn render(root: &Path, name: &str, frames: u32) {
    Movie { frames, size: (320, 180), plume: 0.0, ..Movie::default() }.render(&root.join(name)).unwrap();
}

/// A served archive with one short movie.
fn served() -> (tempfile::TempDir, Server, Lazycache) {
    let folder = tempfile::tempdir().unwrap();
    render(folder.path(), NAME, 8);
    let server = Server::start(folder.path()).unwrap();
    let cache = Lazycache::open(&server.url()).unwrap();
    (folder, server, cache)
}

fn path() -> MoviePath {
    MoviePath::parse(NAME).unwrap()
}

fn frame(number: u32) -> FrameNumber {
    FrameNumber::new(number).unwrap()
}

#[tokio::test]
async fn the_first_frame_of_a_long_movie_costs_three_requests_and_little_more_than_a_megabyte() {
    let folder = tempfile::tempdir().unwrap();
    // Full-size frames of the real length: 25,155 of them, 15 GB, of which only what is asked for takes room.
    Movie { frames: 3, ..Movie::default() }.render(&folder.path().join("short.mov")).unwrap();
    let packets = packets(&folder.path().join("short.mov")).unwrap();
    write_long(&folder.path().join("long.mov"), &Shape::default(), &packets, 25_155, &[0, 12_345]).unwrap();
    let server = Server::start(folder.path()).unwrap();
    let cache = Lazycache::open(&server.url()).unwrap();
    let movie = cache.movie(&MoviePath::parse("long.mov").unwrap()).await.unwrap();
    assert_eq!(movie.num_frames(), 25_155);
    assert!(movie.identity().size > 12_000_000_000, "{:?}", movie.identity());
    let packet = cache.packet(&movie, frame(1)).await.unwrap();
    assert_eq!(packet, packets[0]);
    let counts = server.counts();
    println!("first frame of {} bytes: {} requests, {} bytes", movie.identity().size, counts.requests, counts.bytes);
    assert!(counts.requests <= 3 && counts.bytes <= 2_000_000, "{counts:?}");
    server.reset_counts();
    let packet = cache.packet(&movie, frame(12_346)).await.unwrap();
    assert_eq!(packet, packets[12_345 % 3]);
    assert_eq!(
        (server.counts().requests, server.counts().bytes),
        (1, packet.len() as u64),
        "a frame is one range read"
    );
}

#[tokio::test]
async fn callers_that_open_a_movie_at_once_share_the_reads() {
    let (_folder, server, cache) = served();
    let path = path();
    let opened = futures::future::join_all((0..100).map(|_| cache.movie(&path))).await;
    assert!(opened.iter().all(Result::is_ok));
    assert_eq!(server.counts().requests, 2);
}

#[tokio::test]
async fn a_folder_is_listed_the_same_from_disk_and_from_a_server() {
    let (folder, _server, cache) = served();
    std::fs::create_dir(folder.path().join("A/b c")).unwrap();
    std::fs::write(folder.path().join("A/y & z.txt"), "").unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = Listing { files: names(&["X.mov", "X_truth.csv", "y & z.txt"]), directories: names(&["b c"]) };
    let a = DirectoryPath::parse("A").unwrap();
    assert_eq!(cache.list(&a).await.unwrap(), expected);
    let local = Lazycache::open(folder.path().to_str().unwrap()).unwrap();
    assert_eq!(local.list(&a).await.unwrap(), expected);
    let nowhere = DirectoryPath::parse("B").unwrap();
    assert_eq!(cache.list(&nowhere).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(local.list(&nowhere).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_same_packet_comes_from_disk_and_from_a_server() {
    let (folder, _server, cache) = served();
    let local = Lazycache::open(folder.path().to_str().unwrap()).unwrap();
    let all = packets(&folder.path().join(NAME)).unwrap();
    for cache in [cache, local] {
        let movie = cache.movie(&path()).await.unwrap();
        for (number, packet) in (1..).zip(&all) {
            assert_eq!(cache.packet(&movie, frame(number)).await.unwrap(), *packet);
        }
        assert_eq!(cache.packet(&movie, frame(9)).await.unwrap_err().kind(), ErrorKind::BadRequest);
    }
}

#[tokio::test]
async fn what_a_second_try_mends_is_mended() {
    let (_folder, server, cache) = served();
    let movie = cache.movie(&path()).await.unwrap();
    let good = cache.packet(&movie, frame(2)).await.unwrap();
    for fault in [
        Fault::Status { status: 503, retry_after: Some(1) },
        Fault::Status { status: 500, retry_after: None },
        Fault::Drop { after: 100 },
        Fault::Drop { after: 0 },
        Fault::Short { missing: 5 },
        Fault::WrongRange { shift: 3 },
        Fault::Delay { ms: 30 },
    ] {
        server.inject(Rule::on(NAME, fault.clone()).times(2));
        assert_eq!(cache.packet(&movie, frame(2)).await.unwrap(), good, "{fault:?}");
        server.clear_faults();
    }
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_asked_for_is_an_error_never_bytes() {
    let (_folder, server, cache) = served();
    let movie = cache.movie(&path()).await.unwrap();
    for (fault, kind) in [
        (Fault::IgnoreRange, ErrorKind::OriginError),
        (Fault::WrongRange { shift: 1 }, ErrorKind::OriginError),
        (Fault::Short { missing: 1 }, ErrorKind::OriginError),
        (Fault::Drop { after: 10 }, ErrorKind::OriginUnavailable),
        (Fault::Status { status: 403, retry_after: None }, ErrorKind::OriginError),
        (Fault::Status { status: 404, retry_after: None }, ErrorKind::NotFound),
        (Fault::Status { status: 503, retry_after: Some(60) }, ErrorKind::OriginUnavailable),
        (Fault::Swapped, ErrorKind::Changed),
    ] {
        server.inject(Rule::on(NAME, fault.clone()));
        assert_eq!(cache.packet(&movie, frame(2)).await.unwrap_err().kind(), kind, "{fault:?}");
        server.clear_faults();
    }
}

#[tokio::test]
async fn a_movie_that_changed_is_read_anew_after_the_error() {
    let (folder, _server, cache) = served();
    let movie = cache.movie(&path()).await.unwrap();
    render(folder.path(), NAME, 5);
    assert_eq!(cache.packet(&movie, frame(2)).await.unwrap_err().kind(), ErrorKind::Changed);
    assert_eq!(cache.movie(&path()).await.unwrap().num_frames(), 5);
}

#[tokio::test]
async fn a_file_that_is_no_movie_says_what_it_is() {
    let (folder, _server, cache) = served();
    let whole = std::fs::read(folder.path().join(NAME)).unwrap();
    std::fs::write(folder.path().join("cut.mov"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.path().join("text.mov"), "no movie").unwrap();
    std::fs::write(folder.path().join("empty.mov"), "").unwrap();
    let local = Lazycache::open(folder.path().to_str().unwrap()).unwrap();
    for cache in [cache, local] {
        for (name, kind) in [
            ("cut.mov", ErrorKind::Truncated),
            ("text.mov", ErrorKind::NotAMovie),
            ("empty.mov", ErrorKind::NotAMovie),
            ("gone.mov", ErrorKind::NotFound),
            ("A", ErrorKind::NotFound),
        ] {
            let error = cache.movie(&MoviePath::parse(name).unwrap()).await.unwrap_err();
            let expected = if name == "A" { vec![ErrorKind::NotFound, ErrorKind::OriginError] } else { vec![kind] };
            assert!(expected.contains(&error.kind()), "{name}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_origin_that_is_down_is_unavailable() {
    let (_folder, server, cache) = served();
    drop(server);
    assert_eq!(cache.movie(&path()).await.unwrap_err().kind(), ErrorKind::OriginUnavailable);
}
