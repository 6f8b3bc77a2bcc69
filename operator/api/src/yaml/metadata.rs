//! `metadata`, which the schema of a CRD leaves to Kubernetes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::{document::child, nearest::nearest};
use crate::{Problem, reasons};

/// The fields of `ObjectMeta`; `kubectl get -o yaml` writes most of them.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Asks for a name, and for fields that exist with values that fit them. What the name may be is in the schema.
pub(super) fn check(object: &Value, problems: &mut Vec<Problem>) {
    let metadata = object.get("metadata");
    if metadata.and_then(|metadata| metadata.get("name")).is_none_or(Value::is_null) {
        problems.push(Problem::new(
            "metadata.name",
            reasons::INVALID_FIELD,
            "is missing; every AnalysisJob has a name",
        ));
    }
    let Some(Value::Object(fields)) = metadata else { return };
    for key in fields.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
        problems.push(unknown_field("metadata", key, &FIELDS));
    }
    let known = serde_path_to_error::deserialize::<_, ObjectMeta>(&Value::Object(fields.clone()));
    if let Err(error) = known {
        let path = format!("metadata.{}", error.path());
        // The name is judged by the schema, with more to say.
        if path != "metadata.name" {
            problems.push(Problem::new(path, reasons::INVALID_FIELD, error.inner().to_string()));
        }
    }
}

/// A field that does not exist, with the one that was meant or all there are.
pub(super) fn unknown_field(path: &str, key: &str, known: &[&str]) -> Problem {
    let hint = match nearest(key, known.iter().copied()) {
        Some(name) => format!("; did you mean {name}?"),
        None if known.is_empty() => "; no field is possible here".to_owned(),
        None => format!("; possible are {}", known.join(", ")),
    };
    Problem::new(child(path, key), reasons::UNKNOWN_FIELD, format!("no such field{hint}"))
}
