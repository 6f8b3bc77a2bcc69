//! The JSON Schemas of all that is written: `docs/schemas/` holds what is made here from the types.

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::json;

use crate::{
    result::{FrameStatisticsFile, OpticalFlowFile, RegionsFile},
    run::RunSummary,
    steps::collect::package::Package,
};

/// Every schema, by the name of its file.
pub fn schemas() -> [(&'static str, Schema); 6] {
    [
        ("optical_flow.json", of::<OpticalFlowFile>("One movie's camera motion: STEM_optical_flow.json, version 1.1")),
        (
            "frame_statistics.json",
            of::<FrameStatisticsFile>("One movie's frame statistics: STEM_frame_statistics.json, version 1.0"),
        ),
        ("regions.json", of::<RegionsFile>("One movie's regions: STEM_optical_flow_regions.json, version 1.1")),
        ("failure.json", of::<plan::Failure>("A line of failures.jsonl")),
        ("summary.json", of::<RunSummary>("What `analysis-worker run --json` prints")),
        ("datapackage.json", of::<Package>("datapackage.json: the tables beside report.html")),
    ]
}

/// As the type is written. Strict: a key that is missing, or that the type does not know, is refused.
fn of<T: JsonSchema>(title: &str) -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), json!(title));
    RecursiveTransform(close).transform(&mut schema);
    schema
}

fn close(schema: &mut Schema) {
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}
