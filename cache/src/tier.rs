//! What is kept of an archive, and where: in memory, on disk.
//!
//! ```text
//!            ┌──────── memory (bytes, scan-resistant) ──hit──▶
//!   Key ─────┤ miss
//!            └──────── disk (bytes, checked, warm after a restart) ──hit──▶ into memory ──▶
//! ```
//!
//! Keys are digests of all that decides the bytes: where the file is, which version of it, which frame, how it is wanted,
//! and by which encoder. Nothing is ever overwritten with other bytes; what is outdated is no longer asked for. Losing an
//! entry costs a fetch, never an answer. Read next: [`memory`], [`disk`].

pub mod disk;
pub mod key;
pub mod memory;

use std::sync::Arc;

use bytes::Bytes;

pub use disk::{Disk, DiskSettings};
pub use key::{Key, What};
pub use memory::Memory;

use crate::metrics::{Metrics, Tier};

/// Both tiers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tiers {
    memory: Memory,
    disk: Option<Disk>,
    metrics: Arc<Metrics>,
}

impl Tiers {
    /// Keeps up to `memory` bytes in memory (0 = nothing), and what `disk` says.
    pub fn new(memory: u64, disk: Option<DiskSettings>, metrics: Arc<Metrics>) -> Self {
        let disk = disk.map(|settings| Disk::open(&settings, Arc::clone(&metrics)));
        Self { memory: Memory::new(memory), disk, metrics }
    }

    /// What memory holds.
    pub async fn in_memory(&self, key: &Key) -> Option<Bytes> {
        let found = self.memory.get(key).await;
        self.metrics.looked_up(Tier::Memory, key.what, found.is_some());
        found
    }

    /// What the disk holds, checked; it goes into memory, too. A damaged entry is not there.
    pub async fn on_disk(&self, key: &Key) -> Option<Bytes> {
        let disk = self.disk.as_ref()?;
        let found = disk.get(*key).await;
        self.metrics.looked_up(Tier::Disk, key.what, found.is_some());
        if let Some(bytes) = &found {
            self.memory.put(*key, bytes.clone()).await;
        }
        found
    }

    /// What the disk holds, checked; memory is left alone. For indexes, which have their own place in memory.
    pub async fn only_on_disk(&self, key: &Key) -> Option<Bytes> {
        let found = self.disk.as_ref()?.get(*key).await;
        self.metrics.looked_up(Tier::Disk, key.what, found.is_some());
        found
    }

    /// Keeps bytes on disk only.
    pub fn put_on_disk(&self, key: Key, bytes: Bytes) {
        if let Some(disk) = &self.disk {
            disk.put(key, bytes);
        }
    }

    /// Keeps bytes in memory, and `on_disk` where there is one.
    pub async fn put(&self, key: Key, bytes: &Bytes, on_disk: bool) {
        self.memory.put(key, bytes.clone()).await;
        if let Some(disk) = self.disk.as_ref().filter(|_| on_disk) {
            disk.put(key, bytes.clone());
        }
    }

    /// Forgets an entry everywhere.
    pub async fn remove(&self, key: &Key) {
        self.memory.remove(key).await;
        if let Some(disk) = &self.disk {
            disk.remove(*key);
        }
    }

    /// Whether anything is kept on disk.
    pub fn has_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Bytes held now, in memory and on disk.
    pub fn held(&self) -> (u64, u64) {
        (self.memory.held(), self.disk.as_ref().map_or(0, Disk::held))
    }

    /// Returns when what was put before is on disk, or was given up.
    pub async fn flush(&self) {
        self.memory.settle().await;
        if let Some(disk) = &self.disk {
            disk.flush().await;
        }
    }
}
