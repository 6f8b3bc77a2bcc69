//! `docs/schemas/` and the files of a run: the schemas are what the types say, every file is valid by its schema, and a
//! key or a type that changes is refused. `make reference` writes the schemas.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::path::PathBuf;

use analysis_worker::schemas::schemas;
use jsonschema::Validator;
use serde_json::{Value, json};
use support::{Ended, Lab, movie, read_json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schemas");

#[test]
fn the_published_schemas_are_what_the_types_say() {
    let folder = PathBuf::from(FOLDER);
    let texts = schemas().map(|(name, schema)| (name, serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    if std::env::var_os("WRITE_REFERENCE").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &texts {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &texts {
        let there = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(there == *text, "docs/schemas/{name}: not what the types say; `make reference` mends it");
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), texts.len(), "docs/schemas/ holds a file that is not made");
}

fn validator(name: &str) -> Validator {
    let schema = schemas().into_iter().find(|(file, _)| *file == name).unwrap().1;
    jsonschema::validator_for(schema.as_value()).unwrap()
}

fn problems(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// A run with one movie done and one that is none; every file of it beside the name of its schema.
fn files_of_a_run() -> Vec<(&'static str, Value)> {
    let lab = Lab::of(1);
    std::fs::write(lab.root().join(movie(2)), "no movie").unwrap();
    let ended: Ended = lab.run_plain("out");
    assert_eq!((ended.code, ended.items()), (Some(1), (1, 0, 1)), "{}", ended.stderr);
    let output = lab.output("out");
    let failures = std::fs::read_to_string(output.join("failures.jsonl")).unwrap();
    let mut files: Vec<(&str, Value)> =
        failures.lines().map(|line| ("failure.json", serde_json::from_str(line).unwrap())).collect();
    files.extend([
        ("optical_flow.json", read_json(&output.join(movie(1).replace(".mov", "_optical_flow.json")))),
        ("regions.json", read_json(&output.join(movie(1).replace(".mov", "_optical_flow_regions.json")))),
        ("datapackage.json", read_json(&output.join("datapackage.json"))),
        ("summary.json", ended.summary),
    ]);
    files
}

#[test]
fn every_file_of_a_run_is_valid_and_every_other_key_or_type_is_refused() {
    let files = files_of_a_run();
    let mut seen: Vec<&str> = files.iter().map(|(schema, _)| *schema).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["datapackage.json", "failure.json", "optical_flow.json", "regions.json", "summary.json"]);
    for (schema, file) in files {
        let validator = validator(schema);
        assert_eq!(problems(&validator, &file), Vec::<String>::new(), "{schema}");
        for (change, changed) in changes(&file) {
            assert!(!validator.is_valid(&changed), "{schema} allows {change}");
        }
    }
}

/// The file with one key renamed or one value of another type, for each of its keys, of a list for its first item.
fn changes(file: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    keys(file, "", &mut places);
    assert!(places.len() > 3);
    let mut changes = Vec::new();
    for (parent, key) in places {
        let mut renamed = file.clone();
        let object = renamed.pointer_mut(&parent).unwrap().as_object_mut().unwrap();
        let value = object.remove(&key).unwrap();
        object.insert(format!("{key}_"), value.clone());
        changes.push((format!("{parent}/{key} under another name"), renamed));
        let mut retyped = file.clone();
        retyped.pointer_mut(&parent).unwrap()[&key] = if value.is_boolean() { json!("true") } else { json!(true) };
        changes.push((format!("{parent}/{key} of another type"), retyped));
    }
    changes
}

fn keys(value: &Value, place: &str, found: &mut Vec<(String, String)>) {
    match value {
        // What an analysis is given is its own.
        Value::Object(_) if place.ends_with("/parameters") => {}
        Value::Object(fields) => {
            for (key, field) in fields {
                found.push((place.to_owned(), key.clone()));
                keys(field, &format!("{place}/{key}"), found);
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                keys(first, &format!("{place}/0"), found);
            }
        }
        _ => {}
    }
}

/// The shape of a value: every key with the type of what it holds.
fn shape(value: &Value, place: String, found: &mut Vec<(String, &'static str)>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "text",
        Value::Array(items) => {
            if let Some(first) = items.first() {
                shape(first, format!("{place}/0"), found);
            }
            "list"
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                shape(field, format!("{place}/{key}"), found);
            }
            "object"
        }
    };
    found.push((place, kind));
}

#[test]
fn the_published_files_have_no_key_and_no_type_that_ours_do_not_have() {
    let ours = files_of_a_run();
    for (schema, published) in [
        ("optical_flow.json", include_str!("published/optical_flow.json")),
        ("regions.json", include_str!("published/regions.json")),
    ] {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        let published: Value = serde_json::from_str(published).unwrap();
        let (_, file) = ours.iter().find(|(name, _)| *name == schema).unwrap();
        shape(&published, String::new(), &mut old);
        shape(file, String::new(), &mut new);
        let gone: Vec<_> = old.into_iter().filter(|key| !new.contains(key)).collect();
        assert_eq!(gone, [], "{schema}");
        assert_eq!(file["contents"], published["contents"], "{schema}");
    }
}
