//! The CustomResourceDefinition: what the derives say, finished.
//!
//! The derives leave five things undone. `nullable` goes from every field: an API server then drops an explicit null
//! and fills in the default, while a nullable field would keep the null. Number formats Kubernetes does not know go.
//! Lines of doc comments become paragraphs. Defaults of choices and maps go, because what is applied later would be
//! merged with them. And the root gets its rules and the limits of `metadata.name`, for which the derive has no place.

use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::{AnalysisJob, rule::rules, spec::ROOT_RULES};

/// `metadata.name` at most: leaves room for the longest name of a child (`<name>-collect-<run>` and a pod's suffix)
/// within the 63 characters of a label.
pub const MAX_NAME: u32 = 40;

/// The finished definition could not be made: a fault of this crate, which its tests would show.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// The derived definition is no JSON.
    #[error("failed to write the derived CustomResourceDefinition as JSON")]
    Json(#[from] serde_json::Error),
    /// The derived definition lacks a part every definition has.
    #[error("the derived CustomResourceDefinition has no {0}")]
    Missing(&'static str),
}

/// The definition, as `crds/` holds it.
pub fn definition() -> Result<Value, CrdError> {
    let mut crd = serde_json::to_value(AnalysisJob::crd())?;
    tidy(&mut crd);
    drop_status_defaults(&mut crd);
    crd.pointer_mut(SCHEMA).into_iter().for_each(shorten_object_defaults);
    let schema = crd.pointer_mut(SCHEMA).and_then(Value::as_object_mut).ok_or(CrdError::Missing("schema"))?;
    finish_root(schema)?;
    Ok(crd)
}

/// The structural schema of an AnalysisJob (`openAPIV3Schema`).
pub fn schema() -> Result<Value, CrdError> {
    let mut crd = definition()?;
    crd.pointer_mut(SCHEMA).map(Value::take).ok_or(CrdError::Missing("schema"))
}

const SCHEMA: &str = "/spec/versions/0/schema/openAPIV3Schema";

fn finish_root(schema: &mut Map<String, Value>) -> Result<(), CrdError> {
    schema.remove("title");
    schema.insert("x-kubernetes-validations".to_owned(), rules(ROOT_RULES));
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    let properties = properties.ok_or(CrdError::Missing("properties"))?;
    // A Service's name starts with a letter (RFC 1035), and the cache's Service is named after the job.
    let name = json!({"type": "string", "maxLength": MAX_NAME, "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$"});
    properties.insert("metadata".to_owned(), json!({"type": "object", "properties": {"name": name}}));
    Ok(())
}

/// What an API server fills in belongs to nobody, so that `kubectl apply` lays later choices beside it and not in its
/// place: `storage: {ephemeral: …}` over a stored default `emptyDir` would be a choice of two, a larger memory request
/// would stand above a stored default limit. So the default of an object names only fields that have a default of their
/// own, and an object without such fields (a choice, a map) has none: whoever reads it fills it in.
fn shorten_object_defaults(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    schema.get_mut("items").into_iter().for_each(shorten_object_defaults);
    let mut filled = Vec::new();
    for (name, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        shorten_object_defaults(field);
        if field.get("default").is_some() {
            filled.push(name.clone());
        }
    }
    if let Some(default) = schema.get_mut("default").and_then(Value::as_object_mut) {
        default.retain(|name, _| filled.contains(name));
        if default.is_empty() {
            schema.remove("default");
        }
    }
}

/// Status is written by the operator alone: a default would only make an API server add zeros to it.
fn drop_status_defaults(crd: &mut Value) {
    fn drop_defaults(schema: &mut Value) {
        let Some(schema) = schema.as_object_mut() else { return };
        schema.remove("default");
        schema
            .get_mut("properties")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
            .for_each(|(_, schema)| drop_defaults(schema));
        schema.get_mut("items").into_iter().for_each(drop_defaults);
    }
    crd.pointer_mut(&format!("{SCHEMA}/properties/status")).into_iter().for_each(drop_defaults);
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => tidy_object(map),
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15) {
                *value = json!(whole as i64);
            }
        }
        _ => {}
    }
}

fn tidy_object(map: &mut Map<String, Value>) {
    map.retain(|key, value| match key.as_str() {
        "nullable" => !value.is_boolean(),
        "format" => !matches!(value.as_str(), Some("uint8" | "uint16" | "uint32" | "uint64" | "uint")),
        _ => true,
    });
    if let Some(Value::String(text)) = map.get_mut("description") {
        *text = paragraphs(text);
    }
    map.values_mut().for_each(tidy);
}

fn paragraphs(text: &str) -> String {
    let paragraphs: Vec<String> = text.split("\n\n").map(|lines| lines.replace('\n', " ")).collect();
    paragraphs.join("\n\n")
}
