//! What happens when more is asked for than can be done, and when those who asked go away.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{sync::Arc, time::Duration};

use archive::{Fault, Movie, Rule, Server};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use frame::{FrameNumber, MirrorRoot, MoviePath};
use lazycache::{
    ErrorKind, HttpOptions, Lazycache, Resources, Settings,
    metrics::{GateName, Stage},
    server::{Served, app},
};
use tower::ServiceExt;

const NAME: &str = "X.mov";

struct Lab {
    _folder: tempfile::TempDir,
    server: Server,
    cache: Lazycache,
    app: Router,
    api: String,
}

fn lab(settings: Settings, options: HttpOptions) -> Lab {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 8, size: (320, 180), plume: 0.0, ..Movie::default() }.render(&folder.path().join(NAME)).unwrap();
    let server = Server::start(folder.path()).unwrap();
    let resources = Resources::new(settings);
    let cache = Lazycache::open_with(&server.url(), options, None, resources.clone()).unwrap();
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let served = Served::sharing(resources).with_mirror(&root, cache.clone());
    Lab { _folder: folder, server, cache, app: app(served), api: root.api_path() }
}

impl Lab {
    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, parts.headers, to_bytes(body, 1 << 26).await.unwrap().to_vec())
    }

    async fn movie(&self) -> Arc<lazycache::Movie> {
        self.cache.movie(&MoviePath::parse(NAME).unwrap()).await.unwrap()
    }
}

/// Waits until `done`, for a bounded time.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn beyond_the_queue_the_answer_is_503_at_once_and_says_when_to_come_back() {
    let options = HttpOptions { at_once: 1, waiting: 1, ..HttpOptions::default() };
    let lab = lab(Settings::default(), options);
    lab.movie().await;
    lab.server.inject(Rule::on(NAME, Fault::Stall { after: 0 }));
    let path = |frame: u32| format!("{}{NAME}/frame/{frame}.png", lab.api);
    let (first, second) = (path(1), path(2));
    let occupied = async { tokio::join!(lab.get(&first), lab.get(&second)) };
    let refused = async {
        until("one request is under way, one waits", || lab.cache.load() == (1, 1)).await;
        lab.get(&path(3)).await
    };
    let (status, headers, body) = tokio::select! {
        refused = refused => refused,
        _ = occupied => panic!("what stalls was answered"),
    };
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &body["error"]), (StatusCode::SERVICE_UNAVAILABLE, &"Overloaded".into()), "{body}");
    assert!(headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
    assert_eq!(lab.cache.resources().metrics().refusals(GateName::Origin), 1);
    assert_eq!(lab.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_archive_is_never_asked_more_at_once_than_it_is_said_to_bear() {
    let lab = lab(Settings::default(), HttpOptions { at_once: 2, ..HttpOptions::default() });
    let movie = lab.movie().await;
    lab.server.inject(Rule::on(NAME, Fault::Delay { ms: 30 }));
    let reads = (1..=8).map(|frame| {
        let (cache, movie) = (lab.cache.clone(), Arc::clone(&movie));
        tokio::spawn(async move { cache.packet(&movie, FrameNumber::new(frame).unwrap()).await })
    });
    let reads = futures::future::join_all(reads.collect::<Vec<_>>());
    let mut most = 0;
    let watching = async {
        loop {
            most = most.max(lab.cache.load().1);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let results = tokio::select! {
        results = reads => results,
        () = watching => unreachable!(),
    };
    assert!(results.into_iter().all(|result| result.unwrap().is_ok()));
    assert!((1..=2).contains(&most), "{most} at once");
}

#[tokio::test]
async fn when_the_last_client_goes_away_its_work_is_given_up() {
    let lab = lab(Settings::default(), HttpOptions { at_once: 1, ..HttpOptions::default() });
    lab.movie().await;
    lab.server.inject(Rule::on(NAME, Fault::Stall { after: 10 }).times(1));
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (app, path) = (lab.app.clone(), format!("{}{NAME}/frame/1.png", lab.api));
            tokio::spawn(app.oneshot(Request::get(path).body(Body::empty()).unwrap()))
        })
        .collect();
    until("the frame is asked for", || lab.cache.load().1 == 1).await;
    clients[0].abort();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(lab.cache.load().1, 1, "one client still waits");
    clients[1].abort();
    until("the request to the archive is given up", || lab.cache.load() == (0, 0)).await;
    let (status, ..) = lab.get(&format!("{}{NAME}/frame/1.png", lab.api)).await;
    assert_eq!((status, lab.cache.resources().metrics().runs(Stage::Decode)), (StatusCode::OK, 1));
}

#[tokio::test]
async fn bytes_under_way_are_bounded_until_they_are_sent() {
    // Room for one frame of 320x180 in the making: 8 bytes a pixel and the packet.
    let settings = Settings { bytes_in_flight: 512 << 10, ..Settings::default() };
    let lab = lab(settings, HttpOptions::default());
    let movie = lab.movie().await;
    let answer = |frame| {
        let number = FrameNumber::new(frame).unwrap();
        lab.cache.answer(&movie, number, frame::Format::Bmp, frame::Rendition::default())
    };
    let unsent = answer(1).await.unwrap();
    let second = answer(2);
    tokio::pin!(second);
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut second).await.is_err(), "there is no room");
    drop(unsent);
    assert!(second.await.is_ok(), "the room was given back");
}

#[tokio::test]
async fn an_error_costs_only_those_who_asked_for_it() {
    let lab = lab(Settings::default(), HttpOptions::default());
    let movie = lab.movie().await;
    lab.server.inject(Rule::on(NAME, Fault::Status { status: 403, retry_after: None }).times(1));
    let read = |frame| lab.cache.packet(&movie, FrameNumber::new(frame).unwrap());
    assert_eq!(read(1).await.unwrap_err().kind(), ErrorKind::OriginError);
    assert!(read(2).await.is_ok() && read(1).await.is_ok());
}

#[tokio::test]
async fn what_happened_is_told_in_metrics() {
    let lab = lab(Settings { memory: 64 << 20, ..Settings::default() }, HttpOptions::default());
    for _ in 0..2 {
        lab.get(&format!("{}{NAME}/frame/1.png", lab.api)).await;
    }
    let (status, headers, body) = lab.get("/metrics").await;
    let text = String::from_utf8(body).unwrap();
    assert_eq!((status, lab.get("/metrics/").await.0), (StatusCode::OK, StatusCode::OK));
    assert!(headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "lazycache_stage_seconds_count{stage=\"index\"} 1",
        "lazycache_stage_seconds_count{stage=\"fetch\"} 1",
        "lazycache_stage_seconds_count{stage=\"decode\"} 1",
        "lazycache_stage_seconds_count{stage=\"encode\"} 1",
        "lazycache_lookups_total{tier=\"memory\",what=\"answer\",result=\"hit\"} 1",
        "lazycache_taken{gate=\"decode\"} 0",
        "lazycache_origin_requests_total 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
