//! Paths below a mirror's root: normalised, relative, `/`-separated.

use std::fmt;

/// The longest path, in bytes.
pub const MAX_LENGTH: usize = 1024;

/// Why a text is no path below a mirror's root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing is named.
    #[error("the path is empty")]
    Empty,
    /// Longer than [`MAX_LENGTH`].
    #[error("the path is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// A part is empty, `.` or `..`.
    #[error("the path {path:?} has an empty part, or one that is '.' or '..'")]
    Part {
        /// The path.
        path: String,
    },
    /// A character that no archive's path has and that means something elsewhere.
    #[error("the path {path:?} holds {character:?}")]
    Character {
        /// The path.
        path: String,
        /// The character.
        character: char,
    },
}

/// A movie (or any file) below a mirror's root, such as `RS03ASHS/PN03B/…/CAMHDA301-20180724T030000Z.mov`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoviePath(String);

/// A folder below a mirror's root; the empty one is the root. Written with a slash at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryPath(String);

impl MoviePath {
    /// Reads a path; leading slashes are dropped.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim_start_matches('/');
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the last slash.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The file name without its last extension.
    pub fn stem(&self) -> &str {
        let name = self.file_name();
        name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
    }

    /// The last extension, without the dot; empty where there is none.
    pub fn extension(&self) -> &str {
        let name = self.file_name();
        name.rsplit_once('.').map_or("", |(stem, extension)| if stem.is_empty() { "" } else { extension })
    }

    /// The folder it stands in.
    pub fn parent(&self) -> DirectoryPath {
        DirectoryPath(self.0.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/")))
    }
}

impl DirectoryPath {
    /// Reads a path; slashes at both ends are dropped; an empty text is the root.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim_matches('/');
        if text.is_empty() {
            return Ok(Self::default());
        }
        check(text)?;
        Ok(Self(format!("{text}/")))
    }

    /// The path as text, with a slash at its end unless it is the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MoviePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DirectoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str) -> Result<(), PathError> {
    if text.len() > MAX_LENGTH {
        return Err(PathError::TooLong);
    }
    // '%' would let an encoded slash or NUL through one more decoding; '?' and '#' end a URL's path.
    let forbidden = |c: &char| c.is_control() || matches!(c, '\\' | '%' | '?' | '#');
    if let Some(character) = text.chars().find(forbidden) {
        return Err(PathError::Character { path: text.to_owned(), character });
    }
    if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(PathError::Part { path: text.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_movie_knows_its_folder_name_and_stem() {
        let movie = MoviePath::parse("/A/2018/X.v2.mov").unwrap();
        assert_eq!((movie.file_name(), movie.stem(), movie.extension()), ("X.v2.mov", "X.v2", "mov"));
        assert_eq!(movie.parent().as_str(), "A/2018/");
        assert_eq!(MoviePath::parse("X").unwrap().parent(), DirectoryPath::default());
        assert_eq!(MoviePath::parse(".mov").unwrap().stem(), ".mov");
    }

    #[test]
    fn what_leaves_the_root_or_means_something_elsewhere_is_refused() {
        for text in ["../x", "a/../x", "a//x", "a/./x", "a/.."] {
            assert!(matches!(MoviePath::parse(text), Err(PathError::Part { .. })), "{text}");
        }
        for text in ["a%2fx", "a\\x", "a\0x", "a\nx", "a?x", "a#x"] {
            assert!(matches!(MoviePath::parse(text), Err(PathError::Character { .. })), "{text}");
        }
        assert_eq!(MoviePath::parse("/"), Err(PathError::Empty));
        assert_eq!(MoviePath::parse(&"a".repeat(1025)), Err(PathError::TooLong));
    }

    #[test]
    fn a_directory_ends_in_a_slash_and_the_root_is_empty() {
        assert_eq!(DirectoryPath::parse("a/b").unwrap().as_str(), "a/b/");
        assert_eq!(DirectoryPath::parse("/a/b/").unwrap().as_str(), "a/b/");
        assert_eq!(DirectoryPath::parse("/").unwrap().as_str(), "");
    }

    proptest! {
        #[test]
        fn what_was_parsed_parses_to_itself(text in "\\PC{0,40}") {
            if let Ok(movie) = MoviePath::parse(&text) {
                prop_assert_eq!(MoviePath::parse(movie.as_str()).unwrap(), movie);
            }
            if let Ok(folder) = DirectoryPath::parse(&text) {
                prop_assert_eq!(DirectoryPath::parse(folder.as_str()).unwrap(), folder);
            }
        }
    }
}
