//! The API for programs: `openapi.json`, held against the routes by the tests.

use axum::{Json, response::IntoResponse};
use serde_json::Value;

const DOCUMENT: &str = include_str!("openapi.json");

/// The `OpenAPI` document of this version.
pub fn openapi() -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    if let Some(version) = document.pointer_mut("/info/version") {
        *version = env!("CARGO_PKG_VERSION").into();
    }
    document
}

pub(super) async fn document() -> impl IntoResponse {
    Json(openapi())
}
