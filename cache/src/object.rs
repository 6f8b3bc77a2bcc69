//! Names in object stores and in addresses: letter by letter, so that listings give the same names back.

use object_store::path::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What need not be encoded in a part of an address' path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a name as it is; `Path::from` writes some letters in another way. Names that cannot be a path so (control
/// characters, `..`) become one all the same.
pub fn path(name: &str) -> Path {
    Path::parse(name).unwrap_or_else(|_| Path::from(name))
}

/// A path with every part encoded as addresses want it.
pub fn encoded(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(|part| utf8_percent_encode(part, PLAIN).to_string()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_as_they_are_in_stores_and_are_encoded_in_addresses() {
        for name in ["A/X.mov", "A/a b [1]{2}~^é.mov", "A/100%25.mov"] {
            assert_eq!(path(name).as_ref(), name);
        }
        assert_eq!(path("A/../x").parts().count(), 3);
        assert_eq!(encoded("/v1/a b/é&<.mov"), "/v1/a%20b/%C3%A9%26%3C.mov");
    }
}
