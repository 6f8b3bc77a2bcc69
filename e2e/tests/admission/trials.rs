//! Cases made from the schema: for every bound one value at its edge and one beyond.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{
    cases::merge,
    homes::{companions, home},
    texts::Examples,
};

/// One value in one field.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The field, as the schema has it: `spec.workers.env[].name`.
    path: String,
    /// The field, as errors name it: `spec.workers.env[0].name`.
    pub place: String,
    /// The value; none takes the field away.
    value: Option<Value>,
    /// Whether it is to be admitted.
    pub admitted: bool,
}

impl Trial {
    /// An otherwise valid job with the value in its field.
    pub fn job(&self) -> Value {
        let mut job = home(&self.path);
        put(&mut job, &self.path, self.value.clone());
        merge(&mut job, companions(&self.path, self.value.as_ref().unwrap_or(&Value::Null)));
        job
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let shown: String = value.chars().take(60).collect();
        write!(f, "{} = {shown} ({} characters)", self.place, value.len())
    }
}

/// Puts a value at a path, or takes away what is there.
fn put(at: &mut Value, path: &str, value: Option<Value>) {
    let (step, rest) = first_step(path);
    if step == "[]" && !at.is_array() {
        *at = json!([null]);
    }
    let next = match step {
        "[]" => &mut at[0],
        "{}" => &mut at["cpu"],
        field if rest.is_empty() && value.is_none() => {
            at.as_object_mut().unwrap().remove(field);
            return;
        }
        field => &mut at[field],
    };
    match value {
        Some(value) if rest.is_empty() => *next = value,
        value => put(next, rest, value),
    }
}

/// `a.b` is a and b, `a[].b` is a and [].b, `[].b` is [] and b.
fn first_step(path: &str) -> (&str, &str) {
    let end = match path.get(..2) {
        Some("[]" | "{}") => 2,
        _ => path.find(['.', '[', '{']).unwrap_or(path.len()),
    };
    (&path[..end], path[end..].trim_start_matches('.'))
}

/// The cases of everything below a field of the root.
pub fn trials(root: &Value, field: &str) -> Vec<Trial> {
    let mut found = Vec::new();
    walk(&root["properties"][field], field, &mut found);
    found
}

/// Everything a schema may say. A word that is not here is a bound without a case, and fails.
const HANDLED: [&str; 14] = [
    "type",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "enum",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
    "format",
    "x-kubernetes-list-type",
    "x-kubernetes-int-or-string",
];
/// What bounds nothing, is walked into, or has its cases in rules.rs.
const NO_BOUNDS: [&str; 8] = [
    "description",
    "default",
    "properties",
    "items",
    "additionalProperties",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

fn walk(schema: &Value, path: &str, found: &mut Vec<Trial>) {
    for word in schema.as_object().unwrap().keys().map(String::as_str) {
        assert!(HANDLED.contains(&word) || NO_BOUNDS.contains(&word), "{path}: no case for {word}");
    }
    if !["spec", "metadata", "status"].contains(&path) {
        of_value(schema, path, found);
    }
    for name in strings(&schema["required"]) {
        add(found, &format!("{path}.{name}"), None, false);
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        walk(schema, &format!("{path}.{name}"), found);
    }
    for (word, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[word].is_object() {
            walk(&schema[word], &format!("{path}{suffix}"), found);
        }
    }
}

fn add(found: &mut Vec<Trial>, path: &str, value: impl Into<Option<Value>>, admitted: bool) {
    let place = path.replace("[]", "[0]").replace("{}", ".cpu");
    // Of an object that lacks a field, a server may name the object.
    let place = if path.ends_with("{}") { place.trim_end_matches(".cpu").to_owned() } else { place };
    found.push(Trial { path: path.to_owned(), place, value: value.into(), admitted });
}

fn of_value(schema: &Value, path: &str, found: &mut Vec<Trial>) {
    let number_or_text = schema["x-kubernetes-int-or-string"] == json!(true);
    match schema["type"].as_str() {
        Some("integer") => of_number(schema, path, found),
        Some("string") => of_text(schema, path, found),
        Some("boolean") => [json!(true), json!(false)].into_iter().for_each(|value| add(found, path, value, true)),
        Some("array") => of_list(schema, path, found),
        Some("object") => of_map(schema, path, found),
        None if number_or_text => {
            of_number(schema, path, found);
            of_text(schema, path, found);
        }
        other => panic!("{path}: no case for the type {other:?}"),
    }
    // No field takes what is neither text, number, list nor object; a boolean takes no text. Metadata are decoded before
    // the schema is looked at.
    let other_type = if schema["type"] == json!("boolean") { json!("true") } else { json!(true) };
    if !path.starts_with("metadata") {
        add(found, path, other_type, false);
    }
}

fn of_number(schema: &Value, path: &str, found: &mut Vec<Trial>) {
    for (word, step) in [("minimum", -1), ("maximum", 1)] {
        if let Some(bound) = schema[word].as_i64() {
            add(found, path, json!(bound), true);
            add(found, path, json!(bound + step), false);
        }
    }
    add(found, path, json!(1.5), false);
}

fn of_text(schema: &Value, path: &str, found: &mut Vec<Trial>) {
    let words: Vec<&str> = strings(&schema["enum"]).collect();
    if !words.is_empty() {
        for word in words {
            add(found, path, json!(word), true);
        }
        add(found, path, json!("other"), false);
        return;
    }
    if schema["format"] == json!("date-time") {
        add(found, path, json!("2026-01-01T00:00:00Z"), true);
        add(found, path, json!("2026-01-01"), false);
        return;
    }
    let pattern = schema["pattern"].as_str();
    let examples = Examples::of(pattern).unwrap_or_else(|| panic!("{path}: no examples for the pattern {pattern:?}"));
    if let Some(bad) = examples.bad {
        add(found, path, json!(bad), false);
    }
    for (word, step) in [("minLength", -1), ("maxLength", 1)] {
        let Some(bound) = schema[word].as_i64() else { continue };
        let text = |length: i64| examples.good(usize::try_from(length).unwrap());
        add(found, path, json!(text(bound)), true);
        add(found, path, json!(text(bound + step)), false);
    }
}

fn of_list(schema: &Value, path: &str, found: &mut Vec<Trial>) {
    for (word, step) in [("minItems", -1), ("maxItems", 1)] {
        if let Some(bound) = schema[word].as_i64() {
            add(found, path, elements(schema, path, bound), true);
            add(found, path, elements(schema, path, bound + step), false);
        }
    }
    if schema["x-kubernetes-list-type"] != json!("atomic") {
        let element = elements(schema, path, 1)[0].clone();
        add(found, path, json!([element, element]), false);
    }
}

/// So many different elements: those the home has, told apart by their key.
fn elements(schema: &Value, path: &str, count: i64) -> Value {
    let words: Vec<&str> = strings(&schema["items"]["enum"]).collect();
    let key = strings(&schema["x-kubernetes-list-map-keys"]).next();
    let at = format!("/{}/0", path.replace('.', "/"));
    let element = |number: i64| -> Value {
        if let Some(word) = words.get(usize::try_from(number).unwrap()) {
            return json!(word);
        }
        if schema["items"]["type"] == json!("string") {
            return json!(format!("a{number}"));
        }
        let mut element = home(path).pointer(&at).cloned().unwrap_or_else(|| json!({}));
        if let Some(key) = key {
            element[key] = json!(format!("a{number}"));
        }
        element
    };
    (0..count).map(element).collect()
}

fn of_map(schema: &Value, path: &str, found: &mut Vec<Trial>) {
    if let Some(most) = schema["maxProperties"].as_i64() {
        let entries =
            |count: i64| Value::Object((0..count).map(|it| (format!("r{it}"), json!("1"))).collect::<Map<_, _>>());
        add(found, path, entries(most), true);
        add(found, path, entries(most + 1), false);
    }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
