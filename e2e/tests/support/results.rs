//! What result files have in common, wherever they were made.

use serde_json::Value;

/// Whether a file is a result of one movie.
pub fn is_of_a_movie(path: &str) -> bool {
    path.ends_with("_optical_flow.json") || path.ends_with("_optical_flow_regions.json")
}

/// Without times, host and addresses.
pub fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for name in ["performance", "durationSeconds", "cacheURL", "sourceURL"] {
                fields.remove(name);
            }
            fields.iter_mut().for_each(|(_, field)| *field = timeless(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    value
}
