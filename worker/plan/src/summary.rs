//! What a step says at its end: counts and failures. [`crate::message`] makes it small enough for a pod.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::Message;

/// The kubelet keeps this many bytes of a termination message.
pub const MESSAGE_LIMIT: usize = 4096;
/// At most this many failures are sampled into a message or a status.
pub const SAMPLE_LIMIT: usize = 10;
/// A sampled failure's text is cut to this many characters.
const TEXT_LIMIT: usize = 200;

/// One item that could not be done; a line of `failures.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The movie, relative to the source root.
    pub item: String,
    /// A stable word, such as `DecodeError` or `NotFound`.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// What happened, with its causes.
    pub message: String,
}

/// How many items are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Items selected by the AnalysisJob.
    pub total: u64,
    /// Items whose result already stood.
    pub up_to_date: u64,
    /// Items done by this step.
    pub succeeded: u64,
    /// Items that failed for good.
    pub failed: u64,
}

impl Counts {
    /// Items neither done nor failed: those an interrupted step leaves.
    pub fn pending(&self) -> u64 {
        self.total.saturating_sub(self.up_to_date + self.succeeded + self.failed)
    }
}

/// What a step tells at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The counts.
    #[serde(default)]
    pub items: Counts,
    /// The first failures, at most [`SAMPLE_LIMIT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

impl Summary {
    /// As a pod's termination message.
    pub fn termination_message(&self) -> String {
        Message::from(self.clone()).to_json()
    }
}

pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_done_nor_failed_is_pending() {
        assert_eq!(Counts { total: 10, up_to_date: 2, succeeded: 3, failed: 1 }.pending(), 4);
    }
}
