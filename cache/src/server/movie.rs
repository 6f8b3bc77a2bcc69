//! A movie's answers: what is known of it, which version it is of, its frames.

use std::time::Instant;

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use frame::{Decoder, Format, FrameAddress, MoviePath, OutputSize, Rendition};
use serde::Deserialize;
use serde_json::json;

use super::{Mirror, Served, stamp};
use crate::{
    Error, Identity, Movie,
    image_store::{ImageStore, Stored},
};

/// Raw pixels are for servers that allow them, but grey ones up to so many bytes: no larger than an encoded frame.
const OPEN_GREY_BYTES: u64 = 4 << 20;

/// The query below a movie: what old clients always send, sometimes empty, and what is beyond v1.
#[derive(Debug, Default, Deserialize)]
pub(super) struct MovieQuery {
    width: Option<String>,
    height: Option<String>,
    scale: Option<String>,
    grey: Option<String>,
    decoder: Option<String>,
    fresh: Option<String>,
    identity: Option<String>,
}

impl MovieQuery {
    /// Only which version the movie is of, asked of the origin now; its index is not read.
    pub(super) fn wants_identity(&self) -> bool {
        is_on(self.identity.as_deref())
    }

    /// What is known of the movie, checked against the origin now.
    pub(super) fn wants_fresh(&self) -> bool {
        is_on(self.fresh.as_deref())
    }

    /// How the pixels of a frame are wanted; old clients may say the size in headers.
    pub(super) fn rendition(&self, headers: &HeaderMap) -> Result<Rendition, Error> {
        let size = OutputSize::from_query(
            self.width.as_deref().or_else(|| header_text(headers, "x-lazycache-output-width")),
            self.height.as_deref().or_else(|| header_text(headers, "x-lazycache-output-height")),
        )?;
        let decoder = Decoder::from_query(self.decoder.as_deref())?;
        Ok(Rendition { decoder, ..Rendition::from_query(size, self.scale.as_deref(), self.grey.as_deref())? })
    }
}

fn is_on(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true"))
}

pub(super) async fn metadata(mirror: &Mirror, path: &str, fresh: bool) -> Result<Response, Error> {
    let start = Instant::now();
    let path = MoviePath::parse(path)?;
    let movie = if fresh { mirror.cache.fresh_movie(&path).await? } else { mirror.cache.movie(&path).await? };
    let mut response = Json(description(&movie)).into_response();
    stamp(&mut response, "x-lazycache-timing-metadata-ns", start);
    Ok(response)
}

pub(super) async fn identity(mirror: &Mirror, path: &str) -> Result<Response, Error> {
    let path = MoviePath::parse(path)?;
    let Identity { size, etag, last_modified } = mirror.cache.identity(&path).await?;
    let body = json!({"URL": format!("/{path}"), "FileSize": size, "ETag": etag, "LastModified": last_modified});
    Ok(([(header::CACHE_CONTROL, "no-cache")], Json(body)).into_response())
}

/// A movie as the v1 API describes it, and a little more.
pub fn description(movie: &Movie) -> serde_json::Value {
    let Identity { size, etag, last_modified } = movie.identity();
    json!({
        "URL": format!("/{}", movie.path()),
        "NumFrames": movie.num_frames(),
        "Duration": movie.duration_seconds(),
        "FileSize": size,
        "Width": movie.width(),
        "Height": movie.height(),
        "FrameRate": movie.frame_rate(),
        "Codec": movie.codec().to_string(),
        "ETag": etag,
        "LastModified": last_modified,
    })
}

pub(super) async fn one_frame(served: &Served, mirror: &Mirror, address: &FrameAddress) -> Result<Response, Error> {
    let (format, rendition) = (address.format, address.rendition);
    let small_grey = rendition.grey && format == Format::Raw;
    if format.is_raw() && !served.allow_raw && !small_grey {
        return Err(Error::RawNotAllowed);
    }
    let metadata = Instant::now();
    let movie = mirror.cache.movie(&address.movie).await?;
    let metadata = metadata.elapsed();
    if small_grey && !served.allow_raw && pixels(&movie, rendition) > OPEN_GREY_BYTES {
        return Err(Error::RawNotAllowed);
    }
    let stored = served
        .images
        .as_ref()
        .map(|images| (images, ImageStore::name(&mirror.api, &movie, address.number, format, rendition)));
    if let Some((images, name)) = &stored
        && let Some(found) = images.find(name).await
    {
        return Ok(from_store(found, format, &movie));
    }
    let (encoded, timing) = mirror.cache.answer(&movie, address.number, format, rendition).await?;
    if let Some((images, name)) = stored {
        images.put(name, encoded.bytes.clone());
    }
    let mut response = ([(header::CONTENT_TYPE, encoded.content_type)], encoded.bytes).into_response();
    for (part, took) in [("metadata", metadata), ("extraction", timing.extraction), ("encode", timing.encode)] {
        insert(&mut response, &format!("x-lazycache-timing-{part}-ns"), &took.as_nanos().to_string());
    }
    say_version(&mut response, movie.identity());
    Ok(response)
}

/// A frame the image store has: its bytes, or where they are to be had.
fn from_store(found: Stored, format: Format, movie: &Movie) -> Response {
    let mut response = match found {
        Stored::Bytes(bytes) => ([(header::CONTENT_TYPE, format.content_type())], bytes).into_response(),
        Stored::At(url) => Redirect::temporary(&url).into_response(),
    };
    say_version(&mut response, movie.identity());
    response
}

/// Which version of the movie the pixels are of: whoever reads many frames must not mix two.
fn say_version(response: &mut Response, identity: &Identity) {
    insert(response, "x-lazycache-origin-size", &identity.size.to_string());
    for (name, value) in [("etag", &identity.etag), ("last-modified", &identity.last_modified)] {
        if let Some(value) = value {
            insert(response, &format!("x-lazycache-origin-{name}"), value);
        }
    }
}

fn pixels(movie: &Movie, rendition: Rendition) -> u64 {
    let factor = rendition.scale.factor();
    u64::from(movie.width() / factor) * u64::from(movie.height() / factor)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What cannot stand in a header is left out.
fn insert(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}
