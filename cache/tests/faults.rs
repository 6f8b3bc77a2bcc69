//! Everything the archive can do wrong, against every kind of request: the right answer or a clear error, in bounded time,
//! and nobody else is harmed.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::time::Duration;

use archive::{Fault, Movie, Rule, Server};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use frame::MirrorRoot;
use lazycache::{
    HttpOptions, Lazycache, Resources, Settings,
    server::{Served, app},
};
use serde_json::Value;
use tower::ServiceExt;

/// The kinds of request, below the folder `A/`.
const KINDS: [(&str, &str); 5] = [
    ("a movie that is not known", "X.mov"),
    ("a frame of a movie that is known", "X.mov/frame/2.png"),
    ("the version of a movie", "X.mov?identity=1"),
    ("a movie that is known, as it is now", "X.mov?fresh=1"),
    ("a folder", ""),
];

/// What is expected of each kind, in their order.
type Expected = [u16; 5];

struct Lab {
    _folder: tempfile::TempDir,
    server: Server,
}

fn lab() -> Lab {
    let folder = tempfile::tempdir().unwrap();
    for name in ["A/X.mov", "B/Y.mov"] {
        let movie = Movie { frames: 8, size: (320, 180), plume: 0.0, ..Movie::default() };
        movie.render(&folder.path().join(name)).unwrap();
    }
    Lab { server: Server::start(folder.path()).unwrap(), _folder: folder }
}

impl Lab {
    /// A server that knows nothing yet, and little patience.
    fn app(&self) -> (Router, String) {
        let options = HttpOptions {
            first_byte: Duration::from_secs(1),
            stall: Duration::from_secs(1),
            whole: Duration::from_secs(6),
            at_once: 4,
            waiting: 16,
            ..HttpOptions::default()
        };
        let resources = Resources::new(Settings { memory: 0, waiting: 16, ..Settings::default() });
        let root = MirrorRoot::parse(&self.server.url()).unwrap();
        let cache = Lazycache::open_with(&self.server.url(), options, None, resources.clone()).unwrap();
        (app(Served::sharing(resources).with_mirror(&root, cache)), root.api_path())
    }
}

/// An answer, in bounded time.
async fn get(app: &Router, path: &str) -> (StatusCode, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = async {
        let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, to_bytes(body, 1 << 26).await.unwrap().to_vec())
    };
    tokio::time::timeout(Duration::from_mins(1), answer).await.unwrap_or_else(|_| panic!("{path} is not answered"))
}

/// Every kind of request while the archive is sick, each at a server of its own.
async fn every_kind(lab: &Lab, what: &str, expected: Expected, fall_ill: impl Fn(), recover: impl Fn()) {
    for ((kind, below), expected) in KINDS.into_iter().zip(expected) {
        let (app, api) = lab.app();
        let path = format!("{api}A/{below}");
        if kind.contains("is known") {
            assert_eq!(get(&app, &format!("{api}A/X.mov")).await.0, StatusCode::OK);
        }
        let (_, healthy) = get(&lab.app().0, &path).await;
        fall_ill();
        let other = format!("{api}B/Y.mov/frame/1.png");
        let ((status, body), (other, _)) = tokio::join!(get(&app, &path), get(&app, &other));
        let text = String::from_utf8_lossy(&body[..body.len().min(300)]);
        assert_eq!(status.as_u16(), expected, "{what}, {kind}: {text}");
        if status == StatusCode::OK {
            assert_eq!(body, healthy, "{what}, {kind}");
        } else {
            let told: Value = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{what}, {kind}: {text}"));
            let detail = told["detail"].as_str().unwrap();
            assert!(told["error"].is_string() && detail.contains("A/"), "{what}, {kind}: {told}");
        }
        if !what.starts_with("down") {
            assert_eq!(other, StatusCode::OK, "{what}, {kind}: another movie was harmed");
        }
        recover();
        let (status, body) = get(&app, &path).await;
        assert_eq!((status, body == healthy), (StatusCode::OK, true), "{what}, {kind}: after it had passed");
    }
}

#[tokio::test]
async fn every_fault_is_answered_rightly_or_with_a_clear_error_in_bounded_time() {
    let lab = lab();
    let status = |status| Fault::Status { status, retry_after: None };
    let table: [(Fault, Expected); 18] = [
        (Fault::Delay { ms: 30 }, [200, 200, 200, 200, 200]),
        (Fault::Delay { ms: 120_000 }, [503, 503, 503, 503, 503]),
        // A question without a body cannot stall in it.
        (Fault::Stall { after: 0 }, [503, 503, 200, 200, 200]),
        (Fault::Stall { after: 1000 }, [503, 503, 200, 200, 200]),
        (Fault::Drop { after: 0 }, [503, 503, 200, 200, 200]),
        (Fault::Drop { after: 1000 }, [503, 503, 200, 200, 200]),
        (Fault::Close, [503, 503, 503, 503, 503]),
        (Fault::Short { missing: 1 }, [502, 502, 200, 200, 200]),
        (Fault::Short { missing: 1 << 40 }, [502, 502, 200, 200, 200]),
        (Fault::IgnoreRange, [502, 502, 200, 200, 200]),
        (Fault::WrongRange { shift: 1 }, [502, 502, 200, 200, 200]),
        (Fault::WrongRange { shift: 5000 }, [502, 502, 200, 200, 200]),
        (status(503), [503, 503, 503, 503, 503]),
        (status(500), [503, 503, 503, 503, 503]),
        (Fault::Status { status: 429, retry_after: Some(60) }, [503, 503, 503, 503, 503]),
        (status(404), [404, 404, 404, 404, 404]),
        (status(403), [502, 502, 502, 502, 502]),
        (status(204), [502, 502, 502, 502, 502]),
    ];
    for (fault, expected) in table {
        // Of a file that is shorter in every answer nobody can tell that it should be longer.
        let rule = Rule::on("A/", fault.clone());
        let rule = if matches!(fault, Fault::Short { .. }) { rule.ranges() } else { rule };
        let fall_ill = || lab.server.inject(rule.clone());
        every_kind(&lab, &format!("{fault:?}"), expected, fall_ill, || lab.server.clear_faults()).await;
    }
}

#[tokio::test]
async fn an_archive_that_is_down_is_unavailable_and_back_when_it_is_up() {
    let lab = lab();
    let (fall_ill, recover) = (|| lab.server.set_down(true), || lab.server.set_down(false));
    every_kind(&lab, "down", [503; 5], fall_ill, recover).await;
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed() {
    let lab = lab();
    for fault in [
        Fault::Drop { after: 10 },
        Fault::Stall { after: 10 },
        Fault::Short { missing: 3 },
        Fault::WrongRange { shift: 7 },
        Fault::Status { status: 500, retry_after: None },
        Fault::Status { status: 503, retry_after: Some(1) },
    ] {
        let rule = Rule::on("A/", fault.clone()).times(1);
        let rule = if matches!(fault, Fault::Short { .. }) { rule.ranges() } else { rule };
        let fall_ill = || lab.server.inject(rule.clone());
        every_kind(&lab, &format!("once {fault:?}"), [200; 5], fall_ill, || lab.server.clear_faults()).await;
    }
}

#[tokio::test]
async fn an_exchanged_movie_is_told_and_then_read_anew() {
    let lab = lab();
    let (app, api) = lab.app();
    let frame = format!("{api}A/X.mov/frame/2.png");
    assert_eq!(get(&app, &frame).await.0, StatusCode::OK);
    lab.server.inject(Rule::on("A/", Fault::Swapped));
    let (status, body) = get(&app, &format!("{api}A/X.mov/frame/3.png")).await;
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &told["error"]), (StatusCode::CONFLICT, &"Changed".into()), "{told}");
    // The other file is no movie at all: all its bits are turned.
    let (status, body) = get(&app, &frame).await;
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &told["error"]), (StatusCode::BAD_GATEWAY, &"NotAMovie".into()), "{told}");
    lab.server.clear_faults();
    assert_eq!(get(&app, &frame).await.0, StatusCode::OK);
}
