//! What a step says at its end: counts and a few failures, small enough for a pod's termination message.

use serde::{Deserialize, Serialize};

/// The kubelet keeps this many bytes of a termination message.
pub const MESSAGE_LIMIT: usize = 4096;
/// At most this many failures are sampled into a message or a status.
pub const SAMPLE_LIMIT: usize = 10;
/// A sampled failure's text is cut to this many characters.
const TEXT_LIMIT: usize = 200;

/// One item that could not be done; a line of `failures.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// As JSON of fewer than [`MESSAGE_LIMIT`] bytes: failures are shortened, then dropped from the end, until it fits.
    pub fn termination_message(&self) -> String {
        let mut summary = self.clone();
        summary.failures.truncate(SAMPLE_LIMIT);
        for failure in &mut summary.failures {
            failure.message = shorten(&failure.message);
            failure.item = shorten(&failure.item);
        }
        loop {
            let text = serde_json::to_string(&summary).unwrap_or_default();
            if text.len() < MESSAGE_LIMIT || summary.failures.pop().is_none() {
                return text;
            }
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str) -> Failure {
        Failure { item: "A/X.mov".into(), reason: "DecodeError".into(), attempts: 3, message: message.into() }
    }

    #[test]
    fn a_message_fits_whatever_the_failures_say() {
        for text in ["x".repeat(100_000), "€".repeat(5_000), "\"\\\n".repeat(3_000), "\u{1}".repeat(3_000)] {
            let failures = (0..40).map(|_| failure(&text)).collect();
            let message = Summary { items: Counts { total: 40, failed: 40, ..Counts::default() }, failures }
                .termination_message();
            assert!(message.len() < MESSAGE_LIMIT, "{} bytes", message.len());
            let back: Summary = serde_json::from_str(&message).unwrap();
            assert_eq!(back.items.failed, 40);
            assert!(!back.failures.is_empty());
        }
    }

    #[test]
    fn a_small_summary_is_said_whole() {
        let summary = Summary {
            items: Counts { total: 2, succeeded: 1, failed: 1, ..Counts::default() },
            failures: vec![failure("no")],
        };
        let expected = r#"{"items":{"total":2,"upToDate":0,"succeeded":1,"failed":1},"failures":[{"item":"A/X.mov","reason":"DecodeError","attempts":3,"message":"no"}]}"#;
        assert_eq!(summary.termination_message(), expected);
    }

    #[test]
    fn what_is_neither_done_nor_failed_is_pending() {
        assert_eq!(Counts { total: 10, up_to_date: 2, succeeded: 3, failed: 1 }.pending(), 4);
    }
}
