//! What can be wrong with an archive, on request.

use serde::{Deserialize, Serialize};

/// One way to be wrong. As JSON: `"close"`, `{"delay":{"ms":500}}`, `{"status":{"status":503,"retry_after":1}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Answers so many milliseconds late, but right.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Sends so many bytes of the body, then nothing, without closing.
    Stall {
        /// Bytes.
        after: u64,
    },
    /// Sends so many bytes of the body, then closes the connection.
    Drop {
        /// Bytes.
        after: u64,
    },
    /// Closes the connection without any answer.
    Close,
    /// Answers with fewer bytes than asked for, and says so: length and `Content-Range` agree with what is sent.
    Short {
        /// Bytes missing at the end; at least one byte is sent.
        missing: u64,
    },
    /// Answers a range request with 200 and the whole file.
    IgnoreRange,
    /// Answers with the right number of bytes of another place, and says the place.
    WrongRange {
        /// How far the answer is from what was asked for.
        shift: u64,
    },
    /// Answers with a status and no file: 503, 500, 404, …
    Status {
        /// Such as 503.
        status: u16,
        /// Retry-After, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Answers as if the file had been exchanged for another of the same size: other entity tag, later date, other bytes
    /// (each with all its bits turned).
    Swapped,
}

/// A fault, and where and how often it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Strikes where the path below the root holds this text; empty = everywhere. With `*` (any text, also `/`) or `?` (any
    /// character) in it, it is a pattern for the whole path.
    #[serde(default)]
    pub path: String,
    /// What happens.
    pub fault: Fault,
    /// How often; absent = for ever.
    #[serde(default)]
    pub times: Option<u32>,
    /// Lets so many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// Strikes only requests for a range.
    #[serde(default)]
    pub only_ranges: bool,
}

impl Rule {
    /// `fault` on every path that matches `path`, for ever.
    pub fn on(path: &str, fault: Fault) -> Self {
        Self { path: path.to_owned(), fault, times: None, skip: 0, only_ranges: false }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only after so many matching requests.
    #[must_use]
    pub fn after(self, requests: u32) -> Self {
        Self { skip: requests, ..self }
    }

    /// Only requests for a range.
    #[must_use]
    pub fn ranges(self) -> Self {
        Self { only_ranges: true, ..self }
    }

    fn covers(&self, path: &str, range: bool) -> bool {
        let wild = self.path.contains(['*', '?']);
        let place = if wild { matches(self.path.as_bytes(), path.as_bytes()) } else { path.contains(&self.path) };
        place && (range || !self.only_ranges) && self.times != Some(0)
    }
}

/// Whether a pattern of `*` and `?` fits the whole text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star = None;
    while at < text.len() {
        match pattern.get(from) {
            Some(b'*') => {
                star = Some((from, at));
                from += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[at] => (at, from) = (at + 1, from + 1),
            // The last star takes one character more.
            _ => match star {
                None => return false,
                Some((pattern_at, text_at)) => {
                    star = Some((pattern_at, text_at + 1));
                    (at, from) = (text_at + 1, pattern_at + 1);
                }
            },
        }
    }
    pattern[from..].iter().all(|byte| *byte == b'*')
}

/// The rules in force. The first that strikes a request decides; its counts go down.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a rule behind the others.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The rules that can still strike, with what is left of their counts.
    pub fn in_force(&self) -> Vec<Rule> {
        self.0.iter().filter(|rule| rule.times != Some(0)).cloned().collect()
    }

    /// What strikes a request for `path`; `range`: whether it is for a part of the file.
    pub fn strike(&mut self, path: &str, range: bool) -> Option<Fault> {
        for rule in self.0.iter_mut().filter(|rule| rule.covers(path, range)) {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times = rule.times.map(|times| times.saturating_sub(1));
            return Some(rule.fault.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_where_and_as_often_as_it_says() {
        let mut rules = Rules::default();
        rules.add(Rule::on("X", Fault::Swapped).times(2).after(1));
        let struck = ["X", "Y", "X", "aX", "X"].map(|path| rules.strike(path, false).is_some());
        assert_eq!(struck, [false, false, true, true, false]);
        assert_eq!(rules.in_force(), []);
    }

    #[test]
    fn a_rule_for_ranges_leaves_whole_files_alone() {
        let mut rules = Rules::default();
        rules.add(Rule::on("X", Fault::Close).ranges());
        assert_eq!([rules.strike("X", false), rules.strike("X", true)], [None, Some(Fault::Close)]);
    }

    #[test]
    fn a_pattern_fits_the_whole_path() {
        let table = [
            ("*.mov", "a/b/X.mov", true),
            ("*.mov", "X.mov.txt", false),
            ("a/*/X?.mov", "a/b/c/X1.mov", true),
            ("a/*/X?.mov", "a/b/X.mov", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "abab", true),
            ("?", "", false),
            ("*", "", true),
        ];
        for (pattern, path, fits) in table {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn a_rule_is_written_as_json() {
        let json = r#"{"path":"X.mov","fault":{"status":{"status":503,"retry_after":1}},"times":2}"#;
        let rule: Rule = serde_json::from_str(json).unwrap();
        assert_eq!(rule, Rule::on("X.mov", Fault::Status { status: 503, retry_after: Some(1) }).times(2));
        let close: Rule = serde_json::from_str(r#"{"fault":"close","only_ranges":true}"#).unwrap();
        assert_eq!(close, Rule::on("", Fault::Close).ranges());
        assert!(serde_json::from_str::<Rule>(r#"{"fault":"close","time":1}"#).is_err(), "a typing error is no rule");
    }
}
