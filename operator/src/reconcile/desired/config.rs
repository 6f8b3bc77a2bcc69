//! The run's ConfigMap: the AnalysisJob as its pods read it. It is made once per run and never changes: pods of one run
//! all see the same.

use analysisjob::labels;
use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde_json::json;

use super::child_meta;
use crate::reconcile::{
    run::{Run, generation_of},
    validate::Analysis,
};

/// The key the AnalysisJob stands under.
pub const KEY: &str = "job.json";
/// Where pods find it.
pub const MOUNT: &str = "/etc/analysis";

/// Role of the ConfigMap, which no pod has.
const ROLE: &str = "config";

/// The ConfigMap's name.
pub fn name(analysis: &Analysis, run: &Run) -> String {
    format!("{}-{}", analysis.name, run.id)
}

/// The ConfigMap of `run`.
pub fn config(analysis: &Analysis, run: &Run) -> ConfigMap {
    let job = json!({
        "apiVersion": analysisjob::yaml::API_VERSION,
        "kind": analysisjob::yaml::KIND,
        "metadata": {"name": analysis.name, "namespace": analysis.namespace, "generation": generation_of(&run.id).unwrap_or(1)},
        "spec": work_spec(analysis),
    });
    let mut metadata: ObjectMeta = child_meta(analysis, name(analysis, run), ROLE);
    metadata.labels.get_or_insert_default().insert(labels::RUN.to_owned(), run.id.clone());
    ConfigMap { metadata, data: Some([(KEY.to_owned(), job.to_string())].into()), ..ConfigMap::default() }
}

/// The spec as far as pods read it. What acts without a new run is left out, so that the ConfigMap of a run stays as it
/// is.
fn work_spec(analysis: &Analysis) -> serde_json::Value {
    let spec = &analysis.spec;
    json!({
        "source": spec.source,
        "analysis": spec.analysis,
        "output": spec.output,
        "workers": workers(analysis),
        "retry": {"limitPerItem": spec.retry.limit_per_item, "itemDeadlineSeconds": spec.retry.item_deadline_seconds},
        "dryRun": spec.dry_run,
    })
}

/// With strategy Queue also which list; the server's address is the pods' environment, it may be a secret.
fn workers(analysis: &Analysis) -> serde_json::Value {
    let workers = &analysis.spec.workers;
    let mut read = json!({"threads": workers.threads, "itemsPerIndex": workers.items_per_index});
    if let Some(queue) = analysis.queue() {
        read["strategy"] = json!(workers.strategy);
        read["queue"] = json!({"stream": queue.stream, "role": queue.role, "redis": {}});
    }
    read
}
