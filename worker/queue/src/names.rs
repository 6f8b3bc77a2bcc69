//! The name of a list and of its keys.

use std::fmt;

/// The name of a list: the stream of the AnalysisJob, and a digest of what is computed. Workers of another analysis, or of
/// another archive, that name the same stream share nothing with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListName {
    stream: String,
    work: String,
}

/// Why a text names no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} cannot be part of a list's name: 1 to 128 letters, digits, and - . _ : are allowed")]
pub struct NameError {
    text: String,
}

impl ListName {
    /// The list of `work` (a digest) on `stream`.
    pub fn new(stream: &str, work: &str) -> Result<Self, NameError> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-._:".contains(letter);
        for text in [stream, work] {
            if !(1..=128).contains(&text.len()) || !text.chars().all(allowed) {
                return Err(NameError { text: text.to_owned() });
            }
        }
        Ok(Self { stream: stream.to_owned(), work: work.to_owned() })
    }

    /// The keys. The braces keep them on one node of a Redis Cluster, where a script needs them.
    pub(crate) fn keys(&self) -> Keys {
        let key = |part: &str| format!("analysis:{{{self}}}:{part}");
        Keys { entries: key("entries"), items: key("items"), dead: key("dead") }
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(text, "{}/{}", self.stream, self.work)
    }
}

/// The keys of one list.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub entries: String,
    pub items: String,
    pub dead: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_list_share_a_slot_and_those_of_different_work_differ() {
        let keys = ListName::new("camhd", "0a1b").unwrap().keys();
        assert_eq!(keys.entries, "analysis:{camhd/0a1b}:entries");
        assert_ne!(keys.items, ListName::new("camhd", "0a1c").unwrap().keys().items);
    }

    #[test]
    fn names_that_could_reach_other_keys_are_refused() {
        for text in ["", "a b", "a}b", "a/b", "ä", &"a".repeat(129)] {
            assert!(ListName::new(text, "0a").is_err() && ListName::new("a", text).is_err(), "{text}");
        }
    }
}
