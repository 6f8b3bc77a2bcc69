//! What can be wrong with an archive, on request.

use serde::{Deserialize, Serialize};

/// One way to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Answers so many milliseconds late.
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
    /// Answers a range with fewer bytes than asked for, and says so.
    Short {
        /// Bytes missing at the end.
        missing: u64,
    },
    /// Answers a range request with 200 and the whole file.
    IgnoreRange,
    /// Answers with the right number of bytes of another place, and says the place.
    WrongRange {
        /// How far the answer is from what was asked for.
        shift: u64,
    },
    /// Answers with a status and no file.
    Status {
        /// Such as 503.
        status: u16,
        /// Retry-After, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Answers as if the file had been exchanged: with another entity tag.
    Swapped,
}

/// A fault, and where and how often it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Strikes where the path holds this text; empty = everywhere.
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
}

impl Rule {
    /// `fault` on every path that holds `path`, for ever.
    pub fn on(path: &str, fault: Fault) -> Self {
        Self { path: path.to_owned(), fault, times: None, skip: 0 }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only after so many matching requests.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }
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

    /// What strikes a request for `path`.
    pub fn strike(&mut self, path: &str) -> Option<Fault> {
        for rule in &mut self.0 {
            if !path.contains(&rule.path) || rule.times == Some(0) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
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
        let struck = ["X", "Y", "X", "aX", "X"].map(|path| rules.strike(path).is_some());
        assert_eq!(struck, [false, false, true, true, false]);
    }

    #[test]
    fn a_rule_is_written_as_json() {
        let json = r#"{"path":"X.mov","fault":{"status":{"status":503,"retry_after":1}},"times":2}"#;
        let rule: Rule = serde_json::from_str(json).unwrap();
        assert_eq!(rule, Rule::on("X.mov", Fault::Status { status: 503, retry_after: Some(1) }).times(2));
    }
}
