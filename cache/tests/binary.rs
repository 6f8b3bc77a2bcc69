//! The program itself: what it prints, how it ends.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use archive::Movie;
use serde_json::{Value, json};

fn lazycache(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lazycache"));
    command.args(arguments).env_remove("LAZYCACHE_MIRRORS").env_remove("LAZYCACHE_LOG");
    command
}

fn render() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 3, size: (64, 64), plume: 0.0, ..Movie::default() }.render(&folder.path().join("X.mov")).unwrap();
    folder
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = lazycache(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn info_tells_a_movie_and_frame_saves_a_picture() {
    let folder = render();
    let movie = folder.path().join("X.mov");
    let (code, out, _) = run(&["info", text(&movie)]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["NumFrames"], &told["Codec"]), (Some(0), &json!(3), &json!("apcn")));
    let picture = folder.path().join("frame.bmp");
    let (code, _, error) = run(&["frame", text(&movie), "2", text(&picture), "--width", "32", "--height", "16"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read(picture).unwrap().len(), 54 + 32 * 16 * 3);
}

#[test]
fn a_frame_is_saved_as_it_is_asked_for() {
    let folder = render();
    let movie = folder.path().join("X.mov");
    let array = folder.path().join("part.npy");
    let options = ["--crop", "8,8,16,12", "--depth", "10", "--grey"];
    let (code, _, error) = run(&[&["frame", text(&movie), "3", text(&array)], &options[..]].concat());
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read(array).unwrap().len(), 128 + 16 * 12 * 2);
    for (output, options) in
        [("x.jpg", ["--depth", "16"]), ("x.png", ["--crop", "60,60,9,9"]), ("x.gif", ["--scale", "2"])]
    {
        let output = folder.path().join(output);
        let (code, _, error) = run(&[&["frame", text(&movie), "3", text(&output)], &options[..]].concat());
        assert!(code == Some(1) && error.contains("BadRequest") && !output.exists(), "{options:?}: {error}");
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, _) = run(&["completions", shell]);
        assert!(code == Some(0) && out.contains("lazycache") && out.contains("max-answer-bytes"), "{shell}");
    }
}

#[test]
fn a_failure_names_its_kind_and_the_file_and_ends_with_1() {
    let folder = render();
    std::fs::write(folder.path().join("text.mov"), "no movie at all").unwrap();
    for (name, kind) in [("text.mov", "NotAMovie"), ("gone.mov", "NotFound")] {
        let (code, out, error) = run(&["info", text(&folder.path().join(name))]);
        assert_eq!((code, out.as_str()), (Some(1), ""));
        assert!(error.contains(kind) && error.contains(name), "{error}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    assert_eq!(run(&["serve", "ftp://example.org/"]).0, Some(2));
    assert_eq!(run(&["serve", "--folder", "nothing"]).0, Some(2));
    assert_eq!(run(&["paint"]).0, Some(2));
}

/// A server on any free port, over `folder` as `m`; killed when dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(folder: &Path) -> Self {
        let folder = format!("m={}", folder.display());
        Self::of(&mut lazycache(&["serve", "--folder", &folder, "--port", "0", "--bind", "127.0.0.1"]))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.env("NO_COLOR", "1").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        // The pipe is kept empty, or the server would wait for it.
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not end");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_that_is_told_to_stop_finishes_what_is_under_way_and_ends_with_0() {
    let folder = render();
    let mut serving = Serving::start(folder.path());
    let mut stream = serving.connect();
    // Half a request: the server has accepted it and must answer it.
    stream.write_all(b"GET /v1/m/X.mov/frame/2.bmp HTTP/1.1\r\nHost: x\r\n").unwrap();
    // An answer on a second connection proves that the first was accepted.
    let mut other = serving.connect();
    other.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut healthy = String::new();
    other.read_to_string(&mut healthy).unwrap();
    assert!(healthy.starts_with("HTTP/1.1 200"), "{healthy}");
    stream.write_all(b"Connection: close\r\n\r\n").unwrap();
    serving.terminate();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert_eq!((&answer[..12], answer.len() - body), (&b"HTTP/1.1 200"[..], 54 + 64 * 64 * 3));
    assert_eq!(serving.exit_code(), Some(0));
}

#[test]
fn a_server_that_is_told_to_stop_says_that_it_is_no_longer_ready() {
    let folder = render();
    let mut serving = Serving::start(folder.path());
    // The server has this request's beginning, and waits for its end while it stops.
    let mut stream = serving.connect();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n").unwrap();
    let mut other = serving.connect();
    other.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut before = String::new();
    other.read_to_string(&mut before).unwrap();
    assert!(before.starts_with("HTTP/1.1 200"), "{before}");
    serving.terminate();
    // No new connection: it has heard.
    let until = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(&serving.address).is_ok() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    stream.write_all(b"Connection: close\r\n\r\n").unwrap();
    let mut after = String::new();
    stream.read_to_string(&mut after).unwrap();
    assert!(after.starts_with("HTTP/1.1 503") && after.contains("\"Stopping\""), "{after}");
    assert_eq!(serving.exit_code(), Some(0));
}

#[test]
fn a_client_that_never_ends_its_request_does_not_keep_the_server_from_ending() {
    let folder = render();
    let argument = format!("m={}", folder.path().display());
    let options = ["--port", "0", "--bind", "127.0.0.1", "--drain-seconds", "1"];
    let mut serving = Serving::of(lazycache(&["serve", "--folder", &argument]).args(options));
    let mut stream = serving.connect();
    stream.write_all(b"GET /v1/m/X.mov HTTP/1.1\r\nHost: x\r\n").unwrap();
    let mut other = serving.connect();
    other.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    other.read_to_end(&mut Vec::new()).unwrap();
    let told = Instant::now();
    serving.terminate();
    assert_eq!(serving.exit_code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
}

#[test]
fn a_pod_is_configured_by_environment_alone() {
    let folder = render();
    let mut command = lazycache(&["serve"]);
    command.env("LAZYCACHE_MIRRORS", "http://127.0.0.1:1/files/").env("LAZYCACHE_PORT", "0");
    command.env("LAZYCACHE_BIND", "127.0.0.1").env("LAZYCACHE_ALLOW_RAW_OUTPUT", "1").env("LAZYCACHE_PUBLIC", "0");
    command.env("LAZYCACHE_FOLDER", format!("m={}", folder.path().display()));
    let serving = Serving::of(&mut command);
    let get = |path: &str| {
        let mut stream = serving.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert!(get("/").contains("/v1/127.0.0.1/1/files/"));
    let raw = get("/v1/m/X.mov/frame/1.raw");
    assert!(raw.starts_with("HTTP/1.1 200") && !raw.contains("x-lazycache-public"), "{}", &raw[..200]);
}
