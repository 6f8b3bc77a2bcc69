//! A folder of the archive as a page.

use axum::response::Response;
use frame::DirectoryPath;
use maud::html;

use super::{crumbs, encoded, page as whole};
use crate::{
    Error,
    server::{movie::Asked, route},
};

pub(super) async fn page(asked: Asked<'_>, folder: &str, path: &str) -> Result<Response, Error> {
    let found = asked.mirror.cache.list(&DirectoryPath::parse(folder)?).await?;
    let base = format!("{}/", path.trim_end_matches('/'));
    let title = base.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let (movies, others): (Vec<&String>, Vec<&String>) = found.files.iter().partition(|name| route::is_film(name));
    let body = html! {
        h1 { (title) "/" }
        @if found.directories.is_empty() && found.files.is_empty() { p { "This folder is empty." } }
        @if !found.directories.is_empty() {
            section aria-labelledby="folders" {
                h2 #folders { "Folders " span.count { (found.directories.len()) } }
                ul.names { @for name in &found.directories { li { a.folder href={(encoded(&base)) (encoded(name)) "/"} { (name) } } } }
            }
        }
        @if !movies.is_empty() {
            section aria-labelledby="movies" {
                h2 #movies { "Movies " span.count { (movies.len()) } }
                ul.names { @for name in movies { li { a.movie href={(encoded(&base)) (page_of(name))} { (name) } } } }
            }
        }
        @if !others.is_empty() {
            section aria-labelledby="files" {
                h2 #files { "Other files " span.count { (others.len()) } }
                ul.names { @for name in others { li { a href={(encoded(&base)) (encoded(name))} { (name) } } } }
            }
        }
    };
    Ok(whole(&title, &crumbs(&asked.mirror.root, path, folder), &body))
}

/// The address of a movie's page: its own, or below it where that leads to the origin.
fn page_of(name: &str) -> String {
    format!("{}{}", encoded(name), if route::redirects(name) { "/info" } else { "" })
}
