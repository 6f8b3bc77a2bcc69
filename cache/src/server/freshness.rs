//! Entity tags and for how long an answer may be kept.
//!
//! A tag is strong: it is made of the origin's own validators, of what was asked for and of the encoder's version, so equal
//! tags mean equal bytes. It is known as soon as the movie's index is, without a frame being read or decoded.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::{Identity, encode::ENCODER};

/// A week: archives do not change their movies, and when one does, a reload asks for it.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=604800");

/// The tag of an answer, where the origin says which version its file is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntityTag(HeaderValue);

impl EntityTag {
    /// The tag of the answer to `address`; `None` where the origin has no validator.
    pub(super) fn new(identity: &Identity, address: &str) -> Option<Self> {
        let Identity { size, etag, last_modified } = identity;
        if etag.is_none() && last_modified.is_none() {
            return None;
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let made_of = [ENCODER, &size.to_string(), &text(etag), &text(last_modified), address].join("\0");
        let digest = Sha256::digest(made_of);
        let half: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
        HeaderValue::try_from(format!("\"{:032x}\"", u128::from_be_bytes(half))).ok().map(Self)
    }

    /// Whether the client has this answer already.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        let own = self.0.to_str().unwrap_or_default();
        let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        lists
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_start_matches("W/") == own)
    }

    /// 304: what the client has is still right.
    pub(super) fn not_modified(&self) -> Response {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        self.mark(&mut response);
        response
    }

    /// Puts the tag and for how long it is good on an answer.
    pub(super) fn mark(&self, response: &mut Response) {
        response.headers_mut().insert(header::ETAG, self.0.clone());
        response.headers_mut().insert(header::CACHE_CONTROL, KEEP);
    }
}

/// Whether the client wants the origin to be asked, as a browser's reload does.
pub(super) fn wants_revalidation(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text(header::CACHE_CONTROL).contains("no-cache") || text(header::PRAGMA).contains("no-cache")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(etag: Option<&str>, last_modified: Option<&str>) -> Identity {
        Identity { size: 7, etag: etag.map(String::from), last_modified: last_modified.map(String::from) }
    }

    #[test]
    fn a_tag_changes_with_the_version_and_the_address_and_needs_a_validator() {
        let tag = |identity: &Identity, address| EntityTag::new(identity, address);
        let known = identity(Some("\"a\""), None);
        assert_eq!(tag(&known, "1.png"), tag(&known, "1.png"));
        assert_ne!(tag(&known, "1.png"), tag(&known, "2.png"));
        assert_ne!(tag(&known, "1.png"), tag(&identity(Some("\"b\""), None), "1.png"));
        assert_ne!(tag(&known, "1.png"), tag(&identity(None, Some("\"a\"")), "1.png"));
        assert_ne!(tag(&known, "1.png"), tag(&Identity { size: 8, ..known.clone() }, "1.png"));
        assert_eq!(tag(&identity(None, None), "1.png"), None);
    }

    #[test]
    fn a_tag_is_found_in_a_list_weak_or_not() {
        let tag = EntityTag::new(&identity(Some("\"a\""), None), "1.png").unwrap();
        let own = tag.0.to_str().unwrap();
        let known = |value: &str| {
            let headers = [(header::IF_NONE_MATCH, HeaderValue::try_from(value).unwrap())];
            tag.is_known(&headers.into_iter().collect())
        };
        assert!(known(own) && known(&format!("\"x\", W/{own}")) && known("*"));
        assert!(!known("\"x\"") && !known(""));
        assert!(!tag.is_known(&HeaderMap::new()));
    }
}
