//! `kubectl explain` is the manual.

use analysisjob::crd;
use serde_json::{Map, Value};

use super::printed;

/// What kubectl says about a field.
async fn explain(field: &str) -> String {
    let plane = e2e::shared().await.unwrap();
    // The API server publishes the schema some moments after it serves the kind.
    let text = e2e::wait::until("kubectl explain to know the kind", e2e::wait::LONG, async || {
        let output = plane.kubectl(["explain", field]).map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(printed(output)) } else { Err(said) }
    });
    text.await.unwrap()
}

/// Kubectl wraps lines; words stay.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn properties(pointer: &str) -> Map<String, Value> {
    crd::schema().unwrap().pointer(pointer).and_then(Value::as_object).cloned().unwrap()
}

#[tokio::test]
async fn explain_names_and_describes_every_field_of_workers() {
    let text = words(&explain("aj.spec.workers").await);
    for (name, schema) in properties("/properties/spec/properties/workers/properties") {
        let about = schema["description"].as_str().unwrap();
        assert!(text.contains(&format!("{name} <")), "{name} is missing: {text}");
        assert!(text.contains(&words(about)), "{name}: {about}\n{text}");
    }
    assert!(text.contains("enum: Indexed, Queue"), "{text}");
}

#[tokio::test]
async fn explain_begins_with_what_the_kind_is() {
    let text = words(&explain("analysisjob").await);
    assert!(text.contains("GROUP: camhd.science KIND: AnalysisJob VERSION: v1alpha1"), "{text}");
    assert!(text.contains("An AnalysisJob says which movies of an archive are analysed"), "{text}");
    assert!(text.contains("spec <Object> -required-"), "{text}");
}

#[tokio::test]
async fn explain_tells_the_default_of_a_deep_field() {
    let text = words(&explain("aj.spec.analysis.opticalFlow.stride").await);
    assert!(text.contains("FIELD: stride <integer>"), "{text}");
    assert!(text.contains("in frames; 1 to 100,000. Default: 10."), "{text}");
}
