//! A mirror's root and its API path: the host's labels reversed, then its path.

use url::Url;

/// The root of a mirror: an http(s) address that ends in a slash and holds neither query nor user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MirrorRoot(Url);

/// Why a text is no mirror's root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// Not a URL.
    #[error("{text:?} is not an address")]
    Url {
        /// As given.
        text: String,
        /// Why.
        #[source]
        source: url::ParseError,
    },
    /// A URL of another kind.
    #[error("{text:?} is not an http or https address of a folder, without query and password")]
    Kind {
        /// As given.
        text: String,
    },
}

impl MirrorRoot {
    /// Reads an address; a missing slash at its end is added.
    pub fn parse(text: &str) -> Result<Self, MirrorError> {
        let mut url = Url::parse(text).map_err(|source| MirrorError::Url { text: text.to_owned(), source })?;
        let plain =
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !plain {
            return Err(MirrorError::Kind { text: text.to_owned() });
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Where the mirror stands in the v1 API: `/v1/org/oceanobservatories/rawdata/files/`. A port other than the
    /// scheme's own is one more part after the host; a numeric host is not reversed.
    pub fn api_path(&self) -> String {
        let host = match self.0.host() {
            Some(url::Host::Domain(name)) => name.split('.').rev().collect::<Vec<_>>().join("/"),
            Some(address) => address.to_string(),
            None => String::new(),
        };
        let port = self.0.port().map_or_else(String::new, |port| format!("/{port}"));
        format!("/v1/{host}{port}{}", self.0.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api_path(text: &str) -> String {
        MirrorRoot::parse(text).unwrap().api_path()
    }

    #[test]
    fn the_host_is_reversed_and_the_path_kept() {
        let ooi = "https://rawdata.oceanobservatories.org/files/";
        assert_eq!(api_path(ooi), "/v1/org/oceanobservatories/rawdata/files/");
        assert_eq!(api_path("https://example.org"), "/v1/org/example/");
        assert_eq!(api_path("http://127.0.0.1:8000/files"), "/v1/127.0.0.1/8000/files/");
    }

    #[test]
    fn what_is_no_plain_web_folder_is_refused() {
        assert!(matches!(MirrorRoot::parse("files/"), Err(MirrorError::Url { .. })));
        for text in ["ftp://example.org/", "https://u:p@example.org/", "https://example.org/?a=b", "file:///tmp/"] {
            assert!(matches!(MirrorRoot::parse(text), Err(MirrorError::Kind { .. })), "{text}");
        }
    }
}
