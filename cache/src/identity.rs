//! Which version of a file.

use serde::{Deserialize, Serialize};

/// What makes a file's bytes this version and no other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Size in bytes.
    pub size: u64,
    /// Entity tag, quotes included, where the origin has one.
    pub etag: Option<String>,
    /// Last-Modified, as an HTTP date, where the origin has one.
    pub last_modified: Option<String>,
}

impl Identity {
    /// Whether another file of the same size would have another identity. What has no such mark is not kept: nothing would
    /// tell when it is outdated.
    pub fn tells_versions_apart(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }
}
