//! What was asked for and what was sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was asked for since the start or the last reset. The control endpoints do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests for files and folders.
    pub requests: u64,
    /// Bytes of bodies sent.
    pub bytes: u64,
    /// Requests by path, below the root; folders end in `/`, the root is empty.
    pub paths: BTreeMap<String, u64>,
    /// Bytes of bodies sent, by path.
    pub path_bytes: BTreeMap<String, u64>,
}

impl Counts {
    /// A request came.
    pub(super) fn asked(&mut self, path: &str) {
        self.requests += 1;
        *self.paths.entry(path.to_owned()).or_default() += 1;
    }

    /// Bytes of a body went.
    pub(super) fn sent(&mut self, path: &str, bytes: u64) {
        self.bytes += bytes;
        *self.path_bytes.entry(path.to_owned()).or_default() += bytes;
    }

    /// Requests for paths that hold `text`.
    pub fn requests_to(&self, text: &str) -> u64 {
        self.paths.iter().filter(|(path, _)| path.contains(text)).map(|(_, requests)| requests).sum()
    }

    /// Bytes sent of paths that hold `text`.
    pub fn bytes_of(&self, text: &str) -> u64 {
        self.path_bytes.iter().filter(|(path, _)| path.contains(text)).map(|(_, bytes)| bytes).sum()
    }
}
