//! Serves a folder as Apache serves the real archive, counts what was asked for, and is sick on request.
//!
//! ```text
//! GET, HEAD  /files/…            files with ranges and validators, folders as Apache's index
//! GET DELETE /_control/counts    what was asked for; start again from nothing
//! GET POST DELETE /_control/faults   the rules in force; add one (JSON); take all away
//! PUT        /_control/down      milliseconds (JSON) for which every connection is closed at once
//! GET        /_control/files     what there is, as JSON: path below the root to size in bytes
//! PUT DELETE /files/…            a file put or taken away, where the server is told that it may
//! ```

mod connection;
mod counts;
mod file;
mod range;
mod upload;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
};

pub use counts::Counts;

use crate::{
    fault::{Fault, Rule, Rules},
    index_page::{self, Order},
};
use connection::{Cut, Door};
use file::Asked;

/// The path the archive is served under, unless told otherwise.
pub const PREFIX: &str = "/files/";

/// How a folder is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where to listen; port 0 = any that is free.
    pub address: SocketAddr,
    /// The path of the root; begins and ends with `/`.
    pub prefix: String,
    /// Faults from the start.
    pub faults: Vec<Rule>,
    /// Files may be put and deleted over HTTP: for tests on a cluster, which cannot reach the folder.
    pub writable: bool,
}

impl Default for Options {
    /// Any free port of this machine, under [`PREFIX`], healthy.
    fn default() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { address, prefix: PREFIX.to_owned(), faults: Vec::new(), writable: false }
    }
}

/// What all connections share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    root: PathBuf,
    prefix: String,
    writable: bool,
    rules: Mutex<Rules>,
    counts: Mutex<Counts>,
    down: Arc<AtomicBool>,
}

/// A running server, on threads of its own: of use in tests with and without a runtime. Dropping it closes the port and
/// every connection.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Serves `root` on any free port of this machine.
    pub fn start(root: impl AsRef<Path>) -> io::Result<Self> {
        Self::start_with(root, Options::default())
    }

    /// Serves `root` on `address`.
    pub fn start_on(root: impl AsRef<Path>, address: SocketAddr) -> io::Result<Self> {
        Self::start_with(root, Options { address, ..Options::default() })
    }

    /// Serves `root` as the options say.
    pub fn start_with(root: impl AsRef<Path>, options: Options) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            bind(options.address)?
        };
        let address = listener.local_addr()?;
        let shared = Shared::new(root.as_ref(), options)?;
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, address, runtime: Some(runtime) })
    }

    /// The archive's root, with a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.shared.prefix)
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

    /// Down: every connection, open or new, is closed without an answer, until it is up again. The port stays taken.
    pub fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::Relaxed);
    }

    /// What was asked for.
    pub fn counts(&self) -> Counts {
        lock(&self.shared.counts).clone()
    }

    /// Counts from nothing again.
    pub fn reset_counts(&self) {
        *lock(&self.shared.counts) = Counts::default();
    }

    /// Closes the port and every connection, and waits until they are closed. Dropping the server does it without waiting.
    pub async fn shutdown(mut self) {
        if let Some(runtime) = self.runtime.take() {
            let _ = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(5))).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves `root` until `stop` ends; for the command line. `listening` is told the root's address.
pub async fn serve_until(
    root: &Path,
    options: Options,
    listening: impl FnOnce(&str) -> io::Result<()>,
    stop: oneshot::Receiver<()>,
) -> io::Result<()> {
    let listener = bind(options.address)?;
    let shared = Shared::new(root, options)?;
    listening(&format!("http://{}{}", listener.local_addr()?, shared.prefix))?;
    tokio::select! {
        () = serve(listener, shared) => Ok(()),
        _ = stop => Ok(()),
    }
}

/// A port that was in use a moment ago can be taken again: a test restarts a dead archive where it was.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let door = Door::new(listener, Arc::clone(&shared.down));
    let app = Router::new()
        .route("/_control/counts", get(counts).delete(reset))
        .route("/_control/faults", get(faults).post(inject).delete(clear))
        .route("/_control/down", put(down))
        .route("/_control/files", get(upload::files))
        .fallback(answer)
        .with_state(shared);
    if let Err(error) = axum::serve(door, app.into_make_service_with_connect_info::<Cut>()).await {
        tracing::error!(%error, "the archive server ended");
    }
}

type Ours = State<Arc<Shared>>;

async fn counts(State(shared): Ours) -> Json<Counts> {
    Json(lock(&shared.counts).clone())
}

async fn reset(State(shared): Ours) -> StatusCode {
    *lock(&shared.counts) = Counts::default();
    StatusCode::NO_CONTENT
}

async fn faults(State(shared): Ours) -> Json<Vec<Rule>> {
    Json(lock(&shared.rules).in_force())
}

async fn inject(State(shared): Ours, Json(rule): Json<Rule>) -> StatusCode {
    lock(&shared.rules).add(rule);
    StatusCode::NO_CONTENT
}

async fn clear(State(shared): Ours) -> StatusCode {
    lock(&shared.rules).clear();
    StatusCode::NO_CONTENT
}

/// Once down, it cannot be asked to come up again over HTTP: so it goes down for that many milliseconds.
async fn down(State(shared): Ours, Json(milliseconds): Json<u64>) -> StatusCode {
    tokio::spawn(async move {
        // This answer has to get out first.
        tokio::time::sleep(Duration::from_millis(50)).await;
        shared.down.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        shared.down.store(false, Ordering::Relaxed);
    });
    StatusCode::NO_CONTENT
}

async fn answer(State(shared): Ours, ConnectInfo(cut): ConnectInfo<Cut>, request: Request) -> Response {
    let below = request.uri().path().strip_prefix(&shared.prefix);
    let Some(path) = below.map(decoded) else { return StatusCode::NOT_FOUND.into_response() };
    let Some(path) = path else { return StatusCode::BAD_REQUEST.into_response() };
    if shared.writable && [Method::PUT, Method::DELETE].contains(request.method()) {
        return upload::change(&shared, &path, request).await;
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    lock(&shared.counts).asked(&path);
    let fault = lock(&shared.rules).strike(&path, request.headers().contains_key(header::RANGE));
    match fault {
        Some(Fault::Delay { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Some(Fault::Status { status, retry_after }) => return refused(status, retry_after),
        Some(Fault::Close) => cut.now(),
        _ => {}
    }
    shared.found(path, &request, fault)
}

impl Shared {
    fn new(root: &Path, options: Options) -> io::Result<Arc<Self>> {
        let Options { prefix, faults, writable, address: _ } = options;
        let shared = Self { root: root.canonicalize()?, prefix: prefix.clone(), writable, ..Self::default() };
        if !shared.root.is_dir() || !prefix.starts_with('/') || !prefix.ends_with('/') {
            return Err(io::Error::other("the root must be a folder, its path must begin and end with a slash"));
        }
        for rule in faults {
            lock(&shared.rules).add(rule);
        }
        Ok(Arc::new(shared))
    }

    /// The answer for what stands at `path`.
    fn found(self: Arc<Self>, path: String, request: &Request, fault: Option<Fault>) -> Response {
        let file = self.root.join(&path);
        let Ok(metadata) = std::fs::metadata(&file) else {
            return (StatusCode::NOT_FOUND, "not found").into_response();
        };
        if !metadata.is_dir() {
            let (method, headers) = (request.method().clone(), request.headers().clone());
            return Asked { shared: self, path, file, metadata, method, headers, fault }.answer();
        }
        if !path.is_empty() && !path.ends_with('/') {
            let place = [(header::LOCATION, format!("{}/", request.uri().path()))];
            return (StatusCode::MOVED_PERMANENTLY, place).into_response();
        }
        let order = Order::of(request.uri().query());
        let Ok(html) = index_page::page(&file, &format!("{}{path}", self.prefix), order) else {
            return StatusCode::FORBIDDEN.into_response();
        };
        let head = [
            (header::CONTENT_TYPE, "text/html;charset=UTF-8".to_owned()),
            (header::CONTENT_LENGTH, html.len().to_string()),
        ];
        if request.method() == Method::HEAD {
            return (head, Body::empty()).into_response();
        }
        lock(&self.counts).sent(&path, html.len() as u64);
        (head, html).into_response()
    }
}

fn refused(status: u16, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, "refused on request").into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
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
    let inside = !path.starts_with('/') && !path.contains('\0') && path.split('/').all(|part| part != "..");
    inside.then_some(path)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        let table = [
            ("a/b.mov", Some("a/b.mov")),
            ("a%20b/", Some("a b/")),
            ("", Some("")),
            ("../x", None),
            ("a/%2e%2e/x", None),
            ("%2fetc/passwd", None),
            ("a%0", None),
            ("a%00", None),
        ];
        for (path, wanted) in table {
            assert_eq!(decoded(path).as_deref(), wanted, "{path}");
        }
    }
}
