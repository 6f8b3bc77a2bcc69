//! The archive as pages, for people: mirrors, folders, a movie with its frames. Made on the server, of use without
//! JavaScript; with it, scrubbing and the keyboard work too. Asked for by `Accept: text/html`.

mod folder;
mod movie;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{Failure, Served, answer, movie::Asked, route, route::Below};
use crate::{Error, error::chain, object::encoded};

const CSS: &str = include_str!("page/page.css");
const JS: &str = include_str!("page/page.js");
const ICON: &str = include_str!("page/icon.svg");
/// Nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Whether the client is a browser that opens a page: programs ask for anything, or for JSON.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds =
        accepted.flat_map(|list| list.split(',')).map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kinds.find(|kind| matches!(*kind, "text/html" | "application/json")) == Some("text/html")
}

/// Says that the same address has another answer for another `Accept`.
pub(super) fn negotiated(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

pub(super) async fn css() -> Response {
    asset("text/css; charset=utf-8", CSS)
}

pub(super) async fn js() -> Response {
    asset("text/javascript; charset=utf-8", JS)
}

pub(super) async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

/// The mirrors.
pub(super) fn mirrors(served: &Served) -> Response {
    let body = html! {
        h1 { "Archives" }
        ul.names {
            @for (api, mirror) in &*served.mirrors {
                li { a.folder href=(encoded(api)) { (name_of(&mirror.root, api)) } }
            }
        }
        p.hint { "Programs get JSON here: see " a href="/openapi.json" { "the description of the API" } "." }
    };
    page("Archives", &html! {}, &body)
}

/// What stands below a mirror: a page for folders and movies, for all else the answer itself.
pub(super) async fn below(asked: Asked<'_>, below: &str, path: &str) -> Result<Response, Error> {
    match route::split(below) {
        Below::Folder(folder) => folder::page(asked, folder, path).await.map(negotiated),
        Below::Movie(_) if asked.wants_identity()? => answer(asked, below).await,
        Below::Movie(movie) => movie::page(asked, movie, path).await.map(negotiated),
        _ => answer(asked, below).await,
    }
}

/// What went wrong, with its status.
pub(super) fn error(error: &Error, asked: Asked<'_>, below: &str, path: &str) -> Response {
    let status = StatusCode::from_u16(error.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = html! {
        h1 { (error.kind().as_str()) }
        p { (chain(error)) }
    };
    let kind = error.kind().as_str();
    let mut response = (status, page(kind, &crumbs(&asked.mirror.root, path, below), &body)).into_response();
    response.extensions_mut().insert(Failure(kind));
    response
}

/// A whole page.
fn page(title: &str, crumbs: &Markup, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · lazycache" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/page.css";
                script defer src="/assets/page.js" {}
            }
            body {
                header { a.home href="/" { "lazycache" } (crumbs) }
                main { (body) }
            }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, page.into_string()).into_response()
}

/// Where one is: the archive and every folder above are links. `below` is the end of `path`.
fn crumbs(root: &str, path: &str, below: &str) -> Markup {
    let api = path.strip_suffix(below).unwrap_or(path).trim_end_matches('/');
    let parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    let address = |end: usize| {
        let parts: Vec<String> = parts.iter().take(end).map(|part| format!("{}/", encoded(part))).collect();
        format!("{}/{}", encoded(api), parts.concat())
    };
    let name = name_of(root, api);
    let names: Vec<&str> = std::iter::once(name).chain(parts.iter().copied()).collect();
    html! {
        nav aria-label="Folders" {
            ol {
                @for (at, name) in names.iter().enumerate() {
                    li {
                        @if at + 1 == names.len() { span aria-current="page" { (name) } }
                        @else { a href=(address(at)) { (name) } }
                    }
                }
            }
        }
    }
}

/// What an archive is called: its address without the scheme; of a folder, what it is served under, not where it is.
fn name_of<'a>(root: &'a str, api: &'a str) -> &'a str {
    let on_http = root.strip_prefix("https://").or_else(|| root.strip_prefix("http://"));
    on_http.unwrap_or_else(|| api.trim_start_matches("/v1/")).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_pages_and_programs_do_not() {
        let wanted =
            |accept: &str| is_wanted(&[(header::ACCEPT, HeaderValue::try_from(accept).unwrap())].into_iter().collect());
        assert!(wanted("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!wanted("*/*") && !wanted("application/json, text/html;q=0.5") && !wanted("image/avif,*/*"));
        assert!(!is_wanted(&HeaderMap::new()));
    }

    #[test]
    fn names_are_encoded_in_addresses_and_escaped_in_texts() {
        let crumbs = crumbs("https://example.org/files/", "/v1/org/example/files/a b/<x>/y", "a b/<x>/y").into_string();
        for link in ["/v1/org/example/files/", "/v1/org/example/files/a%20b/", "/v1/org/example/files/a%20b/%3Cx%3E/"] {
            assert!(crumbs.contains(&format!("href=\"{link}\"")), "{link} in {crumbs}");
        }
        assert!(crumbs.contains(">example.org/files<") && crumbs.contains("&lt;x&gt;") && !crumbs.contains("<x>"));
    }
}
