//! Why the list could not be asked.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why the list could not be asked. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The address is none of a Redis server.
    #[error("{address} is not the address of a Redis server, such as redis://redis:6379/0 or rediss://user@redis:6380")]
    Address {
        /// As given, without a password.
        address: String,
        /// Why.
        #[source]
        source: RedisError,
    },
    /// A command failed.
    #[error("failed to {what} at the Redis server {address}")]
    Command {
        /// What was to be done, such as `take an item of camhd`.
        what: String,
        /// Without a password.
        address: String,
        /// Why.
        #[source]
        source: RedisError,
    },
}

/// Codes of Redis that pass by themselves, or once somebody has mended Redis.
const PASSING: [&str; 6] = ["OOM", "MISCONF", "NOREPLICAS", "BUSY", "UNKILLABLE", "LOADING"];

impl QueueError {
    /// Whether it may go better later with nothing changed here: the server is away, starting, full, or failing over.
    pub fn is_outage(&self) -> bool {
        let Self::Command { source, .. } = self else { return false };
        let by_kind = matches!(
            source.kind(),
            ErrorKind::Io
                | ErrorKind::Server(
                    ServerErrorKind::BusyLoading
                        | ServerErrorKind::MasterDown
                        | ServerErrorKind::ReadOnly
                        | ServerErrorKind::ClusterDown
                        | ServerErrorKind::TryAgain
                )
        );
        // A script hands an error of a command within it on as text.
        let text = source.to_string();
        let by_text = ["OOM command", "READONLY", "MISCONF", "NOREPLICAS"].iter().any(|word| text.contains(word));
        by_kind || by_text || source.code().is_some_and(|code| PASSING.contains(&code))
    }
}
