//! How a CEL rule is written beside the type it guards.

use serde_json::{Value, json};

/// One `x-kubernetes-validations` entry: the expression that must hold, what is said when it does not, and the field
/// (below the guarded one, with a leading dot; empty = the guarded one itself) the message is about.
pub(crate) struct Rule(pub &'static str, pub &'static str, pub &'static str);

/// The rules as the schema holds them.
pub(crate) fn rules(rules: &[Rule]) -> Value {
    rules.iter().map(entry).collect()
}

fn entry(Rule(rule, message, path): &Rule) -> Value {
    if path.is_empty() {
        json!({"rule": rule, "message": message})
    } else {
        json!({"rule": rule, "message": message, "fieldPath": path})
    }
}
