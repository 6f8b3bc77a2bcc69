//! A value against the structural schema: defaults, nulls, types, ranges, lengths, patterns, lists, unknown fields.
//!
//! It does what an API server does with the parts of JSON Schema a structural schema may have, in the same order:
//! nulls are dropped and defaults filled in first, so that a default is checked like anything written.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use serde_json::{Map, Value, json};

use super::{document::child, metadata::unknown_field, nearest::nearest};
use crate::{Problem, reasons};

/// Fills in the defaults of `object` and adds everything that does not fit `schema` to `problems`.
pub(super) fn check(schema: &Value, object: &mut Value, problems: &mut Vec<Problem>) {
    Shape { patterns: HashMap::new(), problems }.value(schema, object, "");
}

struct Shape<'s, 'p> {
    /// Patterns by their text: a list of a thousand paths compiles its pattern once.
    patterns: HashMap<&'s str, Option<Regex>>,
    problems: &'p mut Vec<Problem>,
}

impl<'s> Shape<'s, '_> {
    fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(path, reasons::INVALID_FIELD, message));
    }

    fn value(&mut self, schema: &'s Value, value: &mut Value, path: &str) {
        if !self.has_type(schema, value, path) {
            return;
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, path),
            Value::Array(items) => self.list(schema, items, path),
            Value::Number(_) => self.number(schema, value, path),
            Value::String(text) => self.text(schema, text, path),
            Value::Bool(_) | Value::Null => {}
        }
    }

    /// Whether the value has the wanted type; a whole number written as 10.0 becomes one.
    fn has_type(&mut self, schema: &Value, value: &mut Value, path: &str) -> bool {
        let wanted = schema.get("type").and_then(Value::as_str);
        let whole = value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0 && number.abs() < 1e15);
        if let (Some("integer") | None, Some(whole)) = (wanted, whole) {
            *value = json!(whole as i64);
        }
        let int_or_string = flag(schema, "x-kubernetes-int-or-string");
        let fits = match wanted {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            _ if int_or_string => value.is_string() || value.is_i64() || value.is_u64(),
            _ => true,
        };
        if !fits {
            self.problem(path, format!("expected {}, found {}", wish(schema), shown(value)));
        }
        fits
    }

    fn object(&mut self, schema: &'s Value, fields: &mut Map<String, Value>, path: &str) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        fill_in(properties.unwrap_or(&empty), fields);
        let additional = schema.get("additionalProperties").filter(|additional| additional.is_object());
        let known: Vec<&str> = properties.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        for (key, value) in fields.iter_mut() {
            match properties.and_then(|properties| properties.get(key)).or(additional) {
                Some(schema) => self.value(schema, value, &child(path, key)),
                None if open(schema, path, key) => {}
                None => self.problems.push(unknown_field(path, key, &writable(path, &known))),
            }
        }
        for key in strings(schema, "required").filter(|key| !fields.contains_key(*key)) {
            let what = properties.and_then(|properties| properties.get(key)).map(wish).unwrap_or_default();
            self.problem(&child(path, key), format!("is missing; expected {what}"));
        }
        if let Some(most) = limit(schema, "maxProperties").filter(|most| (fields.len() as u64) > *most) {
            self.problem(path, format!("has {} fields; at most {most} are possible", fields.len()));
        }
    }

    fn list(&mut self, schema: &'s Value, items: &mut [Value], path: &str) {
        let count = items.len() as u64;
        let (least, most) = (limit(schema, "minItems"), limit(schema, "maxItems"));
        if least.is_some_and(|least| count < least) || most.is_some_and(|most| count > most) {
            self.problem(path, format!("has {count} entries; expected {}", wish(schema)));
        }
        if let Some(schema) = schema.get("items") {
            for (index, item) in items.iter_mut().enumerate() {
                self.value(schema, item, &format!("{path}[{index}]"));
            }
        }
        self.unique(schema, items, path);
    }

    /// Sets hold each value once, maps each key once.
    fn unique(&mut self, schema: &Value, items: &[Value], path: &str) {
        let keys: Vec<&str> = strings(schema, "x-kubernetes-list-map-keys").collect();
        let identity = |item: &Value| -> Option<String> {
            match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
                Some("set") => Some(item.to_string()),
                Some("map") => Some(keys.iter().filter_map(|key| item.get(key)).map(Value::to_string).collect()),
                _ => None,
            }
        };
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(name) = identity(item).filter(|name| !seen.insert(name.clone())) {
                self.problem(&format!("{path}[{index}]"), format!("{name} is in the list twice"));
            }
        }
    }

    fn number(&mut self, schema: &Value, value: &Value, path: &str) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let number = value.as_f64().unwrap_or(f64::NAN);
        let too_small = bound("minimum").is_some_and(|minimum| number < minimum);
        let too_big = bound("maximum").is_some_and(|maximum| number > maximum);
        if too_small || too_big {
            self.problem(path, format!("expected {}, found {value}", wish(schema)));
        }
    }

    fn text(&mut self, schema: &'s Value, text: &str, path: &str) {
        let words: Vec<&str> = strings(schema, "enum").collect();
        if !words.is_empty() {
            if !words.contains(&text) {
                let meant = nearest(text, words.iter().copied()).map(|word| format!("; did you mean {word}?"));
                let meant = meant.unwrap_or_default();
                self.problem(path, format!("expected {}, found {text:?}{meant}", wish(schema)));
            }
            return;
        }
        let length = text.chars().count() as u64;
        let (least, most) = (limit(schema, "minLength"), limit(schema, "maxLength"));
        if least.is_some_and(|least| length < least) || most.is_some_and(|most| length > most) {
            self.problem(path, format!("expected {}, found {length} characters", wish(schema)));
        } else if !self.fits_pattern(schema, text) {
            let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
            self.problem(path, format!("{} does not fit the pattern {pattern}. {about}", shortened(text)).trim_end());
        }
    }

    fn fits_pattern(&mut self, schema: &'s Value, text: &str) -> bool {
        let Some(pattern) = schema.get("pattern").and_then(Value::as_str) else { return true };
        let regex = self.patterns.entry(pattern).or_insert_with(|| Regex::new(pattern).ok());
        // A pattern that cannot be read admits nothing.
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Nulls go, and defaults come, as an API server does it for fields that are not nullable.
fn fill_in(properties: &Map<String, Value>, fields: &mut Map<String, Value>) {
    fields.retain(|key, value| !(value.is_null() && properties.contains_key(key)));
    for (key, schema) in properties {
        if let (false, Some(default)) = (fields.contains_key(key), schema.get("default")) {
            fields.insert(key.clone(), default.clone());
        }
    }
}

/// The names a person may write here.
fn writable<'k>(path: &str, known: &[&'k str]) -> Vec<&'k str> {
    let at_root = path.is_empty();
    let own = if at_root { ["apiVersion", "kind"].as_slice() } else { &[] };
    own.iter().chain(known).copied().filter(|name| !at_root || *name != "status").collect()
}

/// Whether a field without a schema may stand here.
fn open(schema: &Value, path: &str, key: &str) -> bool {
    let of_every_object = path.is_empty() && matches!(key, "apiVersion" | "kind");
    of_every_object || path == "metadata" || flag(schema, "x-kubernetes-preserve-unknown-fields")
}

/// What a schema asks for, in words.
fn wish(schema: &Value) -> String {
    let words: Vec<&str> = strings(schema, "enum").collect();
    if !words.is_empty() {
        return format!("one of {}", words.join(", "));
    }
    let number = |key: &str| schema.get(key).and_then(Value::as_i64);
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => format!("a whole number{}", range(number("minimum"), number("maximum"), "")),
        Some("string") => format!("text{}", range(number("minLength"), number("maxLength"), " characters")),
        Some("array") => format!("a list{}", range(number("minItems"), number("maxItems"), " entries")),
        Some("boolean") => "true or false".to_owned(),
        Some("object") => match schema.get("properties").and_then(Value::as_object).filter(|known| !known.is_empty()) {
            Some(known) => {
                format!("an object with {}", known.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
            None => "an object".to_owned(),
        },
        _ => {
            let pattern = schema.get("pattern").and_then(Value::as_str).unwrap_or_default();
            format!("a whole number{}, or text that fits {pattern}", range(number("minimum"), number("maximum"), ""))
        }
    }
}

fn range(least: Option<i64>, most: Option<i64>, what: &str) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!(" of {least} to {most}{what}"),
        (Some(least), None) => format!(" of at least {least}{what}"),
        (None, Some(most)) => format!(" of at most {most}{what}"),
        (None, None) => String::new(),
    }
}

/// A value as an error shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(items) => format!("a list of {} entries", items.len()),
        Value::Object(fields) if fields.len() == 1 => "an object with 1 field".to_owned(),
        Value::Object(fields) => format!("an object with {} fields", fields.len()),
        Value::String(text) => shortened(text),
        scalar => scalar.to_string(),
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

fn limit(schema: &Value, key: &str) -> Option<u64> {
    schema.get(key).and_then(Value::as_u64)
}

fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn strings<'s>(schema: &'s Value, key: &str) -> impl Iterator<Item = &'s str> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
