//! The archive behind a lazycache server: listings, facts and frames over its HTTP API.
//!
//! Every frame's answer says which version of the movie it is of, and one of another version is refused: the server may
//! be several pods, each with what it knows.

mod stream;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use frame::{Decoder, DirectoryPath, MirrorRoot, MoviePath};
use lazycache::ErrorKind;
use plan::SourceIdentity;
use reqwest::{Client, Response, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{Decoded, Facts, Listing, Pixels, ServerError};

/// A server's pod that is replaced is away for some seconds; the movie in hand must not begin anew for that.
const TRIES: u32 = 6;
/// When it is the archive that does not answer, the server has tried before.
const TRIES_AT_THE_ARCHIVE: u32 = 2;
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// A longer Retry-After is left to who waits out outages.
const LONGEST_RETRY_AFTER: u64 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the next bytes of an answer: the server itself waits for the archive, several times over.
const STALL_TIMEOUT: Duration = Duration::from_secs(45);
/// Magic, version and length of a `NumPy` array's header stand before it.
const BEFORE_HEADER: usize = 10;
const WHOLE_TIMEOUT: Duration = Duration::from_mins(3);

/// A lazycache server, seen by one archive. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct FrameServer {
    client: Client,
    /// The server.
    base: Url,
    /// Where it serves the archive.
    api: Url,
    api_path: String,
    root: MirrorRoot,
    /// The server refuses several frames in one answer.
    one_by_one: Arc<AtomicBool>,
}

#[derive(Deserialize)]
struct FolderAnswer {
    #[serde(rename = "Files")]
    files: Vec<String>,
    #[serde(rename = "Directories")]
    directories: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IdentityAnswer {
    file_size: u64,
    #[serde(rename = "ETag")]
    etag: Option<String>,
    last_modified: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MovieAnswer {
    num_frames: u32,
    duration: f64,
    width: u32,
    height: u32,
    #[serde(flatten)]
    identity: IdentityAnswer,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    detail: String,
}

impl FrameServer {
    /// The archive at `root` behind the server at `base`.
    pub(super) fn new(base: &str, root: &str) -> Result<Self, ServerError> {
        let fail = |text: &str| ServerError::Address { text: text.to_owned() };
        let root = MirrorRoot::parse(root).map_err(|_| fail(root))?;
        let base = MirrorRoot::parse(base).map_err(|_| fail(base))?.url().clone();
        lazycache::tls::use_ring();
        let client = Client::builder()
            .user_agent(concat!("analysis-worker/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(STALL_TIMEOUT)
            .timeout(WHOLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(ServerError::Client)?;
        let api_path = root.api_path();
        let api = base.join(api_path.trim_start_matches('/')).map_err(|_| fail(base.as_str()))?;
        Ok(Self { client, base, api, api_path, root, one_by_one: Arc::default() })
    }

    /// Fails unless the server serves the archive.
    pub(super) async fn check(&self) -> Result<(), ServerError> {
        let mirrors: serde_json::Map<String, serde_json::Value> = self.json(self.base.clone()).await?;
        if mirrors.values().any(|mirror| mirror["APIPath"]["V1"] == self.api_path.as_str()) {
            return Ok(());
        }
        let served: Vec<&str> = mirrors.keys().map(String::as_str).collect();
        let served = if served.is_empty() { "nothing".to_owned() } else { served.join(", ") };
        Err(ServerError::NotServed { server: self.base.to_string(), root: self.root.url().to_string(), served })
    }

    pub(super) async fn list(&self, path: &DirectoryPath) -> Result<Listing, ServerError> {
        let found: FolderAnswer = self.json(below(&self.api, path.as_str())).await?;
        Ok(Listing { files: found.files, folders: found.directories })
    }

    pub(super) async fn identity(&self, path: &MoviePath) -> Result<SourceIdentity, ServerError> {
        let mut url = below(&self.api, path.as_str());
        url.set_query(Some("identity=1"));
        Ok(self.json::<IdentityAnswer>(url).await?.into())
    }

    pub(super) async fn movie(&self, path: &MoviePath) -> Result<Facts, ServerError> {
        let cache_url = below(&self.api, path.as_str());
        let mut url = cache_url.clone();
        url.set_query(Some("fresh=1"));
        let found: MovieAnswer = self.json(url).await?;
        Ok(Facts {
            num_frames: found.num_frames,
            duration_seconds: found.duration,
            size: (found.width, found.height),
            url: below(self.root.url(), path.as_str()).into(),
            cache_url: cache_url.into(),
            identity: found.identity.into(),
        })
    }

    /// One frame of a movie.
    pub(super) async fn frame<P: Pixels>(
        &self,
        movie: &Facts,
        number: u32,
        pixels: P,
    ) -> Result<Decoded<P::Image>, ServerError> {
        let address = format!("{}/frame/{number}.npy", movie.cache_url);
        let mut url = Url::parse(&address).map_err(|_| ServerError::Address { text: address })?;
        url.set_query(Some(&pixels.rendition().to_string()));
        let (headers, bytes) = self.get(url.clone()).await?;
        if !is_of(&headers, &movie.identity) {
            return Err(ServerError::Changed { url: url.into() });
        }
        let size = pixels.size(movie.size);
        let wanted = size.0 as usize * size.1 as usize * pixels.channels();
        let values = values_of_array(&bytes).filter(|values| values.len() == wanted);
        let Some(values) = values else {
            let what = format!("{} bytes instead of an array of {wanted} values", bytes.len());
            return Err(ServerError::Strange { url: url.into(), what });
        };
        Ok(pixels.of_answer(size, values, said_decoder(&headers)))
    }

    /// Whether the server refuses several frames in one answer.
    pub(super) fn is_one_by_one(&self) -> bool {
        self.one_by_one.load(Relaxed)
    }

    /// A frame came alone that did not come among others, because of `why`: a server that does not know how to send
    /// several, or may not, is not asked again.
    fn came_alone(&self, why: &ServerError) {
        let refused = [ErrorKind::NotFound, ErrorKind::BadRequest, ErrorKind::NotAllowed];
        let is_refusal = matches!(why, ServerError::Refused { kind, .. } if refused.contains(kind));
        if is_refusal && !self.one_by_one.swap(true, Relaxed) {
            let error = lazycache::error::chain(why);
            tracing::warn!(
                error,
                "the frame server does not send several frames in one answer: they are asked for one by one"
            );
        }
    }

    async fn json<T: DeserializeOwned>(&self, url: Url) -> Result<T, ServerError> {
        let (_, bytes) = self.get(url.clone()).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| ServerError::Strange { url: url.into(), what: format!("something else ({error})") })
    }

    /// Asks until there is an answer, with full jitter between, so that many workers do not come back at once.
    async fn get(&self, url: Url) -> Result<(header::HeaderMap, Bytes), ServerError> {
        let mut tried = 1;
        loop {
            let error = match self.get_once(&url).await {
                Err(error) if tried < tries(&error) => error,
                other => return other,
            };
            tracing::debug!(%error, tried, "asking the frame server again");
            tokio::time::sleep(wait_after(&error, tried)).await;
            tried += 1;
        }
    }

    async fn get_once(&self, url: &Url) -> Result<(header::HeaderMap, Bytes), ServerError> {
        let unreachable = |source: reqwest::Error| ServerError::Unreachable { url: url.to_string(), source };
        let request = self.client.get(url.clone()).header(header::ACCEPT, "application/json, */*;q=0.1");
        let response = request.send().await.map_err(unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(refusal(response, url).await);
        }
        let headers = response.headers().clone();
        Ok((headers, response.bytes().await.map_err(unreachable)?))
    }
}

impl From<IdentityAnswer> for SourceIdentity {
    fn from(answer: IdentityAnswer) -> Self {
        Self { size: answer.file_size, etag: answer.etag, last_modified: answer.last_modified }
    }
}

/// `path` below `root`; each part is encoded by itself.
fn below(root: &Url, path: &str) -> Url {
    let mut url = root.clone();
    if let Ok(mut parts) = url.path_segments_mut() {
        parts.pop_if_empty().extend(path.split('/'));
    }
    url
}

fn is_of(headers: &header::HeaderMap, identity: &SourceIdentity) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(String::from);
    said("x-lazycache-origin-size") == Some(identity.size.to_string())
        && said("x-lazycache-origin-etag") == identity.etag
        && said("x-lazycache-origin-last-modified") == identity.last_modified
}

/// What follows the header of a `NumPy` array of bytes (format version 1).
fn values_of_array(bytes: &Bytes) -> Option<Bytes> {
    let start = BEFORE_HEADER + header_length(bytes.get(..BEFORE_HEADER)?)?;
    is_of_bytes(bytes.get(BEFORE_HEADER..start)?).then(|| bytes.slice(start..))
}

/// The length of an array's header, as it stands before it.
fn header_length(before: &[u8]) -> Option<usize> {
    let length = before.strip_prefix(b"\x93NUMPY\x01\x00")?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*length)))
}

fn is_of_bytes(header: &[u8]) -> bool {
    header.windows(5).any(|word| word == b"'|u1'")
}

/// A server that does not say knows one way only.
fn said_decoder(headers: &header::HeaderMap) -> Decoder {
    let said = headers.get("x-lazycache-decoder").and_then(|value| value.to_str().ok());
    Decoder::from_query(said).ok().flatten().unwrap_or_default()
}

async fn refusal(response: Response, url: &Url) -> ServerError {
    let status = response.status();
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let body = response.bytes().await.unwrap_or_default();
    let said: Option<ErrorAnswer> = serde_json::from_slice(&body).ok();
    let named = said.as_ref().and_then(|said| ErrorKind::named(&said.error));
    let detail = said.map_or_else(|| "no reason is given".to_owned(), |said| said.detail);
    let kind = named.unwrap_or_else(|| kind_of(status));
    ServerError::Refused { url: url.to_string(), status: status.as_u16(), kind, detail, retry_after }
}

/// What a status means that comes without a lazycache's words: from something between, or an older server.
fn kind_of(status: StatusCode) -> ErrorKind {
    match status {
        StatusCode::NOT_FOUND => ErrorKind::NotFound,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::OriginUnavailable,
        StatusCode::NOT_IMPLEMENTED => ErrorKind::NotAllowed,
        status if status.is_server_error() => ErrorKind::OriginUnavailable,
        status if status.is_client_error() => ErrorKind::BadRequest,
        _ => ErrorKind::OriginError,
    }
}

fn tries(error: &ServerError) -> u32 {
    match error {
        ServerError::Unreachable { .. } => TRIES,
        ServerError::Refused { kind: ErrorKind::OriginUnavailable | ErrorKind::Overloaded, retry_after, .. }
            if retry_after.is_none_or(|seconds| seconds <= LONGEST_RETRY_AFTER) =>
        {
            TRIES_AT_THE_ARCHIVE
        }
        _ => 1,
    }
}

fn wait_after(error: &ServerError, tried: u32) -> Duration {
    if let ServerError::Refused { retry_after: Some(seconds), .. } = error {
        return Duration::from_secs(*seconds);
    }
    let random = RandomState::new().hash_one(tried);
    let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tried - 1)).mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_v1_api() {
        let server = FrameServer::new("http://cache.science.svc:8080", "https://archive.example.org/files").unwrap();
        let url = below(&server.api, "A b/X.mov");
        assert_eq!(url.as_str(), "http://cache.science.svc:8080/v1/org/example/archive/files/A%20b/X.mov");
        assert_eq!(below(&server.api, "A/").as_str(), "http://cache.science.svc:8080/v1/org/example/archive/files/A/");
        assert!(matches!(FrameServer::new("cache:8080", "https://x/"), Err(ServerError::Address { .. })));
        assert!(matches!(FrameServer::new("http://cache", "/mnt/movies"), Err(ServerError::Address { .. })));
    }

    #[test]
    fn a_status_without_words_keeps_its_meaning() {
        use ErrorKind::{BadRequest, NotAllowed, NotFound, OriginError, OriginUnavailable};
        let kinds = [404, 429, 500, 501, 503, 400, 302].map(|status| kind_of(StatusCode::from_u16(status).unwrap()));
        let expected =
            [NotFound, OriginUnavailable, OriginUnavailable, NotAllowed, OriginUnavailable, BadRequest, OriginError];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn only_an_array_of_bytes_has_values() {
        let mut array = lazycache::encode::npy_header("|u1", "(1, 3)");
        array.extend_from_slice(&[1, 2, 3]);
        assert_eq!(values_of_array(&array.clone().into()), Some(Bytes::from_static(&[1, 2, 3])));
        assert_eq!(values_of_array(&lazycache::encode::npy_header("<u2", "(1, 0)").into()), None);
        for cut in [0, 7, 9, 60] {
            assert_eq!(values_of_array(&array[..cut].to_vec().into()), None, "{cut}");
        }
    }

    #[test]
    fn a_frame_of_another_version_is_noticed() {
        let identity = SourceIdentity { size: 9, etag: Some("\"a\"".into()), last_modified: None };
        let mut headers = header::HeaderMap::new();
        headers.insert("x-lazycache-origin-size", header::HeaderValue::from_static("9"));
        assert!(!is_of(&headers, &identity), "a server that does not say is not believed");
        headers.insert("x-lazycache-origin-etag", header::HeaderValue::from_static("\"a\""));
        assert!(is_of(&headers, &identity));
        headers.insert("x-lazycache-origin-etag", header::HeaderValue::from_static("\"b\""));
        assert!(!is_of(&headers, &identity));
    }
}
