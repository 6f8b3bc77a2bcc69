//! Every sample is admitted, and what the API server fills in is what the file reader fills in.

use std::{fs, path::Path};

use analysisjob::yaml;
use serde_json::Value;

use super::{
    admit, admit_text,
    cases::{allowed, patched},
};

/// File name and text of every sample.
fn samples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/samples");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let yaml = paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    yaml.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

#[tokio::test]
async fn every_sample_is_admitted_with_the_defaults_of_the_file_reader() {
    let space = e2e::shared().await.unwrap().namespace("samples").await.unwrap();
    let samples = samples();
    assert!(!samples.is_empty(), "manifests/samples is empty");
    for (name, text) in samples {
        let stored = admit_text(&space, "application/yaml", &text).await;
        let stored = stored.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!(quantities_as_text(stored["spec"].clone()), read(&text, &stored["spec"]), "{name}");
    }
}

#[tokio::test]
async fn the_server_fills_in_what_the_file_reader_fills_in() {
    let space = e2e::shared().await.unwrap().namespace("defaults").await.unwrap();
    for spec in allowed() {
        let job = patched(spec.clone());
        let stored = admit(&space, &job).await.unwrap();
        assert_eq!(quantities_as_text(stored["spec"].clone()), read(&job.to_string(), &stored["spec"]), "{spec}");
    }
}

/// What has a default that is not stored: see `analysisjob::crd`.
const NOT_STORED: [(&str, &str); 3] =
    [("/workers", "resources"), ("/cache/managed", "resources"), ("/cache/managed", "storage")];

/// The spec the file reader makes of a file, as it would be sent to an API server, without defaults that are not
/// stored.
fn read(text: &str, stored: &Value) -> Value {
    let mut spec = serde_json::to_value(yaml::read(text).unwrap().spec).unwrap();
    for (parent, field) in NOT_STORED {
        let absent = stored.pointer(parent).is_some_and(|parent| parent.get(field).is_none());
        if let (true, Some(parent)) = (absent, spec.pointer_mut(parent).and_then(Value::as_object_mut)) {
            parent.remove(field);
        }
    }
    spec
}

/// An API server keeps a quantity written as a number, `cpu: 2`; the file reader makes it text.
fn quantities_as_text(mut spec: Value) -> Value {
    for list in ["/workers/resources/requests", "/workers/resources/limits"] {
        for (_, quantity) in spec.pointer_mut(list).and_then(Value::as_object_mut).into_iter().flatten() {
            if quantity.is_number() {
                *quantity = Value::String(quantity.to_string());
            }
        }
    }
    spec
}
