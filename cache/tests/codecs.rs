//! Codecs other than ProRes: every frame of whole files is FFmpeg's own frame of that number, to the last bit of brightness.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use frame::{FrameNumber, MirrorRoot, MoviePath};
use lazycache::{
    ErrorKind, Lazycache, Movie, decode,
    server::{Served, app},
};
use serde_json::Value;
use tower::ServiceExt;

const SIZE: (usize, usize) = (256, 128);

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(["-v", "error"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A test movie of `frames` frames, with sound beside it, as `arguments` say.
fn render(folder: &Path, name: &str, frames: u32, arguments: &str) -> PathBuf {
    let path = folder.join(name);
    let source = format!("testsrc2=size={}x{}:rate=30000/1001", SIZE.0, SIZE.1);
    let count = frames.to_string();
    let mut all = vec!["-y", "-f", "lavfi", "-i", &source, "-f", "lavfi", "-i", "sine=frequency=440:duration=1"];
    all.extend(["-map", "0:v", "-map", "1:a", "-c:a", "pcm_s16le", "-frames:v", &count]);
    all.extend(arguments.split_whitespace());
    all.push(path.to_str().unwrap());
    run("ffmpeg", &all);
    path
}

async fn open(path: &Path) -> (Lazycache, Arc<Movie>) {
    let cache = Lazycache::open(path.parent().unwrap().to_str().unwrap()).unwrap();
    let name = MoviePath::parse(path.file_name().unwrap().to_str().unwrap()).unwrap();
    let movie = cache.movie(&name).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    (cache, movie)
}

/// How FFmpeg tells the brightness of a movie.
#[derive(Clone, Copy)]
struct Luma {
    format: &'static str,
    /// Values of a frame, colour included.
    values: usize,
    wide: bool,
    /// Black and the way from it to white.
    range: (i64, i64),
}

const PIXELS: usize = SIZE.0 * SIZE.1;
const LUMA_420: Luma = Luma { format: "yuv420p", values: PIXELS * 3 / 2, wide: false, range: (16, 219) };
const LUMA_422: Luma = Luma { format: "yuv422p", values: PIXELS * 2, wide: false, range: (16, 219) };
const LUMA_J422: Luma = Luma { format: "yuvj422p", range: (0, 255), ..LUMA_422 };
const LUMA_420_10: Luma = Luma { format: "yuv420p10le", wide: true, range: (64, 876), ..LUMA_420 };
const LUMA_422_10: Luma = Luma { format: "yuv422p10le", wide: true, range: (64, 876), ..LUMA_422 };

/// FFmpeg's sequential decode of the whole movie: brightness of every frame, spread to 0-255.
fn all_of(path: &Path, luma: Luma) -> Vec<Vec<u8>> {
    let arguments = ["-i", path.to_str().unwrap(), "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo"];
    let bytes = run("ffmpeg", &[&arguments[..], &["-pix_fmt", luma.format, "-"]].concat());
    let values: Vec<i64> = if luma.wide {
        bytes.chunks(2).map(|pair| i64::from(u16::from_le_bytes([pair[0], pair[1]]))).collect()
    } else {
        bytes.iter().map(|value| i64::from(*value)).collect()
    };
    let (black, span) = luma.range;
    let spread = |value: &i64| (((value - black) * 255 + span / 2) / span).clamp(0, 255) as u8;
    values.chunks_exact(luma.values).map(|frame| frame[..PIXELS].iter().map(spread).collect()).collect()
}

/// When FFmpeg shows every frame, in seconds.
fn times_of(path: &Path) -> Vec<f64> {
    let entries = ["-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time", "-of", "csv=p=0"];
    let text = String::from_utf8(run("ffprobe", &[&entries[..], &[path.to_str().unwrap()]].concat())).unwrap();
    text.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect()
}

async fn same_as_ffmpeg(path: &Path, luma: Luma) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let (cache, movie) = open(path).await;
    let all = all_of(path, luma);
    assert_eq!(movie.num_frames() as usize, all.len(), "{name}: number of frames");
    for (number, expected) in (1..).zip(&all) {
        let number = FrameNumber::new(number).unwrap();
        let packet = cache.packet(&movie, number).await.unwrap();
        let found =
            decode::grey(&movie, &packet, 1).unwrap_or_else(|error| panic!("{name}, frame {number}: {error:?}"));
        let off = found.data.iter().zip(expected).filter(|(a, b)| a != b).count();
        let nearest = all.iter().position(|other| *other == found.data).map(|at| at + 1);
        assert_eq!(off, 0, "{name}, frame {number}: {off} pixels differ; it is frame {nearest:?}");
        assert!(decode::rgb(&movie, &packet).is_ok(), "{name}, frame {number}");
    }
}

#[tokio::test]
async fn frames_of_codecs_that_code_each_alone_are_ffmpegs() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments, luma) in [
        ("mjpeg.mov", "-c:v mjpeg -q:v 3 -pix_fmt yuvj422p", LUMA_J422),
        ("dnxhr.mov", "-c:v dnxhd -profile:v dnxhr_sq -pix_fmt yuv422p", LUMA_422),
        ("dnxhr10.mov", "-c:v dnxhd -profile:v dnxhr_hqx -pix_fmt yuv422p10le", LUMA_422_10),
        ("v210.mov", "-c:v v210 -pix_fmt yuv422p10le", LUMA_422_10),
        ("prores.mov", "-c:v prores_ks -profile:v 2 -pix_fmt yuv422p10le", LUMA_422_10),
        ("alone.mp4", "-c:v libx264 -g 1 -pix_fmt yuv420p -c:a aac", LUMA_420),
    ] {
        let path = render(folder.path(), name, 12, arguments);
        same_as_ffmpeg(&path, luma).await;
    }
}

#[tokio::test]
async fn frames_of_h264_are_ffmpegs_whatever_they_build_upon() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("forward.mov", "-c:v libx264 -g 12 -bf 0 -pix_fmt yuv420p".to_owned()),
        ("both.mov", "-c:v libx264 -g 12 -bf 3 -pix_fmt yuv420p".to_owned()),
        ("both.mp4", "-c:v libx264 -g 25 -bf 2 -pix_fmt yuv420p -movflags +faststart -c:a aac".to_owned()),
    ] {
        let path = render(folder.path(), name, 60, &arguments);
        same_as_ffmpeg(&path, LUMA_420).await;
        let (_, movie) = open(&path).await;
        assert!(movie.builds_upon_others());
        for (number, time) in (1..).zip(times_of(&path)) {
            let found = movie.seconds(FrameNumber::new(number).unwrap()).unwrap();
            assert!((found - time).abs() < 1e-5, "{name}, frame {number}: {found} and {time}");
            assert_eq!(movie.frame_at(time).unwrap().get(), number, "{name}");
        }
    }
}

/// Open groups whose pictures build upon pictures in between, many of them kept: what leads tells the decoder what to
/// forget.
#[tokio::test]
async fn frames_of_open_groups_of_h264_are_ffmpegs_whatever_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    for (bframes, pyramid, references, keyint) in
        [(3, "none", 1, 12), (3, "normal", 5, 12), (4, "strict", 3, 10), (7, "normal", 16, 25), (5, "strict", 8, 8)]
    {
        let name = format!("{bframes}-{pyramid}-{references}.mov");
        let arguments = format!(
            "-c:v libx264 -pix_fmt yuv420p -x264-params open-gop=1:bframes={bframes}:b-adapt=0:b-pyramid={pyramid}:\
             ref={references}:keyint={keyint}:min-keyint={keyint}:scenecut=0:threads=1"
        );
        let path = render(folder.path(), &name, 60, &arguments);
        same_as_ffmpeg(&path, LUMA_420).await;
    }
}

#[tokio::test]
async fn frames_of_hevc_are_ffmpegs_whatever_they_build_upon() {
    let folder = tempfile::tempdir().unwrap();
    let parameters = "-x265-params log-level=error:keyint=12:min-keyint=12:scenecut=0:bframes=3:open-gop";
    for (name, arguments, luma) in [
        ("closed.mov", format!("-c:v libx265 {parameters}=0 -tag:v hvc1 -pix_fmt yuv420p"), LUMA_420),
        ("open.mp4", format!("-c:v libx265 {parameters}=1 -tag:v hev1 -pix_fmt yuv420p -c:a aac"), LUMA_420),
        ("deep.mov", format!("-c:v libx265 {parameters}=1 -tag:v hvc1 -pix_fmt yuv420p10le"), LUMA_420_10),
    ] {
        let path = render(folder.path(), name, 40, &arguments);
        same_as_ffmpeg(&path, luma).await;
    }
}

#[tokio::test]
async fn an_edit_list_hides_the_frames_that_ffmpeg_does_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let whole = render(folder.path(), "whole.mov", 60, "-c:v libx264 -g 12 -bf 2 -pix_fmt yuv420p");
    for (name, cut) in [("start.mov", "-ss 0.63"), ("both.mov", "-ss 0.5 -t 0.9"), ("end.mp4", "-t 1.21 -c:a aac")] {
        let path = folder.path().join(name);
        let mut arguments = vec!["-y"];
        let (input, output): (Vec<&str>, Vec<&str>) = if cut.starts_with("-ss") {
            (cut.split(' ').collect(), vec!["-c", "copy"])
        } else {
            (vec![], ["-c:v", "copy"].into_iter().chain(cut.split(' ')).collect())
        };
        arguments.extend(input);
        arguments.extend(["-i", whole.to_str().unwrap()]);
        arguments.extend(output);
        arguments.push(path.to_str().unwrap());
        run("ffmpeg", &arguments);
        let (_, movie) = open(&path).await;
        assert!(movie.num_frames() < 60, "{name}: something is cut");
        same_as_ffmpeg(&path, LUMA_420).await;
    }
}

#[tokio::test]
async fn a_frame_that_too_many_others_are_needed_for_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = render(folder.path(), "long.mov", 640, "-c:v libx264 -preset ultrafast -g 1000 -bf 0 -pix_fmt yuv420p");
    let (cache, movie) = open(&path).await;
    assert!(cache.packet(&movie, FrameNumber::new(600).unwrap()).await.is_ok());
    let error = cache.packet(&movie, FrameNumber::new(601).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("frame 601 is decoded from 601 frames of"), "{error}");
}

#[tokio::test]
async fn a_damaged_group_is_an_error_and_a_cut_one_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = render(folder.path(), "both.mov", 12, "-c:v libx264 -g 12 -bf 0 -pix_fmt yuv420p");
    let (cache, movie) = open(&path).await;
    let packet = cache.packet(&movie, FrameNumber::new(9).unwrap()).await.unwrap();
    assert!(decode::grey(&movie, &packet, 1).is_ok());
    for length in [0, 3, 5, packet.len() / 2, packet.len() - 1] {
        assert!(decode::grey(&movie, &packet[..length], 1).is_err(), "cut to {length}");
    }
}

#[tokio::test]
async fn an_mp4_is_at_the_origin_and_its_frames_are_here() {
    let folder = tempfile::tempdir().unwrap();
    render(folder.path(), "X.mp4", 20, "-c:v libx264 -g 12 -bf 2 -pix_fmt yuv420p -c:a aac");
    let server = archive::Server::start(folder.path()).unwrap();
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let api = root.api_path();
    let app = app(Served::new(&[root], 2).unwrap());
    let get = |path: &str| {
        let (app, request) = (app.clone(), Request::get(format!("{api}{path}")).body(Body::empty()).unwrap());
        async move {
            let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
            (parts.status, parts.headers, to_bytes(body, 1 << 24).await.unwrap())
        }
    };
    assert_eq!(get("X.mp4").await.0, StatusCode::FOUND);
    let info: Value = serde_json::from_slice(&get("X.mp4/info").await.2).unwrap();
    assert_eq!((&info["NumFrames"], &info["Codec"], &info["URL"]), (&20.into(), &"avc1".into(), &"/X.mp4".into()));
    let (status, headers, body) = get("X.mp4/frame/13.bmp").await;
    assert_eq!((status, body.len()), (StatusCode::OK, 54 + PIXELS * 3));
    assert_eq!(headers["x-lazycache-frame"], "13");
    assert_eq!(get("X.mp4/frame/21.png").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(get("X.mp4/frame/1.npy?depth=10").await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "it has 8 bits");
    assert_eq!(get("X.mp4/storyboard.jpg").await.0, StatusCode::OK);
    assert_eq!(get("X.mp4/frames/1-20/7.npy?grey=1&scale=4").await.0, StatusCode::OK);
}
