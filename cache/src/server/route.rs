//! What a path below a mirror's root means.

/// What is asked for. Every text is decoded and not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below<'a> {
    /// A folder.
    Folder(&'a str),
    /// `X.mov`, `X.mov/info`, `X.mp4/info`.
    Movie(&'a str),
    /// `X.mov/frame/N.png`: movie and what stands after `/frame/`.
    Frame(&'a str, &'a str),
    /// `X.mov/frames/…`, or `X.mov/frames.npy` (then empty).
    Frames(&'a str, &'a str),
    /// `X.mov/time/12.5.png`.
    Time(&'a str, &'a str),
    /// `X.mov/storyboard.jpg`.
    Storyboard(&'a str),
    /// Another file, which is not read through this server.
    Other(&'a str),
}

type Make = for<'a> fn(&'a str, &'a str) -> Below<'a>;

/// What stands between a movie and the rest, and what follows from it.
const PARTS: [(&str, Make); 3] = [
    ("/frame/", |movie, rest| Below::Frame(movie, rest)),
    ("/frames/", |movie, rest| Below::Frames(movie, rest)),
    ("/time/", |movie, rest| Below::Time(movie, rest)),
];
/// What stands after a movie.
const ENDS: [(&str, Make); 3] = [
    ("/frames.npy", |movie, _| Below::Frames(movie, "")),
    ("/storyboard.jpg", |movie, _| Below::Storyboard(movie)),
    ("/info", |movie, _| Below::Movie(movie)),
];

/// Reads a path below a mirror's root.
pub(super) fn split(below: &str) -> Below<'_> {
    for (part, make) in PARTS {
        match below.rsplit_once(part) {
            Some((movie, rest)) if is_film(movie) => return make(movie, rest),
            _ => {}
        }
    }
    for (end, make) in ENDS {
        match below.strip_suffix(end) {
            Some(movie) if is_film(movie) => return make(movie, ""),
            _ => {}
        }
    }
    if below.is_empty() || below.ends_with('/') {
        return Below::Folder(below);
    }
    let name = below.rsplit('/').next().unwrap_or(below);
    match name.contains('.') {
        true if has_extension(name, &["mov"]) => Below::Movie(below),
        true => Below::Other(below),
        // Old clients ask for folders without a slash, too.
        false => Below::Folder(below),
    }
}

/// Whether frames can be asked of it.
pub(super) fn is_film(path: &str) -> bool {
    has_extension(path, &["mov", "mp4"])
}

/// Whether its own address redirects to the origin, as the old service did with all but `.mov`.
pub(super) fn redirects(path: &str) -> bool {
    !has_extension(path, &["mov"])
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let found = path.rsplit_once('.').map(|(_, extension)| extension);
    found.is_some_and(|found| extensions.iter().any(|extension| found.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_what_stands_after_the_movie() {
        for (path, expected) in [
            ("", Below::Folder("")),
            ("A/", Below::Folder("A/")),
            ("A", Below::Folder("A")),
            ("A/X.mov", Below::Movie("A/X.mov")),
            ("A/X.MOV", Below::Movie("A/X.MOV")),
            ("A/X.mov/info", Below::Movie("A/X.mov")),
            ("A/X.mp4/info", Below::Movie("A/X.mp4")),
            ("A/X.mp4", Below::Other("A/X.mp4")),
            ("A/X.txt/info", Below::Folder("A/X.txt/info")),
            ("A/X.mov/frame/3.png", Below::Frame("A/X.mov", "3.png")),
            ("A/X.mp4/frame/3", Below::Frame("A/X.mp4", "3")),
            ("A/X.mov/frame/", Below::Frame("A/X.mov", "")),
            ("A/frame/", Below::Folder("A/frame/")),
            ("A/X.mov/frames/1-9/2.npy", Below::Frames("A/X.mov", "1-9/2.npy")),
            ("A/X.mov/frames.npy", Below::Frames("A/X.mov", "")),
            ("A/X.mov/time/1.5", Below::Time("A/X.mov", "1.5")),
            ("A/X.mov/storyboard.jpg", Below::Storyboard("A/X.mov")),
            ("A/storyboard.jpg", Below::Other("A/storyboard.jpg")),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }
}
