//! A bucket of an S3-compatible store as the output.

use std::{sync::Arc, time::Duration};

use analysisjob::S3;
use object_store::{ObjectStore, RetryConfig, aws::AmazonS3Builder, prefix::PrefixStore};

use super::StoreError;

/// How long one request is tried again before the pod ends and leaves it to the next one.
const RETRY_FOR: Duration = Duration::from_mins(1);

/// The bucket of `settings`; where no key and secret are given, they come from the environment (`AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY`), else from the pod's own identity. Addressed by path, which every S3-compatible store
/// understands.
pub(super) fn open(settings: &S3, keys: Option<(&str, &str)>) -> Result<Arc<dyn ObjectStore>, StoreError> {
    lazycache::tls::use_ring();
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&settings.bucket)
        .with_region(&settings.region)
        .with_virtual_hosted_style_request(false)
        .with_retry(RetryConfig { retry_timeout: RETRY_FOR, max_retries: 6, ..RetryConfig::default() });
    if let Some((key, secret)) = keys {
        builder = builder.with_access_key_id(key).with_secret_access_key(secret);
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    let bucket = builder.build().map_err(|source| StoreError::Bucket { place: place(settings), source })?;
    Ok(match &settings.prefix {
        Some(prefix) => Arc::new(PrefixStore::new(bucket, prefix.as_str())),
        None => Arc::new(bucket),
    })
}

/// As a person would write it.
pub(super) fn place(settings: &S3) -> String {
    format!("s3://{}/{}", settings.bucket, settings.prefix.as_deref().unwrap_or_default())
}
