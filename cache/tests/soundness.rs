//! What a sick file or an unusual origin must not do: give wrong pixels, or fail where it need not.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::sync::Arc;

use archive::Movie;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use frame::{FrameNumber, MoviePath};
use lazycache::{ErrorKind, Lazycache, decode};

fn render() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 4, size: (320, 180), plume: 0.0, ..Movie::default() }.render(&folder.path().join("X.mov")).unwrap();
    folder
}

async fn first_packet(cache: &Lazycache) -> (Arc<lazycache::Movie>, Vec<u8>) {
    let movie = cache.movie(&MoviePath::parse("X.mov").unwrap()).await.unwrap();
    let packet = cache.packet(&movie, FrameNumber::new(1).unwrap()).await.unwrap();
    (movie, packet.to_vec())
}

#[tokio::test]
async fn a_frame_with_a_damaged_slice_is_an_error_not_a_picture() {
    let folder = render();
    let (movie, packet) = first_packet(&Lazycache::open(folder.path().to_str().unwrap()).unwrap()).await;
    let whole = decode::grey(&movie, &packet, 1).unwrap();
    let middle = packet.len() / 2;
    for (what, damage) in [("ones", 0xff), ("zeros", 0)] {
        let mut damaged = packet.clone();
        damaged[middle..middle + packet.len() / 4].fill(damage);
        for image in [decode::grey(&movie, &damaged, 1).map(drop), decode::rgb(&movie, &damaged).map(drop)] {
            let error = image.expect_err(what);
            assert_eq!(lazycache::Error::from(error).kind(), ErrorKind::DecodeError, "{what}");
        }
    }
    assert_eq!(decode::grey(&movie, &packet, 1).unwrap(), whole, "the next frame is sound again");
    for length in [0, 7, 8, 20, 200, middle] {
        assert!(decode::grey(&movie, &packet[..length], 4).is_err(), "cut to {length}");
    }
}

/// Answers ranges as nginx does behind a compressing proxy: the entity tag is weak, so If-Range never matches it.
async fn weak(State(file): State<Arc<Vec<u8>>>, headers: HeaderMap) -> Response {
    let size = file.len();
    let identity = [(header::ETAG, "W/\"1-2\""), (header::LAST_MODIFIED, "Tue, 24 Jul 2018 03:00:00 GMT")];
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let same = text(header::IF_RANGE).is_none_or(|known| known == "Tue, 24 Jul 2018 03:00:00 GMT");
    let Some((first, last)) = text(header::RANGE).filter(|_| same).and_then(|range| range[6..].split_once('-')) else {
        return (StatusCode::OK, identity, Body::from(file.to_vec())).into_response();
    };
    let (start, end) = match first {
        "" => (size.saturating_sub(last.parse().unwrap()), size),
        first => (first.parse().unwrap(), (last.parse::<usize>().unwrap() + 1).min(size)),
    };
    let range = [(header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1))];
    (StatusCode::PARTIAL_CONTENT, identity, range, Body::from(file[start..end].to_vec())).into_response()
}

#[tokio::test]
async fn a_weak_entity_tag_does_not_keep_frames_away() {
    let folder = render();
    let file = Arc::new(std::fs::read(folder.path().join("X.mov")).unwrap());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}/files/", listener.local_addr().unwrap());
    let app = Router::new().route("/files/X.mov", get(weak)).with_state(file);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let (movie, packet) = first_packet(&Lazycache::open(&root).unwrap()).await;
    assert_eq!(movie.identity().etag.as_deref(), Some("W/\"1-2\""));
    assert_eq!(packet, first_packet(&Lazycache::open(folder.path().to_str().unwrap()).unwrap()).await.1);
    server.abort();
}

#[tokio::test]
async fn an_archive_folder_that_is_gone_is_trouble_that_may_pass_not_a_missing_movie() {
    let folder = render();
    let cache = Lazycache::open(folder.path().to_str().unwrap()).unwrap();
    let missing = MoviePath::parse("Y.mov").unwrap();
    assert_eq!(cache.movie(&missing).await.unwrap_err().kind(), ErrorKind::NotFound);
    drop(folder);
    assert!(cache.movie(&missing).await.unwrap_err().kind().is_transient());
}

#[tokio::test]
async fn a_folder_may_be_named_by_a_file_address() {
    let folder = render();
    let cache = Lazycache::open(&format!("file://{}", folder.path().display())).unwrap();
    assert_eq!(first_packet(&cache).await.0.num_frames(), 4);
}
