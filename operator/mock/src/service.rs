//! The API server as a tower service: read a request, let faults strike, perform it, note it.

use std::{
    future::{Future, pending},
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use kube::client::Body as RequestBody;
use serde_json::{Value, json};

use crate::{
    answer::{self, Body, Refusal},
    api::Shared,
    kinds::KINDS,
    process::{Entry, Fault, Process},
    route::{Call, Verb, page_not_found},
    selector::Selection,
    store::Store,
    watch,
    write::{Outcome, call_key},
};

/// A request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The process that asked is dead, or the connection broke.
    #[error("the connection was lost before an answer came")]
    Connection,
    /// The body of the request could not be read.
    #[error("failed to read the body of the request")]
    Body(#[source] kube::Error),
}

/// One process's connection to the API server.
#[derive(Clone)]
pub struct Connection {
    shared: Shared,
    process: Process,
}

impl Connection {
    pub(crate) fn new(shared: Shared, process: Process) -> Self {
        Self { shared, process }
    }

    async fn answer(self, request: Request<RequestBody>) -> Result<Response<Body>, Lost> {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.map_err(Lost::Body)?;
        let call = match Call::read(&parts, &body) {
            Ok(call) => call,
            Err(refusal) => return Ok(refusal.response()),
        };
        if let Some(fault) = self.process.on_the_way_in(&call) {
            self.note(&call, fault_code(&fault), false);
            return struck(fault).await;
        }
        let (result, changed) = self.perform(&call);
        let code = result.as_ref().map_or_else(|refusal| refusal.code, |response| response.status().as_u16());
        if let Some(fault) = self.process.on_the_way_out(&call) {
            self.note(&call, fault_code(&fault), changed);
            return struck(fault).await;
        }
        self.note(&call, code, changed);
        Ok(result.unwrap_or_else(|refusal| refusal.response()))
    }

    fn perform(&self, call: &Call) -> (Result<Response<Body>, Refusal>, bool) {
        match call.verb {
            Verb::Get => (get(&self.shared.lock(), call), false),
            Verb::List => (list(&self.shared.lock(), call), false),
            Verb::Discover => (discover(self.shared.minor(), call), false),
            Verb::Watch => {
                let body = watch::body(&self.shared, &self.process, call);
                (body.map(|body| answer::raw(200, body)), false)
            }
            _ => self.write(call),
        }
    }

    fn write(&self, call: &Call) -> (Result<Response<Body>, Refusal>, bool) {
        let mut store = self.shared.lock();
        let written = if call.verb == Verb::DeleteCollection {
            let ended = store.delete_collection(call);
            let revision = store.revision;
            ended.map(|(objects, changed)| {
                let objects = objects.iter().map(|object| &**object).collect();
                (answer::list(call.row(), revision, "", objects), changed)
            })
        } else {
            perform(&mut store, call).map(|done| (answer::object(done.code, &done.object), done.changed))
        };
        if store.auto_gc {
            store.collect_garbage();
        }
        match written {
            Ok((response, changed)) => (Ok(response), changed),
            Err(refusal) => (Err(refusal), false),
        }
    }

    fn note(&self, call: &Call, code: u16, changed: bool) {
        let revision = self.shared.lock().revision;
        self.process.note(Entry {
            verb: call.verb,
            kind: call.kind(),
            namespace: call.namespace.clone(),
            name: call.name.clone(),
            status: call.status,
            manager: call.manager().to_owned(),
            write: call.writes(),
            changed,
            code,
            revision,
        });
    }
}

/// A write to one object.
pub(crate) fn perform(store: &mut Store, call: &Call) -> Result<Outcome, Refusal> {
    match call.verb {
        Verb::Create => store.create(call),
        Verb::Replace => store.replace(call),
        Verb::Merge => store.merge_patch(call),
        Verb::Apply => store.apply(call),
        Verb::Delete => store.delete(call),
        _ => Err(page_not_found()),
    }
}

fn fault_code(fault: &Fault) -> u16 {
    match fault {
        Fault::Refuse(refusal) => refusal.code,
        Fault::Lost | Fault::Hang => 0,
    }
}

async fn struck(fault: Fault) -> Result<Response<Body>, Lost> {
    match fault {
        Fault::Refuse(refusal) => Ok(refusal.response()),
        Fault::Lost => Err(Lost::Connection),
        Fault::Hang => pending().await,
    }
}

fn get(store: &Store, call: &Call) -> Result<Response<Body>, Refusal> {
    let stored = store.get(call.id, &call_key(call));
    let stored = stored.ok_or_else(|| Refusal::not_found(&KINDS[call.id].resource(), &call.name))?;
    Ok(answer::object(200, &stored.object))
}

/// All objects at the present revision; with `limit` and `continue`, in pages.
fn list(store: &Store, call: &Call) -> Result<Response<Body>, Refusal> {
    let chosen = store.select(call.id, &Selection::of(call)?);
    let number = |name: &str| call.parameter(name).and_then(|value| value.parse::<usize>().ok());
    let from = number("continue").unwrap_or(0).min(chosen.len());
    let to = from.saturating_add(number("limit").filter(|limit| *limit > 0).unwrap_or(usize::MAX)).min(chosen.len());
    let next = if to < chosen.len() { to.to_string() } else { String::new() };
    let items = chosen[from..to].iter().map(|stored| &*stored.object).collect();
    Ok(answer::list(call.row(), store.revision, &next, items))
}

fn discover(minor: u32, call: &Call) -> Result<Response<Body>, Refusal> {
    if call.path == "/version" {
        let version = json!({
            "major": "1", "minor": minor.to_string(), "gitVersion": format!("v1.{minor}.0"), "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.24", "compiler": "gc", "platform": "linux/amd64",
        });
        return Ok(answer::object(200, &version));
    }
    let wanted = call.path.trim_start_matches("/apis/").trim_start_matches("/api/");
    let rows: Vec<_> = KINDS.iter().filter(|row| row.api_version() == wanted).collect();
    if rows.is_empty() {
        return Err(page_not_found());
    }
    let resources = rows.iter().map(|row| {
        json!({
            "name": row.plural, "singularName": row.kind.to_lowercase(), "namespaced": true, "kind": row.kind,
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        })
    });
    let resources: Vec<Value> = resources.collect();
    Ok(answer::object(
        200,
        &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": wanted, "resources": resources}),
    ))
}

impl tower::Service<Request<RequestBody>> for Connection {
    type Response = Response<Body>;
    type Error = Lost;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Lost>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}
