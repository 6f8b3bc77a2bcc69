//! What can go wrong between the worker and the archive. Whichever way the frames come, the kinds are lazycache's.

use lazycache::ErrorKind;

/// Why the archive, or the frame server before it, gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// From the lazycache in this process.
    #[error(transparent)]
    InProcess(#[from] lazycache::Error),
    /// From a frame server.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// What went wrong at a frame server. Every variant names the address.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its address, or the archive's, is none.
    #[error("{text:?} is not an http(s) address, which a frame server needs")]
    Address {
        /// As given.
        text: String,
    },
    /// The HTTP client could not be made.
    #[error("failed to set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// It does not serve the archive.
    #[error("the frame server {server} does not serve {root}; it serves {served}")]
    NotServed {
        /// The server.
        server: String,
        /// The archive.
        root: String,
        /// What it serves instead.
        served: String,
    },
    /// No connection, a time-out, a connection that broke.
    #[error("failed to reach {url}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It says that there is no answer, and why.
    #[error("{url} is answered with status {status}: {detail}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
        /// The kind it names, or the status stands for.
        kind: ErrorKind,
        /// Its words.
        detail: String,
        /// Seconds it asks for before another try.
        retry_after: Option<u64>,
    },
    /// An answer that is not what was asked for.
    #[error("{url} is answered with {what}: is the server a lazycache of this release?")]
    Strange {
        /// What was asked for.
        url: String,
        /// What came.
        what: String,
    },
    /// A frame of another version of the movie.
    #[error("{url} is of another version of the movie than its index")]
    Changed {
        /// What was asked for.
        url: String,
    },
}

impl SourceError {
    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InProcess(error) => error.kind(),
            Self::Server(error) => error.kind(),
        }
    }

    /// The archive did not answer, or the frame server has too much to do: to be waited out, not counted.
    pub fn is_outage(&self) -> bool {
        matches!(self.kind(), ErrorKind::OriginUnavailable | ErrorKind::Overloaded)
    }

    /// Whether somebody must mend an address or a server's settings.
    pub fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::InProcess(lazycache::Error::Root { .. })
                | Self::Server(ServerError::Address { .. } | ServerError::NotServed { .. })
        )
    }
}

impl ServerError {
    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Address { .. } | Self::NotServed { .. } => ErrorKind::BadRequest,
            Self::Client(_) => ErrorKind::Internal,
            Self::Unreachable { .. } => ErrorKind::OriginUnavailable,
            Self::Refused { kind, .. } => *kind,
            Self::Strange { .. } => ErrorKind::OriginError,
            Self::Changed { .. } => ErrorKind::Changed,
        }
    }
}
