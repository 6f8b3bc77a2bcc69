//! What an entry is called: a digest of all that decides its bytes.

use std::fmt::{self, Write};

use frame::{Format, FrameNumber, Rendition};
use sha2::{Digest, Sha256};

use crate::Identity;

/// Goes up when the same request would get other bytes: another encoder, another colour conversion.
const ENCODER: u32 = 2;

/// The kinds of entries, in the order in which they are worth keeping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A movie's index.
    Index,
    /// A frame's compressed bytes.
    Packet,
    /// An encoded answer.
    Answer,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Index, Self::Packet, Self::Answer];

    /// The word in metrics and folder names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Packet => "packet",
            Self::Answer => "answer",
        }
    }
}

/// The name of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Of what kind it is.
    pub what: What,
    /// The digest.
    pub digest: [u8; 16],
}

impl Key {
    /// The index of the movie at `url`, whichever version it has.
    pub fn index(url: &str) -> Self {
        Self::of(What::Index, &[url])
    }

    /// A frame's compressed bytes.
    pub fn packet(url: &str, identity: &Identity, number: FrameNumber) -> Self {
        Self::of(What::Packet, &[url, &version(identity), &number.get().to_string()])
    }

    /// An encoded frame.
    pub fn answer(url: &str, identity: &Identity, number: FrameNumber, format: Format, rendition: &Rendition) -> Self {
        let number = number.get().to_string();
        // `Debug` names every field, also those that come later.
        let how = format!("{ENCODER} {format:?} {rendition:?}");
        Self::of(What::Answer, &[url, &version(identity), &number, &how])
    }

    fn of(what: What, parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(what.as_str());
        for part in parts {
            // No part can run into the next.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        Self { what, digest }
    }

    /// The digest in hexadecimal digits.
    pub fn hex(&self) -> String {
        self.digest.iter().fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Reads what [`Key::hex`] wrote.
    pub fn from_hex(what: What, text: &str) -> Option<Self> {
        let mut digest = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (byte, at) in digest.iter_mut().zip((0..32).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self { what, digest })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.what.as_str(), self.hex())
    }
}

fn version(identity: &Identity) -> String {
    format!("{identity:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_differs_by_everything_that_decides_the_bytes_and_reads_back() {
        let old = Identity { size: 1, etag: Some("\"a\"".into()), last_modified: None };
        let new = Identity { etag: Some("\"b\"".into()), ..old.clone() };
        let number = |number| FrameNumber::new(number).unwrap();
        let plain = Rendition::default();
        let keys = [
            Key::index("u"),
            Key::index("v"),
            Key::packet("u", &old, number(1)),
            Key::packet("u", &old, number(2)),
            Key::packet("u", &new, number(1)),
            Key::answer("u", &old, number(1), Format::Png, &plain),
            Key::answer("u", &old, number(1), Format::Jpeg, &plain),
            Key::answer("u", &old, number(1), Format::Png, &Rendition { grey: true, ..plain }),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        for key in keys {
            assert_eq!(Key::from_hex(key.what, &key.hex()), Some(key));
        }
        assert_eq!(Key::from_hex(What::Index, "xx"), None);
    }
}
