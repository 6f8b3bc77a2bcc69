//! A pod's termination message: what the operator learns of a step. JSON of fewer than [`MESSAGE_LIMIT`] bytes, whatever
//! the movies are called and the errors say.

use serde::{Deserialize, Serialize};

use crate::{
    document::Document,
    ledger::sha256,
    summary::{Counts, Failure, MESSAGE_LIMIT, SAMPLE_LIMIT, Summary, shorten},
};

/// At most this many paths are shown of a plan.
const PATHS_LIMIT: usize = 5;
/// An error's text is cut to this many characters.
const ERROR_LIMIT: usize = 1000;

/// What a step tells at its end. Every part is there only where the step has it to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The counts: of the run (plan, collect) or of the index (work).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Counts>,
    /// What was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Planned>,
    /// The first failures, at most [`SAMPLE_LIMIT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// Where all failures stand, relative to the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// Why the step did not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
}

/// A plan in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Items to do.
    pub selected: u64,
    /// How many indexes the work has; more than one Job may hold.
    pub indexes: u32,
    /// Items one index does.
    pub items_per_index: u32,
    /// `sha256:…` of the plan document.
    pub digest: String,
    /// The first items, at most 5.
    pub sample: Vec<String>,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// A stable word in `UpperCamelCase`, such as `MarkerMissing`.
    pub reason: String,
    /// What happened, with its causes.
    pub message: String,
}

impl Message {
    /// What a step failed with.
    pub fn error(reason: &str, message: String) -> Self {
        let error = StepError { reason: reason.to_owned(), message };
        Self { error: Some(error), ..Self::default() }
    }

    /// As JSON of fewer than [`MESSAGE_LIMIT`] bytes: texts are cut, then samples dropped from the end, until it fits.
    pub fn to_json(&self) -> String {
        let mut short = self.shortened();
        loop {
            let text = serde_json::to_string(&short).unwrap_or_default();
            if text.len() < MESSAGE_LIMIT || !short.drop_one() {
                return text;
            }
        }
    }

    fn shortened(&self) -> Self {
        let mut short = self.clone();
        short.failures.truncate(SAMPLE_LIMIT);
        for failure in &mut short.failures {
            failure.message = shorten(&failure.message);
            failure.item = shorten(&failure.item);
        }
        if let Some(plan) = &mut short.plan {
            plan.sample.truncate(PATHS_LIMIT);
        }
        if let Some(error) = &mut short.error {
            cut(&mut error.message, ERROR_LIMIT);
        }
        short
    }

    /// Gives up what matters least; false when there is nothing left to give up.
    fn drop_one(&mut self) -> bool {
        let sampled = self.plan.as_mut().is_some_and(|plan| plan.sample.pop().is_some());
        if sampled || self.failures.pop().is_some() {
            return true;
        }
        // Control characters are six bytes each in JSON.
        let Some(error) = self.error.as_mut().filter(|error| !error.message.is_empty()) else { return false };
        let half = error.message.chars().count() / 2;
        cut(&mut error.message, half);
        true
    }
}

impl Planned {
    /// A plan in short.
    pub fn of(plan: &Document) -> Self {
        let header = plan.header();
        Self {
            selected: header.items,
            indexes: header.indexes(),
            items_per_index: header.items_per_index,
            digest: sha256(plan.as_str().as_bytes()),
            sample: plan.items().take(PATHS_LIMIT).map(|movie| movie.to_string()).collect(),
        }
    }
}

impl From<Summary> for Message {
    fn from(summary: Summary) -> Self {
        Self { items: Some(summary.items), failures: summary.failures, ..Self::default() }
    }
}

fn cut(text: &mut String, characters: usize) {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(text: &str) -> Message {
        let failure = Failure { item: text.into(), reason: "DecodeError".into(), attempts: 3, message: text.into() };
        let sample = vec![text.chars().take(1024).collect(); 9];
        let plan = Planned { selected: 9, indexes: 3, items_per_index: 3, digest: "sha256:0".into(), sample };
        Message {
            items: Some(Counts { total: 40, failed: 40, ..Counts::default() }),
            plan: Some(plan),
            failures: vec![failure; 40],
            report: Some(".analysis/4-7c9f/failures.jsonl".into()),
            error: Some(StepError { reason: "MarkerMissing".into(), message: text.into() }),
        }
    }

    #[test]
    fn a_message_fits_whatever_the_names_and_errors_are() {
        for text in ["x".repeat(100_000), "€".repeat(5_000), "\"\\\n".repeat(3_000), "\u{1}".repeat(3_000)] {
            let json = long(&text).to_json();
            assert!(json.len() < MESSAGE_LIMIT, "{} bytes", json.len());
            let back: Message = serde_json::from_str(&json).unwrap();
            assert_eq!((back.items.unwrap().failed, back.plan.unwrap().selected), (40, 9));
            assert!(!back.error.unwrap().message.is_empty());
        }
    }

    #[test]
    fn each_step_says_what_the_contract_names_and_no_more() {
        let error = Message::error("MarkerMissing", "the marker file README.md is missing in /results".into());
        let expected =
            r#"{"error":{"reason":"MarkerMissing","message":"the marker file README.md is missing in /results"}}"#;
        assert_eq!(error.to_json(), expected);
        let work =
            Message::from(Summary { items: Counts { total: 2, succeeded: 2, ..Counts::default() }, failures: vec![] });
        assert_eq!(work.to_json(), r#"{"items":{"total":2,"upToDate":0,"succeeded":2,"failed":0}}"#);
    }
}
