//! What the plugin's tests share: a job to show, and an API server that answers from a closure and keeps what it was
//! asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use analysisjob::AnalysisJob;
use http::{Request, Response};
use k8s_openapi::jiff::Timestamp;
use kube::{Client, client::Body};
use serde_json::{Value, json};

use super::{connect::Session, console::Console};

/// A time, written out.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A job two hours into its run.
pub(crate) fn job() -> AnalysisJob {
    job_with(|_| {})
}

/// The same with its status changed.
pub(crate) fn job_with(change: impl FnOnce(&mut Value)) -> AnalysisJob {
    let mut object = object();
    change(&mut object["status"]);
    serde_json::from_value(object).unwrap()
}

/// The same as the API server would send it.
pub(crate) fn object() -> Value {
    json!({
        "apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob",
        "metadata": {"name": "ashes-2018", "namespace": "science", "generation": 4, "uid": "u-1"},
        "spec": {
            "source": {"http": {"rootURL": "http://archive.test/files/"}, "prefixes": ["RS03/"]},
            "analysis": {"opticalFlow": {}},
            "output": {"persistentVolumeClaim": {"claimName": "results", "subPath": "motion"}},
        },
        "status": {
            "observedGeneration": 4,
            "conditions": [condition("Ready", "True", "Running", "")],
            "items": {"total": 248, "upToDate": 12, "succeeded": 143, "active": 60, "pending": 32, "failed": 1},
            "progress": "155/248",
            "failures": {
                "count": 1, "report": ".analysis/4-7c9f/failures.jsonl",
                "samples": [{"item": "RS03/a.mov", "reason": "DecodeError", "message": "frame 12 cannot be decoded"}],
            },
            "run": {"id": "4-7c9f", "startTime": "2026-01-01T10:00:00Z", "jobs": [
                {"name": "ashes-2018-plan-4-7c9f", "kind": "plan", "succeeded": 1},
                {"name": "ashes-2018-work-4-7c9f", "kind": "work", "active": 60, "succeeded": 143, "failed": 1},
            ]},
            "workers": {"desired": 92, "active": 60, "ready": 58},
            "cache": {"desired": 3, "ready": 3, "summary": "3/3", "url": "http://ashes-2018-cache.science.svc:8080"},
            "output": "pvc/results/motion",
        },
    })
}

/// A condition as JSON.
pub(crate) fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message,
           "lastTransitionTime": "2026-01-01T10:00:00Z"})
}

/// One request the mocked server was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// Method and path, such as `GET /api/v1/pods`, query included.
    pub(crate) line: String,
    /// The body; null without one.
    pub(crate) body: Value,
}

/// All requests so far.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    /// Method and path of each.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|call| call.line.clone()).collect()
    }

    /// The body of the first one whose line starts so.
    pub(crate) fn body(&self, start: &str) -> Value {
        let calls = self.0.lock().unwrap();
        calls.iter().find(|call| call.line.starts_with(start)).map_or(Value::Null, |call| call.body.clone())
    }
}

/// A session with a server that answers each call with a code and a body: JSON, or text as it is.
pub(crate) fn server(answer: impl FnMut(&Call) -> (u16, Value) + Send + 'static) -> (Session, Calls) {
    let calls = Calls::default();
    let (kept, answer) = (calls.clone(), Arc::new(Mutex::new(answer)));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (kept, answer) = (kept.clone(), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect_bytes().await?;
            let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            let line = format!("{} {}", parts.method, path.trim_end_matches('?'));
            let call = Call { line, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) };
            let (code, body) = (answer.lock().unwrap())(&call);
            kept.0.lock().unwrap().push(call);
            let text = body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned);
            let response = Response::builder().status(code).body(Body::from(text.into_bytes()));
            Ok::<_, tower::BoxError>(response?)
        }
    });
    (Session { client: Client::new(service, "science"), namespace: "science".to_owned(), flags: String::new() }, calls)
}

/// What a pod prints of `bytes`: those from `from` to `end` of `total`.
pub(crate) fn printed(from: u64, end: u64, total: u64, bytes: &[u8]) -> String {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, bytes).unwrap();
    let base64 = serde_json::to_value(k8s_openapi::ByteString(packed.finish().unwrap())).unwrap();
    let (first, second) = base64.as_str().unwrap().split_at(8);
    format!("parcel {total} 9f {from} {end}\n{first}\n{second}\n")
}

/// All of these files in one piece.
pub(crate) fn parcel(files: &[(&str, &str)]) -> String {
    let text: String = files
        .iter()
        .map(|(name, content)| format!("{}\n{content}", json!({"name": name, "size": content.len()})))
        .collect();
    printed(0, text.len() as u64, text.len() as u64, text.as_bytes())
}

/// A refusal as the API server words it.
pub(crate) fn refusal(code: u16, reason: &str, message: &str, name: &str) -> (u16, Value) {
    let details = json!({"name": name, "group": "camhd.science", "kind": "analysisjobs"});
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
                  "message": message, "details": details}),
    )
}

/// The API server's answer when an AnalysisJob of this name does not exist.
pub(crate) fn no_job(name: &str) -> (u16, Value) {
    refusal(404, "NotFound", &format!("analysisjobs.camhd.science \"{name}\" not found"), name)
}

/// A console that keeps what is written. Its time stands still, and its waits are short.
#[derive(Default)]
pub(crate) struct Desk {
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Desk {
    /// The console.
    pub(crate) fn console(&mut self) -> Console<'_> {
        let clock = || at("2026-01-01T12:00:00Z");
        Console { out: &mut self.out, err: &mut self.err, live: false, clock, every: Duration::from_millis(1) }
    }

    /// What went to standard output.
    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }

    /// What went to standard error.
    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.err.clone()).unwrap()
    }
}
