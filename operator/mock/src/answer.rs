//! What the API server answers: an object, or a refusal in the form of `metav1.Status`.

use std::convert::Infallible;

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use serde::Serialize;
use serde_json::{Value, json};

use crate::kinds::Row;

/// The body of an answer: bytes, or the stream of a watch.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Many objects, as one body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    api_version: String,
    kind: String,
    metadata: Value,
    items: Vec<&'a Value>,
}

/// A request that was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} {reason}: {message}")]
pub struct Refusal {
    /// HTTP status.
    pub code: u16,
    /// The word programs look at, such as `AlreadyExists`.
    pub reason: String,
    /// The sentence people read.
    pub message: String,
    /// Seconds until a new try makes sense.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// A refusal without a time to wait.
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self { code, reason: reason.to_owned(), message: message.into(), retry_after: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn not_found(resource: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{resource} \"{name}\" not found"))
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "Conflict", message)
    }

    pub(crate) fn invalid(kind: &str, name: &str, message: &str) -> Self {
        Self::new(422, "Invalid", format!("{kind} \"{name}\" is invalid: {message}"))
    }

    pub(crate) fn response(&self) -> Response<Body> {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        let mut builder = Response::builder().status(self.code).header("content-type", "application/json");
        if let Some(seconds) = self.retry_after {
            body["details"] = json!({"retryAfterSeconds": seconds});
            builder = builder.header("retry-after", seconds.to_string());
        }
        builder.body(full(&body)).unwrap_or_default_response()
    }
}

/// An object as the body of a response.
pub(crate) fn object(code: u16, value: &Value) -> Response<Body> {
    raw(code, full(value))
}

/// A list as the body of a response.
pub(crate) fn list(row: &Row, revision: u64, next: &str, items: Vec<&Value>) -> Response<Body> {
    let metadata = json!({"resourceVersion": revision.to_string(), "continue": next});
    let list = List { api_version: row.api_version(), kind: format!("{}List", row.kind), metadata, items };
    raw(200, full(&list))
}

/// Any body as JSON.
pub(crate) fn raw(code: u16, body: Body) -> Response<Body> {
    let builder = Response::builder().status(code).header("content-type", "application/json");
    builder.body(body).unwrap_or_default_response()
}

fn full(value: &impl Serialize) -> Body {
    Full::new(Bytes::from(serde_json::to_vec(value).unwrap_or_default())).boxed_unsync()
}

/// Header names and values above are literals, so building cannot fail; an empty answer is what would be seen.
trait OrDefault {
    fn unwrap_or_default_response(self) -> Response<Body>;
}

impl OrDefault for Result<Response<Body>, http::Error> {
    fn unwrap_or_default_response(self) -> Response<Body> {
        self.unwrap_or_else(|_| Response::new(Full::default().boxed_unsync()))
    }
}
