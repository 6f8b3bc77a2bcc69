//! A folder as the output: held by one process alone, or shared by the pods of a run.

use std::{
    fs::{DirEntry, File, TryLockError},
    io,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use object_store::{ObjectStore, local::LocalFileSystem};

use super::StoreError;

/// A temporary file is written within seconds; one this old is of a process that was killed.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);

/// The folder behind a store. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    /// Held while the store lives: one run of one machine at a time writes to a folder.
    lock: Option<Arc<File>>,
}

impl Folder {
    /// Makes the folder if it is missing, and holds it.
    pub(super) fn alone(path: PathBuf) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Open { folder: path.clone(), source };
        let papers = path.join(plan::names::RUNS_FOLDER);
        std::fs::create_dir_all(&papers).map_err(fail)?;
        let lock = File::create(papers.join("lock")).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, lock: Some(Arc::new(lock)) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { folder: path }),
            Err(TryLockError::Error(source)) => Err(fail(source)),
        }
    }

    /// A mounted volume: many pods write to it at once. It is never made: what is not mounted must not be papered over.
    pub(super) fn shared(path: PathBuf) -> Result<Self, StoreError> {
        if path.is_dir() { Ok(Self { path, lock: None }) } else { Err(StoreError::Missing { folder: path }) }
    }

    pub(super) fn objects(&self) -> Result<Arc<dyn ObjectStore>, StoreError> {
        let fail = |error| StoreError::Open { folder: self.path.clone(), source: io::Error::other(error) };
        let objects = LocalFileSystem::new_with_prefix(&self.path).map_err(fail)?;
        Ok(Arc::new(objects.with_fsync(true)))
    }

    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// Removes what a killed process left under temporary names (`X#1`): all of it for who holds the folder alone, only
    /// what is long abandoned beside other pods. That it fails is of no consequence.
    pub(super) fn sweep(&self, below: &str) {
        let Ok(entries) = std::fs::read_dir(self.path.join(below)) else { return };
        for entry in entries.flatten() {
            let ours = is_temporary(&entry) && (self.lock.is_some() || is_abandoned(&entry));
            if ours && std::fs::remove_file(entry.path()).is_ok() {
                tracing::info!(path = %entry.path().display(), "removed what a killed run left half written");
            }
        }
    }
}

fn is_temporary(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().rsplit_once('#').is_some_and(|(_, digits)| digits.parse::<u32>().is_ok())
}

fn is_abandoned(entry: &DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    // A time in the future is that of another clock: surely not long ago.
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED_AFTER))
}
