//! The v1 HTTP API, as the old service's clients know it.
//!
//! ```text
//!   GET /                                     the mirrors
//!   GET /v1/<host reversed>/<folder>/         a folder
//!   GET …/X.mov                               a movie      ?fresh=1  ?identity=1
//!   GET …/X.mov/frame/N[.ext]                 a frame      ?width=&height=  ?scale=  ?grey=1
//!   GET /healthz  /_ah/health  /readyz        health       GET /info/  versions   GET /metrics  OpenMetrics
//! ```
//!
//! Old clients never notice what is beyond v1: it is asked for by queries of its own. Read next: [`movie`].

pub mod movie;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use frame::{DirectoryPath, FrameAddress, MirrorRoot, MoviePath};
use movie::MovieQuery;
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{
    Error, HttpOptions, Lazycache, Resources, Settings,
    error::{ErrorKind, chain},
    image_store::ImageStore,
    metrics,
};

/// What the server serves and allows.
#[derive(Debug, Clone)]
pub struct Served {
    mirrors: Arc<BTreeMap<String, Mirror>>,
    allow_raw: bool,
    public: bool,
    resources: Resources,
    images: Option<ImageStore>,
}

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
        Self { mirrors: Arc::default(), allow_raw: false, public: false, resources, images: None }
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

    /// The mirror a path belongs to, and what stands below its root. Of mirrors within each other the inner one: it is
    /// the later of the two in order. Old clients leave out the root's last slash.
    fn find<'a>(&self, path: &'a str) -> Option<(&Mirror, &'a str)> {
        self.mirrors.iter().rev().find_map(|(api, mirror)| {
            let below = path.strip_prefix(api.as_str()).or_else(|| (api.strip_suffix('/') == Some(path)).then_some(""));
            below.map(|below| (mirror, below))
        })
    }
}

/// The routes over `served`.
pub fn app(served: Served) -> Router {
    Router::new()
        .route("/", get(mirrors))
        .route("/healthz", get(healthy))
        .route("/_ah/health", get(healthy))
        .route("/readyz", get(healthy))
        .route("/info/", get(info))
        .route("/metrics", get(counted))
        .route("/metrics/", get(counted))
        .route("/v1/{*path}", get(below_a_mirror))
        .fallback(|| async {
            refusal(StatusCode::NOT_FOUND, "NotFound", "there is no such path; see / for the mirrors")
        })
        .layer(CatchPanicLayer::custom(|_| {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal", "the computation of this answer panicked")
        }))
        .layer(TraceLayer::new_for_http())
        .with_state(served)
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
    let signal = async {
        shutdown.await;
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

async fn info() -> Json<serde_json::Value> {
    Json(json!({"name": "lazycache", "version": env!("CARGO_PKG_VERSION"), "api": ["V1"]}))
}

async fn counted(State(served): State<Served>) -> Response {
    let loads = served.mirrors.values().map(|mirror| mirror.cache.load());
    let load = loads.fold((0, 0), |sum, load| (sum.0 + load.0, sum.1 + load.1));
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], served.resources.report(load)).into_response()
}

async fn mirrors(State(served): State<Served>) -> Json<serde_json::Value> {
    let entry = |(api, mirror): (&String, &Mirror)| (mirror.root.clone(), json!({"APIPath": {"V1": api}}));
    Json(served.mirrors.iter().map(entry).collect::<serde_json::Map<_, _>>().into())
}

async fn below_a_mirror(
    State(served): State<Served>,
    query: Result<Query<MovieQuery>, QueryRejection>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Error> {
    let start = Instant::now();
    let Ok(Query(query)) = query else {
        return Ok(refusal(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "a part of the query is given twice, or cannot be read",
        ));
    };
    // Decoded once; a path that is encoded twice, or hides a slash, is refused by the path's own rules.
    let raw = request.uri().path();
    if raw.to_ascii_lowercase().contains("%2f") {
        return Ok(refusal(StatusCode::BAD_REQUEST, "BadRequest", "an encoded slash is no part of a path"));
    }
    let Ok(path) = percent_encoding::percent_decode_str(raw).decode_utf8() else {
        return Ok(refusal(StatusCode::BAD_REQUEST, "BadRequest", "the path is not UTF-8"));
    };
    let Some((mirror, below)) = served.find(&path) else {
        return Ok(refusal(
            StatusCode::NOT_FOUND,
            "NotFound",
            "no mirror is served under this path; see / for those that are",
        ));
    };
    let mut response = match split(below) {
        Below::Folder(folder) => listing(mirror, folder).await?,
        Below::Movie(path) if query.wants_identity() => movie::identity(mirror, path).await?,
        Below::Movie(path) => movie::metadata(mirror, path, query.wants_fresh()).await?,
        Below::Frame(path, frame) => {
            let address = FrameAddress::parse(path, frame, query.rendition(&headers)?)?;
            movie::one_frame(&served, mirror, &address).await?
        }
        Below::Other(path) => at_the_origin(mirror, &MoviePath::parse(path)?),
    };
    stamp(&mut response, "x-lazycache-timing-handler-ns", start);
    if served.public {
        response.headers_mut().insert("x-lazycache-public", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// What a path below a mirror's root means.
enum Below<'a> {
    Folder(&'a str),
    Movie(&'a str),
    Frame(&'a str, &'a str),
    Other(&'a str),
}

fn split(below: &str) -> Below<'_> {
    match below.rsplit_once("/frame/") {
        Some((movie, frame)) if is_movie(movie) => return Below::Frame(movie, frame),
        _ => {}
    }
    if below.is_empty() || below.ends_with('/') {
        return Below::Folder(below);
    }
    let name = below.rsplit('/').next().unwrap_or(below);
    match name.contains('.') {
        true if is_movie(name) => Below::Movie(below),
        true => Below::Other(below),
        // Old clients ask for folders without a slash, too.
        false => Below::Folder(below),
    }
}

fn is_movie(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("mov"))
}

/// Files that are no movies are not read through this server.
fn at_the_origin(mirror: &Mirror, path: &MoviePath) -> Response {
    if !mirror.is_on_http {
        let detail = "only .mov files are served from a folder, and a folder has no address to be sent to";
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

fn refusal(status: StatusCode, error: &str, detail: &str) -> Response {
    (status, Json(json!({"error": error, "detail": detail}))).into_response()
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
