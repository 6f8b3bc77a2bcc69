//! Serves a folder as Apache serves the real archive, counts what was asked for, and is sick on request.
//!
//! `GET /files/…` is the archive. `GET /_control/counts`, `POST /_control/faults` (a rule as JSON), `DELETE
//! /_control/faults` steer it from outside the process.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    net::SocketAddr,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use futures::stream;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    fault::{Fault, Rule, Rules},
    index_page,
};

/// The path the archive is served under.
pub const PREFIX: &str = "/files/";
const CHUNK: u64 = 64 << 10;

/// What was asked for since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests for files and folders.
    pub requests: u64,
    /// Bytes of bodies sent.
    pub bytes: u64,
    /// Requests by path, below the root.
    pub paths: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Shared {
    root: PathBuf,
    rules: Mutex<Rules>,
    counts: Mutex<Counts>,
}

/// A running server, on threads of its own. Dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Serves `root` on any free port of this machine.
    pub fn start(root: &Path) -> io::Result<Self> {
        Self::start_on(root, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Serves `root` on `address`.
    pub fn start_on(root: &Path, address: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared { root: root.canonicalize()?, ..Shared::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            bind(address)?
        };
        let address = listener.local_addr()?;
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, runtime: Some(runtime) })
    }

    /// The archive's root, with a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}{PREFIX}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a fault.
    pub fn inject(&self, rule: Rule) {
        lock(&self.shared.rules).add(rule);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        lock(&self.shared.rules).clear();
    }

    /// What was asked for.
    pub fn counts(&self) -> Counts {
        lock(&self.shared.counts).clone()
    }

    /// Counts from nothing again.
    pub fn reset_counts(&self) {
        *lock(&self.shared.counts) = Counts::default();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves `root` until `stop` ends; for the command line.
pub async fn serve_until(
    listener: TcpListener,
    root: &Path,
    rules: Vec<Rule>,
    stop: oneshot::Receiver<()>,
) -> io::Result<()> {
    let shared = Arc::new(Shared { root: root.canonicalize()?, ..Shared::default() });
    for rule in rules {
        lock(&shared.rules).add(rule);
    }
    tokio::select! {
        () = serve(listener, shared) => Ok(()),
        _ = stop => Ok(()),
    }
}

/// A port that was in use a moment ago can be taken again: a test restarts a dead archive where it was.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let app = Router::new()
        .route("/_control/counts", get(counts))
        .route("/_control/faults", post(inject).delete(clear))
        .route("/files/{*path}", any(answer))
        .route("/files/", any(answer))
        .with_state(shared);
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "the archive server ended");
    }
}

async fn counts(State(shared): State<Arc<Shared>>) -> Json<Counts> {
    Json(lock(&shared.counts).clone())
}

async fn inject(State(shared): State<Arc<Shared>>, Json(rule): Json<Rule>) -> StatusCode {
    lock(&shared.rules).add(rule);
    StatusCode::NO_CONTENT
}

async fn clear(State(shared): State<Arc<Shared>>) -> StatusCode {
    lock(&shared.rules).clear();
    StatusCode::NO_CONTENT
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let Some(path) = decoded(path) else { return StatusCode::BAD_REQUEST.into_response() };
    {
        let mut counts = lock(&shared.counts);
        counts.requests += 1;
        *counts.paths.entry(path.clone()).or_default() += 1;
    }
    let fault = lock(&shared.rules).strike(&path);
    if let Some(Fault::Delay { ms }) = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if let Some(Fault::Status { status, retry_after }) = fault {
        return refused(status, retry_after);
    }
    let full = shared.root.join(&path);
    match fs::metadata(&full) {
        Ok(metadata) if metadata.is_dir() && (path.ends_with('/') || path.is_empty()) => {
            let page = index_page::page(&full, &format!("{PREFIX}{path}"));
            page.map_or(StatusCode::FORBIDDEN.into_response(), |html| {
                ([(header::CONTENT_TYPE, "text/html;charset=UTF-8")], html).into_response()
            })
        }
        Ok(metadata) if metadata.is_dir() => {
            (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, format!("{}/", request.uri().path()))]).into_response()
        }
        Ok(metadata) => file(&shared, &full, &metadata, request.method(), request.headers(), fault),
        Err(_) => (StatusCode::NOT_FOUND, "not found").into_response(),
    }
}

fn refused(status: u16, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, "refused on request").into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A file, or a part of it, as HTTP/1.1 (RFC 9110, sections 13 and 14) wants it: unless a fault says otherwise.
fn file(
    shared: &Arc<Shared>,
    path: &Path,
    metadata: &fs::Metadata,
    method: &Method,
    headers: &HeaderMap,
    fault: Option<Fault>,
) -> Response {
    let size = metadata.len();
    let modified = metadata.modified().unwrap_or(std::time::UNIX_EPOCH);
    let age = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_micros();
    let swapped = if fault == Some(Fault::Swapped) { "-other" } else { "" };
    let (etag, date) = (format!("\"{size:x}-{age:x}{swapped}\""), httpdate::fmt_http_date(modified));
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let identity = [
        (header::ETAG, etag.clone()),
        (header::LAST_MODIFIED, date.clone()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_TYPE, "video/quicktime".to_owned()),
    ];
    if text(header::IF_NONE_MATCH).is_some_and(|known| known == etag) {
        return (StatusCode::NOT_MODIFIED, identity).into_response();
    }
    let same = text(header::IF_RANGE).is_none_or(|known| known == etag || known == date);
    let wanted = text(header::RANGE).filter(|_| same && fault != Some(Fault::IgnoreRange));
    let (status, start, end) = match wanted.map(|range| byte_range(range, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((start, end))) => (StatusCode::PARTIAL_CONTENT, start, end),
        Some(None) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, identity, range).into_response();
        }
    };
    let (start, end) = match fault {
        Some(Fault::Short { missing }) => (start, end.saturating_sub(missing).max(start + 1)),
        Some(Fault::WrongRange { shift }) if end + shift <= size => (start + shift, end + shift),
        Some(Fault::WrongRange { shift }) => (start.saturating_sub(shift), end.saturating_sub(shift)),
        _ => (start, end),
    };
    let length = [(header::CONTENT_LENGTH, (end - start).to_string())];
    let body = if method == Method::HEAD { Body::empty() } else { body(shared, path, start, end, fault) };
    let mut response = (status, identity, length, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{size}", end - 1);
        if let Ok(range) = HeaderValue::try_from(range) {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
    }
    response
}

/// Sends a part of a file in pieces, and stops as the fault says.
fn body(shared: &Arc<Shared>, path: &Path, start: u64, end: u64, fault: Option<Fault>) -> Body {
    let (shared, path) = (Arc::clone(shared), path.to_owned());
    let stop = match fault {
        Some(Fault::Stall { after } | Fault::Drop { after }) => (start + after).min(end),
        _ => end,
    };
    let pieces = stream::unfold((start, None), move |(at, file)| {
        let (shared, path, fault) = (Arc::clone(&shared), path.clone(), fault.clone());
        async move {
            if at >= stop {
                return match fault {
                    Some(Fault::Stall { .. }) => std::future::pending().await,
                    Some(Fault::Drop { .. }) if at < end => {
                        // Enough time for what was sent to arrive: the client is to see a broken body, not a broken header.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        Some((Err(io::Error::other("dropped on request")), (end, file)))
                    }
                    _ => None,
                };
            }
            let read = read_piece(file, &path, at, (stop - at).min(CHUNK));
            let (file, piece) = match read {
                Ok(read) => read,
                Err(error) => return Some((Err(error), (end, None))),
            };
            lock(&shared.counts).bytes += piece.len() as u64;
            let next = at + piece.len() as u64;
            Some((Ok(piece), (next, Some(file))))
        }
    });
    Body::from_stream(pieces)
}

fn read_piece(file: Option<File>, path: &Path, at: u64, length: u64) -> io::Result<(File, Bytes)> {
    let file = file.map_or_else(|| File::open(path), Ok)?;
    let mut piece = vec![0; length as usize];
    file.read_exact_at(&mut piece, at)?;
    Ok((file, piece.into()))
}

/// The start and end of a single byte range in a file of `size`; `None` where it cannot be satisfied.
fn byte_range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", last) => (size.saturating_sub(last.parse().ok()?), size),
        (first, "") => (first.parse().ok()?, size),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.saturating_add(1).min(size)),
    };
    (start < end).then_some((start, end))
}

/// A path's percent signs decoded; `None` for one that leaves the root.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    path.split('/').all(|part| part != "..").then_some(path)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_says() {
        let table = [
            ("bytes=0-9", Some((0, 10))),
            ("bytes=90-", Some((90, 100))),
            ("bytes=-10", Some((90, 100))),
            ("bytes=-1000", Some((0, 100))),
            ("bytes=50-500", Some((50, 100))),
            ("bytes=100-200", None),
            ("bytes=5-4", None),
            ("bytes=x-1", None),
            ("items=0-1", None),
        ];
        for (text, range) in table {
            assert_eq!(byte_range(text, 100), range, "{text}");
        }
    }
}
