//! What can go wrong on the way to a frame, and what follows from it: an HTTP status, a word for scripts, another try.

use std::sync::Arc;

use frame::{AddressError, PathError};

use crate::{decode::DecodeError, encode::EncodeError, gate::Overloaded, origin::OriginError};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The path is not one.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The root of an archive is neither an address nor a folder.
    #[error("{root:?} is neither an http(s) address nor a folder that exists")]
    Root {
        /// As given.
        root: String,
    },
    /// The HTTP client could not be made.
    #[error("failed to set up the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The bytes are no movie.
    #[error("failed to read the index of {path}")]
    Index {
        /// The movie.
        path: String,
        /// Why.
        #[source]
        source: quicktime::Error,
    },
    /// A frame beyond the last.
    #[error("there is no frame {number}: the movie has {frames}")]
    NoFrame {
        /// As asked for.
        number: u32,
        /// What there are.
        frames: u32,
    },
    /// A word of a query that is not one of those it can be.
    #[error("{name}={value:?} is not {expected}")]
    Query {
        /// Its name.
        name: &'static str,
        /// As given.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// A second at which nothing is shown.
    #[error("nothing is shown at {seconds} s: the movie lasts {duration:.3} s")]
    NoMoment {
        /// As asked for.
        seconds: f64,
        /// The movie's length.
        duration: f64,
    },
    /// More than is read for one frame.
    #[error(
        "frame {number} is decoded from {frames} frames of {bytes} bytes before and with it, more than the limits of \
         {max_frames} frames and {max_bytes} bytes"
    )]
    LongGroup {
        /// As asked for.
        number: u32,
        /// Frames from the sync sample on.
        frames: usize,
        /// Their bytes.
        bytes: u64,
        /// The limit of frames.
        max_frames: usize,
        /// The limit of bytes.
        max_bytes: u64,
    },
    /// More than one answer may hold.
    #[error("the answer would have {bytes} bytes, more than the limit of {limit}")]
    LongAnswer {
        /// What it would have.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The packet could not be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The picture could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Raw pixels are not allowed on this server.
    #[error("raw output is not allowed on this server (--allow-raw-output)")]
    RawNotAllowed,
    /// More is asked for than can be done.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// Frames of one answer that had to be decoded in different ways, whose pixels differ by little.
    #[error("a frame of this answer cannot be decoded as those before it: ask with decoder=full")]
    MixedDecoders,
    /// A computation panicked.
    #[error("the computation of this answer panicked")]
    Panicked,
    /// Another request for the same thing failed, and this one with it.
    #[error(transparent)]
    Shared(Arc<Error>),
}

/// What kind of trouble it is. The names are stable: scripts and failure reports read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request makes no sense.
    BadRequest,
    /// There is no such file or folder.
    NotFound,
    /// The file is no QuickTime movie.
    NotAMovie,
    /// The movie is cut off or has no index.
    Truncated,
    /// The movie is damaged in another way.
    Damaged,
    /// The movie is sound, but of a kind that is not served.
    Unsupported,
    /// A frame's bytes cannot be decoded.
    DecodeError,
    /// The file changed while it was read.
    Changed,
    /// The origin does not answer, or says that it cannot.
    OriginUnavailable,
    /// The origin answered something else than what was asked for.
    OriginError,
    /// More is asked for than can be done; later it may be less.
    Overloaded,
    /// Not allowed by this server's configuration.
    NotAllowed,
    /// A mistake of ours.
    Internal,
}

impl ErrorKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::BadRequest,
        Self::NotFound,
        Self::NotAMovie,
        Self::Truncated,
        Self::Damaged,
        Self::Unsupported,
        Self::DecodeError,
        Self::Changed,
        Self::OriginUnavailable,
        Self::OriginError,
        Self::Overloaded,
        Self::NotAllowed,
        Self::Internal,
    ];

    /// The kind of this stable name, as a server's answer names it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::NotFound => "NotFound",
            Self::NotAMovie => "NotAMovie",
            Self::Truncated => "Truncated",
            Self::Damaged => "Damaged",
            Self::Unsupported => "Unsupported",
            Self::DecodeError => "DecodeError",
            Self::Changed => "Changed",
            Self::OriginUnavailable => "OriginUnavailable",
            Self::OriginError => "OriginError",
            Self::Overloaded => "Overloaded",
            Self::NotAllowed => "NotAllowed",
            Self::Internal => "Internal",
        }
    }

    /// The HTTP status of an answer.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::Changed => 409,
            Self::Unsupported => 415,
            Self::NotAMovie | Self::Truncated | Self::Damaged | Self::DecodeError | Self::OriginError => 502,
            Self::OriginUnavailable | Self::Overloaded => 503,
            Self::NotAllowed => 501,
            Self::Internal => 500,
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Changed | Self::OriginUnavailable | Self::OriginError | Self::Overloaded | Self::Internal)
    }
}

impl Error {
    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Address(_)
            | Self::Path(_)
            | Self::Root { .. }
            | Self::NoFrame { .. }
            | Self::Query { .. }
            | Self::NoMoment { .. }
            | Self::LongAnswer { .. } => ErrorKind::BadRequest,
            Self::LongGroup { .. } | Self::MixedDecoders => ErrorKind::Unsupported,
            Self::Client(_) | Self::Encode(_) | Self::Panicked => ErrorKind::Internal,
            Self::Origin(error) => error.kind(),
            Self::Overloaded(_) => ErrorKind::Overloaded,
            Self::Index { source, .. } => index_kind(source),
            Self::Decode(DecodeError::Codec { .. } | DecodeError::PixelFormat { .. } | DecodeError::Depth { .. }) => {
                ErrorKind::Unsupported
            }
            Self::Decode(_) => ErrorKind::DecodeError,
            Self::RawNotAllowed => ErrorKind::NotAllowed,
            Self::Shared(error) => error.kind(),
        }
    }
}

fn index_kind(error: &quicktime::Error) -> ErrorKind {
    use quicktime::Error as E;
    match error {
        E::NotAMovie { .. } => ErrorKind::NotAMovie,
        E::Truncated { .. } | E::FrameMissing { .. } | E::NoIndex => ErrorKind::Truncated,
        E::TooLarge { .. } | E::Unsupported { .. } | E::NoVideo => ErrorKind::Unsupported,
        E::Missing { .. } | E::Damaged { .. } => ErrorKind::Damaged,
    }
}

/// An error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
