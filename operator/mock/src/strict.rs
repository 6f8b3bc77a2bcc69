//! Unknown fields, found by what the type of a kind makes of an object.

use serde_json::Value;

use crate::{
    answer::Refusal,
    kinds::{KINDS, KindId},
    object::meta,
};

/// Refuses an object its type cannot read, and its unknown fields; or drops them.
pub(crate) fn check(kind: KindId, object: &mut Value, strict: bool) -> Result<(), Refusal> {
    let row = &KINDS[kind];
    let typed =
        (row.typed)(object).map_err(|error| Refusal::invalid(row.kind, meta(object, "name"), &error.to_string()))?;
    if !strict {
        prune(object, &typed);
        return Ok(());
    }
    match unknown(object, &typed) {
        None => Ok(()),
        Some(path) => {
            let name = format!("{}/{}", meta(object, "namespace"), meta(object, "name"));
            let message = format!(
                "failed to create typed patch object ({name}; {}): {path}: field not declared in schema",
                row.kind
            );
            Err(Refusal::bad_request(message))
        }
    }
}

/// Serializers leave out what says nothing: empty values, and defaults that are no, zero or no text.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
    }
}

fn unknown(object: &Value, typed: &Value) -> Option<String> {
    match (object, typed) {
        (Value::Object(object), Value::Object(typed)) => {
            object.iter().find_map(|(name, value)| match typed.get(name) {
                Some(known) => unknown(value, known).map(|path| format!(".{name}{path}")),
                None => (!says_nothing(value)).then(|| format!(".{name}")),
            })
        }
        (Value::Array(object), Value::Array(typed)) => {
            let pairs = object.iter().zip(typed).enumerate();
            pairs.into_iter().find_map(|(at, (value, known))| unknown(value, known).map(|path| format!("[{at}]{path}")))
        }
        _ => None,
    }
}

fn prune(object: &mut Value, typed: &Value) {
    match (object, typed) {
        (Value::Object(object), Value::Object(typed)) => {
            object.retain(|name, value| typed.contains_key(name) || says_nothing(value));
            for (name, value) in object {
                if let Some(known) = typed.get(name) {
                    prune(value, known);
                }
            }
        }
        (Value::Array(object), Value::Array(typed)) => {
            object.iter_mut().zip(typed).for_each(|(value, known)| prune(value, known));
        }
        _ => {}
    }
}
