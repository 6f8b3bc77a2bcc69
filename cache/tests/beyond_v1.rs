//! What the server answers beyond v1: grey and reduced frames, and which version of a movie an answer is of.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use archive::{Movie, Server};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use frame::{FrameNumber, MirrorRoot, MoviePath};
use lazycache::{
    Lazycache, decode,
    server::{Served, app},
};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Lab {
    folder: tempfile::TempDir,
    server: Server,
    app: Router,
    api: String,
}

fn lab(size: (u32, u32), allow_raw: bool) -> Lab {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 3, size, ..Movie::default() }.render(&folder.path().join("X.mov")).unwrap();
    let server = Server::start(folder.path()).unwrap();
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let api = root.api_path();
    let app = app(Served::new(&[root], 2).unwrap().allow_raw_output(allow_raw));
    Lab { folder, server, app, api }
}

impl Lab {
    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::get(format!("{}{path}", self.api)).body(Body::empty()).unwrap();
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, parts.headers, to_bytes(body, 1 << 26).await.unwrap().to_vec())
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path).await.2).unwrap()
    }
}

#[tokio::test]
async fn a_grey_reduced_frame_is_what_the_library_decodes() {
    let lab = lab((322, 182), false);
    let cache = Lazycache::open(&lab.server.url()).unwrap();
    let movie = cache.movie(&MoviePath::parse("X.mov").unwrap()).await.unwrap();
    let packet = cache.packet(&movie, FrameNumber::new(2).unwrap()).await.unwrap();
    for scale in [1, 2, 4, 8] {
        let (status, headers, body) = lab.get(&format!("X.mov/frame/2.raw?grey=1&scale={scale}")).await;
        assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"application/octet-stream".parse().unwrap()));
        assert_eq!(body, decode::grey(&movie, &packet, scale).unwrap().data, "1/{scale}");
    }
    assert_eq!(lab.get("X.mov/frame/2.npy?grey=1&scale=4").await.2[128..].len(), 80 * 45);
    assert!(lab.get("X.mov/frame/2.jpg?grey=1&width=&height=").await.2.starts_with(b"\xff\xd8\xff"));
}

#[tokio::test]
async fn a_reduced_frame_in_colour_has_the_smaller_size() {
    let lab = lab((322, 182), true);
    assert_eq!(lab.get("X.mov/frame/1.rgba?scale=4").await.2.len(), 80 * 45 * 4);
    assert_eq!(lab.get("X.mov/frame/1.rgba?scale=1").await.2.len(), 322 * 182 * 4);
}

#[tokio::test]
async fn what_is_not_offered_is_a_bad_request_with_a_reason() {
    let lab = lab((64, 64), false);
    for query in ["scale=3", "scale=0", "grey=2", "grey=1&width=8&height=8", "scale=2&scale=2"] {
        let (status, _, body) = lab.get(&format!("X.mov/frame/1.png?{query}")).await;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &json!("BadRequest")), "{query}: {body}");
    }
}

#[tokio::test]
async fn grey_pixels_are_open_up_to_a_size_and_colour_ones_are_not() {
    let lab = lab((2560, 1700), false);
    for (query, status) in [("grey=1", 501), ("grey=1&scale=2", 200), ("scale=4", 501), ("", 501)] {
        assert_eq!(lab.get(&format!("X.mov/frame/1.raw?{query}")).await.0.as_u16(), status, "{query}");
    }
    assert_eq!(lab.get("X.mov/frame/1.rgba?grey=1&scale=8").await.0.as_u16(), 501);
}

#[tokio::test]
async fn the_version_is_told_without_reading_the_movie_and_with_every_frame() {
    let lab = lab((64, 64), false);
    let told = lab.json("X.mov?identity=1").await;
    let size = std::fs::metadata(lab.folder.path().join("X.mov")).unwrap().len();
    assert_eq!((&told["URL"], &told["FileSize"]), (&json!("/X.mov"), &json!(size)));
    assert_eq!(lab.server.counts().path_bytes.get("X.mov").copied().unwrap_or(0), 0, "no byte of the movie is read");
    let movie = lab.json("X.mov").await;
    let (_, headers, _) = lab.get("X.mov/frame/1.raw?grey=1&scale=4").await;
    for (key, header) in [("ETag", "x-lazycache-origin-etag"), ("LastModified", "x-lazycache-origin-last-modified")] {
        assert!(told[key].is_string());
        assert_eq!((&movie[key], headers[header].to_str().unwrap()), (&told[key], told[key].as_str().unwrap()));
    }
    assert_eq!(headers["x-lazycache-origin-size"].to_str().unwrap(), size.to_string());
}

#[tokio::test]
async fn a_fresh_answer_is_of_the_movie_as_it_is_now() {
    let lab = lab((64, 64), false);
    assert_eq!(lab.json("X.mov").await["NumFrames"], 3);
    Movie { frames: 5, size: (64, 64), ..Movie::default() }.render(&lab.folder.path().join("X.mov")).unwrap();
    assert_eq!(lab.json("X.mov").await["NumFrames"], 3, "as it is known");
    assert_eq!(lab.json("X.mov?fresh=1").await["NumFrames"], 5);
    assert_eq!(lab.json("X.mov").await["NumFrames"], 5, "the old index is forgotten");
    Movie { frames: 7, size: (64, 64), ..Movie::default() }.render(&lab.folder.path().join("X.mov")).unwrap();
    lab.json("X.mov?identity=1").await;
    assert_eq!(lab.json("X.mov").await["NumFrames"], 7, "asking for the version is enough");
}
