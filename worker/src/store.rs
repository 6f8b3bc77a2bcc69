//! The output: the only door to volumes (and, later, buckets). A name either holds a whole object or does not exist:
//! a volume's file is written under a temporary name, synced, renamed; a bucket puts whole objects by itself.

use std::{collections::HashSet, fs::File, path::PathBuf, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{
    Error as ObjectError, GetOptions, GetRange, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path,
};

/// What went wrong at the output. Every variant names the output.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder could not be made or opened.
    #[error("failed to open the output folder {folder}")]
    Open {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another run holds this output.
    #[error("another run is writing to {folder}; wait for it to end, or choose another --output")]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The marker file is missing: probably not the right volume.
    #[error(
        "the marker file {marker} is missing in {folder}: is the right folder mounted there? (spec.output.markerFile)"
    )]
    Marker {
        /// Its name.
        marker: String,
        /// The output.
        folder: String,
    },
    /// A read failed.
    #[error("failed to read {name} in {folder}")]
    Read {
        /// The object.
        name: String,
        /// The output.
        folder: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// A write failed; what was there before is untouched.
    #[error(
        "failed to write {name} in {folder}: make room or mend the folder, then run again; finished results are kept"
    )]
    Write {
        /// The object.
        name: String,
        /// The output.
        folder: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
}

/// An output that can be read and written by relative, `/`-separated names. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    folder: PathBuf,
    // Held while the store lives: one machine run at a time writes to a folder.
    _lock: Arc<File>,
}

impl Store {
    /// Opens `folder` (made if missing) for this process alone.
    pub fn open_folder(folder: PathBuf) -> Result<Self, StoreError> {
        let fail = |source| StoreError::Open { folder: folder.clone(), source };
        let papers = folder.join(plan::names::RUNS_FOLDER);
        std::fs::create_dir_all(&papers).map_err(fail)?;
        let lock = File::create(papers.join("lock")).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(StoreError::Locked { folder }),
            Err(std::fs::TryLockError::Error(source)) => return Err(fail(source)),
        }
        let objects = LocalFileSystem::new_with_prefix(&folder).map_err(|error| fail(std::io::Error::other(error)))?;
        Ok(Self { objects: Arc::new(objects.with_fsync(true)), folder, _lock: Arc::new(lock) })
    }

    /// The folder, as a person would type it.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Fails unless `marker` exists: it proves that the right volume is mounted.
    pub async fn require_marker(&self, marker: &str) -> Result<(), StoreError> {
        if self.exists(marker).await? {
            return Ok(());
        }
        Err(StoreError::Marker { marker: marker.to_owned(), folder: self.name() })
    }

    /// The whole object; `None` where there is none.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.get(name, GetOptions::default()).await
    }

    /// The first `length` bytes of an object, or all where it is shorter; `None` where there is none.
    pub async fn read_start(&self, name: &str, length: u64) -> Result<Option<Bytes>, StoreError> {
        let options = GetOptions { range: Some(GetRange::Bounded(0..length)), ..GetOptions::default() };
        self.get(name, options).await
    }

    /// Whether there is such an object.
    pub async fn exists(&self, name: &str) -> Result<bool, StoreError> {
        match self.objects.head(&Path::from(name)).await {
            Ok(_) => Ok(true),
            Err(ObjectError::NotFound { .. }) => Ok(false),
            Err(source) => Err(self.read_error(name, source)),
        }
    }

    /// Writes an object complete or not at all.
    pub async fn write(&self, name: &str, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let written = self.objects.put(&Path::from(name), bytes.into().into()).await;
        written.map(|_| ()).map_err(|source| StoreError::Write { name: name.to_owned(), folder: self.name(), source })
    }

    /// The names directly in `folder` (relative; `""` = the output itself), without the folder.
    pub async fn names_in(&self, folder: &str) -> Result<HashSet<String>, StoreError> {
        self.sweep(folder);
        let listed = self.objects.list_with_delimiter(Some(&Path::from(folder))).await;
        match listed {
            Ok(list) => Ok(list.objects.iter().filter_map(|meta| meta.location.filename().map(String::from)).collect()),
            Err(ObjectError::NotFound { .. }) => Ok(HashSet::new()),
            Err(source) => Err(self.read_error(folder, source)),
        }
    }

    /// Every name below `folder` that ends in `ending`, sorted.
    pub async fn names_below(&self, folder: &str, ending: &str) -> Result<Vec<String>, StoreError> {
        let prefix = Path::from(folder);
        let listing = self.objects.list(Some(&prefix)).map_ok(|meta| meta.location.to_string());
        let wanted = listing.try_filter(|name| std::future::ready(name.ends_with(ending)));
        let mut names: Vec<String> = wanted.try_collect().await.map_err(|source| self.read_error(folder, source))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Removes what a killed process left under temporary names (`X#1`). Safe because this process holds the lock;
    /// that it fails is of no consequence.
    fn sweep(&self, folder: &str) {
        let Ok(entries) = std::fs::read_dir(self.folder.join(folder)) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let staged =
                name.to_string_lossy().rsplit_once('#').is_some_and(|(_, digits)| digits.parse::<u32>().is_ok());
            if staged && std::fs::remove_file(entry.path()).is_ok() {
                tracing::info!(path = %entry.path().display(), "removed what a killed run left half written");
            }
        }
    }

    async fn get(&self, name: &str, options: GetOptions) -> Result<Option<Bytes>, StoreError> {
        let got = match self.objects.get_opts(&Path::from(name), options).await {
            Ok(result) => result.bytes().await,
            Err(error) => Err(error),
        };
        match got {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.read_error(name, source)),
        }
    }

    fn name(&self) -> String {
        self.folder.display().to_string()
    }

    fn read_error(&self, name: &str, source: ObjectError) -> StoreError {
        StoreError::Read { name: name.to_owned(), folder: self.name(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_folder(folder.path().to_owned()).unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn what_is_written_is_read_whole_or_from_its_start() {
        let (_folder, store) = open();
        store.write("a/b/x.json", "0123456789").await.unwrap();
        assert_eq!(store.read("a/b/x.json").await.unwrap().unwrap(), "0123456789");
        assert_eq!(store.read_start("a/b/x.json", 4).await.unwrap().unwrap(), "0123");
        assert_eq!(store.read_start("a/b/x.json", 400).await.unwrap().unwrap(), "0123456789");
        assert_eq!(store.read("a/b/y.json").await.unwrap(), None);
        assert_eq!(store.names_in("a/b").await.unwrap(), HashSet::from(["x.json".to_owned()]));
        assert_eq!(store.names_in("nowhere").await.unwrap(), HashSet::new());
        assert_eq!(store.names_below("a", ".json").await.unwrap(), ["a/b/x.json"]);
    }

    #[tokio::test]
    async fn what_a_killed_run_left_half_written_is_no_result_and_is_swept() {
        let (folder, store) = open();
        std::fs::write(folder.path().join("x.json#1"), "half").unwrap();
        assert_eq!(store.names_below("", ".json").await.unwrap(), Vec::<String>::new());
        assert_eq!(store.names_in("").await.unwrap(), HashSet::new());
        assert!(!folder.path().join("x.json#1").exists());
    }

    #[tokio::test]
    async fn a_missing_marker_is_named() {
        let (folder, store) = open();
        let error = store.require_marker("README.md").await.unwrap_err().to_string();
        assert!(error.starts_with("the marker file README.md is missing in "), "{error}");
        std::fs::write(folder.path().join("README.md"), "").unwrap();
        store.require_marker("README.md").await.unwrap();
    }

    #[tokio::test]
    async fn two_runs_never_share_an_output() {
        let (folder, store) = open();
        let error = Store::open_folder(folder.path().to_owned()).unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error}");
        drop(store);
        Store::open_folder(folder.path().to_owned()).unwrap();
    }
}
