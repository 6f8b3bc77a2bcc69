//! What a folder of the archive holds, and how it is read off an Apache-style HTML index.

use html5gum::{Token, Tokenizer};
use percent_encoding::percent_decode_str;

/// Names in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Files, sorted.
    pub files: Vec<String>,
    /// Folders, sorted, without a slash.
    pub directories: Vec<String>,
}

impl Listing {
    /// Sorts both lists and drops repeated names (an index links name and icon).
    pub fn sort(&mut self) {
        for names in [&mut self.files, &mut self.directories] {
            names.sort_unstable();
            names.dedup();
        }
    }
}

/// Reads an HTML index. Only links to direct children count: no sort links (`?C=N`), no parent, nothing with a scheme or
/// from the root. `None` for a page that is no index: one without any of the marks of an index page.
pub fn parse(html: &[u8]) -> Option<Listing> {
    let mut listing = Listing::default();
    let (mut is_index, mut text_of_title) = (false, false);
    for token in Tokenizer::new(html) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                text_of_title = matches!(tag.name.as_slice(), b"title" | b"h1");
                let link = (tag.name.as_slice() == b"a").then(|| tag.attributes.get(b"href".as_slice())).flatten();
                if let Some(href) = link {
                    add(&mut listing, &String::from_utf8_lossy(href));
                }
            }
            Token::EndTag(_) => text_of_title = false,
            Token::String(text) if text_of_title => is_index |= text.value.starts_with(b"Index of"),
            _ => {}
        }
    }
    listing.sort();
    is_index.then_some(listing)
}

fn add(listing: &mut Listing, href: &str) {
    let (name, is_folder) = href.strip_suffix('/').map_or((href, false), |name| (name, true));
    let outside = name.is_empty() || name.starts_with('.') || name.contains(['/', '?', '#', ':']);
    if outside {
        return;
    }
    let Ok(name) = percent_decode_str(name).decode_utf8() else { return };
    // An encoded slash or the like is no name of a child.
    if frame::MoviePath::parse(&name).is_ok_and(|path| path.file_name() == name) {
        if is_folder { &mut listing.directories } else { &mut listing.files }.push(name.into_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn an_apache_index_gives_its_children_only() {
        let mut html = String::from(
            "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\"><html><head><title>Index of /files/2018</title></head><body>\
             <h1>Index of /files/2018</h1><table><tr><th><a href=\"?C=N;O=D\">Name</a></th></tr>",
        );
        for href in [
            "/files/",
            "07/",
            "x.mov",
            "x.mov",
            "a%20b.mov",
            "../",
            "https://example.org/y.mov",
            "a%2fb.mov",
            "/z.mov",
            ".git/",
        ] {
            let _ = write!(html, "<tr><td><img src=\"/icons/movie.gif\"></td><td><a href=\"{href}\">n</a></td></tr>");
        }
        let expected = Listing { files: names(&["a b.mov", "x.mov"]), directories: names(&["07"]) };
        assert_eq!(parse(html.as_bytes()), Some(expected));
    }

    #[test]
    fn another_page_is_no_listing() {
        assert_eq!(parse(b"<html><title>Sign in</title><a href=\"x.mov\">x</a>"), None);
        assert_eq!(parse(b"\xff\xfe\0"), None);
    }
}
