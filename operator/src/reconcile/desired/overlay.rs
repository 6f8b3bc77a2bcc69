//! `podTemplate`: what a person lays over the pods we make.
//!
//! Lists of named things (containers, volumes, environment) merge by their key, as a strategic merge does; the keys come
//! from the API's own types. What makes a pod ours (labels, restart policy) stays.

use analysisjob::pod::PodTemplate;
use k8s_openapi::{DeepMerge, api::core::v1::PodTemplateSpec};
use serde_json::Value;

/// An overlay that is no pod template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// A field has the wrong type.
    #[error("{field} is no pod template: {message}")]
    Type {
        /// The overlay's field in the AnalysisJob.
        field: &'static str,
        /// What does not fit.
        message: String,
    },
    /// A field does not exist in a pod template.
    #[error("{field}.{unknown} is no field of a pod template: correct or remove it")]
    Unknown {
        /// The overlay's field in the AnalysisJob.
        field: &'static str,
        /// The unknown field, below it.
        unknown: String,
    },
}

/// Lays `overlay` (of the AnalysisJob's field `field`) over `template`.
pub fn lay_over(
    template: &mut PodTemplateSpec,
    overlay: Option<&PodTemplate>,
    field: &'static str,
) -> Result<(), OverlayError> {
    let Some(overlay) = overlay else { return Ok(()) };
    let value = Value::Object(overlay.clone());
    let typed: PodTemplateSpec = serde_json::from_value(padded(value.clone()))
        .map_err(|error| OverlayError::Type { field, message: error.to_string() })?;
    let back = serde_json::to_value(&typed).unwrap_or_default();
    if let Some(unknown) = first_unknown(&value, &back) {
        return Err(OverlayError::Unknown { field, unknown });
    }
    let ours = template.metadata.clone();
    let restart = template.spec.as_ref().and_then(|spec| spec.restart_policy.clone());
    template.merge_from(typed);
    template.metadata.get_or_insert_default().merge_from(ours.unwrap_or_default());
    if let (Some(spec), Some(restart)) = (&mut template.spec, restart) {
        spec.restart_policy = Some(restart);
    }
    Ok(())
}

/// A pod spec without containers is none to the API's types; an overlay need not name any.
fn padded(mut overlay: Value) -> Value {
    if let Some(spec) = overlay.get_mut("spec").and_then(Value::as_object_mut) {
        spec.entry("containers").or_insert_with(|| Value::Array(Vec::new()));
    }
    overlay
}

/// The path of the first field of `given` that did not survive being read as a pod template.
fn first_unknown(given: &Value, read: &Value) -> Option<String> {
    match (given, read) {
        (Value::Object(given), read) => given.iter().find_map(|(key, value)| match read.get(key) {
            None if is_empty(value) => None,
            None => Some(key.clone()),
            Some(read) => first_unknown(value, read).map(|below| format!("{key}.{below}")),
        }),
        (Value::Array(given), Value::Array(read)) => {
            let pairs = given.iter().zip(read).enumerate();
            pairs
                .into_iter()
                .find_map(|(at, (given, read))| first_unknown(given, read).map(|below| format!("[{at}].{below}")))
        }
        _ => None,
    }
}

/// What is left out when it is written again.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(overlay: &Value) -> Result<Value, OverlayError> {
        let mut template: PodTemplateSpec = serde_json::from_value(json!({
            "metadata": {"labels": {"ours": "stays"}},
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "worker", "image": "w:1", "env": [{"name": "A", "value": "1"}]}],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            },
        }))
        .unwrap();
        lay_over(&mut template, overlay.as_object(), "spec.workers.podTemplate")?;
        Ok(serde_json::to_value(template).unwrap())
    }

    #[test]
    fn lists_merge_by_their_key() {
        let got = merged(&json!({"spec": {
            "nodeSelector": {"disk": "fast"},
            "containers": [{"name": "worker", "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "3"}]}],
            "volumes": [{"name": "movies", "persistentVolumeClaim": {"claimName": "movies"}}],
        }}))
        .unwrap();
        assert_eq!(
            got["spec"]["containers"],
            json!([{"name": "worker", "image": "w:1", "env": [{"name": "A", "value": "3"}, {"name": "B", "value": "2"}]}])
        );
        assert_eq!(got["spec"]["volumes"].as_array().unwrap().len(), 2);
        assert_eq!(got["spec"]["nodeSelector"], json!({"disk": "fast"}));
    }

    #[test]
    fn what_makes_a_pod_ours_stays() {
        let got =
            merged(&json!({"metadata": {"labels": {"ours": "x", "theirs": "y"}}, "spec": {"restartPolicy": "Always"}}));
        let got = got.unwrap();
        assert_eq!(got["metadata"]["labels"], json!({"ours": "stays", "theirs": "y"}));
        assert_eq!(got["spec"]["restartPolicy"], "Never");
    }

    #[test]
    fn a_wrong_overlay_names_the_field() {
        let unknown =
            merged(&json!({"spec": {"containers": [{"name": "worker", "enviroment": []}], "tolerations": []}}));
        assert_eq!(
            merged(&json!({"spec": {"nodeSelektor": {"a": "b"}}})).unwrap_err().to_string(),
            "spec.workers.podTemplate.spec.nodeSelektor is no field of a pod template: correct or remove it"
        );
        assert!(unknown.is_ok(), "an empty list says nothing");
        assert!(matches!(merged(&json!({"spec": {"nodeSelector": 7}})), Err(OverlayError::Type { .. })));
    }
}
