//! Files of an output on their way through a pod's log: what `analysis-worker export` prints, and the kubectl plugin reads.
//!
//! ```text
//!   {"name":"report/0002.js","size":7}\n 7 bytes   {"name":"report.html","size":9}\n 9 bytes        the files, one after the other
//!   └────────────── from ──────────┴── end: a piece, compressed (gzip), as base64 after its Head ──────┘
//! ```
//!
//! A log is read whole or not at all, and only so much of it is kept: so each pod prints a piece.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `export` ends so when a file that was asked for is not there (`EX_NOINPUT`).
pub const NO_FILE: u8 = 66;
/// `export` ends so when it may not read a file (`EX_NOPERM`).
pub const NO_ACCESS: u8 = 77;

/// The first line of a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes of all files and their entries.
    pub total: u64,
    /// Changes when any of the files does: hexadecimal digits.
    pub version: String,
    /// The piece's first byte.
    pub from: u64,
    /// The first byte after it.
    pub end: u64,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parcel {} {} {} {}", self.total, self.version, self.from, self.end)
    }
}

impl Head {
    /// Reads what was printed; `None` of anything else, and of a piece that cannot be.
    pub fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["parcel", total, version, from, end] = words[..] else { return None };
        let head = Self {
            total: total.parse().ok()?,
            version: version.to_owned(),
            from: from.parse().ok()?,
            end: end.parse().ok()?,
        };
        let goes_on = head.from < head.end || head.end == head.total;
        (head.from <= head.end && head.end <= head.total && goes_on).then_some(head)
    }
}

/// The line before a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name in the output, `/` between folders.
    pub name: String,
    /// Its bytes.
    pub size: u64,
}

impl Entry {
    /// Whether the name leads into a folder it is unpacked in, and not out of it.
    pub fn stays_below(&self) -> bool {
        let harmless = |part: &str| !part.is_empty() && part != "." && part != "..";
        !self.name.contains(['\\', '\0']) && self.name.split('/').all(harmless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written_and_no_other() {
        let head = Head { total: 12, version: "9f".to_owned(), from: 4, end: 12 };
        assert_eq!(Head::parse(&head.to_string()), Some(head));
        assert!(Head::parse("parcel 0 9f 0 0").is_some(), "no file at all");
        for broken in ["", "parcel 12 9f 4", "12 9f 4 12", "parcel 12 9f 4 13", "parcel 12 9f 5 4", "parcel 12 9f 4 4"]
        {
            assert_eq!(Head::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_known() {
        let stays = |name: &str| Entry { name: name.to_owned(), size: 0 }.stays_below();
        assert!(stays("report.html") && stays("A/2018/..x_frames.jpg"));
        for name in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a\\..\\b", "."] {
            assert!(!stays(name), "{name}");
        }
    }
}
