//! Several frames in one answer: a `NumPy` array that is sent while it is made.
//!
//! What is wrong with a later frame breaks the answer off. So does a frame that the reduced decoder leaves to the full one,
//! or the other way round: an answer names one decoder, and its frames are comparable. Whoever goes on asks again from
//! there.

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use frame::{Decoder, FrameNumber, MoviePath, Rendition, Span};
use futures::{Stream, StreamExt, stream};
use std::{io, sync::Arc};

use super::{
    Mirror, Served,
    freshness::EntityTag,
    movie::{Asked, DECODER, check, finish, insert},
};
use crate::{Error, Movie, encode::npy_header, error::chain, metrics::Metrics, reduced, render};

/// Frames that are read and decoded ahead of the one that is sent: they are what an answer holds in memory.
const AHEAD: usize = 4;

pub(super) async fn many(asked: Asked<'_>, path: &str, text: &str) -> Result<Response, Error> {
    let span = span(text, asked.query.numbers.as_deref())?;
    let rendition = asked.rendition()?;
    let path = MoviePath::parse(path)?;
    let movie = asked.movie(&path).await?;
    for number in span.numbers() {
        check(&movie, *number, rendition)?;
    }
    let rendition = reduced::settled(&movie, rendition);
    let tag = EntityTag::new(movie.identity(), &address(&path, &span, rendition));
    if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(asked.headers)) {
        return Ok(tag.not_modified());
    }
    let shape = render::array_shape(&movie, rendition, Some(span.numbers().len()))?;
    let start = npy_header(render::array_kind(rendition), &shape);
    let bytes = render::array_bytes(&movie, rendition)?.saturating_mul(span.numbers().len() as u64);
    let (bytes, limit) = (bytes.saturating_add(start.len() as u64), asked.served.max_answer);
    if bytes > limit {
        return Err(Error::LongAnswer { bytes, limit });
    }
    let mut frames = Box::pin(pixels(asked.served, asked.mirror, Arc::clone(&movie), &span, rendition));
    // The first frame decides the status; what fails later can only break the answer off, which its length tells.
    let first = frames.next().await.transpose()?;
    let (first, decoder) = first.unwrap_or_else(|| (Bytes::new(), rendition.decoder));
    let metrics = Arc::clone(asked.served.resources.metrics());
    let rest = frames.map(move |frame| match frame {
        Ok((_, by)) if by != decoder => Err(broken_off(&metrics, &Error::MixedDecoders)),
        frame => frame.map(|(pixels, _)| pixels).map_err(|error| broken_off(&metrics, &error)),
    });
    let body = Body::from_stream(stream::iter([Ok(Bytes::from(start)), Ok(first)]).chain(rest));
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, bytes.to_string())];
    let mut response = (headers, body).into_response();
    insert(&mut response, DECODER, &decoder.to_string());
    finish(&mut response, &movie, tag.as_ref());
    Ok(response)
}

fn span(text: &str, numbers: Option<&str>) -> Result<Span, Error> {
    match (text, numbers.filter(|numbers| !numbers.is_empty())) {
        ("", Some(numbers)) => Ok(Span::listed(numbers)?),
        (text, None) => Ok(Span::parse(text)?),
        (_, Some(_)) => {
            let (name, expected) = ("numbers", "asked of frames.npy, not together with START-END");
            Err(Error::Query { name, value: numbers.unwrap_or_default().to_owned(), expected })
        }
    }
}

fn address(path: &MoviePath, span: &Span, rendition: Rendition) -> String {
    let numbers: Vec<String> = span.numbers().iter().map(ToString::to_string).collect();
    format!("{path}/frames/{}.npy?{rendition}", numbers.join(","))
}

/// The pixels of each frame in order, a few made ahead. Each is a task of its own: one that waits for a core must not
/// depend on being polled.
fn pixels(
    served: &Served,
    mirror: &Mirror,
    movie: Arc<Movie>,
    span: &Span,
    rendition: Rendition,
) -> impl Stream<Item = Result<(Bytes, Decoder), Error>> + use<> {
    let (served, cache) = (served.clone(), mirror.cache.clone());
    let numbers: Vec<FrameNumber> = span.numbers().to_vec();
    let one = move |number| {
        let (served, cache, movie) = (served.clone(), cache.clone(), Arc::clone(&movie));
        let task = tokio::spawn(async move {
            let packet = cache.packet(&movie, number).await?;
            served.compute(move || render::pixels(&movie, &packet, rendition)).await
        });
        async move { task.await.map_err(|_| Error::Panicked)? }
    };
    stream::iter(numbers).map(one).buffered(AHEAD)
}

fn broken_off(metrics: &Metrics, error: &Error) -> io::Error {
    metrics.failed(error.kind().as_str());
    tracing::warn!(error = chain(error), "broke an answer of several frames off");
    io::Error::other(chain(error))
}
