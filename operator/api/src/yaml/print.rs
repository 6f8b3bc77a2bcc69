//! The CRD as YAML.

use serde_json::Value;

use crate::crd::{CrdError, definition};

/// The definition could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// There is no definition.
    #[error(transparent)]
    Crd(#[from] CrdError),
    /// It could not be written as YAML.
    #[error("failed to write the CustomResourceDefinition as YAML")]
    Yaml(#[source] Box<dyn std::error::Error + Send + Sync>),
}

const GENERATED: &str = "# Generated from the Rust types in operator/api by `make crds`. Do not edit.\n---\n";

/// The CustomResourceDefinition as YAML, keys in alphabetical order, as `crds/` holds it.
pub fn print_crd() -> Result<String, PrintError> {
    let yaml = serde_yaml::to_string(&sorted(definition()?)).map_err(|error| PrintError::Yaml(error.into()))?;
    Ok(format!("{GENERATED}{yaml}"))
}

/// Keys in alphabetical order: the order of a JSON object depends on features other crates switch on.
fn sorted(value: Value) -> serde_yaml::Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            serde_yaml::Value::Mapping(entries.into_iter().map(|(key, value)| (key.into(), sorted(value))).collect())
        }
        Value::Array(items) => serde_yaml::Value::Sequence(items.into_iter().map(sorted).collect()),
        Value::String(text) => serde_yaml::Value::String(text),
        Value::Bool(flag) => serde_yaml::Value::Bool(flag),
        Value::Null => serde_yaml::Value::Null,
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) => float.into(),
            (None, None) => serde_yaml::Value::Null,
        },
    }
}
