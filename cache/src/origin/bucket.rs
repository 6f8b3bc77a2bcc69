//! An archive in a bucket of an S3-compatible store.

use std::{ops::Range, sync::Arc, time::Duration};

use frame::{DirectoryPath, MoviePath};
use object_store::{
    BackoffConfig, ClientOptions, Error as StoreError, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore,
    ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, path::Path,
};

use super::{HttpOptions, Identity, Origin, OriginError, Part, Piece};
use crate::{
    gate::Gate,
    listing::Listing,
    metrics::{GateName, Metrics},
    object,
};

const RETRIES: usize = 2;

/// Where an archive in a bucket begins: `s3://bucket/prefix/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRoot {
    /// The bucket.
    pub bucket: String,
    /// Ends in a slash, unless it is empty.
    pub prefix: String,
}

impl BucketRoot {
    /// Reads an address; `None` for one of another kind.
    pub fn parse(text: &str) -> Option<Self> {
        let (bucket, prefix) = text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let named = !bucket.is_empty() && bucket.chars().all(legal);
        let prefix = DirectoryPath::parse(prefix).ok().filter(|_| named)?;
        Some(Self { bucket: bucket.to_owned(), prefix: prefix.as_str().to_owned() })
    }

    /// Where it stands in the v1 API, without `/v1/` and the last slash.
    pub fn api_name(&self) -> String {
        format!("s3/{}/{}", self.bucket, self.prefix).trim_end_matches('/').to_owned()
    }

    /// As a person would write it.
    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    /// The store of the bucket: keys, region and endpoint are the environment's (`AWS_…`). Addressed by path, which every
    /// S3-compatible store understands.
    pub(crate) fn open(&self, options: &HttpOptions) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
        crate::tls::use_ring();
        let allow_http = std::env::var("AWS_ENDPOINT_URL")
            .or_else(|_| std::env::var("AWS_ENDPOINT"))
            .is_ok_and(|endpoint| endpoint.starts_with("http://"));
        let client = ClientOptions::new()
            .with_connect_timeout(options.connect)
            .with_read_timeout(options.stall)
            .with_timeout(options.whole)
            .with_allow_http(allow_http);
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            ..BackoffConfig::default()
        };
        let retry = RetryConfig { backoff, max_retries: RETRIES, retry_timeout: options.whole };
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(&self.bucket)
            .with_virtual_hosted_style_request(false)
            .with_client_options(client)
            .with_retry(retry)
            .build()?;
        Ok(Arc::new(store))
    }
}

/// An archive in a bucket.
#[derive(Debug)]
pub struct BucketOrigin {
    root: BucketRoot,
    objects: Arc<dyn ObjectStore>,
    gate: Gate,
    whole: Duration,
    metrics: Arc<Metrics>,
}

impl BucketOrigin {
    /// The archive at `root`; keys come from the environment.
    pub fn new(root: BucketRoot, options: &HttpOptions, metrics: Arc<Metrics>) -> Result<Self, OriginError> {
        let objects = root.open(options).map_err(|source| OriginError::Bucket { url: root.url(), source })?;
        let gate = Gate::new(GateName::Origin, options.at_once, options.waiting, Arc::clone(&metrics));
        Ok(Self { root, objects, gate, whole: options.whole, metrics })
    }

    fn object(&self, path: &str) -> Path {
        object::path(&format!("{}{path}", self.root.prefix))
    }

    fn error(&self, path: &str, source: StoreError) -> OriginError {
        let url = self.url(path);
        match source {
            StoreError::NotFound { .. } => OriginError::NotFound { url },
            StoreError::Precondition { .. } => OriginError::Changed { url },
            StoreError::PermissionDenied { .. } => OriginError::Status { url, status: 403 },
            StoreError::Unauthenticated { .. } => OriginError::Status { url, status: 401 },
            source => OriginError::Bucket { url, source },
        }
    }

    /// Runs a request behind the gate, within the time there is.
    async fn asked<T>(
        &self,
        path: &str,
        request: impl Future<Output = Result<T, OriginError>>,
    ) -> Result<T, OriginError> {
        let place = self.gate.enter().await;
        let _place = place.map_err(|source| OriginError::Overloaded { url: self.url(path), source })?;
        self.metrics.asked_origin(false);
        let slow = |_| OriginError::Slow { url: self.url(path), seconds: self.whole.as_secs_f64() };
        tokio::time::timeout(self.whole, request).await.map_err(slow)?
    }

    async fn read_part(
        &self,
        path: &MoviePath,
        part: &Part,
        expected: Option<&Identity>,
    ) -> Result<Piece, OriginError> {
        let range = match part {
            Part::Bytes(range) => GetRange::Bounded(range.clone()),
            Part::Last(count) => GetRange::Suffix(*count),
        };
        let if_match = expected.and_then(|expected| expected.etag.clone());
        let options = GetOptions { range: Some(range), if_match, ..GetOptions::default() };
        let object = self.object(path.as_str());
        match self.objects.get_opts(&object, options).await {
            Ok(result) => self.checked(path, part, expected, result).await,
            Err(error @ StoreError::NotFound { .. }) => Err(self.error(path.as_str(), error)),
            Err(error) if expected.is_none() => self.read_known(path, part, error).await,
            Err(error) => Err(self.error(path.as_str(), error)),
        }
    }

    /// Asks for the size first, after `error`: an empty object has no range at all, and not every store knows what the last
    /// megabyte of a shorter object is.
    async fn read_known(&self, path: &MoviePath, part: &Part, error: StoreError) -> Result<Piece, OriginError> {
        let object = self.object(path.as_str());
        let fail = |source| self.error(path.as_str(), source);
        let meta = self.objects.head(&object).await.map_err(fail)?;
        let identity = identity_of(&meta);
        if meta.size == 0 {
            return Ok(Piece { offset: 0, bytes: bytes::Bytes::new(), identity });
        }
        let Part::Last(_) = part else { return Err(fail(error)) };
        let range = Some(GetRange::Bounded(wanted(part, meta.size)));
        let options = GetOptions { range, if_match: meta.e_tag.clone(), ..GetOptions::default() };
        let result = self.objects.get_opts(&object, options).await.map_err(fail)?;
        self.checked(path, part, Some(&identity), result).await
    }

    async fn checked(
        &self,
        path: &MoviePath,
        part: &Part,
        expected: Option<&Identity>,
        result: GetResult,
    ) -> Result<Piece, OriginError> {
        let identity = identity_of(&result.meta);
        if expected.is_some_and(|expected| *expected != identity) {
            return Err(OriginError::Changed { url: self.url(path.as_str()) });
        }
        let (range, wanted) = (result.range.clone(), wanted(part, identity.size));
        let cut = expected.is_none() && range.start == wanted.start && range.end == wanted.end.min(identity.size);
        if range != wanted && !cut {
            let (wanted, answer) = (format!("{wanted:?}"), format!("{range:?}"));
            return Err(OriginError::WrongRange { url: self.url(path.as_str()), wanted, answer });
        }
        let bytes = result.bytes().await.map_err(|source| self.error(path.as_str(), source))?;
        self.metrics.read_from_origin(bytes.len() as u64);
        let (wanted, got) = (range.end - range.start, bytes.len() as u64);
        if got != wanted {
            return Err(OriginError::Short { url: self.url(path.as_str()), wanted, got });
        }
        Ok(Piece { offset: range.start, bytes, identity })
    }

    async fn listing(&self, path: &DirectoryPath) -> Result<Listing, OriginError> {
        let prefix = self.object(path.as_str().trim_end_matches('/'));
        let found = self.objects.list_with_delimiter(Some(&prefix)).await;
        let found = found.map_err(|source| self.error(path.as_str(), source))?;
        // A bucket has no folders: one that holds nothing is not there.
        if found.objects.is_empty() && found.common_prefixes.is_empty() && !path.as_str().is_empty() {
            return Err(OriginError::NotFound { url: self.url(path.as_str()) });
        }
        let name = |path: &Path| path.filename().map(String::from);
        let mut listing = Listing {
            files: found.objects.iter().filter_map(|meta| name(&meta.location)).collect(),
            directories: found.common_prefixes.iter().filter_map(name).collect(),
        };
        listing.sort();
        Ok(listing)
    }
}

fn wanted(part: &Part, size: u64) -> Range<u64> {
    match part {
        Part::Bytes(range) => range.clone(),
        Part::Last(count) => size.saturating_sub(*count)..size,
    }
}

fn identity_of(meta: &ObjectMeta) -> Identity {
    let last_modified = httpdate::fmt_http_date(meta.last_modified.into());
    Identity { size: meta.size, etag: meta.e_tag.clone(), last_modified: Some(last_modified) }
}

#[async_trait::async_trait]
impl Origin for BucketOrigin {
    async fn read(&self, path: &MoviePath, part: Part, expected: Option<&Identity>) -> Result<Piece, OriginError> {
        self.asked(path.as_str(), self.read_part(path, &part, expected)).await
    }

    async fn identity(&self, path: &MoviePath) -> Result<Identity, OriginError> {
        let request = async {
            let meta = self.objects.head(&self.object(path.as_str())).await;
            meta.map(|meta| identity_of(&meta)).map_err(|source| self.error(path.as_str(), source))
        };
        self.asked(path.as_str(), request).await
    }

    async fn list(&self, path: &DirectoryPath) -> Result<Listing, OriginError> {
        self.asked(path.as_str(), self.listing(path)).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.root.url())
    }

    fn load(&self) -> Option<(usize, usize)> {
        Some((self.gate.waiting(), self.gate.taken()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_by_an_s3_address() {
        let root = BucketRoot::parse("s3://videos/camhd/2018").unwrap();
        assert_eq!(
            (root.url().as_str(), root.api_name().as_str()),
            ("s3://videos/camhd/2018/", "s3/videos/camhd/2018")
        );
        assert_eq!(BucketRoot::parse("s3://videos").unwrap().api_name(), "s3/videos");
        for text in ["s3://", "s3:///x", "s3://a b/", "s3://a/../b", "https://a/b"] {
            assert_eq!(BucketRoot::parse(text), None, "{text}");
        }
    }
}
