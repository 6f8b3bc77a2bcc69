//! Servers as processes of their own, and what processes take of the machine, as Linux counts it.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::serve::ListenerExt as _;

/// The word that makes this program a static file server.
pub const STATIC: &str = "serve-static";

/// A server; killed when dropped.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Process {
    /// `lazycache serve` with these arguments.
    pub fn lazycache(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lazycache"));
        command.arg("serve").args(["--port", "0", "--bind", "127.0.0.1"]).args(arguments);
        command.env_remove("LAZYCACHE_MIRRORS").env_remove("LAZYCACHE_LOG");
        Self::start(&mut command)
    }

    /// A static file server over `folder`.
    pub fn static_files(folder: &Path) -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()).arg(STATIC).arg(folder))
    }

    fn start(command: &mut Command) -> Self {
        let mut child = command.env("NO_COLOR", "1").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("address=")?.1.split_whitespace().next()?.to_owned())
        });
        // The pipe is kept empty, or the server would wait for it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.unwrap() }
    }

    /// Processor time so far.
    pub fn processor_time(&self) -> Duration {
        processor_time(&self.child.id().to_string())
    }

    /// Resident bytes: now, and the most so far.
    pub fn resident(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kib = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        (kib("VmRSS:") << 10, kib("VmHWM:") << 10)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of all threads that are alive of a process (`self`, or its number).
pub fn processor_time(process: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let times = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok());
    times.map(|text| Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())).sum()
}

/// Serves `folder` until it is killed.
pub fn serve_static(folder: &Path) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    eprintln!("address={}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback_service(tower_http::services::ServeDir::new(folder));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Without this, answers in two pieces wait for the client's acknowledgement of the first.
        let at_once = |stream: &mut tokio::net::TcpStream| stream.set_nodelay(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap().tap_io(at_once);
        axum::serve(listener, app).await.unwrap();
    });
}
