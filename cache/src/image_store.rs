//! The image store of the old service: encoded frames in a folder or a bucket, for good.
//!
//! Beside the tiers, which bound what they hold, the store only grows; it may be served by somebody else, to whom clients
//! are then sent. A frame's name holds the movie's version, so that an exchanged movie gets new names:
//! `<root>/<API path of the movie>/<version>/<frame>.<format>`, and `-<query>` where pixels are not wanted as they are.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clap::ValueEnum;
use frame::{Format, FrameNumber, Rendition};
use moka::future::Cache;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, local::LocalFileSystem, prefix::PrefixStore};
use sha2::{Digest, Sha256};

use crate::{HttpOptions, Movie, object, origin::BucketRoot};

/// Names known to be in the store, so that they are not looked for again.
const KNOWN: u64 = 100_000;
/// For one request to the store; frames are made meanwhile by whoever asks without a store.
const PATIENCE: Duration = Duration::from_secs(5);

/// What kind of store there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ImageStoreKind {
    /// None.
    #[default]
    None,
    /// A folder.
    Local,
    /// A bucket of an S3-compatible store.
    S3,
}

/// Where the store is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageStoreSettings {
    /// What kind.
    pub kind: ImageStoreKind,
    /// The bucket of an S3 store.
    pub bucket: Option<String>,
    /// The folder of a local store, or the prefix in a bucket.
    pub root: Option<String>,
    /// Where clients find it.
    pub url: Option<String>,
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum ImageStoreError {
    /// Something that is needed is not said.
    #[error("the image store needs {0}")]
    Missing(&'static str),
    /// It cannot be opened.
    #[error("failed to open the image store at {place}")]
    Open {
        /// Where it should be.
        place: String,
        /// Why.
        #[source]
        source: StoreError,
    },
}

/// Encoded frames, stored for good. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ImageStore {
    objects: Arc<dyn ObjectStore>,
    url: Option<String>,
    known: Cache<String, ()>,
}

/// What a store has for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The bytes.
    Bytes(Bytes),
    /// They are to be had at this address.
    At(String),
}

impl ImageStore {
    /// The store of `settings`, if they want one.
    pub fn open(settings: &ImageStoreSettings) -> Result<Option<Self>, ImageStoreError> {
        let root = settings.root.clone().unwrap_or_default();
        let objects = match settings.kind {
            ImageStoreKind::None => return Ok(None),
            ImageStoreKind::Local => local(&root)?,
            ImageStoreKind::S3 => bucket(settings.bucket.as_deref(), &root)?,
        };
        let known = Cache::new(KNOWN);
        Ok(Some(Self { objects, url: settings.url.clone(), known }))
    }

    /// The name of a frame; `api` is the API path of its mirror.
    pub fn name(api: &str, movie: &Movie, number: FrameNumber, format: Format, rendition: Rendition) -> String {
        let version = Sha256::digest(format!("{:?}", movie.identity()));
        let version = u32::from_be_bytes([version[0], version[1], version[2], version[3]]);
        // As they were called before there was another decoder: what stands in the store is still found.
        let query = rendition.to_string().replace("&decoder=full", "");
        let query = if query.is_empty() { query } else { format!("-{query}") };
        let extension = format!("{format:?}").to_ascii_lowercase();
        let api = api.trim_start_matches("/v1").trim_matches('/');
        format!("{api}/{}/{version:08x}/{:06}{query}.{extension}", movie.path(), number.get())
    }

    /// What there is under `name`. Trouble with the store is as good as nothing there.
    pub async fn find(&self, name: &str) -> Option<Stored> {
        let path = object::path(name);
        if let Some(url) = &self.url {
            let there = self.known.contains_key(name) || self.ask(name, self.objects.head(&path)).await.is_some();
            if there {
                self.known.insert(name.to_owned(), ()).await;
                return Some(Stored::At(format!("{}/{}", url.trim_end_matches('/'), object::encoded(name))));
            }
            return None;
        }
        let read = async { self.objects.get(&path).await?.bytes().await };
        self.ask(name, read).await.map(Stored::Bytes)
    }

    /// Stores a frame, whole or not at all, in a task of its own: no answer waits for it.
    pub fn put(&self, name: String, bytes: Bytes) {
        if self.known.contains_key(&name) {
            return;
        }
        let store = self.clone();
        tokio::spawn(async move {
            let path = object::path(&name);
            if store.ask(&name, store.objects.put(&path, bytes.into())).await.is_some() {
                store.known.insert(name, ()).await;
            }
        });
    }

    async fn ask<T>(&self, name: &str, request: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        match tokio::time::timeout(PATIENCE, request).await {
            Ok(Ok(found)) => Some(found),
            Ok(Err(StoreError::NotFound { .. })) => None,
            Ok(Err(error)) => {
                tracing::warn!(name, %error, "the image store failed; the answer goes on without it");
                None
            }
            Err(_) => {
                tracing::warn!(name, seconds = PATIENCE.as_secs(), "the image store is silent");
                None
            }
        }
    }
}

fn local(root: &str) -> Result<Arc<dyn ObjectStore>, ImageStoreError> {
    if root.is_empty() {
        return Err(ImageStoreError::Missing("a folder (--image-store-root)"));
    }
    let open = |source| ImageStoreError::Open { place: root.to_owned(), source };
    // It says itself what is wrong with the folder.
    let _ = std::fs::create_dir_all(root);
    Ok(Arc::new(LocalFileSystem::new_with_prefix(root).map_err(open)?))
}

fn bucket(bucket: Option<&str>, root: &str) -> Result<Arc<dyn ObjectStore>, ImageStoreError> {
    let missing = ImageStoreError::Missing("a bucket (--image-store-bucket)");
    let address = bucket.map(|bucket| format!("s3://{bucket}/"));
    let place = address.as_deref().and_then(BucketRoot::parse).ok_or(missing)?;
    let open = |source| ImageStoreError::Open { place: place.url(), source };
    let objects = place.open(&HttpOptions::default()).map_err(open)?;
    Ok(if root.is_empty() { objects } else { Arc::new(PrefixStore::new(objects, root)) })
}
