//! Rendered movies and an archive that serves them.

use std::path::{Path, PathBuf};

use archive::{
    Server,
    movie_writer::{Shape, packets, write_long},
};
use frame::MoviePath;

/// Distinct frames of the short movie.
const FRAMES: u32 = 24;

/// The stage: a folder with a movie, and its archive.
pub struct Lab {
    folder: tempfile::TempDir,
    /// The packets of the short movie.
    pub packets: Vec<Vec<u8>>,
    /// Serves the folder over HTTP.
    pub archive: Server,
}

/// The short movie, in the archive's root.
pub const MOVIE: &str = "short.mov";

impl Lab {
    /// Renders the movie: some seconds.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MOVIE);
        archive::Movie { frames: FRAMES, ..archive::Movie::default() }.render(&path).unwrap();
        let packets = packets(&path).unwrap();
        let archive = Server::start(folder.path()).unwrap();
        Self { folder, packets, archive }
    }

    /// The archive's root on this machine.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Below the root, the short movie.
    pub fn movie() -> MoviePath {
        MoviePath::parse(MOVIE).unwrap()
    }

    /// Millions of bytes a frame.
    pub fn megabytes(&self) -> f64 {
        self.packets.iter().map(Vec::len).sum::<usize>() as f64 / self.packets.len() as f64 / 1e6
    }

    /// A movie of `frames` frames, of which those in `present` (from 0) are there.
    pub fn long(&self, name: &str, frames: u32, present: &[u32]) -> PathBuf {
        let path = self.folder().join(name);
        write_long(&path, &Shape::default(), &self.packets, frames, present).unwrap();
        path
    }
}
