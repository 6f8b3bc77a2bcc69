//! The v1 HTTP API, as the old service's clients know it.
//!
//! ```text
//!   GET /                                     the mirrors
//!   GET /v1/<host reversed>/<folder>/         a folder
//!   GET …/X.mov                               a movie
//!   GET …/X.mov/frame/N[.ext]                 a frame
//!   GET /healthz  /_ah/health  /readyz        health       GET /info/  versions
//! ```

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use frame::{DirectoryPath, FrameAddress, MirrorRoot, MoviePath, OutputSize};
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpListener, sync::Semaphore};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{
    Error, Lazycache, Movie,
    error::{ErrorKind, chain},
};

/// What the server serves and allows.
#[derive(Debug, Clone)]
pub struct Served {
    mirrors: Arc<BTreeMap<String, Mirror>>,
    allow_raw: bool,
    public: bool,
    decodes: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
struct Mirror {
    root: String,
    cache: Lazycache,
    /// Whether clients can read the root themselves.
    is_on_http: bool,
}

impl Served {
    /// Serves the archives at `roots`, each under its host reversed. At most `decodes` frames are decoded at once.
    pub fn new(roots: &[MirrorRoot], decodes: usize) -> Result<Self, Error> {
        let mut mirrors = BTreeMap::new();
        for root in roots {
            let cache = Lazycache::mirror(root.clone())?;
            let mirror = Mirror { root: root.url().to_string(), cache, is_on_http: true };
            mirrors.insert(root.api_path(), mirror);
        }
        Ok(Self {
            mirrors: Arc::new(mirrors),
            allow_raw: false,
            public: false,
            decodes: Arc::new(Semaphore::new(decodes.max(1))),
        })
    }

    /// Adds the archive in a folder, under `/v1/<name>/`.
    #[must_use]
    pub fn with_folder(mut self, name: &str, cache: Lazycache) -> Self {
        let mut mirrors = (*self.mirrors).clone();
        mirrors.insert(format!("/v1/{name}/"), Mirror { root: cache.url(""), cache, is_on_http: false });
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

/// Serves until `shutdown` ends, then lets requests under way finish.
pub async fn run(
    listener: TcpListener,
    served: Served,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, app(served)).with_graceful_shutdown(shutdown).await
}

async fn healthy() -> &'static str {
    "ok\n"
}

async fn info() -> Json<serde_json::Value> {
    Json(json!({"name": "lazycache", "version": env!("CARGO_PKG_VERSION"), "api": ["V1"]}))
}

async fn mirrors(State(served): State<Served>) -> Json<serde_json::Value> {
    let entry = |(api, mirror): (&String, &Mirror)| (mirror.root.clone(), json!({"APIPath": {"V1": api}}));
    Json(served.mirrors.iter().map(entry).collect::<serde_json::Map<_, _>>().into())
}

/// The query old clients always send, sometimes empty.
#[derive(Debug, Default, Deserialize)]
struct SizeQuery {
    width: Option<String>,
    height: Option<String>,
}

async fn below_a_mirror(
    State(served): State<Served>,
    query: Result<Query<SizeQuery>, QueryRejection>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Error> {
    let start = Instant::now();
    let Ok(Query(query)) = query else {
        return Ok(refusal(StatusCode::BAD_REQUEST, "BadRequest", "the query is not one width and one height"));
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
        Below::Movie(movie) => metadata(mirror, movie).await?,
        Below::Frame(movie, frame) => {
            let size = OutputSize::from_query(
                query.width.as_deref().or_else(|| header_text(&headers, "x-lazycache-output-width")),
                query.height.as_deref().or_else(|| header_text(&headers, "x-lazycache-output-height")),
            )?;
            one_frame(&served, mirror, &FrameAddress::parse(movie, frame, size)?).await?
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

async fn metadata(mirror: &Mirror, path: &str) -> Result<Response, Error> {
    let start = Instant::now();
    let movie = mirror.cache.movie(&MoviePath::parse(path)?).await?;
    let mut response = Json(description(&movie)).into_response();
    stamp(&mut response, "x-lazycache-timing-metadata-ns", start);
    Ok(response)
}

/// A movie as the v1 API describes it, and a little more.
pub fn description(movie: &Movie) -> serde_json::Value {
    json!({
        "URL": format!("/{}", movie.path()),
        "NumFrames": movie.num_frames(),
        "Duration": movie.duration_seconds(),
        "FileSize": movie.identity().size,
        "Width": movie.width(),
        "Height": movie.height(),
        "FrameRate": movie.frame_rate(),
        "Codec": movie.codec().to_string(),
        "ETag": movie.identity().etag,
    })
}

async fn one_frame(served: &Served, mirror: &Mirror, address: &FrameAddress) -> Result<Response, Error> {
    if address.format.is_raw() && !served.allow_raw {
        return Err(Error::RawNotAllowed);
    }
    let metadata = Instant::now();
    let movie = mirror.cache.movie(&address.movie).await?;
    let metadata = metadata.elapsed();
    let packet = mirror.cache.packet(&movie, address.number).await?;
    // About one decode per core: more at once would only make all of them late. The place is held by a task of its own
    // until the decode ends: a client that goes away must not make room for one more beside it.
    let permit = Arc::clone(&served.decodes).acquire_owned().await.map_err(|_| Error::Panicked)?;
    let (format, size) = (address.format, address.size);
    let rendering = tokio::spawn(async move {
        let _permit = permit;
        Lazycache::render(movie, packet, format, size).await
    });
    let (encoded, timing) = rendering.await.map_err(|_| Error::Panicked)??;
    let mut response = ([(header::CONTENT_TYPE, encoded.content_type)], encoded.bytes).into_response();
    let parts = [("metadata", metadata), ("extraction", timing.extraction), ("encode", timing.encode)];
    for (part, took) in parts {
        let name = format!("x-lazycache-timing-{part}-ns");
        if let (Ok(name), Ok(value)) =
            (header::HeaderName::try_from(name), HeaderValue::try_from(took.as_nanos().to_string()))
        {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
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
        if kind == ErrorKind::OriginUnavailable {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
