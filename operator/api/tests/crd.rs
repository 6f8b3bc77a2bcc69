//! The committed CRD is the one the types make, and fits what an API server of Kubernetes 1.34 takes.

use std::{fs, path::PathBuf};

use analysisjob::{AnalysisJobSpec, crd, yaml::print_crd};
use serde_json::{Value, json};

#[test]
fn committed_crds_equal_the_types() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../crds/analysisjobs.camhd.science.yaml");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == print_crd().unwrap(), "crds/ is not what the types make; run: make crds");
}

#[test]
fn the_crd_is_below_100_kib() {
    let bytes = print_crd().unwrap().len();
    assert!(bytes < 100 * 1024, "the CRD has {bytes} bytes");
}

/// Every schema below the root with its path.
fn walk<'s>(schema: &'s Value, path: &str, visit: &mut impl FnMut(&str, &'s Value)) {
    visit(path, schema);
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        walk(schema, &format!("{path}.{name}"), visit);
    }
    for (key, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[key].is_object() {
            walk(&schema[key], &format!("{path}{suffix}"), visit);
        }
    }
}

/// The paths of the schemas that are `wrong`.
fn offenders(schema: &Value, wrong: impl Fn(&str, &Value) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, "", &mut |path, schema| {
        if wrong(path, schema) {
            found.push(path.to_owned());
        }
    });
    found
}

#[test]
fn the_schema_is_structural() {
    let forbidden =
        ["$ref", "oneOf", "anyOf", "allOf", "not", "const", "definitions", "$defs", "title", "nullable", "uniqueItems"];
    let known_formats = [None, Some("date-time"), Some("int32"), Some("int64")];
    let no_strings: Vec<String> = Vec::new();
    assert_eq!(
        offenders(&crd::schema().unwrap(), |_, schema| forbidden.iter().any(|key| schema.get(key).is_some())),
        no_strings
    );
    assert_eq!(
        offenders(&crd::schema().unwrap(), |_, schema| !known_formats.contains(&schema["format"].as_str())),
        no_strings
    );
    let untyped = |schema: &Value| schema["type"].is_null() != (schema["x-kubernetes-int-or-string"] == json!(true));
    assert_eq!(offenders(&crd::schema().unwrap(), |_, schema| untyped(schema)), no_strings);
    let both = |schema: &Value| schema.get("properties").is_some() && schema.get("additionalProperties").is_some();
    assert_eq!(offenders(&crd::schema().unwrap(), |_, schema| both(schema)), no_strings);
}

#[test]
fn every_field_is_explained() {
    let element = |path: &str| path.is_empty() || path.ends_with("[]") || path.ends_with("{}");
    let of_kubernetes = |path: &str| path.starts_with(".metadata");
    let silent = offenders(&crd::schema().unwrap(), |path, schema| {
        let text = schema["description"].as_str().unwrap_or_default();
        !element(path) && !of_kubernetes(path) && !text.ends_with('.')
    });
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_optional_value_of_the_spec_tells_its_default() {
    // Members of unions, references and lists of choices have none: whoever leaves them out has chosen another.
    let schema = crd::schema().unwrap();
    let mut silent = Vec::new();
    walk(&schema["properties"]["spec"], "spec", &mut |path, schema| {
        let text = schema["description"].as_str().unwrap_or_default();
        if schema.get("default").is_some() && !text.contains("Default") && !text.contains("default") {
            silent.push(path.to_owned());
        }
    });
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_text_list_and_map_is_bounded() {
    // CEL's cost is counted with these bounds, and etcd's room is not endless.
    let unbounded = offenders(&crd::schema().unwrap(), |_, schema| match schema["type"].as_str() {
        Some("string") => {
            schema.get("enum").is_none() && schema.get("maxLength").is_none() && schema["format"] != json!("date-time")
        }
        Some("array") => schema.get("maxItems").is_none(),
        Some("object") => schema.get("additionalProperties").is_some() && schema.get("maxProperties").is_none(),
        _ => schema["x-kubernetes-int-or-string"] == json!(true) && schema.get("maxLength").is_none(),
    });
    assert_eq!(unbounded, Vec::<String>::new());
}

#[test]
fn no_default_can_be_merged_with_what_is_applied_later() {
    let merged = offenders(&crd::schema().unwrap(), |_, schema| match &schema["default"] {
        Value::Object(fields) => {
            fields.is_empty() || fields.values().any(|field| field.is_object() || field.is_array())
        }
        Value::Array(_) => schema["x-kubernetes-list-type"] != json!("atomic"),
        _ => false,
    });
    assert_eq!(merged, Vec::<String>::new());
}

#[test]
fn every_list_says_how_it_is_merged() {
    let silent = offenders(&crd::schema().unwrap(), |_, schema| {
        schema["type"] == json!("array") && schema.get("x-kubernetes-list-type").is_none()
    });
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_rule_names_a_field_that_exists() {
    let missing = offenders(&crd::schema().unwrap(), |_, schema| {
        let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
        rules.filter_map(|rule| rule["fieldPath"].as_str()).any(|path| {
            let pointer = path.replace('.', "/properties/");
            !path.starts_with('.') || schema.pointer(&pointer).is_none()
        })
    });
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn columns_and_scale_read_fields_that_exist() {
    let crd = crd::definition().unwrap();
    let schema = crd::schema().unwrap();
    let version = &crd["spec"]["versions"][0];
    let columns = version["additionalPrinterColumns"].as_array().unwrap();
    let paths = columns.iter().map(|column| &column["jsonPath"]);
    let scale = version["subresources"]["scale"].as_object().unwrap().values();
    for path in paths.chain(scale).map(|path| path.as_str().unwrap()) {
        let plain = path.replace(r#"[?(@.type=="Ready")]"#, "[]");
        let pointer = plain.replace('.', "/properties/").replace("[]", "/items");
        let known = path == ".metadata.creationTimestamp" || schema.pointer(&pointer).is_some();
        assert!(known, "{path}");
    }
    let names: Vec<&str> = columns.iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Progress", "Failed", "Active", "Cache", "Status", "Age", "Strategy", "Next scan", "Output"]);
}

#[test]
fn rust_defaults_equal_the_defaults_of_the_schema() {
    let written = json!({
        "apiVersion": "camhd.science/v1alpha1",
        "kind": "AnalysisJob",
        "metadata": {"name": "a"},
        "spec": {
            "source": {"http": {"rootURL": "http://a.b/"}, "items": ["a.mov"]},
            "analysis": {"opticalFlow": {}},
            "cache": {"managed": {}},
            "output": {"s3": {"bucket": "abc"}},
            "rescan": {"schedule": "@daily"},
        },
    });
    let by_schema = analysisjob::yaml::read(written.to_string()).unwrap().spec;
    let by_rust: AnalysisJobSpec = serde_json::from_value(written["spec"].clone()).unwrap();
    assert_eq!(by_schema, by_rust);
    assert_eq!(by_rust.workers, analysisjob::Workers::default());
    assert_eq!(by_rust.retry, analysisjob::Retry::default());
    assert_eq!(by_rust.analysis.optical_flow, Some(analysisjob::OpticalFlow::default()));
    assert_eq!(by_rust.frame_cache(), analysisjob::FrameCache::default());
}
