//! What a real API server takes and what it refuses, and that the file reader says the same.
//!
//! The rules (CEL) have cases written by hand, those of the file reader's own tests. The bounds (types, ranges,
//! lengths, patterns, lists) have cases made from the schema: one at each edge, one beyond. Nothing is stored: every
//! case is a dry run.
//!
//! rules.rs     every CEL rule
//! bounds.rs    every bound; trials.rs makes the cases from texts.rs, at the places of homes.rs
//! running.rs   what cannot change while a run is under way
//! apply.rs     what is applied last decides
//! samples.rs   the samples, and defaults
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

#[path = "../../../operator/api/tests/cases/mod.rs"]
mod cases;

mod apply;
mod bounds;
mod homes;
mod rules;
mod running;
mod samples;
mod texts;
mod trials;

use e2e::Namespace;
use http::{Request, header::CONTENT_TYPE};
use serde_json::Value;

/// Field and message of everything an API server has against an object.
type Refusal = Vec<(String, String)>;

/// Creates a job as a dry run, strictly; gives it as the API server would store it.
async fn admit(space: &Namespace<'_>, job: &Value) -> Result<Value, Refusal> {
    admit_text(space, "application/json", &job.to_string()).await
}

async fn admit_text(space: &Namespace<'_>, content_type: &str, text: &str) -> Result<Value, Refusal> {
    let path = format!("{}?dryRun=All&fieldValidation=Strict", space.jobs_path());
    let request = Request::post(path).header(CONTENT_TYPE, content_type).body(text.as_bytes().to_vec()).unwrap();
    space.client().request(request).await.map_err(refusal)
}

/// What stands in an API server's answer.
fn refusal(error: kube::Error) -> Refusal {
    let kube::Error::Api(status) = error else { panic!("no answer: {error}") };
    let causes = status.details.map(|details| details.causes).unwrap_or_default();
    if causes.is_empty() {
        return vec![(String::new(), status.message)];
    }
    causes.into_iter().map(|cause| (cause.field, cause.message)).collect()
}

/// Whether a refusal is about this field and ends with this message.
fn says(refusal: &Refusal, path: &str, message: &str) -> bool {
    refusal.iter().any(|(field, text)| field == path && text.contains(message))
}
