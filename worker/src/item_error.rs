//! Why one movie could not be done. The variant decides the reason in `failures.jsonl` and whether a second try may help.

pub use lazycache::error::chain;

use crate::{cpu::CpuError, source::SourceError};

/// What went wrong with one item.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    /// The movie could not be read.
    #[error("failed to read the movie")]
    Source(#[from] SourceError),
    /// A frame could not be decoded.
    #[error("failed to decode frame {frame}")]
    Decode {
        /// 1-based.
        frame: u32,
        /// Why.
        #[source]
        source: lazycache::Error,
    },
    /// A pair could not be compared.
    #[error("failed to estimate the motion around frame {frame}")]
    Motion {
        /// The row's frame, 1-based.
        frame: u32,
        /// Why.
        #[source]
        source: motion::Error,
    },
    /// A computation panicked.
    #[error(transparent)]
    Cpu(#[from] CpuError),
    /// It took longer than spec.retry.itemDeadlineSeconds.
    #[error("not done after {seconds} s (spec.retry.itemDeadlineSeconds)")]
    Deadline {
        /// The deadline.
        seconds: u64,
    },
    /// A result could not be written as JSON.
    #[error("failed to encode {name}")]
    Encode {
        /// The result file.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The rows to derive from could not be read back.
    #[error("failed to read back the rows in {name}")]
    Rows {
        /// The result file.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl ItemError {
    /// A stable word for `failures.jsonl` and the status.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Source(error) => error.kind().as_str(),
            Self::Decode { source, .. } => source.kind().as_str(),
            Self::Motion { .. } => "MotionError",
            Self::Cpu(_) => "Panicked",
            Self::Deadline { .. } => "DeadlineExceeded",
            Self::Encode { .. } => "Internal",
            Self::Rows { .. } => "ResultUnreadable",
        }
    }

    /// The archive did not answer: to be waited out, not counted.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Source(error) if error.is_outage())
    }

    /// Whether a second try may go better: the movie changed while it was read, say. Broken input stays broken.
    pub fn may_heal(&self) -> bool {
        match self {
            Self::Source(error) => error.kind().is_transient(),
            Self::Cpu(_) => true,
            Self::Decode { .. }
            | Self::Motion { .. }
            | Self::Deadline { .. }
            | Self::Encode { .. }
            | Self::Rows { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_says_every_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("failed to open the door")]
        struct Door(#[source] std::io::Error);
        let inner = std::io::Error::other("no key");
        assert_eq!(chain(&Door(inner)), "failed to open the door: no key");
    }
}
