//! What the server answers beyond v1: grey and reduced frames, and which version of a movie an answer is of.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use archive::{Movie, Server};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use frame::{Decoder, FrameNumber, MirrorRoot, MoviePath};
use lazycache::{
    Lazycache, decode, reduced,
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
        self.get_with(path, &[]).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::get(format!("{}{path}", self.api));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Body::empty()).unwrap();
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
        let (image, _) = reduced::grey(&movie, &packet, scale, Decoder::Reduced).unwrap();
        assert_eq!(body, image.data, "1/{scale}");
        let (_, _, body) = lab.get(&format!("X.mov/frame/2.raw?grey=1&scale={scale}&decoder=full")).await;
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

/// The values of a `NumPy` array and the shape it tells.
fn array(bytes: &[u8]) -> (String, Vec<u16>) {
    let start = 10 + u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = std::str::from_utf8(&bytes[10..start]).unwrap();
    let shape = header.split_once("'shape': ").unwrap().1.split_once(", }").unwrap().0.to_owned();
    let values = &bytes[start..];
    let wide = header.contains("<u2");
    let pairs = |pair: &[u8]| u16::from_le_bytes([pair[0], pair[1]]);
    let values =
        if wide { values.chunks(2).map(pairs).collect() } else { values.iter().map(|v| u16::from(*v)).collect() };
    (shape, values)
}

#[tokio::test]
async fn a_crop_is_that_part_of_the_frame_and_one_outside_is_refused() {
    let lab = lab((64, 48), true);
    let whole = lab.get("X.mov/frame/2.rgba").await.2;
    let part = lab.get("X.mov/frame/2.rgba?crop=10,20,8,4").await.2;
    let expected: Vec<u8> = (20..24).flat_map(|row| whole[(row * 64 + 10) * 4..][..8 * 4].to_vec()).collect();
    assert_eq!(part, expected);
    let lab = &lab;
    let grey = |query: String| async move { array(&lab.get(&format!("X.mov/frame/2.npy?grey=1{query}")).await.2) };
    let (_, whole) = grey(String::new()).await;
    let expected: Vec<u16> = (20..24).flat_map(|row| whole[row * 64 + 10..][..8].to_vec()).collect();
    assert_eq!(grey("&crop=10,20,8,4".into()).await, ("(4, 8)".into(), expected));
    assert_eq!(grey("&crop=10,20,8,4&scale=4".into()).await.0, "(1, 2)");
    assert_eq!(lab.get("X.mov/frame/2.rgba?crop=0,0,32,24&width=16&height=12").await.2.len(), 16 * 12 * 4);
    for crop in ["60,0,8,8", "0,48,1,1", "0,0,0,1", "1,2,3", "crop"] {
        assert_eq!(lab.get(&format!("X.mov/frame/2.png?crop={crop}")).await.0, StatusCode::BAD_REQUEST, "{crop}");
    }
}

/// FFmpeg's decode of a frame as it is: 10-bit 4:2:2, of which the brightness.
fn luma_of(movie: &std::path::Path, index: u32, pixels: usize) -> Vec<u16> {
    let output = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i", movie.to_str().unwrap(), "-vf", &format!("select=eq(n\\,{index})")])
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv422p10le", "-"])
        .output()
        .unwrap();
    output.stdout.chunks(2).take(pixels).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[tokio::test]
async fn ten_bits_are_those_of_the_movie() {
    let lab = lab((64, 48), false);
    let luma = luma_of(&lab.folder.path().join("X.mov"), 1, 64 * 48);
    let expected: Vec<u16> =
        luma.iter().map(|y| (((i64::from(*y) - 64) * 1023 + 438) / 876).clamp(0, 1023) as u16).collect();
    let (shape, values) = array(&lab.get("X.mov/frame/2.npy?grey=1&depth=10").await.2);
    assert_eq!((shape.as_str(), &values), ("(48, 64)", &expected));
    let distinct = |values: &[u16]| values.iter().collect::<std::collections::BTreeSet<_>>().len();
    let (_, eight) = array(&lab.get("X.mov/frame/2.npy?grey=1").await.2);
    assert!(distinct(&values) > 256 || distinct(&values) > distinct(&eight), "more levels than 8 bits can tell");
    // In colour: within a level of the 8-bit answer, and spread to 16 bits by repeating the upper ones.
    let (shape, ten) = array(&lab.get("X.mov/frame/2.npy?depth=10").await.2);
    let (_, eight) = array(&lab.get("X.mov/frame/2.npy").await.2);
    assert_eq!((shape.as_str(), ten.len()), ("(48, 64, 3)", eight.len()));
    let off = ten.iter().zip(&eight).map(|(ten, eight)| (f64::from(*ten) / 1023.0 * 255.0 - f64::from(*eight)).abs());
    assert!(off.fold(0.0, f64::max) < 1.6);
    let (_, sixteen) = array(&lab.get("X.mov/frame/2.npy?depth=16").await.2);
    assert_eq!(sixteen, ten.iter().map(|value| value << 6 | value >> 4).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_deep_png_holds_the_values_of_the_array() {
    let lab = lab((64, 48), false);
    for query in ["depth=16", "depth=16&grey=1", "depth=16&crop=8,8,16,16", "depth=16&scale=2"] {
        let (_, values) = array(&lab.get(&format!("X.mov/frame/2.npy?{query}")).await.2);
        let png = lab.get(&format!("X.mov/frame/2.png?{query}")).await.2;
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        assert_eq!(reader.next_frame(&mut pixels).unwrap().bit_depth, png::BitDepth::Sixteen);
        let read: Vec<u16> = pixels.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        assert_eq!(read, values, "{query}");
    }
    for path in ["2.png?depth=10", "2.jpg?depth=16", "2.bmp?depth=10", "2.npy?depth=9"] {
        assert_eq!(lab.get(&format!("X.mov/frame/{path}")).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn a_quality_is_obeyed_by_jpeg() {
    let lab = lab((320, 180), false);
    let size = |q: u32| {
        let lab = &lab;
        async move { lab.get(&format!("X.mov/frame/1.jpg?q={q}")).await.2.len() }
    };
    assert!(size(10).await < size(85).await && size(85).await < size(98).await);
    assert_eq!(lab.get("X.mov/frame/1.jpg").await.2, lab.get("X.mov/frame/1.jpg?q=85").await.2);
    assert_eq!(lab.get("X.mov/frame/1.jpg?q=0").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn several_frames_are_the_frames_one_after_the_other() {
    let lab = lab((64, 48), false);
    for query in ["", "?grey=1&scale=4", "?depth=10", "?crop=8,8,16,16"] {
        let mut one = Vec::new();
        for number in 1..=3 {
            one.push(array(&lab.get(&format!("X.mov/frame/{number}.npy{query}")).await.2));
        }
        let shape = |frames: usize| format!("({frames}, {}", &one[0].0[1..]);
        let joined = |order: &[usize]| order.iter().flat_map(|at| one[at - 1].1.clone()).collect::<Vec<u16>>();
        let more = if query.is_empty() { "?" } else { "&" };
        for (path, order) in [
            (format!("frames/1-3.npy{query}"), &[1, 2, 3][..]),
            (format!("frames/1-3/2.npy{query}"), &[1, 3]),
            (format!("frames/2-2{query}"), &[2]),
            (format!("frames.npy{query}{more}numbers=3,1,3"), &[3, 1, 3]),
        ] {
            let (status, headers, body) = lab.get(&format!("X.mov/{path}")).await;
            assert_eq!(
                (status, headers["content-length"].to_str().unwrap()),
                (StatusCode::OK, body.len().to_string().as_str())
            );
            assert_eq!(array(&body), (shape(order.len()), joined(order)), "{path}");
        }
    }
}

#[tokio::test]
async fn several_frames_are_refused_before_any_is_read_where_one_is_missing_or_they_are_too_many() {
    let lab = lab((64, 48), false);
    lab.json("X.mov").await;
    lab.server.reset_counts();
    for path in [
        "frames/1-4.npy",
        "frames/0-2.npy",
        "frames/3-1.npy",
        "frames/1-3.png",
        "frames.npy",
        "frames.npy?numbers=1,4",
        "frames/1-2.npy?numbers=1",
    ] {
        let (status, _, body) = lab.get(&format!("X.mov/{path}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {}", String::from_utf8_lossy(&body));
    }
    let root = MirrorRoot::parse(&lab.server.url()).unwrap();
    let bound = Lab { app: app(Served::new(&[root], 2).unwrap().max_answer(20_000)), api: lab.api.clone(), ..lab };
    let (status, _, body) = bound.get("X.mov/frames/1-3.npy").await;
    let detail = serde_json::from_slice::<Value>(&body).unwrap()["detail"].as_str().unwrap().to_owned();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(detail.contains("27776") && detail.contains("20000"), "{detail}");
    assert_eq!(bound.get("X.mov/frames/1-2.npy").await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_answer_of_several_frames_that_fails_midway_is_broken_off_not_filled_up() {
    let lab = lab((64, 48), false);
    lab.json("X.mov").await;
    // The first frame's packet comes, the others do not.
    lab.server.inject(archive::Rule::on("X.mov", archive::Fault::Status { status: 404, retry_after: None }).after(1));
    let request = Request::get(format!("{}X.mov/frames.npy?numbers=1,2", lab.api)).body(Body::empty()).unwrap();
    let response = lab.app.clone().oneshot(request).await.unwrap();
    if response.status() == StatusCode::OK {
        assert!(to_bytes(response.into_body(), 1 << 26).await.is_err());
    } else {
        // The reads go on side by side: the second may have come first.
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_second_leads_to_the_frame_that_is_shown_then() {
    let lab = lab((64, 48), false);
    let frame = |seconds: &'static str| {
        let lab = &lab;
        async move {
            let (status, headers, body) = lab.get(&format!("X.mov/time/{seconds}")).await;
            assert_eq!(status, StatusCode::OK, "{seconds}");
            let header = |name: &str| headers[name].to_str().unwrap().to_owned();
            (header("x-lazycache-frame"), header("x-lazycache-time"), body)
        }
    };
    // Frames of 1001/30000 s.
    for (seconds, number, time) in [
        ("0.png", 1, "0.000000"),
        ("0.033.png", 1, "0.000000"),
        ("0.0334.png", 2, "0.033367"),
        ("0.033367.png", 2, "0.033367"),
        ("0.1000.png", 3, "0.066733"),
        ("0.07", 3, "0.066733"),
    ] {
        let (found, at, body) = frame(seconds).await;
        assert_eq!((found, at.as_str()), (number.to_string(), time), "{seconds}");
        assert!(body == lab.get(&format!("X.mov/frame/{number}.png")).await.2, "{seconds}");
    }
    for seconds in ["0.2.png", "99", "x.png", "-1.png", "0.gif"] {
        assert_eq!(lab.get(&format!("X.mov/time/{seconds}")).await.0, StatusCode::BAD_REQUEST, "{seconds}");
    }
}

#[tokio::test]
async fn a_storyboard_shows_the_frames_it_names() {
    let lab = lab((320, 180), true);
    let (status, headers, body) = lab.get("X.mov/storyboard.jpg?columns=2&rows=2&q=95").await;
    assert_eq!((status, &headers["content-type"]), (StatusCode::OK, &"image/jpeg".parse().unwrap()));
    assert_eq!(headers["x-lazycache-frames"], "1,2,3");
    let sheet = turbojpeg::decompress(&body, turbojpeg::PixelFormat::RGB).unwrap();
    assert_eq!((sheet.width, sheet.height), (480, 270));
    for (at, number) in (0..).zip(1..=3) {
        let tile = lab.get(&format!("X.mov/frame/{number}.rgba?width=240&height=135")).await.2;
        let off = |number_of_tile: usize| {
            let (left, top) = (number_of_tile % 2 * 240, number_of_tile / 2 * 135);
            let mut sum = 0_u64;
            for y in 0..135 {
                for x in 0..240 * 3 {
                    let value = tile[(y * 240 + x / 3) * 4 + x % 3];
                    sum += u64::from(sheet.pixels[(top + y) * 480 * 3 + left * 3 + x].abs_diff(value));
                }
            }
            sum as f64 / f64::from(240 * 135 * 3)
        };
        assert!(off(at) < 6.0, "tile {at} is off by {}", off(at));
    }
    assert_eq!(lab.get("X.mov/storyboard.jpg?columns=0").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(lab.get("X.mov/storyboard.jpg?rows=13").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_the_client_has_is_not_read_and_decoded_again() {
    let lab = lab((64, 48), false);
    for path in [
        "X.mov/frame/2.png",
        "X.mov/frame/2.png?grey=1",
        "X.mov/time/0.04.jpg",
        "X.mov/frames/1-2.npy",
        "X.mov/storyboard.jpg",
    ] {
        let (status, headers, _) = lab.get(path).await;
        let tag = headers["etag"].to_str().unwrap();
        assert_eq!((status, headers["cache-control"].to_str().unwrap()), (StatusCode::OK, "public, max-age=604800"));
        assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
        lab.server.reset_counts();
        let (status, headers, body) = lab.get_with(path, &[("if-none-match", tag)]).await;
        assert_eq!((status, headers["etag"].to_str().unwrap(), body.len()), (StatusCode::NOT_MODIFIED, tag, 0));
        assert_eq!(lab.server.counts().requests, 0, "{path}: nothing is read");
        assert!(!headers.contains_key("x-lazycache-timing-extraction-ns"), "{path}: nothing is decoded");
        assert_eq!(lab.get_with(path, &[("if-none-match", "\"another\"")]).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn tags_differ_by_address_and_by_version_of_the_movie() {
    let lab = lab((64, 48), false);
    let tag = |path: &'static str| {
        let lab = &lab;
        async move { lab.get(path).await.1["etag"].to_str().unwrap().to_owned() }
    };
    let first = tag("X.mov/frame/2.png").await;
    assert_eq!(tag("X.mov/frame/2?width=&height=0").await, first, "the same answer by another address");
    let mut tags = vec![first.clone()];
    for path in
        ["X.mov/frame/1.png", "X.mov/frame/2.jpg", "X.mov/frame/2.png?scale=2", "X.mov/frame/2.png?crop=0,0,8,8"]
    {
        tags.push(tag(path).await);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 5);
    Movie { frames: 5, size: (64, 48), ..Movie::default() }.render(&lab.folder.path().join("X.mov")).unwrap();
    // A reload asks the origin.
    let headers = [("if-none-match", first.as_str()), ("cache-control", "no-cache")];
    let (status, headers, _) = lab.get_with("X.mov/frame/2.png", &headers).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(headers["etag"].to_str().unwrap(), first);
}

#[tokio::test]
async fn failures_are_counted_by_their_kind() {
    let lab = lab((64, 48), false);
    let page = [("accept", "text/html")];
    for (path, headers) in [("X.mov/frame/0.png", &[][..]), ("X.mov/frame/9.png", &[]), ("X.mov?frame=9", &page)] {
        assert_eq!(lab.get_with(path, headers).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(lab.get("Y.mov/frame/1.png").await.0, StatusCode::NOT_FOUND);
    assert_eq!(lab.get("X.mov/frame/1.rgba").await.0, StatusCode::NOT_IMPLEMENTED);
    assert_eq!(lab.get("X.mov/frame/1.png").await.0, StatusCode::OK);
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let body = to_bytes(lab.app.clone().oneshot(request).await.unwrap().into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut found: Vec<&str> = text.lines().filter(|line| line.starts_with("lazycache_failures_total")).collect();
    found.sort_unstable();
    let expected = [("BadRequest", 3), ("NotAllowed", 1), ("NotFound", 1)];
    assert_eq!(found, expected.map(|(kind, count)| format!("lazycache_failures_total{{kind=\"{kind}\"}} {count}")));
}
