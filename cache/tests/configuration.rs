//! How a server is told what to do: by a file, by variables as the operator hands them to a pod, by flags.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use archive::{Movie, Server};
use frame::MirrorRoot;

fn archive() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let movie = Movie { frames: 4, size: (64, 64), plume: 0.0, ..Movie::default() };
    movie.render(&folder.path().join("A/X.mov")).unwrap();
    let server = Server::start(folder.path()).unwrap();
    (folder, server)
}

fn serve(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lazycache"));
    command.arg("serve").args(arguments).env("NO_COLOR", "1").stderr(Stdio::piped()).stdout(Stdio::null());
    for name in ["LAZYCACHE_MIRRORS", "LAZYCACHE_LOG", "LAZYCACHE_CONFIG"] {
        command.env_remove(name);
    }
    command
}

/// A running server; killed when dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.find(|line| line.as_ref().unwrap().contains("address=")).unwrap().unwrap();
        // The pipe is kept empty, or the server would wait for it.
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        Self { child, address }
    }

    /// An answer's head and body.
    fn get(&self, path: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
    }

    /// Tells it to stop; its exit code.
    fn stop(mut self) -> Option<i32> {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let until = Instant::now() + Duration::from_mins(1);
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
fn variables_stand_above_the_file_and_flags_above_both() {
    let (folder, _server) = archive();
    let file = format!(
        "folder = \"m={}\"\nport = 1\nbind = \"127.0.0.1\"\nallow-raw-output = true\npublic = true\nmemory = \"8MiB\"\n",
        folder.path().display()
    );
    std::fs::write(folder.path().join("lazycache.toml"), file).unwrap();
    let mut command = serve(&["--port", "0"]);
    command.current_dir(folder.path()).env("LAZYCACHE_PUBLIC", "false");
    let serving = Serving::of(&mut command);
    let (head, body) = serving.get("/v1/m/A/X.mov/frame/2.raw");
    assert!(head.starts_with("HTTP/1.1 200") && !head.contains("x-lazycache-public"), "{head}");
    assert_eq!(body.len(), 64 * 64 * 4);
}

#[test]
fn a_wrong_file_ends_with_2_and_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.yaml");
    std::fs::write(&path, "prot: 9000\n").unwrap();
    let output = serve(&["--config", path.to_str().unwrap()]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("wrong.yaml") && error.contains("prot"), "{error}");
}

/// A pod as the operator makes it.
fn pod(root: &str, disk: &Path, copies: &Path) -> Command {
    let mut command = serve(&[root]);
    command.env("LAZYCACHE_BIND", "127.0.0.1").env("LAZYCACHE_PORT", "0").env("LAZYCACHE_ALLOW_RAW_OUTPUT", "true");
    command.env("LAZYCACHE_MAX_CONCURRENT_REQUESTS", "2").env("LAZYCACHE_DISK", disk);
    command.env("LAZYCACHE_FILE_OVERLAY", copies);
    for name in ["LAZYCACHE_AUTH_TOKEN", "LAZYCACHE_AUTH_USERNAME", "LAZYCACHE_AUTH_PASSWORD"] {
        command.env(name, "");
    }
    command
}

#[test]
fn a_pod_of_the_operator_is_warm_after_a_restart_and_prefers_copies() {
    let (_folder, server) = archive();
    let (disk, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let copy = Movie { frames: 7, size: (64, 64), plume: 0.0, ..Movie::default() };
    copy.render(&copies.path().join("A/Y.mov")).unwrap();
    let api = MirrorRoot::parse(&server.url()).unwrap().api_path();
    let frame = format!("{api}A/X.mov/frame/2.raw?grey=1&scale=2");
    let first = Serving::of(&mut pod(&server.url(), disk.path(), copies.path()));
    let (head, pixels) = first.get(&frame);
    assert!(head.starts_with("HTTP/1.1 200") && pixels.len() == 32 * 32, "{head}");
    let (_, told) = first.get(&format!("{api}A/Y.mov"));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&told).unwrap()["NumFrames"], 7);
    assert_eq!(first.stop(), Some(0));
    server.reset_counts();
    let second = Serving::of(&mut pod(&server.url(), disk.path(), copies.path()));
    assert_eq!(second.get(&frame).1, pixels);
    assert_eq!((server.counts().requests, server.counts().bytes), (1, 0), "asked only whether it is still the same");
}
