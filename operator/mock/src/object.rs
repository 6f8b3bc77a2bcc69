//! Reading and writing the parts of an object every kind has.

use serde_json::{Map, Value, json};

/// Namespace and name.
pub(crate) type Key = (String, String);

static NONE: Value = Value::Null;

/// The text of `metadata.<field>`, empty when absent.
pub(crate) fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// Namespace and name of an object.
pub(crate) fn key(object: &Value) -> Key {
    (meta(object, "namespace").to_owned(), meta(object, "name").to_owned())
}

/// The metadata, made when absent.
pub(crate) fn meta_mut(object: &mut Value) -> &mut Map<String, Value> {
    map_mut(&mut object["metadata"])
}

/// The value as an object, made one when it is none.
pub(crate) fn map_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// The pairs of `metadata.labels`.
pub(crate) fn labels(object: &Value) -> impl Iterator<Item = (&str, &str)> {
    let labels = object["metadata"]["labels"].as_object();
    labels.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
}

/// One label, empty when absent.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"]["labels"][key].as_str().unwrap_or_default()
}

/// The uids of the owners.
pub(crate) fn owners(object: &Value) -> impl Iterator<Item = &str> {
    list(&object["metadata"]["ownerReferences"]).iter().filter_map(|owner| owner["uid"].as_str())
}

/// The items of a list, none when absent.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The names in `metadata.finalizers`.
pub(crate) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    list(&object["metadata"]["finalizers"]).iter().filter_map(Value::as_str)
}

/// Whether the object is on its way out.
pub(crate) fn is_terminating(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Follows a dotted path such as `spec.nodeName`.
pub(crate) fn dotted<'a>(object: &'a Value, path: &str) -> &'a Value {
    path.split('.').try_fold(object, |value, field| value.get(field)).unwrap_or(&NONE)
}

/// Drops fields that are null: to an API server they are absent.
pub(crate) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
