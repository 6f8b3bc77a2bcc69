//! What stands on disk, in order of use; and what may come in. No IO.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::tier::{Key, What};

/// Names of entries that were not let in, remembered for a second try.
const REMEMBERED: usize = 1 << 16;

/// The entries on disk.
#[derive(Debug)]
pub struct Shelf {
    limit: u64,
    held: u64,
    clock: u64,
    entries: HashMap<Key, Entry>,
    /// First in line is first to go: indexes stand behind all others.
    line: BTreeMap<(bool, u64), Key>,
    refused: HashSet<Key>,
    refused_in_order: VecDeque<Key>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    length: u64,
    used: u64,
}

impl Shelf {
    /// Room for `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            held: 0,
            clock: 0,
            entries: HashMap::new(),
            line: BTreeMap::new(),
            refused: HashSet::new(),
            refused_in_order: VecDeque::new(),
        }
    }

    /// Bytes held.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Whether an entry of `length` bytes is to be written: it is not there, and there is room, or it was asked for before.
    pub fn admits(&mut self, key: &Key, length: u64) -> bool {
        if self.entries.contains_key(key) || length > self.limit {
            return false;
        }
        let room = self.held + length <= self.limit;
        room || key.what == What::Index || self.refused.remove(key) || self.remember(*key)
    }

    /// Remembers a key that is not let in; always false.
    fn remember(&mut self, key: Key) -> bool {
        if self.refused.insert(key) {
            self.refused_in_order.push_back(key);
        }
        while self.refused_in_order.len() > REMEMBERED {
            if let Some(oldest) = self.refused_in_order.pop_front() {
                self.refused.remove(&oldest);
            }
        }
        false
    }

    /// An entry stands, used just now.
    pub fn add(&mut self, key: Key, length: u64) {
        self.remove(&key);
        self.clock += 1;
        self.held += length;
        self.line.insert((key.what == What::Index, self.clock), key);
        self.entries.insert(key, Entry { length, used: self.clock });
    }

    /// An entry was used.
    pub fn touch(&mut self, key: &Key) {
        if let Some(Entry { length, .. }) = self.entries.get(key).copied() {
            self.add(*key, length);
        }
    }

    /// An entry is gone.
    pub fn remove(&mut self, key: &Key) {
        if let Some(Entry { length, used }) = self.entries.remove(key) {
            self.held -= length;
            self.line.remove(&(key.what == What::Index, used));
        }
    }

    /// Takes the entry off that has to go so that `length` more bytes fit; `None` when they do.
    pub fn take_last_beyond(&mut self, length: u64) -> Option<Key> {
        if self.held + length <= self.limit {
            return None;
        }
        let key = *self.line.first_key_value()?.1;
        self.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frame::FrameNumber;

    fn packet(number: u32) -> Key {
        Key::packet("u", &crate::Identity::default(), FrameNumber::new(number).unwrap())
    }

    #[test]
    fn the_longest_unused_goes_first_and_indexes_last() {
        let mut shelf = Shelf::new(40);
        shelf.add(Key::index("u"), 10);
        (1..=3).for_each(|number| shelf.add(packet(number), 10));
        shelf.touch(&packet(1));
        let gone: Vec<_> = std::iter::from_fn(|| shelf.take_last_beyond(40)).collect();
        assert_eq!(gone, [packet(2), packet(3), packet(1), Key::index("u")]);
        assert_eq!(shelf.held(), 0);
    }

    #[test]
    fn a_full_shelf_lets_in_what_is_asked_for_twice() {
        let mut shelf = Shelf::new(20);
        (1..=2).for_each(|number| shelf.add(packet(number), 10));
        assert!(!shelf.admits(&packet(1), 10), "it is there");
        assert!(!shelf.admits(&packet(3), 10) && !shelf.admits(&packet(4), 10));
        assert!(shelf.admits(&packet(3), 10) && shelf.admits(&Key::index("v"), 10));
        assert!(!shelf.admits(&packet(3), 10), "remembered once");
        assert!(!Shelf::new(5).admits(&packet(1), 10));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut shelf = Shelf::new(0);
        shelf.limit = 1;
        shelf.held = 1;
        for number in 1..=(2 * REMEMBERED as u32) {
            assert!(!shelf.admits(&packet(number), 1));
        }
        assert!(shelf.refused.len() <= REMEMBERED && shelf.refused_in_order.len() <= REMEMBERED);
    }
}
