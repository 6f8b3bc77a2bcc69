//! The tier in memory: weighed in bytes, and kept by how often something is asked for (`TinyLFU`), so that reading a whole
//! movie once does not drive out what everybody looks at.

use bytes::Bytes;
use moka::future::Cache;

use super::Key;

/// What an entry costs beside its bytes.
const OVERHEAD: usize = 200;
/// No entry may take more than this share of all.
const LARGEST_SHARE: u64 = 4;

/// Bytes in memory. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct Memory {
    entries: Cache<Key, Bytes>,
    largest: u64,
}

impl Memory {
    /// Holds up to `bytes`; 0 = nothing.
    pub fn new(bytes: u64) -> Self {
        let weight = |_: &Key, bytes: &Bytes| u32::try_from(bytes.len() + OVERHEAD).unwrap_or(u32::MAX);
        Self { entries: Cache::builder().max_capacity(bytes).weigher(weight).build(), largest: bytes / LARGEST_SHARE }
    }

    /// What is held.
    pub async fn get(&self, key: &Key) -> Option<Bytes> {
        if self.largest == 0 { None } else { self.entries.get(key).await }
    }

    /// Holds `bytes`, unless others are asked for more often.
    pub async fn put(&self, key: Key, bytes: Bytes) {
        if bytes.len() as u64 + OVERHEAD as u64 <= self.largest {
            self.entries.insert(key, bytes).await;
            // Left to itself, it looks for what there is no more room for only after many entries: tens of megabytes.
            self.settle().await;
        }
    }

    /// Forgets an entry.
    pub async fn remove(&self, key: &Key) {
        self.entries.invalidate(key).await;
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.entries.weighted_size()
    }

    /// Does what is put off: evictions, and the sum of bytes.
    pub async fn settle(&self) {
        self.entries.run_pending_tasks().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        Key::index(&number.to_string())
    }

    #[tokio::test]
    async fn it_never_holds_more_than_it_may() {
        let memory = Memory::new(100_000);
        for number in 0..1000 {
            memory.put(key(number), Bytes::from(vec![0; 1000])).await;
        }
        memory.settle().await;
        assert!((1000..=100_000).contains(&memory.held()), "{}", memory.held());
        memory.put(key(1), Bytes::from(vec![0; 60_000])).await;
        assert_ne!(
            memory.get(&key(1)).await.map(|bytes| bytes.len()),
            Some(60_000),
            "one entry is not for all the room"
        );
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_is_let_go_of_at_once() {
        let memory = Memory::new(10_000);
        for number in 0..1000 {
            memory.put(key(number), Bytes::from(vec![0; 1000])).await;
            let there = memory.entries.iter().count();
            assert!(there <= 10, "{there} entries of 1000 bytes where there is room for 10");
        }
    }

    /// Asks for entries, puts those that are not there, and counts those that were.
    async fn ask(memory: &Memory, numbers: std::ops::Range<u64>) -> usize {
        let mut found = 0;
        for number in numbers {
            match memory.get(&key(number)).await {
                Some(_) => found += 1,
                None => memory.put(key(number), Bytes::from(vec![0; 1000])).await,
            }
            memory.settle().await;
        }
        found
    }

    #[tokio::test]
    async fn what_is_asked_for_now_and_then_outlives_a_scan() {
        let memory = Memory::new(100_000);
        // How often something is asked for is counted only once there is little room left.
        ask(&memory, 100_000..101_000).await;
        for _ in 0..10 {
            ask(&memory, 0..20).await;
        }
        let mut found = 0;
        for part in 0..20 {
            ask(&memory, 1000 + part * 200..1200 + part * 200).await;
            found += ask(&memory, 0..20).await;
        }
        assert!(found >= 300, "{found} of 400 were there");
    }

    #[tokio::test]
    async fn nothing_is_held_without_room() {
        let memory = Memory::new(0);
        memory.put(key(1), Bytes::from_static(b"x")).await;
        assert_eq!(memory.get(&key(1)).await, None);
    }
}
