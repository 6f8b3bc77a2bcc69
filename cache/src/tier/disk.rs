//! The tier on disk: one file an entry, bounded in bytes, warm after a restart.
//!
//! ```text
//!   <folder>/v1/<kind>/<2 digits>/<digest>     header (40 bytes, with checksums) and the bytes
//!   <folder>/v1/new/<process>-<number>         what is being written; it is renamed when whole
//! ```
//!
//! Every entry is checked when it is read: a torn or damaged file is removed and counts as not there. One thread writes;
//! requests never wait for it, and when it cannot keep up, or the disk is full or not writable, entries are not kept: a
//! warning and a metric, no failed request. When there is no more room, the longest unused go first, indexes last; then
//! only what was asked for before gets in, so that a movie read once does not drive out everything else.

mod entry;
mod shelf;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Key, What};
use crate::metrics::{DiskTrouble, Metrics};
use entry::Damaged;
use shelf::Shelf;

/// Entries and bytes that may wait to be written; what comes beyond is not kept.
const QUEUE: usize = 1024;
const QUEUE_BYTES: u64 = 64 << 20;
/// After a failed write, the disk is left alone for so long.
const PAUSE: Duration = Duration::from_secs(10);
/// What another process left half written is removed when it is older.
const ABANDONED: Duration = Duration::from_hours(1);

/// Where entries are kept and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskSettings {
    /// The folder; it is made if missing.
    pub folder: PathBuf,
    /// The most bytes kept.
    pub bytes: u64,
}

/// Entries on disk. Cheap to clone; clones share. The last one dropped ends the writer when it has written what waits.
#[derive(Debug, Clone)]
pub struct Disk {
    shared: Arc<Shared>,
    orders: SyncSender<Order>,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    shelf: Mutex<Shelf>,
    waiting: AtomicU64,
    metrics: Arc<Metrics>,
}

enum Order {
    Put(Key, Bytes),
    Remove(Key),
    Tell(oneshot::Sender<()>),
}

impl Disk {
    /// Opens the folder. What is in it is counted by the writer before it writes; it can be read at once.
    pub fn open(settings: &DiskSettings, metrics: Arc<Metrics>) -> Self {
        let shared = Arc::new(Shared {
            root: settings.folder.join("v1"),
            shelf: Mutex::new(Shelf::new(settings.bytes)),
            waiting: AtomicU64::new(0),
            metrics,
        });
        let (orders, received) = sync_channel(QUEUE);
        let writer = Writer { shared: Arc::clone(&shared), paused: None, written: 0 };
        let named = std::thread::Builder::new().name("lazycache-disk".to_owned());
        if let Err(error) = named.spawn(move || writer.run(&received)) {
            tracing::warn!(%error, "no thread for the disk: nothing will be written to it");
        }
        Self { shared, orders }
    }

    /// An entry, checked.
    pub async fn get(&self, key: Key) -> Option<Bytes> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || shared.read(&key)).await.ok().flatten()
    }

    /// Has an entry written, some time.
    pub fn put(&self, key: Key, bytes: Bytes) {
        let length = bytes.len() as u64;
        let waiting = self.shared.waiting.fetch_add(length, Ordering::Relaxed);
        if waiting.saturating_add(length) > QUEUE_BYTES || self.order(Order::Put(key, bytes)).is_err() {
            self.shared.waiting.fetch_sub(length, Ordering::Relaxed);
            self.shared.metrics.disk_trouble(DiskTrouble::Behind);
        }
    }

    /// Has an entry removed, some time.
    pub fn remove(&self, key: Key) {
        // An outdated index that stays is found out when it is used.
        let _ = self.order(Order::Remove(key));
    }

    /// Bytes on disk, as far as they are counted.
    pub fn held(&self) -> u64 {
        self.shared.shelf().held()
    }

    /// Returns when everything ordered before is done.
    pub async fn flush(&self) {
        let (done, told) = oneshot::channel();
        let orders = self.orders.clone();
        let sent = tokio::task::spawn_blocking(move || orders.send(Order::Tell(done)).is_ok()).await;
        if matches!(sent, Ok(true)) {
            let _ = told.await;
        }
    }

    fn order(&self, order: Order) -> Result<(), TrySendError<Order>> {
        self.orders.try_send(order)
    }
}

impl Shared {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, key: &Key) -> PathBuf {
        let hex = key.hex();
        self.root.join(key.what.as_str()).join(&hex[..2]).join(hex)
    }

    fn read(&self, key: &Key) -> Option<Bytes> {
        let path = self.path(key);
        match entry::read(&path, key) {
            Ok(bytes) => {
                self.shelf().touch(key);
                // The order of use outlives the process by the files' times.
                let now = std::fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                drop(now);
                Some(bytes.into())
            }
            Err(Damaged::Missing) => {
                self.shelf().remove(key);
                None
            }
            Err(Damaged::Unreadable(error)) => {
                self.metrics.disk_trouble(DiskTrouble::Read);
                tracing::warn!(path = %path.display(), %error, "failed to read a kept entry");
                None
            }
            Err(Damaged::Wrong(what)) => {
                self.metrics.disk_trouble(DiskTrouble::Damaged);
                tracing::warn!(path = %path.display(), what, "a kept entry is damaged; it is removed");
                self.shelf().remove(key);
                let _ = std::fs::remove_file(&path);
                None
            }
        }
    }
}

/// The only one who writes.
struct Writer {
    shared: Arc<Shared>,
    paused: Option<Instant>,
    written: u64,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>) {
        if let Err(error) = self.count() {
            self.failed("count the entries kept", &error);
        }
        while let Ok(order) = orders.recv() {
            match order {
                Order::Put(key, bytes) => {
                    self.put(&key, &bytes);
                    self.shared.waiting.fetch_sub(bytes.len() as u64, Ordering::Relaxed);
                }
                Order::Remove(key) => self.remove(&key),
                Order::Tell(done) => drop(done.send(())),
            }
        }
    }

    /// Finds what earlier processes left, oldest first.
    fn count(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.shared.root.join("new"))?;
        let mut found = Vec::new();
        for what in What::ALL {
            for folder in entries(&self.shared.root.join(what.as_str()))? {
                for file in entries(&folder?.path())? {
                    let file = file?;
                    let key = file.file_name().to_str().and_then(|name| Key::from_hex(what, name));
                    if let (Some(key), Ok(metadata)) = (key, file.metadata()) {
                        found.push((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), key, metadata.len()));
                    }
                }
            }
        }
        found.sort_unstable();
        let mut shelf = self.shared.shelf();
        for (_, key, length) in found {
            shelf.add(key, length);
        }
        drop(shelf);
        self.make_room(0);
        self.sweep()
    }

    fn sweep(&self) -> io::Result<()> {
        for file in entries(&self.shared.root.join("new"))? {
            let file = file?;
            let age = file.metadata().and_then(|metadata| metadata.modified()).ok();
            if age.and_then(|time| time.elapsed().ok()).is_some_and(|age| age > ABANDONED) {
                let _ = std::fs::remove_file(file.path());
            }
        }
        Ok(())
    }

    fn put(&mut self, key: &Key, bytes: &Bytes) {
        if self.paused.is_some_and(|until| Instant::now() < until) {
            self.shared.metrics.disk_trouble(DiskTrouble::Paused);
            return;
        }
        let length = entry::length(bytes);
        if !self.shared.shelf().admits(key, length) {
            return;
        }
        self.make_room(length);
        self.written += 1;
        let half = self.shared.root.join("new").join(format!("{}-{}", std::process::id(), self.written));
        match entry::write(&half, &self.shared.path(key), key, bytes) {
            Ok(()) => {
                self.paused = None;
                self.shared.shelf().add(*key, length);
            }
            Err(error) => {
                let _ = std::fs::remove_file(&half);
                self.failed("write an entry", &error);
            }
        }
    }

    fn remove(&self, key: &Key) {
        self.shared.shelf().remove(key);
        let _ = std::fs::remove_file(self.shared.path(key));
    }

    fn make_room(&self, length: u64) {
        loop {
            let Some(key) = self.shared.shelf().take_last_beyond(length) else { return };
            let _ = std::fs::remove_file(self.shared.path(&key));
            self.shared.metrics.evicted(key.what);
        }
    }

    fn failed(&mut self, what: &str, error: &io::Error) {
        self.shared.metrics.disk_trouble(DiskTrouble::Write);
        self.paused = Some(Instant::now() + PAUSE);
        let folder = self.shared.root.display();
        tracing::warn!(%folder, %error, pause = PAUSE.as_secs(), "failed to {what}: answers go on without the disk");
    }
}

/// What a folder holds; a missing one holds nothing.
fn entries(folder: &std::path::Path) -> io::Result<impl Iterator<Item = io::Result<std::fs::DirEntry>>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None.into_iter().flatten())
        }
        Err(error) => Err(error),
    }
}
