//! The v1 contract, path by path, as old clients use it; and that the pixels are FFmpeg's.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{path::Path, process::Command};

use archive::{Movie, Server};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use frame::MirrorRoot;
use lazycache::{
    Lazycache,
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

fn lab(allow_raw: bool) -> Lab {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 8, size: (320, 180), ..Movie::default() }.render(&folder.path().join("A/X.mov")).unwrap();
    std::fs::write(folder.path().join("A/Y.mp4"), "").unwrap();
    let server = Server::start(folder.path()).unwrap();
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let api = root.api_path();
    let app = app(Served::new(&[root], 2).unwrap().allow_raw_output(allow_raw));
    Lab { folder, server, app, api }
}

impl Lab {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, to_bytes(body, 1 << 26).await.unwrap().to_vec())
    }

    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.send("GET", path, &[]).await
    }

    async fn below(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        self.get(&format!("{}{path}", self.api)).await
    }

    async fn json(&self, path: &str) -> Value {
        let (status, _, body) = self.below(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}

#[tokio::test]
async fn the_root_names_the_mirrors() {
    let lab = lab(false);
    let (status, _, body) = lab.get("/").await;
    let root = lab.server.url();
    let expected = json!({root: {"APIPath": {"V1": lab.api}}});
    assert_eq!((status, serde_json::from_slice::<Value>(&body).unwrap()), (StatusCode::OK, expected));
}

#[tokio::test]
async fn a_folder_lists_files_and_directories_and_is_not_cached() {
    let lab = lab(false);
    assert_eq!(lab.json("").await, json!({"Path": "/", "Files": [], "Directories": ["A"]}));
    let expected = json!({"Path": "/A/", "Files": ["X.mov", "X_truth.csv", "Y.mp4"], "Directories": []});
    assert_eq!((lab.json("A/").await, lab.json("A").await), (expected.clone(), expected));
    assert_eq!(lab.get(lab.api.trim_end_matches('/')).await.0, StatusCode::OK, "the root without its slash");
    assert_eq!(lab.below("A/").await.1["cache-control"], "no-cache");
    assert_eq!(lab.below("B/").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_movie_tells_its_frames_duration_and_size() {
    let lab = lab(false);
    let movie = lab.json("A/X.mov").await;
    let size = std::fs::metadata(lab.folder.path().join("A/X.mov")).unwrap().len();
    assert_eq!((&movie["URL"], &movie["NumFrames"], &movie["FileSize"]), (&json!("/A/X.mov"), &json!(8), &json!(size)));
    assert!((movie["Duration"].as_f64().unwrap() - 8.0 * 1001.0 / 30000.0).abs() < 1e-9);
    assert_eq!((&movie["Width"], &movie["Height"], &movie["Codec"]), (&json!(320), &json!(180), &json!("apcn")));
}

#[tokio::test]
async fn frames_come_in_every_format_under_its_content_type() {
    let lab = lab(true);
    for (name, content_type, start) in [
        ("3", "image/png", &b"\x89PNG"[..]),
        ("3.png", "image/png", b"\x89PNG"),
        ("3.7.png", "image/png", b"\x89PNG"),
        ("3.jpg", "image/jpeg", b"\xff\xd8\xff"),
        ("3.jpeg", "image/jpeg", b"\xff\xd8\xff"),
        ("3.bmp", "image/bmp", b"BM"),
        ("3.npy", "application/octet-stream", b"\x93NUMPY"),
    ] {
        let (status, headers, body) = lab.below(&format!("A/X.mov/frame/{name}")).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (StatusCode::OK, content_type), "{name}");
        assert!(body.starts_with(start), "{name}");
        for part in ["handler", "metadata", "extraction", "encode"] {
            let took: u64 = headers[format!("x-lazycache-timing-{part}-ns")].to_str().unwrap().parse().unwrap();
            assert!(took < 60_000_000_000);
        }
    }
    for (name, content_type) in [("3.rgba", "image/x-raw-rgba"), ("3.raw", "application/octet-stream")] {
        let (_, headers, body) = lab.below(&format!("A/X.mov/frame/{name}")).await;
        assert_eq!((headers["content-type"].to_str().unwrap(), body.len()), (content_type, 320 * 180 * 4));
    }
}

#[tokio::test]
async fn a_size_is_obeyed_and_an_empty_or_zero_one_means_full_size() {
    let lab = lab(true);
    for (query, pixels) in
        [("width=32&height=18", 32 * 18), ("width=&height=", 320 * 180), ("width=0&height=0", 320 * 180)]
    {
        let (_, _, body) = lab.below(&format!("A/X.mov/frame/1.rgba?{query}")).await;
        assert_eq!(body.len(), pixels * 4, "{query}");
    }
    assert_eq!(lab.below("A/X.mov/frame/1.rgba?width=x&height=1").await.0, StatusCode::BAD_REQUEST);
    let path = format!("{}A/X.mov/frame/1.rgba", lab.api);
    let headers = [("X-lazycache-output-width", "32"), ("X-lazycache-output-height", "18")];
    assert_eq!(lab.send("GET", &path, &headers).await.2.len(), 32 * 18 * 4, "the size in headers");
    let (_, _, body) = lab.send("GET", &format!("{path}?width=64&height=36"), &headers).await;
    assert_eq!(body.len(), 64 * 36 * 4, "the query counts more than the headers");
    assert_eq!(lab.send("GET", &path, &[("x-lazycache-output-width", "32")]).await.2.len(), 320 * 180 * 4);
}

#[tokio::test]
async fn a_float_for_a_frame_is_the_frame_of_its_leading_digits() {
    let lab = lab(true);
    let whole = lab.below("A/X.mov/frame/3.rgba").await.2;
    for name in ["3.0.rgba", "3.7.rgba", "3.999.rgba"] {
        assert!(lab.below(&format!("A/X.mov/frame/{name}")).await.2 == whole, "{name}");
    }
    let png = lab.below("A/X.mov/frame/3.png").await.2;
    for name in ["3", "3.0", "3.7", "3.0.png", "3."] {
        assert!(lab.below(&format!("A/X.mov/frame/{name}")).await.2 == png, "{name}");
    }
    assert!(whole != lab.below("A/X.mov/frame/4.rgba").await.2);
}

#[tokio::test]
async fn what_cannot_be_answered_has_the_status_old_clients_rely_on_and_a_reason() {
    let lab = lab(false);
    for (path, status, error) in [
        ("A/X.mov/frame/0", 400, "BadRequest"),
        ("A/X.mov/frame/9", 400, "BadRequest"),
        ("A/X.mov/frame/3.gif", 400, "BadRequest"),
        ("A/X.mov/frame/x", 400, "BadRequest"),
        ("A/X.mov/frame/", 400, "BadRequest"),
        ("A/X.mov/frame/9.9.png", 400, "BadRequest"),
        ("A/X.mov/frame/99999999999.png", 400, "BadRequest"),
        ("A/X.mov/frame/3.raw", 501, "NotAllowed"),
        ("A/X.mov/frame/3.rgba", 501, "NotAllowed"),
        ("A/gone.mov", 404, "NotFound"),
        ("A/gone.mov/frame/1", 404, "NotFound"),
        ("A/X.mov/frame/1?width=1&width=2", 400, "BadRequest"),
        ("A/frame/", 404, "NotFound"),
        ("A/%2e%2e/X.mov", 400, "BadRequest"),
        ("A%2fX.mov", 400, "BadRequest"),
        ("A/X%00.mov", 400, "BadRequest"),
    ] {
        let (found, _, body) = lab.below(path).await;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((found.as_u16(), &body["error"]), (status, &json!(error)), "{path}: {body}");
        assert!(!body["detail"].as_str().unwrap().is_empty());
        let (_, headers, _) = lab.below(path).await;
        assert!(!headers.contains_key("cache-control") && !headers.contains_key("etag"), "{path}");
    }
    assert_eq!(lab.get("/v1/org/example/x.mov").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn other_files_are_found_at_the_origin() {
    let lab = lab(false);
    let (status, headers, _) = lab.below("A/Y.mp4").await;
    assert_eq!(status, StatusCode::FOUND);
    assert_eq!(headers["location"].to_str().unwrap(), format!("{}A/Y.mp4", lab.server.url()));
    let (_, headers, _) = lab.below("A/y%20%C3%A9.txt").await;
    assert_eq!(headers["location"].to_str().unwrap(), format!("{}A/y%20%C3%A9.txt", lab.server.url()));
}

#[tokio::test]
async fn a_folder_is_served_under_its_name_and_the_inner_of_two_mirrors_answers() {
    let lab = lab(false);
    let folder = |path: &Path| Lazycache::open(path.to_str().unwrap()).unwrap();
    let served = Served::new(&[], 1).unwrap();
    let served =
        served.with_folder("m", folder(lab.folder.path())).with_folder("m/n", folder(&lab.folder.path().join("A")));
    let lab = Lab { app: app(served), ..lab };
    let frames = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["NumFrames"].clone();
    for path in ["/v1/m/A/X.mov", "/v1/m/n/X.mov"] {
        assert_eq!(frames(&lab.get(path).await.2), json!(8), "{path}");
    }
    assert_eq!(lab.get("/v1/m/A/Y.mp4").await.0, StatusCode::NOT_FOUND, "a folder has no address to be sent to");
}

#[tokio::test]
async fn health_and_versions_are_told() {
    let lab = lab(false);
    for path in ["/healthz", "/_ah/health", "/readyz", "/info/"] {
        assert_eq!(lab.get(path).await.0, StatusCode::OK, "{path}");
    }
    let info: Value = serde_json::from_slice(&lab.get("/info/").await.2).unwrap();
    assert_eq!((&info["name"], &info["version"]), (&json!("lazycache"), &json!(env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn head_is_answered_everywhere_as_get_is_without_a_body() {
    let lab = lab(false);
    let paths = ["", "A/", "A/X.mov", "A/X.mov/frame/3.bmp", "A/Y.mp4", "A/X.mov/frame/0", "A/gone.mov"];
    let paths = paths.iter().map(|path| format!("{}{path}", lab.api));
    for path in paths.chain(["/", "/healthz", "/_ah/health", "/readyz", "/info/", "/nowhere"].map(String::from)) {
        let (status, headers, _) = lab.get(&path).await;
        let (head_status, head_headers, body) = lab.send("HEAD", &path, &[]).await;
        assert_eq!((head_status, body.len()), (status, 0), "{path}");
        let without_times = |headers: &HeaderMap| {
            let kept = headers.iter().filter(|(name, _)| !name.as_str().starts_with("x-lazycache-timing"));
            kept.map(|(name, value)| (name.clone(), value.clone())).collect::<HeaderMap>()
        };
        assert_eq!(without_times(&head_headers), without_times(&headers), "{path}");
    }
}

#[tokio::test]
async fn only_get_and_head_are_answered() {
    let lab = lab(false);
    for path in ["/".to_owned(), format!("{}A/X.mov", lab.api)] {
        for method in ["POST", "PUT", "DELETE"] {
            let (status, headers, body) = lab.send(method, &path, &[]).await;
            assert_eq!((status, &headers["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD".parse().unwrap()));
            assert!(serde_json::from_slice::<Value>(&body).unwrap()["detail"].is_string());
        }
    }
}

#[tokio::test]
async fn a_page_of_any_origin_may_read_answers_and_their_headers() {
    let lab = lab(false);
    let path = format!("{}A/X.mov/frame/3.png", lab.api);
    let (_, headers, _) = lab.send("GET", &path, &[("origin", "https://example.org")]).await;
    assert_eq!(
        (&headers["access-control-allow-origin"], &headers["access-control-expose-headers"]),
        (&"*".parse().unwrap(), &"*".parse().unwrap())
    );
    let asked = [
        ("origin", "https://example.org"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "x-lazycache-output-width"),
    ];
    let (status, headers, _) = lab.send("OPTIONS", &path, &asked).await;
    assert_eq!((status, &headers["access-control-allow-methods"]), (StatusCode::OK, &"GET,HEAD".parse().unwrap()));
    assert_eq!(headers["access-control-allow-headers"], "*");
    let (_, headers, _) = lab.send("GET", &format!("{}A/gone.mov", lab.api), &[]).await;
    assert_eq!(headers["access-control-allow-origin"], "*", "errors, too");
}

#[tokio::test]
async fn texts_are_compressed_for_those_who_can_read_it_and_pictures_are_not() {
    let lab = lab(false);
    let gzip = [("accept-encoding", "gzip")];
    let listing = format!("{}A/", lab.api);
    for number in 0..40 {
        std::fs::write(lab.folder.path().join(format!("A/a-file-with-a-long-name-{number:03}.txt")), "").unwrap();
    }
    let (_, headers, body) = lab.send("GET", &listing, &gzip).await;
    assert_eq!(headers["content-encoding"], "gzip");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&body[..]), &mut text).unwrap();
    assert_eq!(text.as_bytes(), lab.get(&listing).await.2);
    assert!(body.len() < text.len() / 2);
    for name in ["A/X.mov/frame/3.png", "A/X.mov/frame/3.bmp", "A/X.mov/frame/3.npy"] {
        let (_, headers, _) = lab.send("GET", &format!("{}{name}", lab.api), &gzip).await;
        assert!(!headers.contains_key("content-encoding") && headers.contains_key("content-length"), "{name}");
    }
}

#[tokio::test]
async fn a_public_instance_says_so_on_every_answer_and_others_do_not() {
    let lab = lab(false);
    let root = MirrorRoot::parse(&lab.server.url()).unwrap();
    let public = Lab {
        app: app(Served::new(&[root], 1).unwrap().public(true)),
        api: lab.api.clone(),
        server: Server::start(lab.folder.path()).unwrap(),
        folder: tempfile::tempdir().unwrap(),
    };
    for path in ["/".to_owned(), format!("{}A/X.mov/frame/1.bmp", lab.api), format!("{}A/X.mov/frame/0", lab.api)] {
        assert_eq!(public.get(&path).await.1["x-lazycache-public"], "true", "{path}");
        assert!(!lab.get(&path).await.1.contains_key("x-lazycache-public"), "{path}");
    }
}

#[tokio::test]
async fn http_2_without_tls_is_spoken_too() {
    let lab = lab(false);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}{}A/X.mov", listener.local_addr().unwrap(), lab.api);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let root = MirrorRoot::parse(&lab.server.url()).unwrap();
    let shutdown = async { stopped.await.unwrap_or_default() };
    let serving = lazycache::server::run(
        listener,
        Served::new(&[root], 1).unwrap(),
        shutdown,
        std::time::Duration::from_secs(10),
    );
    let serving = tokio::spawn(serving);
    lazycache::tls::use_ring();
    for (client, version) in [
        (reqwest::Client::builder().http2_prior_knowledge(), reqwest::Version::HTTP_2),
        (reqwest::Client::builder().http1_only(), reqwest::Version::HTTP_11),
    ] {
        let response = client.build().unwrap().get(&address).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, version));
        let movie: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(movie["NumFrames"], json!(8));
    }
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

/// FFmpeg's own decode of a frame to RGB, with the colours of its own, exact scaler.
fn reference(movie: &Path, index: u32) -> Vec<u8> {
    let select = format!(
        "select=eq(n\\,{index}),scale=in_color_matrix=bt709:flags=accurate_rnd+full_chroma_int+full_chroma_inp"
    );
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(movie)
        .args(["-vf", &select, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[tokio::test]
async fn frame_n_has_the_pixels_of_ffmpegs_frame_n() {
    let lab = lab(true);
    let all: Vec<Vec<u8>> = (0..8).map(|index| reference(&lab.folder.path().join("A/X.mov"), index)).collect();
    for number in 1..=8_usize {
        let (_, _, body) = lab.below(&format!("A/X.mov/frame/{number}.rgba")).await;
        let ours: Vec<u8> = body.chunks_exact(4).flat_map(|pixel| pixel[..3].to_vec()).collect();
        let off = |other: &[u8]| {
            let sum: u64 = ours.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            sum as f64 / ours.len() as f64
        };
        let nearest = (0..8).min_by(|a, b| off(&all[*a]).total_cmp(&off(&all[*b]))).unwrap();
        assert_eq!(nearest, number - 1, "frame {number} is that frame and no other");
        assert!(off(&all[nearest]) < 0.6, "frame {number} is off by {} levels on average", off(&all[nearest]));
    }
}
