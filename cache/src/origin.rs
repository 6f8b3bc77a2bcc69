//! Where bytes come from: an HTTP archive, a bucket, a folder, or a folder of copies before one of them. What all promise:
//! exactly the bytes asked for, of the version asked for, or an error.

mod bucket;
mod folder;
mod http;
mod overlay;
mod private;

use std::{ops::Range, path::PathBuf};

use bytes::Bytes;
use frame::{DirectoryPath, MoviePath};

pub use bucket::{BucketOrigin, BucketRoot};
pub use folder::FolderOrigin;
pub use http::{Credentials, HttpOptions, HttpOrigin};
pub use overlay::OverlayOrigin;

pub use crate::identity::Identity;
use crate::{error::ErrorKind, gate::Overloaded, listing::Listing};

/// Which bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These; cut at the file's end only where `size` is not known yet.
    Bytes(Range<u64>),
    /// The last so many, or all of a shorter file.
    Last(u64),
}

/// Bytes of a file, and which version they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where they begin.
    pub offset: u64,
    /// The bytes.
    pub bytes: Bytes,
    /// The file they are of.
    pub identity: Identity,
}

/// Reads files of an archive.
#[async_trait::async_trait]
pub trait Origin: std::fmt::Debug + Send + Sync {
    /// Reads `part` of the file at `path`. With `expected`, bytes of another version are refused.
    async fn read(&self, path: &MoviePath, part: Part, expected: Option<&Identity>) -> Result<Piece, OriginError>;

    /// Which version of the file there is, without reading it.
    async fn identity(&self, path: &MoviePath) -> Result<Identity, OriginError>;

    /// What a folder holds.
    async fn list(&self, path: &DirectoryPath) -> Result<Listing, OriginError>;

    /// Where the file is, for people and provenance.
    fn url(&self, path: &str) -> String;

    /// Whether reading costs so little that bytes are not worth keeping elsewhere.
    fn is_local(&self) -> bool {
        false
    }

    /// The requests to it that wait and that are under way, where they are bounded.
    fn load(&self) -> Option<(usize, usize)> {
        None
    }
}

/// What went wrong at an origin. Every variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// 404, 410, no such file.
    #[error("{url} does not exist")]
    NotFound {
        /// The file.
        url: String,
    },
    /// No connection, a time-out, a connection that broke.
    #[error("failed to read {url}")]
    Unreachable {
        /// The file.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// 429 or 5xx.
    #[error("{url} is answered with status {status}")]
    Unavailable {
        /// The file.
        url: String,
        /// The status.
        status: u16,
        /// What the origin asks for, in seconds.
        retry_after: Option<u64>,
    },
    /// Another status that gives no bytes.
    #[error("{url} is answered with status {status}")]
    Status {
        /// The file.
        url: String,
        /// The status.
        status: u16,
    },
    /// 200 to a range request.
    #[error("{url} is answered whole instead of by range: the server does not support range requests")]
    RangeIgnored {
        /// The file.
        url: String,
    },
    /// Another range than the one asked for.
    #[error("{url} is answered with the range {answer:?} instead of {wanted}")]
    WrongRange {
        /// The file.
        url: String,
        /// What was asked for.
        wanted: String,
        /// What was said to be answered.
        answer: String,
    },
    /// Fewer bytes than announced.
    #[error("{url} is answered with {got} of {wanted} bytes")]
    Short {
        /// The file.
        url: String,
        /// Bytes announced.
        wanted: u64,
        /// Bytes received.
        got: u64,
    },
    /// Another version than before.
    #[error("{url} changed while it was read")]
    Changed {
        /// The file.
        url: String,
    },
    /// No answer, or not all of it, within the time there is.
    #[error("{url} is not answered within {seconds} seconds")]
    Slow {
        /// The file.
        url: String,
        /// The time there was.
        seconds: f64,
    },
    /// The mirror's name leads into a private network.
    #[error("{url} is at a private address, and the mirror does not name one (--allow-private-origins)")]
    Private {
        /// The file.
        url: String,
    },
    /// Too many requests to this origin wait already.
    #[error("{url} is not asked for now")]
    Overloaded {
        /// The file.
        url: String,
        /// How many wait.
        #[source]
        source: Overloaded,
    },
    /// An object store.
    #[error("failed to read {url}")]
    Bucket {
        /// The object.
        url: String,
        /// Why.
        #[source]
        source: object_store::Error,
    },
    /// A listing that is none.
    #[error("{url} is not a listing of a folder")]
    NoListing {
        /// The folder.
        url: String,
    },
    /// A listing larger than is read: a part of it would pass for all of it.
    #[error("the listing of {url} is too long to be read whole")]
    LongListing {
        /// The folder.
        url: String,
    },
    /// The file system.
    #[error("failed to read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl OriginError {
    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Unreachable { .. } | Self::Unavailable { .. } | Self::Slow { .. } | Self::Bucket { .. } => {
                ErrorKind::OriginUnavailable
            }
            Self::Overloaded { .. } => ErrorKind::Overloaded,
            Self::Changed { .. } => ErrorKind::Changed,
            Self::Status { .. }
            | Self::RangeIgnored { .. }
            | Self::WrongRange { .. }
            | Self::Short { .. }
            | Self::Private { .. }
            | Self::NoListing { .. }
            | Self::LongListing { .. }
            | Self::Io { .. } => ErrorKind::OriginError,
        }
    }

    /// Whether asking once more at once may help.
    fn is_worth_a_retry(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Unavailable { .. }
                | Self::Slow { .. }
                | Self::Short { .. }
                | Self::WrongRange { .. }
        )
    }
}
