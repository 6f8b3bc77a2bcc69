//! The archive keeps its promises: the same bytes for the same seed, the camera's format, sick as asked, counted.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{path::Path, process::Command};

use archive::{
    Movie, Server,
    fault::{Fault, Rule},
};
use reqwest::{Client, Response, StatusCode, header};

fn small() -> Movie {
    Movie { frames: 6, size: (320, 180), ..Movie::default() }
}

fn probe(movie: &Path) -> String {
    let entries =
        "stream=codec_type,codec_name,profile,codec_tag_string,width,height,pix_fmt,r_frame_rate,nb_frames,color_space";
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", entries, "-of", "csv"])
        .arg(movie)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, seed| {
        let path = folder.path().join(name);
        Movie { seed, ..small() }.render(&path).unwrap();
        std::fs::read(path).unwrap()
    };
    let first = made("a.mov", 1);
    assert!(first == made("b.mov", 1) && first != made("c.mov", 2));
}

#[test]
fn movies_are_as_the_camera_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.mov");
    Movie { frames: 4, ..Movie::default() }.render(&path).unwrap();
    assert_eq!(probe(&path).trim(), "stream,prores,Standard,video,apcn,1920,1080,yuv422p10le,bt709,30000/1001,4");
    let bytes = std::fs::read(&path).unwrap();
    let at = |kind: &[u8]| bytes.windows(4).position(|window| window == kind).unwrap();
    assert!(at(b"moov") > bytes.len() - 10_000, "the index is at the end");
    let a_frame = bytes.len() / 4;
    assert!((400_000..750_000).contains(&a_frame), "{a_frame} bytes a frame");
}

#[test]
fn sound_and_timecode_come_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.mov");
    Movie { extra_tracks: true, ..small() }.render(&path).unwrap();
    let found = probe(&path);
    assert!([",audio,", ",video,", ",tmcd"].iter().all(|track| found.contains(track)), "{found}");
}

#[test]
fn an_odd_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Movie { size: (321, 180), ..small() }.render(&folder.path().join("X.mov")).unwrap_err();
    assert_eq!(error.to_string(), "a movie of 321x180 cannot be made: both must be even and at least 16");
}

struct Lab {
    _folder: tempfile::TempDir,
    server: Server,
    client: Client,
    bytes: Vec<u8>,
}

fn lab() -> Lab {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("A/b c")).unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at * 31 % 251) as u8).collect();
    std::fs::write(folder.path().join("A/X.mov"), &bytes).unwrap();
    let server = Server::start(folder.path()).unwrap();
    Lab { _folder: folder, server, client: Client::new(), bytes }
}

impl Lab {
    async fn range(&self, range: &str) -> reqwest::Result<Response> {
        self.client.get(format!("{}A/X.mov", self.server.url())).header(header::RANGE, range).send().await
    }
}

#[tokio::test]
async fn ranges_give_the_bytes_they_name() {
    let lab = lab();
    for (range, start, end) in
        [("bytes=0-0", 0, 1), ("bytes=70000-200000", 70_000, 200_001), ("bytes=-10", 299_990, 300_000)]
    {
        let response = lab.range(range).await.unwrap();
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        let said = response.headers()[header::CONTENT_RANGE].to_str().unwrap().to_owned();
        assert_eq!(said, format!("bytes {start}-{}/300000", end - 1));
        assert_eq!(response.bytes().await.unwrap(), lab.bytes[start..end]);
    }
    assert_eq!(lab.range("bytes=300000-").await.unwrap().status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(lab.server.counts().bytes, 1 + 130_001 + 10);
    assert_eq!(lab.server.counts().paths["A/X.mov"], 4);
}

#[tokio::test]
async fn validators_are_obeyed() {
    let lab = lab();
    let url = format!("{}A/X.mov", lab.server.url());
    let head = lab.client.head(&url).send().await.unwrap();
    let etag = head.headers()[header::ETAG].clone();
    assert!(head.headers().contains_key(header::LAST_MODIFIED) && head.headers()[header::CONTENT_LENGTH] == "300000");
    let known = lab.client.get(&url).header(header::IF_NONE_MATCH, &etag).send().await.unwrap();
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let part = |validator: &str| {
        lab.client.get(&url).header(header::RANGE, "bytes=0-9").header(header::IF_RANGE, validator).send()
    };
    assert_eq!(part(etag.to_str().unwrap()).await.unwrap().status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part("\"other\"").await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn folders_look_like_apaches() {
    let lab = lab();
    let page = lab.client.get(format!("{}A/", lab.server.url())).send().await.unwrap().text().await.unwrap();
    for part in
        ["<title>Index of /files/A</title>", "href=\"X.mov\"", "href=\"b%20c/\"", "Parent Directory", "?C=N;O=D"]
    {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(
        lab.client.get(format!("{}../etc/", lab.server.url())).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn every_fault_shows() {
    let lab = lab();
    let rule = |fault| lab.server.inject(Rule::on("X.mov", fault).times(1));
    rule(Fault::Status { status: 503, retry_after: Some(3) });
    let refused = lab.range("bytes=0-9").await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()[header::RETRY_AFTER].to_str().unwrap()), (503, "3"));
    rule(Fault::IgnoreRange);
    assert_eq!(lab.range("bytes=0-9").await.unwrap().status(), StatusCode::OK);
    rule(Fault::Short { missing: 4 });
    assert_eq!(lab.range("bytes=0-9").await.unwrap().bytes().await.unwrap().len(), 6);
    rule(Fault::WrongRange { shift: 5 });
    assert_eq!(lab.range("bytes=0-9").await.unwrap().bytes().await.unwrap(), lab.bytes[5..15]);
    rule(Fault::Drop { after: 70_000 });
    assert!(lab.range("bytes=0-99999").await.unwrap().bytes().await.is_err());
    rule(Fault::Stall { after: 10 });
    let stalled = lab.range("bytes=0-99999").await.unwrap();
    let waited = tokio::time::timeout(std::time::Duration::from_millis(300), stalled.bytes()).await;
    assert!(waited.is_err(), "nothing comes after the stall");
    let etag = |response: &Response| response.headers()[header::ETAG].clone();
    let before = etag(&lab.range("bytes=0-9").await.unwrap());
    rule(Fault::Swapped);
    assert_ne!(etag(&lab.range("bytes=0-9").await.unwrap()), before);
    assert_eq!(etag(&lab.range("bytes=0-9").await.unwrap()), before, "once was asked for");
}

#[tokio::test]
async fn it_can_be_steered_from_outside() {
    let lab = lab();
    let control = lab.server.url().replace("/files/", "/_control/");
    let rule = r#"{"path":"X","fault":{"status":{"status":500}},"times":1}"#;
    let post = lab.client.post(format!("{control}faults")).header(header::CONTENT_TYPE, "application/json").body(rule);
    assert_eq!(post.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(lab.range("bytes=0-9").await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    let counts = lab.client.get(format!("{control}counts")).send().await.unwrap().text().await.unwrap();
    assert!(counts.contains("\"requests\":1"), "{counts}");
}
