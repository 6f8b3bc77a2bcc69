//! How a pod ends: an exit code and a termination message.

use std::{io::Write, path::Path, process::ExitCode};

use plan::{Message, exit};

use super::error::PodError;
use crate::item_error::chain;

/// What a pod ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The exit code (see `plan::exit`).
    pub code: u8,
    /// What the operator is told.
    pub message: Message,
}

impl Ending {
    /// All done.
    pub fn done(message: Message) -> Self {
        Self { code: exit::DONE, message }
    }

    /// Ended early.
    pub fn failed(error: &PodError) -> Self {
        Self { code: error.exit_code(), message: Message::error(error.reason(), chain(error)) }
    }

    /// Writes the message to `log` and to standard output, where a person sees it.
    pub fn tell(&self, log: Option<&Path>) -> ExitCode {
        let text = self.message.to_json();
        if let Some(error) = &self.message.error {
            let _ = writeln!(std::io::stderr(), "analysis-worker: {}: {}", error.reason, error.message);
        }
        let _ = writeln!(std::io::stdout(), "{text}");
        // Written in place: the kubelet has mounted the file. The exit code stands even if it cannot be.
        if let Some(Err(error)) = log.map(|log| std::fs::write(log, &text)) {
            let _ = writeln!(std::io::stderr(), "analysis-worker: failed to write the termination message: {error}");
        }
        ExitCode::from(self.code)
    }
}
