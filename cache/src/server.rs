//! The v1 HTTP API, as the old service's clients know it, and what is beyond it.
//!
//! ```text
//!   GET /                                     the mirrors                               (a page to Accept: text/html)
//!   GET /v1/<host reversed>/<folder>/         a folder                                  (a page)
//!   GET …/X.mov                               a movie      ?fresh=1  ?identity=1        (a page; ?frame=N)
//!   GET …/X.mov/frame/N[.ext]                 a frame      ?width=&height=  ?scale=  ?grey=1  ?crop=  ?depth=  ?q=
//!   GET …/X.mov/frames/START-END[/STRIDE].npy several      …/X.mov/frames.npy?numbers=6,16,26
//!   GET …/X.mov/time/12.5.png                 the frame that is shown then
//!   GET …/X.mov/storyboard.jpg                a contact sheet  ?columns=  ?rows=
//!   GET /openapi.json                         all this, for programs
//!   GET /healthz  /_ah/health  /readyz        health       GET /info/  versions   GET /metrics  OpenMetrics
//! ```
//!
//! Old clients never notice what is beyond v1: it is asked for by queries and paths of its own. Read next: `route` (what a
//! path means), [`movie`], `frames`, `freshness`, `page`.

mod frames;
mod freshness;
mod layers;
pub mod movie;
pub mod openapi;
mod page;
mod route;
mod storyboard;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use frame::{DirectoryPath, FrameAddress, MirrorRoot, MoviePath};
use movie::{Asked, MovieQuery};
use route::Below;
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{
    Error, HttpOptions, Lazycache, Resources, Settings,
    error::{ErrorKind, chain},
    image_store::ImageStore,
    metrics,
};

/// The most bytes one answer of several frames may have, unless told otherwise: 1 GiB.
pub const MAX_ANSWER: u64 = 1 << 30;

/// What the server serves and allows.
#[derive(Debug, Clone)]
pub struct Served {
    mirrors: Arc<BTreeMap<String, Mirror>>,
    allow_raw: bool,
    public: bool,
    max_answer: u64,
    resources: Resources,
    images: Option<ImageStore>,
    /// It has been told to stop.
    stopping: Arc<AtomicBool>,
}

/// On every answer that is a failure, the word for it; counted in one place.
#[derive(Debug, Clone, Copy)]
struct Failure(&'static str);

#[derive(Debug, Clone)]
struct Mirror {
    root: String,
    /// Where it stands in the API.
    api: String,
    cache: Lazycache,
    /// Whether clients can read the root themselves.
    is_on_http: bool,
}

impl Served {
    /// Serves the archives at `roots`, each under its host reversed. At most `decodes` frames are decoded at once.
    pub fn new(roots: &[MirrorRoot], decodes: usize) -> Result<Self, Error> {
        let mut served = Self::sharing(Resources::new(Settings { decodes, ..Settings::default() }));
        for root in roots {
            let url = root.url().as_str();
            let cache = Lazycache::open_with(url, HttpOptions::default(), None, served.resources.clone())?;
            served = served.with_mirror(root, cache);
        }
        Ok(served)
    }

    /// Serves nothing yet; what it will serve shares `resources`.
    pub fn sharing(resources: Resources) -> Self {
        Self {
            mirrors: Arc::default(),
            allow_raw: false,
            public: false,
            max_answer: MAX_ANSWER,
            resources,
            images: None,
            stopping: Arc::default(),
        }
    }

    /// What the archives share.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Adds the archive at `root`, under its host reversed.
    #[must_use]
    pub fn with_mirror(mut self, root: &MirrorRoot, cache: Lazycache) -> Self {
        let mut mirrors = (*self.mirrors).clone();
        let api = root.api_path();
        mirrors.insert(api.clone(), Mirror { root: root.url().to_string(), api, cache, is_on_http: true });
        self.mirrors = Arc::new(mirrors);
        self
    }

    /// Stores encoded frames, and answers from there.
    #[must_use]
    pub fn with_image_store(mut self, images: Option<ImageStore>) -> Self {
        self.images = images;
        self
    }

    /// Adds the archive in a folder, under `/v1/<name>/`.
    #[must_use]
    pub fn with_folder(mut self, name: &str, cache: Lazycache) -> Self {
        let mut mirrors = (*self.mirrors).clone();
        let api = format!("/v1/{name}/");
        mirrors.insert(api.clone(), Mirror { root: cache.url(""), api, cache, is_on_http: false });
        self.mirrors = Arc::new(mirrors);
        self
    }

    /// Allows `.rgba` and `.raw`.
    #[must_use]
    pub fn allow_raw_output(mut self, allow: bool) -> Self {
        self.allow_raw = allow;
        self
    }

    /// Marks answers as a public instance's.
    #[must_use]
    pub fn public(mut self, public: bool) -> Self {
        self.public = public;
        self
    }

    /// The most bytes an answer of several frames may have.
    #[must_use]
    pub fn max_answer(mut self, bytes: u64) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Runs `work`, which burns a core, when there is one. About one decode per core: more at once would only make all of
    /// them late. The core is held by a task of its own until the work ends: a client that goes away must not make room for
    /// one more beside it.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.resources.decodes().enter().await?;
        let working = move || {
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(working).await.map_err(|_| Error::Panicked)?
    }

    /// The mirror a path belongs to, and what stands below its root. Of mirrors within each other the inner one: it is
    /// the later of the two in order. Old clients leave out the root's last slash.
    fn find<'a>(&self, path: &'a str) -> Option<(&Mirror, &'a str)> {
        self.mirrors.iter().rev().find_map(|(api, mirror)| {
            let below = path.strip_prefix(api.as_str()).or_else(|| (api.strip_suffix('/') == Some(path)).then_some(""));
            below.map(|below| (mirror, below))
        })
    }
}

/// The routes, as the router and the `OpenAPI` document know them.
pub fn routes() -> Vec<(&'static str, MethodRouter<Served>)> {
    vec![
        ("/", get(mirrors)),
        ("/healthz", get(healthy)),
        ("/_ah/health", get(healthy)),
        ("/readyz", get(ready)),
        ("/info/", get(info)),
        ("/metrics", get(counted)),
        ("/metrics/", get(counted)),
        ("/openapi.json", get(openapi::document)),
        ("/assets/page.css", get(page::css)),
        ("/assets/page.js", get(page::js)),
        ("/assets/icon.svg", get(page::icon)),
        ("/v1/{*path}", get(below_a_mirror)),
    ]
}

/// The routes over `served`.
pub fn app(served: Served) -> Router {
    let router = routes().into_iter().fold(Router::new(), |router, (path, route)| router.route(path, route));
    router
        .fallback(|| async {
            refusal(StatusCode::NOT_FOUND, "NotFound", "there is no such path; see / for the mirrors")
        })
        .method_not_allowed_fallback(|| async {
            refusal(StatusCode::METHOD_NOT_ALLOWED, "NotAllowed", "only GET and HEAD are answered")
        })
        .layer(CatchPanicLayer::custom(|_| {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal", "the computation of this answer panicked")
        }))
        .layer(layers::gzip())
        .layer(layers::cors())
        .layer(middleware::from_fn_with_state(served.clone(), mark))
        .layer(TraceLayer::new_for_http())
        .with_state(served)
}

/// Says on every answer how long it took and, of a public instance, that it is one; counts failures.
async fn mark(State(served): State<Served>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let mut response = next.run(request).await;
    stamp(&mut response, "x-lazycache-timing-handler-ns", start);
    if served.public {
        response.headers_mut().insert("x-lazycache-public", HeaderValue::from_static("true"));
    }
    if let Some(Failure(kind)) = response.extensions().get() {
        served.resources.metrics().failed(kind);
    }
    response
}

/// Serves until `shutdown` ends, then lets requests under way finish, for `drain` at the most: a client that never ends
/// its request must not keep a pod from ending.
pub async fn run(
    listener: TcpListener,
    served: Served,
    shutdown: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> std::io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let told = Arc::clone(&served.stopping);
    let signal = async move {
        shutdown.await;
        told.store(true, Ordering::Relaxed);
        // Whoever waits for it may be gone already.
        let _ = stopping.send(());
    };
    let out_of_patience = async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        ended = axum::serve(listener, app(served)).with_graceful_shutdown(signal) => ended,
        () = out_of_patience => {
            tracing::warn!(seconds = drain.as_secs_f64(), "ended with requests under way");
            Ok(())
        }
    }
}

async fn healthy() -> &'static str {
    "ok\n"
}

/// Whoever asks while requests under way are finished is told to go elsewhere.
async fn ready(State(served): State<Served>) -> Response {
    if served.stopping.load(Ordering::Relaxed) {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "Stopping", "the server has been told to stop");
    }
    healthy().await.into_response()
}

async fn info() -> Json<serde_json::Value> {
    Json(json!({"name": "lazycache", "version": env!("CARGO_PKG_VERSION"), "api": ["V1"]}))
}

async fn counted(State(served): State<Served>) -> Response {
    let loads = served.mirrors.values().map(|mirror| mirror.cache.load());
    let load = loads.fold((0, 0), |sum, load| (sum.0 + load.0, sum.1 + load.1));
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], served.resources.report(load)).into_response()
}

async fn mirrors(State(served): State<Served>, headers: HeaderMap) -> Response {
    let entry = |(api, mirror): (&String, &Mirror)| (mirror.root.clone(), json!({"APIPath": {"V1": api}}));
    let body = || Json(served.mirrors.iter().map(entry).collect::<serde_json::Map<_, _>>()).into_response();
    page::negotiated(if page::is_wanted(&headers) { page::mirrors(&served) } else { body() })
}

async fn below_a_mirror(
    State(served): State<Served>,
    query: Result<Query<MovieQuery>, QueryRejection>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let wants_page = page::is_wanted(&headers);
    let Ok(Query(query)) = query else {
        let detail = "a part of the query is given twice, or cannot be read";
        return refusal(StatusCode::BAD_REQUEST, "BadRequest", detail);
    };
    let path = match decoded(request.uri().path()) {
        Ok(path) => path,
        Err(detail) => return refusal(StatusCode::BAD_REQUEST, "BadRequest", detail),
    };
    let Some((mirror, below)) = served.find(&path) else {
        let detail = "no mirror is served under this path; see / for those that are";
        return refusal(StatusCode::NOT_FOUND, "NotFound", detail);
    };
    let asked = Asked { served: &served, mirror, headers: &headers, query: &query };
    let answer = if wants_page { page::below(asked, below, &path).await } else { answer(asked, below).await };
    match answer {
        Ok(response) => response,
        Err(error) if wants_page => page::negotiated(page::error(&error, asked, below, &path)),
        Err(error) => error.into_response(),
    }
}

/// Decoded once; a path that is encoded twice, or hides a slash, is refused by the path's own rules.
fn decoded(raw: &str) -> Result<String, &'static str> {
    if raw.to_ascii_lowercase().contains("%2f") {
        return Err("an encoded slash is no part of a path");
    }
    let path = percent_encoding::percent_decode_str(raw).decode_utf8();
    path.map(std::borrow::Cow::into_owned).map_err(|_| "the path is not UTF-8")
}

/// The answer to a program.
async fn answer(asked: Asked<'_>, below: &str) -> Result<Response, Error> {
    match route::split(below) {
        Below::Folder(folder) => listing(asked.mirror, folder).await.map(page::negotiated),
        Below::Movie(path) if asked.wants_identity()? => movie::identity(asked.mirror, path).await,
        Below::Movie(path) => movie::metadata(asked, path).await.map(page::negotiated),
        Below::Frame(path, frame) => {
            let address = FrameAddress::parse(path, frame, asked.rendition()?)?;
            movie::one_frame(asked, &address).await
        }
        Below::Frames(path, rest) => frames::many(asked, path, rest).await,
        Below::Time(path, rest) => movie::at_time(asked, path, rest).await,
        Below::Storyboard(path) => storyboard::storyboard(asked, path).await,
        Below::Other(path) => Ok(at_the_origin(asked.mirror, &MoviePath::parse(path)?)),
    }
}

/// Files that are no movies are not read through this server.
fn at_the_origin(mirror: &Mirror, path: &MoviePath) -> Response {
    if !mirror.is_on_http {
        let detail = "only movies are served from a folder, and a folder has no address to be sent to";
        return refusal(StatusCode::NOT_FOUND, "NotFound", detail);
    }
    // 302, as the old service answered, where axum's own redirects are 303, 307 or 308.
    (StatusCode::FOUND, [(header::LOCATION, mirror.cache.url(path.as_str()))]).into_response()
}

async fn listing(mirror: &Mirror, folder: &str) -> Result<Response, Error> {
    let path = DirectoryPath::parse(folder)?;
    let found = mirror.cache.list(&path).await?;
    let body = json!({"Path": format!("/{path}"), "Files": found.files, "Directories": found.directories});
    Ok(([(header::CACHE_CONTROL, "no-cache")], Json(body)).into_response())
}

fn stamp(response: &mut Response, name: &'static str, start: Instant) {
    if let Ok(value) = HeaderValue::try_from(start.elapsed().as_nanos().to_string()) {
        response.headers_mut().insert(name, value);
    }
}

fn refusal(status: StatusCode, error: &'static str, detail: &str) -> Response {
    let mut response = (status, Json(json!({"error": error, "detail": detail}))).into_response();
    response.extensions_mut().insert(Failure(error));
    response
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let kind = self.kind();
        let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if matches!(kind, ErrorKind::Internal) {
            tracing::error!(error = chain(&self), "failed to answer");
        }
        let mut response = refusal(status, kind.as_str(), &chain(&self));
        if matches!(kind, ErrorKind::OriginUnavailable | ErrorKind::Overloaded) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
