//! An archive on HTTP. Every answer is checked against what was asked for; what a second try may mend gets three.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use frame::{DirectoryPath, MirrorRoot, MoviePath};
use futures::StreamExt;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use url::Url;

use super::{
    Identity, Origin, OriginError, Part, Piece,
    private::{PublicAddresses, is_refusal, names_a_private_network},
};
use crate::{
    gate::Gate,
    listing::{self, Listing},
    metrics::{GateName, Metrics},
};

const TRIES: u32 = 3;
/// The second try waits up to this, the third up to twice as long.
const BACKOFF: Duration = Duration::from_millis(200);
/// A longer Retry-After is left to the caller.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(2);
const MAX_REDIRECTS: usize = 5;
/// The largest listing that is read, in bytes.
const MAX_LISTING: usize = 16 << 20;

/// How an archive is asked: how patiently, how much at once, in whose name.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// For a connection.
    pub connect: Duration,
    /// From a request to the head of its answer.
    pub first_byte: Duration,
    /// Between two reads of an answer.
    pub stall: Duration,
    /// For everything that one read needs: waiting for a place, all tries, the pauses between.
    pub whole: Duration,
    /// Requests to the archive at once.
    pub at_once: usize,
    /// Requests that may wait for their turn; what comes beyond is refused.
    pub waiting: usize,
    /// Whether a mirror with a public name may be at a private address.
    pub allow_private: bool,
    /// Who asks.
    pub credentials: Option<Credentials>,
}

impl Default for HttpOptions {
    /// Without bounds on how much is asked at once: for callers that bound it themselves.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            stall: Duration::from_secs(10),
            whole: Duration::from_mins(2),
            at_once: usize::MAX,
            waiting: usize::MAX,
            allow_private: false,
            credentials: None,
        }
    }
}

/// Who asks an archive. Told to the mirror's own host only.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A bearer token.
    Token(String),
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

impl std::fmt::Debug for Credentials {
    /// Without what is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// An archive at an http(s) address. Cheap to clone; connections are kept and shared.
#[derive(Debug, Clone)]
pub struct HttpOrigin {
    root: MirrorRoot,
    client: Client,
    gate: Gate,
    options: HttpOptions,
    metrics: Arc<Metrics>,
}

impl HttpOrigin {
    /// The archive at `root`.
    pub fn new(root: MirrorRoot, options: HttpOptions, metrics: Arc<Metrics>) -> Result<Self, reqwest::Error> {
        Self::resolving(root, options, metrics, PublicAddresses::new())
    }

    fn resolving(
        root: MirrorRoot,
        options: HttpOptions,
        metrics: Arc<Metrics>,
        addresses: PublicAddresses,
    ) -> Result<Self, reqwest::Error> {
        crate::tls::use_ring();
        let mut client = Client::builder()
            .user_agent(concat!("lazycache/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect)
            .read_timeout(options.stall)
            .timeout(options.whole)
            .redirect(same_host_only());
        if !options.allow_private && !names_a_private_network(root.url().host().as_ref()) {
            client = client.dns_resolver(Arc::new(addresses));
        }
        let gate = Gate::new(GateName::Origin, options.at_once, options.waiting, Arc::clone(&metrics));
        Ok(Self { client: client.build()?, root, gate, options, metrics })
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.root.url().clone();
        // Each part is encoded by itself; the last of a folder's path is empty and gives the slash at its end.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // A compressed answer would not be the bytes that were asked for.
        let request = self.client.request(method, self.address(path)).header(header::ACCEPT_ENCODING, "identity");
        match &self.options.credentials {
            None => request,
            Some(Credentials::Token(token)) => request.bearer_auth(token),
            Some(Credentials::Password { user, password }) => request.basic_auth(user, Some(password)),
        }
    }

    /// Asks up to [`TRIES`] times, with full jitter between, so that many clients of a sick origin do not come back at once.
    /// Only a request under way takes a place behind the gate, no pause does.
    async fn retried<T, F: Future<Output = Result<T, OriginError>>>(
        &self,
        path: &str,
        once: impl FnMut() -> F,
    ) -> Result<T, OriginError> {
        let slow = |_| OriginError::Slow { url: self.url(path), seconds: self.options.whole.as_secs_f64() };
        tokio::time::timeout(self.options.whole, self.tried(path, once)).await.map_err(slow)?
    }

    async fn tried<T, F: Future<Output = Result<T, OriginError>>>(
        &self,
        path: &str,
        mut once: impl FnMut() -> F,
    ) -> Result<T, OriginError> {
        let mut tried = 1;
        loop {
            let place = self.gate.enter().await;
            let place = place.map_err(|source| OriginError::Overloaded { url: self.url(path), source })?;
            self.metrics.asked_origin(tried > 1);
            let answer = once().await;
            drop(place);
            let error = match answer {
                Err(error) if error.is_worth_a_retry() && tried < TRIES => error,
                other => return other,
            };
            let Some(wait) = wait_before_retry(&error, tried) else { return Err(error) };
            tracing::debug!(%error, ?wait, tried, "asking the origin again");
            tokio::time::sleep(wait).await;
            tried += 1;
        }
    }

    /// Sends a request; its answer has begun within the time there is.
    async fn send(&self, request: RequestBuilder, url: &str) -> Result<Response, OriginError> {
        let patience = self.options.first_byte;
        match tokio::time::timeout(patience, send(request, url)).await {
            Ok(answered) => answered,
            Err(_) => Err(OriginError::Slow { url: url.to_owned(), seconds: patience.as_secs_f64() }),
        }
    }

    async fn read_once(
        &self,
        path: &MoviePath,
        part: &Part,
        expected: Option<&Identity>,
    ) -> Result<Piece, OriginError> {
        let url = self.url(path.as_str());
        let range = match part {
            Part::Bytes(range) => format!("bytes={}-{}", range.start, range.end.saturating_sub(1)),
            Part::Last(count) => format!("bytes=-{count}"),
        };
        let mut request = self.request(Method::GET, path.as_str()).header(header::RANGE, &range);
        if let Some(validator) = expected.and_then(validator) {
            request = request.header(header::IF_RANGE, validator);
        }
        let response = self.send(request, &url).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let piece = read_part(response, part, &range, expected, url).await?;
                self.metrics.read_from_origin(piece.bytes.len() as u64);
                Ok(piece)
            }
            StatusCode::RANGE_NOT_SATISFIABLE => not_satisfiable(&response, &range, expected, url),
            // To a request with If-Range, the whole file means: it is not the one you know.
            StatusCode::OK if expected.is_some_and(|known| differs(known, &response)) => {
                Err(OriginError::Changed { url })
            }
            StatusCode::OK => Err(OriginError::RangeIgnored { url }),
            status => Err(OriginError::Status { url, status: status.as_u16() }),
        }
    }

    async fn identity_once(&self, path: &MoviePath) -> Result<Identity, OriginError> {
        let url = self.url(path.as_str());
        let response = self.send(self.request(Method::HEAD, path.as_str()), &url).await?;
        if response.status() != StatusCode::OK {
            return Err(OriginError::Status { url, status: response.status().as_u16() });
        }
        let size = text(&response, header::CONTENT_LENGTH).and_then(|size| size.parse().ok());
        let size = size.ok_or(OriginError::Status { url, status: StatusCode::OK.as_u16() })?;
        Ok(identity_of(&response, size))
    }

    async fn list_once(&self, path: &DirectoryPath) -> Result<Listing, OriginError> {
        let url = self.url(path.as_str());
        let response = self.send(self.request(Method::GET, path.as_str()), &url).await?;
        let html = text(&response, header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
        if response.status() != StatusCode::OK || !html {
            return Err(OriginError::NoListing { url });
        }
        let bytes = read_body(response, MAX_LISTING, &url).await?;
        if bytes.len() == MAX_LISTING {
            return Err(OriginError::LongListing { url });
        }
        listing::parse(&bytes).ok_or(OriginError::NoListing { url })
    }
}

#[async_trait::async_trait]
impl Origin for HttpOrigin {
    async fn read(&self, path: &MoviePath, part: Part, expected: Option<&Identity>) -> Result<Piece, OriginError> {
        self.retried(path.as_str(), || self.read_once(path, &part, expected)).await
    }

    async fn identity(&self, path: &MoviePath) -> Result<Identity, OriginError> {
        self.retried(path.as_str(), || self.identity_once(path)).await
    }

    async fn list(&self, path: &DirectoryPath) -> Result<Listing, OriginError> {
        self.retried(path.as_str(), || self.list_once(path)).await
    }

    fn url(&self, path: &str) -> String {
        self.address(path).into()
    }

    fn load(&self) -> Option<(usize, usize)> {
        Some((self.gate.waiting(), self.gate.taken()))
    }
}

/// What If-Range may name. A weak entity tag matches nothing there (RFC 9110, 13.1.5): every range would be answered whole.
fn validator(known: &Identity) -> Option<&String> {
    known.etag.as_ref().filter(|etag| !etag.starts_with("W/")).or(known.last_modified.as_ref())
}

/// How long to wait; `None` = the origin wants more patience than one request has.
fn wait_before_retry(error: &OriginError, tried: u32) -> Option<Duration> {
    if let OriginError::Unavailable { retry_after: Some(seconds), .. } = error {
        let wanted = Duration::from_secs(*seconds);
        return (wanted <= LONGEST_RETRY_AFTER).then_some(wanted);
    }
    let random = RandomState::new().hash_one(tried);
    let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
    Some(BACKOFF.saturating_mul(tried).mul_f64(share))
}

async fn send(request: RequestBuilder, url: &str) -> Result<Response, OriginError> {
    let url = url.to_owned();
    let response = match request.send().await {
        Ok(response) => response,
        Err(source) if is_refusal(&source) => return Err(OriginError::Private { url }),
        Err(source) => return Err(OriginError::Unreachable { url, source }),
    };
    let status = response.status();
    if status == StatusCode::NOT_FOUND || status == StatusCode::GONE {
        return Err(OriginError::NotFound { url });
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let retry_after = text(&response, header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        return Err(OriginError::Unavailable { url, status: status.as_u16(), retry_after });
    }
    Ok(response)
}

async fn read_part(
    response: Response,
    part: &Part,
    range: &str,
    expected: Option<&Identity>,
    url: String,
) -> Result<Piece, OriginError> {
    let answer = text(&response, header::CONTENT_RANGE).unwrap_or_default().to_owned();
    let answered = content_range(&answer).filter(|answered| answered.is_for(part, expected.is_some()));
    let Some(answered) = answered else {
        return Err(OriginError::WrongRange { url, wanted: range.to_owned(), answer });
    };
    if expected.is_some_and(|known| differs(known, &response) || known.size != answered.total) {
        return Err(OriginError::Changed { url });
    }
    let identity = identity_of(&response, answered.total);
    let wanted = answered.end - answered.start;
    let bytes = read_body(response, wanted as usize, &url).await?;
    if bytes.len() as u64 != wanted {
        return Err(OriginError::Short { url, wanted, got: bytes.len() as u64 });
    }
    Ok(Piece { offset: answered.start, bytes: bytes.freeze(), identity })
}

/// 416 is how an empty file answers; to a range that was known to exist it means that the file changed.
fn not_satisfiable(
    response: &Response,
    range: &str,
    expected: Option<&Identity>,
    url: String,
) -> Result<Piece, OriginError> {
    let answer = text(response, header::CONTENT_RANGE).unwrap_or_default();
    match (expected, answer) {
        (Some(_), _) => Err(OriginError::Changed { url }),
        (None, "bytes */0") => Ok(Piece { offset: 0, bytes: bytes::Bytes::new(), identity: identity_of(response, 0) }),
        (None, _) => Err(OriginError::WrongRange { url, wanted: range.to_owned(), answer: answer.to_owned() }),
    }
}

/// Reads a body of at most `limit` bytes; what comes beyond is not taken.
async fn read_body(response: Response, limit: usize, url: &str) -> Result<BytesMut, OriginError> {
    let mut bytes = BytesMut::with_capacity(limit.min(1 << 21));
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|source| OriginError::Unreachable { url: url.to_owned(), source })?;
        bytes.extend_from_slice(&chunk[..chunk.len().min(limit - bytes.len())]);
        if bytes.len() == limit {
            break;
        }
    }
    Ok(bytes)
}

/// `start..end` of `total` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answered {
    start: u64,
    end: u64,
    total: u64,
}

impl Answered {
    /// Whether this is what was asked for. Only where the size was not known may a range be cut at the file's end.
    fn is_for(self, part: &Part, size_known: bool) -> bool {
        match part {
            Part::Bytes(range) => {
                let end = if size_known { range.end } else { range.end.min(self.total) };
                self.start == range.start && self.end == end
            }
            Part::Last(count) => self.end == self.total && self.start == self.total.saturating_sub(*count),
        }
    }
}

/// `bytes 0-99/1234`.
fn content_range(text: &str) -> Option<Answered> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    let (start, last, total): (u64, u64, u64) = (start.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (start <= last && last < total).then_some(Answered { start, end: last + 1, total })
}

fn text(response: &Response, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

fn identity_of(response: &Response, size: u64) -> Identity {
    let value = |name| text(response, name).map(String::from);
    Identity { size, etag: value(header::ETAG), last_modified: value(header::LAST_MODIFIED) }
}

/// Whether the answer is of another version, by the validators both have.
fn differs(known: &Identity, response: &Response) -> bool {
    let other = |known: &Option<String>, name| known.as_deref().zip(text(response, name)).is_some_and(|(a, b)| a != b);
    other(&known.etag, header::ETAG) || other(&known.last_modified, header::LAST_MODIFIED)
}

/// Every redirect is checked: it stays on the mirror's host, does not leave TLS, and there are few.
fn same_host_only() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let to = attempt.url();
        let same = attempt
            .previous()
            .iter()
            .all(|from| from.host_str() == to.host_str() && (from.scheme() != "https" || to.scheme() == "https"));
        if same && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
    })
}

#[cfg(test)]
mod tests {
    use super::{super::private::Lookup, *};

    #[test]
    fn only_the_range_asked_for_is_taken() {
        let answered = content_range("bytes 10-19/100").unwrap();
        assert_eq!(answered, Answered { start: 10, end: 20, total: 100 });
        assert!(answered.is_for(&Part::Bytes(10..20), true));
        assert!(!answered.is_for(&Part::Bytes(10..21), true) && !answered.is_for(&Part::Bytes(9..20), true));
        assert!(!answered.is_for(&Part::Bytes(10..200), false), "cut, but not at the file's end");
        let tail = content_range("bytes 90-99/100").unwrap();
        assert!(tail.is_for(&Part::Last(10), false) && !tail.is_for(&Part::Last(20), false));
        assert!(tail.is_for(&Part::Bytes(90..500), false) && !tail.is_for(&Part::Bytes(90..500), true));
        for text in ["", "bytes 5-4/10", "bytes 0-10/10", "bytes 0-1/*", "items 0-1/2", "bytes */0"] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_public_name_that_leads_into_a_private_network_is_refused() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let read = async |host: &str| {
            let lookup: Lookup = Arc::new(move |_| Box::pin(async move { Ok(vec![address]) }));
            let root = MirrorRoot::parse(&format!("http://{host}:{}/", address.port())).unwrap();
            let options = HttpOptions { first_byte: Duration::from_millis(50), ..HttpOptions::default() };
            let addresses = PublicAddresses::by(lookup);
            let origin = HttpOrigin::resolving(root, options, Arc::default(), addresses).unwrap();
            origin.read(&MoviePath::parse("X.mov").unwrap(), Part::Bytes(0..1), None).await.unwrap_err()
        };
        assert!(matches!(read("archive.example.org").await, OriginError::Private { .. }));
        // Here a connection is made; nobody answers on it.
        assert!(matches!(read("127.0.0.1").await, OriginError::Slow { .. }));
    }

    #[test]
    fn a_short_retry_after_is_obeyed_and_a_long_one_left_to_the_caller() {
        let error = |retry_after| OriginError::Unavailable { url: String::new(), status: 503, retry_after };
        assert_eq!(wait_before_retry(&error(Some(1)), 1), Some(Duration::from_secs(1)));
        assert_eq!(wait_before_retry(&error(Some(60)), 1), None);
        assert!(wait_before_retry(&error(None), 2).unwrap() <= 2 * BACKOFF);
    }
}
