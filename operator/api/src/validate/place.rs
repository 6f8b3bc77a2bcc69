//! Addresses, and paths below a root.

use url::Url;

use super::{Problem, add_path, add_url};
use crate::{Cache, Output, Queue};

pub(super) fn check_cache(cache: &Cache, problems: &mut Vec<Problem>) {
    add_url(problems, "spec.cache.url", cache.url.as_deref(), "an address without them");
    let overlay = cache.managed.as_ref().and_then(|managed| managed.overlay.as_ref());
    let folder = overlay.and_then(|overlay| overlay.persistent_volume_claim.sub_path.as_deref());
    add_path(problems, "spec.cache.managed.overlay.persistentVolumeClaim.subPath", folder);
}

pub(super) fn check_queue(queue: &Queue, problems: &mut Vec<Problem>) {
    add_url(problems, "spec.workers.queue.redis.url", queue.redis.url.as_deref(), "urlSecretRef");
}

pub(super) fn check_output(output: &Output, problems: &mut Vec<Problem>) {
    let claim = output.persistent_volume_claim.as_ref();
    let folder = claim.and_then(|claim| claim.sub_path.as_deref());
    add_path(problems, "spec.output.persistentVolumeClaim.subPath", folder);
    if let Some(s3) = &output.s3 {
        add_path(problems, "spec.output.s3.prefix", s3.prefix.as_deref());
        add_url(problems, "spec.output.s3.endpoint", s3.endpoint.as_deref(), "secretRef");
    }
    add_path(problems, "spec.output.markerFile", output.marker_file.as_deref());
}

/// An address with a host, and with nothing secret or ambiguous in it.
pub(super) fn url(text: &str, secret: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no address: {error}"))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("{text:?} has no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "the address holds credentials, which everyone who may read the job would see; use {secret}"
        ));
    }
    Ok(())
}

/// A path that stays below its root.
pub(super) fn path(text: &str) -> Result<(), String> {
    let segments: Vec<&str> = text.trim_end_matches('/').split('/').collect();
    match segments.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
        None => Ok(()),
        Some(&"") => Err(format!("{text:?} has an empty folder name; write one slash between names, and none first")),
        Some(segment) => Err(format!("{text:?} holds {segment:?}; write the path below its root without it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_root() {
        for good in ["a", "a/", "a/b.c/", "..a/b..", "README.md"] {
            assert_eq!(path(good), Ok(()), "{good}");
        }
        for bad in ["..", "a/../b", "./a", "a//b", "/a", ""] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_no_secret() {
        for good in ["http://127.0.0.1:8000/files/", "https://a.b/c", "redis://redis:6379/0"] {
            assert_eq!(url(good, "x"), Ok(()), "{good}");
        }
        for bad in [
            "http://",
            "http://:80/",
            "https://user:pass@a.b/",
            "https://user@a.b/",
            "http://[::1/",
            "http://a:99999/",
            "redis:///0",
        ] {
            assert!(url(bad, "x").is_err(), "{bad}");
        }
    }
}
