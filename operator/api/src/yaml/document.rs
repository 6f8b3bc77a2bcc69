//! Text to one JSON value, as Kubernetes' own YAML readers make it.

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_yaml::Value as Yaml;

use super::{API_VERSION, KIND, ReadError};
use crate::{Problem, reasons};

/// The one document of `text`. What YAML can say and JSON cannot goes into `problems`.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Result<Value, ReadError> {
    let syntax = |error: serde_yaml::Error| ReadError::Syntax(error.into());
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Yaml::deserialize(document).map_err(syntax)?;
        if !value.is_null() {
            documents.push(value);
        }
    }
    let count = documents.len();
    let mut document = documents.pop().ok_or(ReadError::Empty)?;
    if count > 1 {
        return Err(ReadError::SeveralDocuments(count));
    }
    document.apply_merge().map_err(syntax)?;
    Ok(json(document, "", problems))
}

/// Refuses a document that says it is something else.
pub(super) fn expect_kind(object: &Value) -> Result<(), ReadError> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    match (text("apiVersion"), text("kind")) {
        (Some(API_VERSION), Some(KIND)) => Ok(()),
        _ if !object.is_object() => Err(ReadError::OtherKind("no object at all".to_owned())),
        (version, kind) => {
            let or_none = |text: Option<&str>| text.map_or_else(|| "none".to_owned(), ToOwned::to_owned);
            Err(ReadError::OtherKind(format!("apiVersion {} and kind {}", or_none(version), or_none(kind))))
        }
    }
}

fn json(value: Yaml, path: &str, problems: &mut Vec<Problem>) -> Value {
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::String(text) => Value::String(text),
        Yaml::Number(number) => number_of(&number, path, problems),
        Yaml::Sequence(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| json(item, &format!("{path}[{index}]"), problems))
            .collect(),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Some(key) = key_of(&key, path, problems) else { continue };
                let value = json(value, &child(path, &key), problems);
                map.insert(key, value);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => {
            let message = format!("the tag {} is not understood; remove it", tagged.tag);
            problems.push(Problem::new(path, reasons::INVALID_FIELD, message));
            json(tagged.value, path, problems)
        }
    }
}

fn number_of(number: &serde_yaml::Number, path: &str, problems: &mut Vec<Problem>) -> Value {
    let whole = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
    let float = || number.as_f64().and_then(serde_json::Number::from_f64).map(Value::Number);
    whole.or_else(float).unwrap_or_else(|| {
        problems.push(Problem::new(path, reasons::INVALID_FIELD, format!("{number} is no number a field can hold")));
        Value::Null
    })
}

fn key_of(key: &Yaml, path: &str, problems: &mut Vec<Problem>) -> Option<String> {
    match key {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(flag) => Some(flag.to_string()),
        _ => {
            problems.push(Problem::new(path, reasons::INVALID_FIELD, "the name of a field must be text"));
            None
        }
    }
}

/// The path of a field below `path`: dotted, or in brackets where the name is no plain word.
pub(super) fn child(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{key:?}]"),
    }
}
