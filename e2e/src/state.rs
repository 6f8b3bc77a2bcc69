//! The folder of one control plane: data, keys, logs, dumps. It goes with its process, unless something failed.

use std::{
    env, fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, SystemTime},
};

const PREFIX: &str = "analysis-e2e-";
/// A folder with this file holds what a failed test left.
const FAILED: &str = "FAILED";
/// How long such a folder is kept.
const KEPT: Duration = Duration::from_hours(24);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder below the system's temporary one.
#[derive(Debug)]
pub struct State(PathBuf);

impl State {
    /// Makes a folder, and removes those of processes that are gone: a test binary has no end at which it could.
    pub fn new() -> io::Result<Self> {
        sweep();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("{PREFIX}{}-{count}", process::id()));
        // The administrator's token is in it.
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keeps the folder for a day, for someone to read.
    pub fn keep(&self) {
        let _ = fs::write(self.0.join(FAILED), "");
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep();
        }
        if !self.0.join(FAILED).exists() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

fn sweep() {
    let folders = fs::read_dir(env::temp_dir()).into_iter().flatten().flatten().map(|entry| entry.path());
    for folder in folders.filter(|folder| is_left_over(folder)) {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Whether the folder is one of ours, its process gone, and nobody to read it. Where there is no /proc, age decides.
fn is_left_over(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(pid) = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()) else { return false };
    let gone = Path::new("/proc/self").exists() && !Path::new("/proc").join(pid).exists();
    let changed = fs::metadata(folder).and_then(|data| data.modified()).unwrap_or_else(|_| SystemTime::now());
    let old = changed.elapsed().is_ok_and(|age| age > KEPT);
    (gone && !folder.join(FAILED).exists()) || old
}
