//! The output: the only door to volumes and buckets. A name either holds a whole object or does not exist: a volume's
//! file is written under a temporary name, synced, renamed; a bucket puts whole objects by itself.

mod bucket;
mod content_type;
mod error;
mod folder;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use analysisjob::S3;
use bytes::Bytes;
use folder::Folder;
use futures::TryStreamExt;
use lazycache::object;
use object_store::{
    Attribute, Error as ObjectError, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};

pub use error::StoreError;

/// An output that can be read and written by relative, `/`-separated names. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    place: String,
    /// `None` for a bucket.
    folder: Option<Folder>,
}

impl Store {
    /// Opens `folder` (made if missing) for this process alone.
    pub fn open_folder(folder: PathBuf) -> Result<Self, StoreError> {
        Self::over(Folder::alone(folder)?)
    }

    /// Opens `folder`, which exists, beside other processes that write to it.
    pub fn share_folder(folder: PathBuf) -> Result<Self, StoreError> {
        Self::over(Folder::shared(folder)?)
    }

    /// Opens a bucket; keys come from the environment.
    pub fn open_bucket(settings: &S3) -> Result<Self, StoreError> {
        Ok(Self { objects: bucket::open(settings, None)?, place: bucket::place(settings), folder: None })
    }

    /// Opens a bucket with a key and its secret, whatever the environment says.
    pub fn open_bucket_as(settings: &S3, key: &str, secret: &str) -> Result<Self, StoreError> {
        let objects = bucket::open(settings, Some((key, secret)))?;
        Ok(Self { objects, place: bucket::place(settings), folder: None })
    }

    fn over(folder: Folder) -> Result<Self, StoreError> {
        Ok(Self { objects: folder.objects()?, place: folder.place(), folder: Some(folder) })
    }

    /// Where it is, as a person would type it.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Fails unless `marker` exists: it proves that the right volume is mounted.
    pub async fn require_marker(&self, marker: &str) -> Result<(), StoreError> {
        if self.exists(marker).await? {
            return Ok(());
        }
        Err(StoreError::Marker { marker: marker.to_owned(), folder: self.place.clone() })
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
        Ok(self.modified(name).await?.is_some())
    }

    /// When an object was written, in seconds since 1970 by the output's own clock; `None` where there is none.
    pub async fn modified(&self, name: &str) -> Result<Option<i64>, StoreError> {
        match self.objects.head(&object::path(name)).await {
            Ok(meta) => Ok(Some(meta.last_modified.timestamp())),
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.read_error(name, source)),
        }
    }

    /// Writes an object complete or not at all.
    pub async fn write(&self, name: &str, bytes: impl Into<Bytes>) -> Result<(), StoreError> {
        let options = self.put_options(name, PutMode::Overwrite);
        let written = self.objects.put_opts(&object::path(name), bytes.into().into(), options).await;
        written.map(|_| ()).map_err(|source| self.write_error(name, source))
    }

    /// Writes an object where none is, complete or not at all; false where one is.
    pub async fn create(&self, name: &str, bytes: impl Into<Bytes>) -> Result<bool, StoreError> {
        let bytes = bytes.into();
        let options = self.put_options(name, PutMode::Create);
        let created = self.objects.put_opts(&object::path(name), bytes.clone().into(), options).await;
        match created {
            Ok(_) => Ok(true),
            Err(ObjectError::AlreadyExists { .. } | ObjectError::Precondition { .. }) => Ok(false),
            // Some volumes have no hard links and some buckets no conditions. A plain write says what else is wrong.
            Err(_) => self.write(name, bytes).await.map(|()| true),
        }
    }

    /// Removes an object; one that is not there is no error.
    pub async fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.objects.delete(&object::path(name)).await {
            Ok(()) | Err(ObjectError::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.write_error(name, source)),
        }
    }

    /// The names directly in `folder` (relative; `""` = the output itself), without the folder.
    pub async fn names_in(&self, folder: &str) -> Result<HashSet<String>, StoreError> {
        Ok(self.entries_in(folder).await?.into_keys().collect())
    }

    /// The same, each with when it was written (see [`Store::modified`]).
    pub async fn entries_in(&self, folder: &str) -> Result<HashMap<String, i64>, StoreError> {
        if let Some(held) = &self.folder {
            held.sweep(folder);
        }
        let entry = |meta: &object_store::ObjectMeta| {
            Some((meta.location.filename()?.to_owned(), meta.last_modified.timestamp()))
        };
        match self.objects.list_with_delimiter(Some(&object::path(folder))).await {
            Ok(list) => Ok(list.objects.iter().filter_map(entry).collect()),
            Err(ObjectError::NotFound { .. }) => Ok(HashMap::new()),
            Err(source) => Err(self.read_error(folder, source)),
        }
    }

    /// Every name below `folder` that ends in `ending`, sorted.
    pub async fn names_below(&self, folder: &str, ending: &str) -> Result<Vec<String>, StoreError> {
        let prefix = object::path(folder);
        let listing = self.objects.list(Some(&prefix)).map_ok(|meta| meta.location.to_string());
        let wanted = listing.try_filter(|name| std::future::ready(name.ends_with(ending)));
        let mut names: Vec<String> = wanted.try_collect().await.map_err(|source| self.read_error(folder, source))?;
        names.sort_unstable();
        Ok(names)
    }

    async fn get(&self, name: &str, options: GetOptions) -> Result<Option<Bytes>, StoreError> {
        let got = match self.objects.get_opts(&object::path(name), options).await {
            Ok(result) => result.bytes().await,
            Err(error) => Err(error),
        };
        match got {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.read_error(name, source)),
        }
    }

    /// A bucket is told what an object is, so that it can be looked at there; a folder has nowhere to keep it.
    fn put_options(&self, name: &str, mode: PutMode) -> PutOptions {
        let told = content_type::of(name).filter(|_| self.folder.is_none());
        let attributes = told.map(|told| (Attribute::ContentType, told)).into_iter().collect();
        PutOptions { mode, attributes, ..PutOptions::default() }
    }

    fn read_error(&self, name: &str, source: ObjectError) -> StoreError {
        StoreError::Read { name: name.to_owned(), folder: self.place.clone(), source }
    }

    fn write_error(&self, name: &str, source: ObjectError) -> StoreError {
        StoreError::Write { name: name.to_owned(), folder: self.place.clone(), source }
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
    async fn names_come_back_as_they_were_given() {
        let (_folder, store) = open();
        let names = ["b/x [1].json", "b/{y}~^`|.json", "b/z*\"<>.json", "b/\u{e9}\u{65e5}.json"];
        for name in names {
            store.write(name, name).await.unwrap();
        }
        let mut sorted: Vec<&str> = names.into();
        sorted.sort_unstable();
        assert_eq!(store.names_below("b", ".json").await.unwrap(), sorted);
        assert_eq!(store.names_in("b").await.unwrap(), names.map(|name| name[2..].to_owned()).into());
        for name in store.names_below("", ".json").await.unwrap() {
            assert_eq!(store.read(&name).await.unwrap().unwrap(), name);
            store.delete(&name).await.unwrap();
            assert!(!store.exists(&name).await.unwrap());
        }
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

    #[tokio::test]
    async fn beside_other_pods_only_what_is_long_abandoned_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::share_folder(folder.path().to_owned()).unwrap();
        let (live, abandoned) = (folder.path().join("x.json#1"), folder.path().join("y.json#1"));
        std::fs::write(&live, "half").unwrap();
        let file = std::fs::File::create(&abandoned).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_hours(2)).unwrap();
        assert_eq!(store.names_in("").await.unwrap(), HashSet::new());
        assert!(live.exists() && !abandoned.exists());
    }

    #[tokio::test]
    async fn pods_share_an_output_and_the_first_to_create_wins() {
        let folder = tempfile::tempdir().unwrap();
        let stores = [(); 2].map(|()| Store::share_folder(folder.path().to_owned()).unwrap());
        assert!(stores[0].create("a/x", "first").await.unwrap());
        assert!(!stores[1].create("a/x", "second").await.unwrap());
        assert_eq!(stores[1].read("a/x").await.unwrap().unwrap(), "first");
        stores[0].delete("a/x").await.unwrap();
        stores[1].delete("a/x").await.unwrap();
        assert!(!stores[1].exists("a/x").await.unwrap());
    }

    #[tokio::test]
    async fn a_volume_that_is_not_mounted_is_not_made() {
        let folder = tempfile::tempdir().unwrap().path().join("gone");
        let error = Store::share_folder(folder.clone()).unwrap_err();
        assert!(error.is_configuration() && error.reason() == "OutputMissing" && !folder.exists(), "{error}");
    }
}
