//! What every answer gets: CORS, gzip for texts, its mark as a public instance's.

use axum::http::{HeaderValue, Method, header};
use tower_http::{
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
    cors::{Any, CorsLayer},
};

/// Any page may read frames, and every header of the answers.
pub(super) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(Any)
        .expose_headers(Any)
        .vary([])
}

/// JSON, HTML and what belongs to a page. Pictures are compressed already, and arrays are streamed with a known length.
pub(super) fn gzip() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new().gzip(true).compress_when(SizeAbove::new(256).and(IsText))
}

#[derive(Debug, Clone, Copy)]
struct IsText;

impl Predicate for IsText {
    fn should_compress<B: http_body::Body>(&self, response: &axum::http::Response<B>) -> bool {
        let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let compressed: [&[u8]; 4] = [b"application/json", b"text/html", b"text/css", b"text/javascript"];
        compressed.iter().any(|text| kind.starts_with(text))
    }
}
