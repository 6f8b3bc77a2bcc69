//! A movie's answers: what is known of it, which version it is of, one frame by number or by time.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use frame::{Depth, Format, FrameAddress, FrameNumber, Moment, MoviePath, Rendition, RenditionQuery};
use serde::Deserialize;
use serde_json::json;

use super::{
    Mirror, Served,
    freshness::{EntityTag, wants_revalidation},
    stamp,
};
use crate::{
    Error, Identity, Movie,
    image_store::{ImageStore, Stored},
    reduced,
};

/// Which decoder made the pixels: see [`frame::Decoder`].
pub(super) const DECODER: &str = "x-lazycache-decoder";
/// Raw pixels are for servers that allow them, but grey ones up to so many bytes: no larger than an encoded frame.
const OPEN_GREY_BYTES: u64 = 4 << 20;

/// The query below a movie: what old clients always send, sometimes empty, and what is beyond v1.
#[derive(Debug, Default, Deserialize)]
pub(super) struct MovieQuery {
    width: Option<String>,
    height: Option<String>,
    scale: Option<String>,
    grey: Option<String>,
    pub(super) decoder: Option<String>,
    crop: Option<String>,
    depth: Option<String>,
    q: Option<String>,
    fresh: Option<String>,
    identity: Option<String>,
    /// Of several frames.
    pub(super) numbers: Option<String>,
    /// Of a storyboard.
    pub(super) columns: Option<String>,
    /// Of a storyboard.
    pub(super) rows: Option<String>,
    /// Of a page.
    pub(super) frame: Option<String>,
}

/// A request below a mirror's root.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) served: &'a Served,
    pub(super) mirror: &'a Mirror,
    pub(super) headers: &'a HeaderMap,
    pub(super) query: &'a MovieQuery,
}

impl Asked<'_> {
    /// Only which version the movie is of, asked of the origin now; its index is not read.
    pub(super) fn wants_identity(&self) -> Result<bool, Error> {
        flag("identity", self.query.identity.as_deref())
    }

    /// What is known of a movie; checked against the origin where the client asks for that.
    pub(super) async fn movie(&self, path: &MoviePath) -> Result<Arc<Movie>, Error> {
        if flag("fresh", self.query.fresh.as_deref())? || wants_revalidation(self.headers) {
            self.mirror.cache.fresh_movie(path).await
        } else {
            self.mirror.cache.movie(path).await
        }
    }

    /// How the pixels of a frame are wanted; old clients may say the size in headers.
    pub(super) fn rendition(&self) -> Result<Rendition, Error> {
        let MovieQuery { width, height, scale, grey, decoder, crop, depth, q, .. } = self.query;
        let or_header = |value: &Option<String>, name: &str| {
            value.clone().or_else(|| self.headers.get(name)?.to_str().ok().map(String::from))
        };
        let width = or_header(width, "x-lazycache-output-width");
        let height = or_header(height, "x-lazycache-output-height");
        Ok(Rendition::from_query(&RenditionQuery {
            width: width.as_deref(),
            height: height.as_deref(),
            scale: scale.as_deref(),
            grey: grey.as_deref(),
            decoder: decoder.as_deref(),
            crop: crop.as_deref(),
            depth: depth.as_deref(),
            q: q.as_deref(),
        })?)
    }
}

fn flag(name: &'static str, value: Option<&str>) -> Result<bool, Error> {
    match value {
        None | Some("" | "0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(other) => Err(Error::Query { name, value: other.to_owned(), expected: "1 or 0" }),
    }
}

pub(super) async fn metadata(asked: Asked<'_>, path: &str) -> Result<Response, Error> {
    let start = Instant::now();
    let movie = asked.movie(&MoviePath::parse(path)?).await?;
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

/// The frame that is shown at a second.
pub(super) async fn at_time(asked: Asked<'_>, path: &str, text: &str) -> Result<Response, Error> {
    let Moment { seconds, format } = text.parse()?;
    let path = MoviePath::parse(path)?;
    let movie = asked.movie(&path).await?;
    let duration = movie.duration_seconds();
    let number = movie.frame_at(seconds).ok_or(Error::NoMoment { seconds, duration })?;
    let address = FrameAddress { movie: path, number, format, rendition: asked.rendition()? }.checked()?;
    one_frame(asked, &address).await
}

pub(super) async fn one_frame(asked: Asked<'_>, address: &FrameAddress) -> Result<Response, Error> {
    let (format, rendition) = (address.format, address.rendition);
    let small_grey = rendition.grey && rendition.depth == Depth::Eight && format == Format::Raw;
    let allow_raw = asked.served.allow_raw;
    if format.is_raw() && !allow_raw && !small_grey {
        return Err(Error::RawNotAllowed);
    }
    let metadata = Instant::now();
    let movie = asked.movie(&address.movie).await?;
    let metadata = metadata.elapsed();
    check(&movie, address.number, rendition)?;
    if small_grey && !allow_raw && pixels(&movie, rendition)? > OPEN_GREY_BYTES {
        return Err(Error::RawNotAllowed);
    }
    let rendition = reduced::settled(&movie, rendition);
    let tag = EntityTag::new(movie.identity(), &format!("{}/{address}?{rendition}", address.movie));
    if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(asked.headers)) {
        return Ok(tag.not_modified());
    }
    let Asked { served, mirror, .. } = asked;
    let name = || ImageStore::name(&mirror.api, &movie, address.number, format, rendition);
    let stored = served.images.as_ref().map(|images| (images, name()));
    if let Some((images, name)) = &stored
        && let Some(found) = images.find(name).await
    {
        let mut response = from_store(found, format, &movie, tag.as_ref());
        insert(&mut response, DECODER, &rendition.decoder.to_string());
        return Ok(response);
    }
    let (encoded, timing) = mirror.cache.answer(&movie, address.number, format, rendition).await?;
    if let Some((images, name)) = stored.filter(|_| timing.decoder == rendition.decoder) {
        images.put(name, encoded.bytes.clone());
    }
    let mut response = picture(encoded.content_type, encoded.bytes);
    for (part, took) in [("metadata", metadata), ("extraction", timing.extraction), ("encode", timing.encode)] {
        insert(&mut response, &format!("x-lazycache-timing-{part}-ns"), &took.as_nanos().to_string());
    }
    insert(&mut response, DECODER, &timing.decoder.to_string());
    insert(&mut response, "x-lazycache-frame", &address.number.to_string());
    if let Some(seconds) = movie.seconds(address.number) {
        insert(&mut response, "x-lazycache-time", &format!("{seconds:.6}"));
    }
    finish(&mut response, &movie, tag.as_ref());
    Ok(response)
}

/// A frame the image store has: its bytes, or where they are to be had.
fn from_store(found: Stored, format: Format, movie: &Movie, tag: Option<&EntityTag>) -> Response {
    let mut response = match found {
        Stored::Bytes(bytes) => picture(format.content_type(), bytes),
        Stored::At(url) => Redirect::temporary(&url).into_response(),
    };
    finish(&mut response, movie, tag);
    response
}

/// Fails where there is no such frame or the rendition does not fit the movie: before anything is read.
pub(super) fn check(movie: &Movie, number: FrameNumber, rendition: Rendition) -> Result<(), Error> {
    let (number, frames) = (number.get(), movie.num_frames());
    if number > frames {
        return Err(Error::NoFrame { number, frames });
    }
    rendition.output_size(movie.width(), movie.height())?;
    Ok(())
}

pub(super) fn picture(content_type: &'static str, bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, content_type)], bytes).into_response()
}

/// Which version of the movie the pixels are of (whoever reads many frames must not mix two), and the answer's own.
pub(super) fn finish(response: &mut Response, movie: &Movie, tag: Option<&EntityTag>) {
    let identity = movie.identity();
    insert(response, "x-lazycache-origin-size", &identity.size.to_string());
    for (name, value) in [("etag", &identity.etag), ("last-modified", &identity.last_modified)] {
        if let Some(value) = value {
            insert(response, &format!("x-lazycache-origin-{name}"), value);
        }
    }
    if let Some(tag) = tag {
        tag.mark(response);
    }
}

fn pixels(movie: &Movie, rendition: Rendition) -> Result<u64, Error> {
    let size = rendition.output_size(movie.width(), movie.height())?;
    Ok(u64::from(size.width) * u64::from(size.height))
}

/// What cannot stand in a header is left out.
pub(super) fn insert(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}
