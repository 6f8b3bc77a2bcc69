//! The output is the ledger: what stands there decides what is left to do.
//!
//! A result carries the digest of everything that decided it (analysis, revision, parameters, movie, the movie's size and
//! validator). The root the movie was fetched from is not part of it: the same archive behind another address gives the
//! same results.

use frame::MoviePath;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::analysis::Analysis;

/// What makes a movie's bytes this version and no other, as the origin tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceIdentity {
    /// Size in bytes.
    pub size: u64,
    /// The origin's entity tag, where it has one.
    pub etag: Option<String>,
    /// The origin's Last-Modified, where it has one, as sent.
    pub last_modified: Option<String>,
}

/// When an existing result is computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverwritePolicy {
    /// Never: whatever stands under the name counts.
    IfMissing,
    /// When its digest differs from what this run would write.
    IfStale,
    /// In every run.
    Always,
}

/// What the output holds for an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Nothing under the result's name.
    Nothing,
    /// A result; its digest where it carries one (older programs' results do not).
    Result {
        /// The recorded digest.
        digest: Option<String>,
        /// Whether the derived files the analysis wants (regions) stand beside it.
        derived: bool,
    },
}

/// What is to be done with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the result stands.
    UpToDate,
    /// Only what is derived from the rows (regions) is missing.
    Derive,
    /// All of it.
    Compute,
}

/// The digest of a result: `sha256:` and 64 hex digits.
pub fn digest(analysis: &Analysis, movie: &MoviePath, identity: &SourceIdentity) -> String {
    // The entity tag is the better witness; Last-Modified stands in where there is none.
    let validator = identity.etag.as_ref().or(identity.last_modified.as_ref());
    let document = (analysis.name(), analysis.revision(), analysis, movie.as_str(), identity.size, validator);
    // A tuple of strings, numbers and structs always encodes.
    sha256(serde_json::to_string(&document).unwrap_or_default().as_bytes())
}

/// `sha256:` and the 64 hex digits of `bytes`' digest.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What `policy` asks for an item whose output holds `recorded` and whose digest would be `wanted`.
pub fn decide(policy: OverwritePolicy, recorded: &Recorded, wanted: &str) -> Decision {
    let Recorded::Result { digest, derived } = recorded else { return Decision::Compute };
    let stands = match policy {
        OverwritePolicy::IfMissing => true,
        OverwritePolicy::IfStale => digest.as_deref() == Some(wanted),
        OverwritePolicy::Always => false,
    };
    match (stands, derived) {
        (true, true) => Decision::UpToDate,
        (true, false) => Decision::Derive,
        (false, _) => Decision::Compute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Decoder, FrameRange, Method, OpticalFlow};

    fn flow(method: Method, stride: u32, regions: bool) -> Analysis {
        let range = FrameRange { start_frame: 1, end_frame: None, stride };
        Analysis::OpticalFlow(OpticalFlow { range, method, decoder: Decoder::Reduced, regions })
    }

    fn movie() -> MoviePath {
        MoviePath::parse("A/X.mov").unwrap()
    }

    fn identity() -> SourceIdentity {
        SourceIdentity {
            size: 9,
            etag: Some("\"a\"".into()),
            last_modified: Some("Mon, 23 Jul 2018 00:00:00 GMT".into()),
        }
    }

    #[test]
    fn the_digest_follows_what_decides_the_rows_and_nothing_else() {
        let base = digest(&flow(Method::Auto, 10, true), &movie(), &identity());
        assert_eq!(base, digest(&flow(Method::Auto, 10, false), &movie(), &identity()));
        let Analysis::OpticalFlow(reduced) = flow(Method::Auto, 10, true) else { panic!("optical flow") };
        let full = Analysis::OpticalFlow(OpticalFlow { decoder: Decoder::Full, ..reduced });
        assert_ne!(base, digest(&full, &movie(), &identity()), "the decoder decides");
        let later = SourceIdentity { last_modified: None, ..identity() };
        assert_eq!(base, digest(&flow(Method::Auto, 10, true), &movie(), &later), "the entity tag decides");
        for other in [
            digest(&flow(Method::Dis, 10, true), &movie(), &identity()),
            digest(&flow(Method::Auto, 20, true), &movie(), &identity()),
            digest(&flow(Method::Auto, 10, true), &MoviePath::parse("B/X.mov").unwrap(), &identity()),
            digest(&flow(Method::Auto, 10, true), &movie(), &SourceIdentity { size: 8, ..identity() }),
            digest(
                &flow(Method::Auto, 10, true),
                &movie(),
                &SourceIdentity { etag: Some("\"b\"".into()), ..identity() },
            ),
            digest(&flow(Method::Auto, 10, true), &movie(), &SourceIdentity { etag: None, ..identity() }),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_digest_is_the_same_in_every_release() {
        let text = digest(&flow(Method::Auto, 10, true), &movie(), &identity());
        assert_eq!(text, "sha256:ae2001f7150709cda1521b070fae1f09c62d77fede294a74423e1e2a1643c13f");
    }

    #[test]
    fn each_policy_decides_as_documented() {
        use Decision::{Compute, Derive, UpToDate};
        use OverwritePolicy::{Always, IfMissing, IfStale};
        let result = |digest: Option<&str>, derived| Recorded::Result { digest: digest.map(String::from), derived };
        let table = [
            (IfMissing, Recorded::Nothing, Compute),
            (IfMissing, result(None, true), UpToDate),
            (IfMissing, result(Some("old"), false), Derive),
            (IfStale, Recorded::Nothing, Compute),
            (IfStale, result(Some("new"), true), UpToDate),
            (IfStale, result(Some("new"), false), Derive),
            (IfStale, result(Some("old"), true), Compute),
            (IfStale, result(None, true), Compute),
            (Always, result(Some("new"), true), Compute),
            (Always, Recorded::Nothing, Compute),
        ];
        for (policy, recorded, decision) in table {
            assert_eq!(decide(policy, &recorded, "new"), decision, "{policy:?} {recorded:?}");
        }
    }
}
