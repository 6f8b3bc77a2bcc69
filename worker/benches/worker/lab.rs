//! The stage: a movie, an archive that serves it, and a lazycache over it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use archive::Server;
use frame::{MirrorRoot, MoviePath};
use lazycache::server::{Served, run};

use crate::rates::cores;

/// The word by which this program serves frames: a process of its own.
pub const SERVE: &str = "serve";
const MOVIE: &str = "X.mov";

/// A folder with a movie, and its archive.
pub struct Lab {
    folder: tempfile::TempDir,
    /// Frames of the movie.
    pub frames: u32,
    /// Serves the folder over HTTP.
    pub archive: Server,
}

impl Lab {
    /// Renders the movie: some minutes.
    pub fn new(frames: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        archive::Movie { frames, ..archive::Movie::default() }.render(&folder.path().join(MOVIE)).unwrap();
        let archive = Server::start(folder.path()).unwrap();
        Self { folder, frames, archive }
    }

    /// The archive's root on this machine.
    pub fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Millions of bytes a frame.
    pub fn megabytes(&self) -> f64 {
        self.folder.path().join(MOVIE).metadata().unwrap().len() as f64 / f64::from(self.frames) / 1e6
    }

    /// The movie below the root.
    pub fn movie() -> MoviePath {
        MoviePath::parse(MOVIE).unwrap()
    }

    /// A lazycache over the archive that has nothing yet.
    pub fn cache(&self) -> Cache {
        Cache::over(&self.archive.url())
    }
}

/// Killed when dropped.
pub struct Cache {
    child: Child,
    /// Its address.
    pub url: String,
}

impl Cache {
    fn over(root: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.args([SERVE, root]).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the frames of an archive until it is killed; its address is the first line.
pub fn serve(root: &str) {
    let served = Served::new(&[MirrorRoot::parse(root).unwrap()], cores()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        run(listener, served, std::future::pending(), Duration::ZERO).await.unwrap();
    });
}
