//! A request, read: which verb on which object, by which manager.

use std::{borrow::Cow, collections::HashMap};

use http::{Method, request::Parts};
use serde_json::Value;

use crate::{
    answer::Refusal,
    kinds::{self, KINDS, KindId, Row},
};

/// What a request wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read many.
    List,
    /// Follow changes.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Replace,
    /// PATCH by server-side apply.
    Apply,
    /// PATCH by merge.
    Merge,
    /// DELETE of one object.
    Delete,
    /// DELETE of many.
    DeleteCollection,
    /// `/version` and discovery.
    Discover,
}

impl Verb {
    /// Whether it may change something.
    pub fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Replace | Self::Apply | Self::Merge | Self::Delete | Self::DeleteCollection)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it does.
    pub verb: Verb,
    pub(crate) id: KindId,
    /// The namespace, empty for all of them.
    pub namespace: String,
    /// The object's name, empty for collections; of a create, the name in the body.
    pub name: String,
    /// Whether it goes to `/status`.
    pub status: bool,
    /// The body, null when there is none.
    pub body: Value,
    /// The path, for discovery.
    pub path: String,
    query: HashMap<String, String>,
}

impl Call {
    /// The kind it is about.
    pub fn kind(&self) -> &'static str {
        if self.verb == Verb::Discover { "" } else { self.row().kind }
    }

    /// The API group of the kind.
    pub fn group(&self) -> &'static str {
        self.row().group
    }

    /// The field manager named.
    pub fn manager(&self) -> &str {
        self.parameter("fieldManager").unwrap_or_default()
    }

    /// Whether conflicts with other managers are overruled.
    pub fn force(&self) -> bool {
        self.parameter("force") == Some("true")
    }

    /// Whether nothing is to be changed.
    pub fn dry_run(&self) -> bool {
        self.parameter("dryRun") == Some("All") || crate::object::list(&self.body["dryRun"]).iter().any(|v| v == "All")
    }

    /// Whether it may change something.
    pub fn writes(&self) -> bool {
        self.verb.writes() && !self.dry_run()
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(crate) fn row(&self) -> &'static Row {
        &KINDS[self.id]
    }

    /// Reads method, path, query and body.
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Result<Self, Refusal> {
        let path = parts.uri.path();
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let query: HashMap<String, String> = query.into_owned().collect();
        let body = parse(body)?;
        let path = path.to_owned();
        let empty = String::new;
        let Some(place) = place(&path)? else {
            let (namespace, name) = (empty(), empty());
            return Ok(Self { verb: Verb::Discover, id: 0, namespace, name, status: false, body, path, query });
        };
        let verb = verb(parts, &place, &query)?;
        let name = if verb == Verb::Create { name_in(&body) } else { place.name.into_owned() };
        let namespace = place.namespace.into_owned();
        Ok(Self { verb, id: place.id, namespace, name, status: place.status, body, path, query })
    }
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(format!("the body is no JSON: {error}")))
}

fn name_in(body: &Value) -> String {
    crate::object::meta(body, "name").to_owned()
}

struct Place<'a> {
    id: KindId,
    namespace: Cow<'a, str>,
    name: Cow<'a, str>,
    status: bool,
}

/// `None` for `/version` and discovery.
fn place(path: &str) -> Result<Option<Place<'_>>, Refusal> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (group, version, rest) = match *parts.as_slice() {
        ["version" | "api" | "apis"] | ["api" | "apis", _] | ["apis", _, _] => return Ok(None),
        ["api", version, ref rest @ ..] => ("", version, rest),
        ["apis", group, version, ref rest @ ..] => (group, version, rest),
        _ => return Err(page_not_found()),
    };
    let (namespace, rest) = match *rest {
        ["namespaces", namespace, ref rest @ ..] if !rest.is_empty() => (namespace, rest),
        _ => ("", rest),
    };
    let (plural, name, subresource) = match *rest {
        [plural] => (plural, "", ""),
        [plural, name] => (plural, name, ""),
        [plural, name, subresource] => (plural, name, subresource),
        _ => return Err(page_not_found()),
    };
    let id = kinds::find(group, version, plural).ok_or_else(page_not_found)?;
    let status = subresource == "status" && KINDS[id].has_status;
    if !subresource.is_empty() && !status {
        return Err(page_not_found());
    }
    Ok(Some(Place { id, namespace: namespace.into(), name: name.into(), status }))
}

pub(crate) fn page_not_found() -> Refusal {
    Refusal::new(404, "NotFound", "the server could not find the requested resource")
}

fn verb(parts: &Parts, place: &Place<'_>, query: &HashMap<String, String>) -> Result<Verb, Refusal> {
    let named = !place.name.is_empty();
    let watch = query.get("watch").is_some_and(|value| value == "true" || value == "1");
    match (&parts.method, named) {
        (&Method::GET, _) if watch => Ok(Verb::Watch),
        (&Method::GET, true) => Ok(Verb::Get),
        (&Method::GET, false) => Ok(Verb::List),
        (&Method::POST, false) => Ok(Verb::Create),
        (&Method::PUT, true) => Ok(Verb::Replace),
        (&Method::DELETE, true) => Ok(Verb::Delete),
        (&Method::DELETE, false) => Ok(Verb::DeleteCollection),
        (&Method::PATCH, true) => patch(parts),
        _ => Err(Refusal::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )),
    }
}

fn patch(parts: &Parts) -> Result<Verb, Refusal> {
    let content = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match content {
        "application/apply-patch+yaml" => Ok(Verb::Apply),
        "application/merge-patch+json" => Ok(Verb::Merge),
        _ => {
            Err(Refusal::new(415, "UnsupportedMediaType", format!("the mock does not serve patches of type {content}")))
        }
    }
}
