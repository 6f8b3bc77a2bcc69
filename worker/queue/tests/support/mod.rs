//! A real Redis, on a socket in a folder that goes with the test.
#![allow(dead_code)] // every test file uses its own part

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use queue::{List, ListName, Server};
use tempfile::TempDir;

/// How long anything may take that should take no time.
pub const SOON: Duration = Duration::from_secs(30);

pub struct Redis {
    folder: TempDir,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Redis {
    /// Starts one that keeps nothing on disk.
    pub async fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"]).await
    }

    /// Starts one with arguments of `redis-server`.
    pub async fn with(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let mut redis = Self { folder: tempfile::tempdir().unwrap(), arguments, process: None };
        redis.again().await;
        redis
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Its address, with a user.
    pub fn address(&self, user: &str, password: &str) -> String {
        let user = if user.is_empty() { String::new() } else { format!("?user={user}&pass={password}") };
        format!("redis+unix://{}{user}", self.socket().display())
    }

    pub fn server(&self) -> Server {
        Server::open(&self.address("", "")).unwrap()
    }

    /// A list on it whose items are taken over after `silence`.
    pub fn list(&self, silence: Duration) -> List {
        List::new(self.server(), ListName::new("tests", "0a").unwrap(), silence)
    }

    /// Stops it at once, as a node that dies does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        let _ = fs::remove_file(self.socket());
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Starts it (again), with what is on its disk.
    pub async fn again(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--unixsocket"]).arg(self.socket()).arg("--dir").arg(self.folder.path());
        let process = command.args(&self.arguments).stdout(Stdio::null()).stdin(Stdio::null()).spawn();
        self.process = Some(process.expect("redis-server is needed: apt-get install redis-server"));
        let start = Instant::now();
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            assert!(start.elapsed() < SOON, "redis-server does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `redis-cli`, and what it prints.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli").arg("-s").arg(self.socket()).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// So many items.
pub fn items(count: u32) -> Vec<String> {
    (0..count).map(|number| format!("A/2018/07/24/M-{number:05}.mov")).collect()
}
