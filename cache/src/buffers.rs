//! Buffers for pixels that are used again: a new one of 8 MB costs two thousand page faults, as much as converting the colours
//! that go into it.

use std::{
    mem,
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError},
};

/// The most bytes that lie idle; what is given back beyond is freed.
const MOST_IDLE: usize = 32 << 20;
/// Smaller ones are not worth keeping: the allocator keeps them itself.
const LEAST: usize = 128 << 10;

static IDLE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// So many bytes, of any content; given back when dropped. What is kept for long should not be one: it may have more room
/// than bytes.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// A buffer of `length` bytes: whoever asks writes all of them.
    pub fn of(length: usize) -> Self {
        let mut bytes = idle(length).unwrap_or_default();
        // Only what no one has written before is filled.
        bytes.resize(length, 0);
        Self(bytes)
    }
}

/// An idle buffer with room for `length` bytes.
fn idle(length: usize) -> Option<Vec<u8>> {
    let mut all = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = all.iter().position(|bytes| bytes.capacity() >= length)?;
    Some(all.swap_remove(at))
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = mem::take(&mut self.0);
        if bytes.capacity() < LEAST {
            return;
        }
        let mut all = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = all.iter().map(Vec::capacity).sum();
        if held.saturating_add(bytes.capacity()) <= MOST_IDLE {
            all.push(bytes);
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_the_length_that_is_asked_for_whatever_was_there_before() {
        for length in [LEAST * 3, LEAST, 7, 0, LEAST * 2, MOST_IDLE + 1, LEAST * 3] {
            let mut buffer = Buffer::of(length);
            assert_eq!(buffer.len(), length);
            buffer.fill(7);
        }
    }

    #[test]
    fn no_more_lies_idle_than_may() {
        let all: Vec<Buffer> = (0..8).map(|_| Buffer::of(MOST_IDLE / 4)).collect();
        drop(all);
        let held: usize = IDLE.lock().unwrap().iter().map(Vec::capacity).sum();
        assert!(held <= MOST_IDLE, "{held}");
    }
}
