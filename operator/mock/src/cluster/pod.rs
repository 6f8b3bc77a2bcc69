//! Pods: how controllers make them, and what scripts see of them.

use std::sync::Arc;

use analysisjob::labels;
use serde_json::{Value, json};

use crate::{
    kinds::{KINDS, KindId},
    object::{label, list, map_mut, meta},
};

/// The finalizer by which the job controller sees every pod end.
pub(crate) const TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// Label and annotation: the index of an Indexed Job's pod.
pub(crate) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Label: the Job's name.
pub(crate) const JOB_NAME: &str = "batch.kubernetes.io/job-name";
/// Annotation: how often the index failed before.
pub(crate) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";

/// A pod, as a script sees it.
#[derive(Clone, Debug)]
pub struct PodInfo {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Label `camhd.science/role`: plan, work, collect, cache.
    pub role: String,
    /// Label `camhd.science/run`.
    pub run: String,
    /// Label `camhd.science/analysisjob`.
    pub analysis_job: String,
    /// The Job's name, empty for pods of a Deployment.
    pub job: String,
    /// The index of an Indexed Job's pod.
    pub index: Option<u32>,
    /// How often this index failed before, as counted by the Job.
    pub attempt: u32,
    /// Steps it has run, this one included.
    pub ran: u32,
    /// Seconds until it is killed, once it was deleted.
    pub grace_left: Option<i64>,
    /// The object.
    pub object: Arc<Value>,
}

impl PodInfo {
    pub(crate) fn of(object: &Arc<Value>, ran: u32) -> Self {
        let number = |name: &str| object["metadata"]["annotations"][name].as_str().and_then(|text| text.parse().ok());
        Self {
            namespace: meta(object, "namespace").to_owned(),
            name: meta(object, "name").to_owned(),
            role: label(object, labels::ROLE).to_owned(),
            run: label(object, labels::RUN).to_owned(),
            analysis_job: label(object, labels::JOB).to_owned(),
            job: label(object, JOB_NAME).to_owned(),
            index: number(INDEX),
            attempt: number(FAILURES).unwrap_or(0),
            ran,
            grace_left: None,
            object: object.clone(),
        }
    }

    /// Its uid.
    pub fn uid(&self) -> &str {
        meta(&self.object, "uid")
    }

    /// The value of an environment variable of its first container.
    pub fn env(&self, name: &str) -> Option<&str> {
        let env = list(&self.object["spec"]["containers"][0]["env"]);
        env.iter().find(|variable| variable["name"] == name).and_then(|variable| variable["value"].as_str())
    }
}

/// A pod of this template, owned by this object.
pub(crate) fn from_template(kind: KindId, owner: &Value, name: &str) -> Value {
    let template = &owner["spec"]["template"];
    let mut pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"]});
    let metadata = map_mut(&mut pod["metadata"]);
    metadata.insert("name".to_owned(), json!(name));
    metadata.insert("namespace".to_owned(), json!(meta(owner, "namespace")));
    let row = &KINDS[kind];
    metadata.insert(
        "ownerReferences".to_owned(),
        json!([{
            "apiVersion": row.api_version(), "kind": row.kind, "name": meta(owner, "name"), "uid": meta(owner, "uid"),
            "controller": true, "blockOwnerDeletion": true,
        }]),
    );
    pod
}

/// Gives a Job's pod its index: label, annotation, environment.
pub(crate) fn give_index(pod: &mut Value, index: u32, failures: u32) {
    let text = index.to_string();
    map_mut(&mut pod["metadata"]["labels"]).insert(INDEX.to_owned(), json!(text));
    let annotations = map_mut(&mut pod["metadata"]["annotations"]);
    annotations.insert(INDEX.to_owned(), json!(text));
    annotations.insert(FAILURES.to_owned(), json!(failures.to_string()));
    for container in pod["spec"]["containers"].as_array_mut().into_iter().flatten() {
        let variable = json!({"name": "JOB_COMPLETION_INDEX", "value": text});
        match container.get_mut("env").and_then(Value::as_array_mut) {
            Some(env) => env.push(variable),
            None => drop(map_mut(container).insert("env".to_owned(), json!([variable]))),
        }
    }
}

/// The phase, `Pending` when none is said.
pub(crate) fn phase(pod: &Value) -> &str {
    pod["status"]["phase"].as_str().unwrap_or("Pending")
}

/// Whether its containers have ended for good.
pub(crate) fn is_over(pod: &Value) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether it answers.
pub(crate) fn is_ready(pod: &Value) -> bool {
    list(&pod["status"]["conditions"])
        .iter()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

/// Its index, when it has one.
pub(crate) fn index(pod: &Value) -> Option<u32> {
    pod["metadata"]["annotations"][INDEX].as_str().and_then(|text| text.parse().ok())
}

/// Sets a condition of its type; the transition time moves when the status does.
pub(crate) fn set_condition(object: &mut Value, now: &str, kind: &str, status: &str, reason: &str, message: &str) {
    let conditions = map_mut(&mut object["status"]).entry("conditions").or_insert_with(|| json!([]));
    let Some(conditions) = conditions.as_array_mut() else { return };
    let new = json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now});
    match conditions.iter_mut().find(|condition| condition["type"] == kind) {
        None => conditions.push(new),
        Some(old) if old["status"] != status => *old = new,
        Some(old) => {
            old["reason"] = json!(reason);
            old["message"] = json!(message);
        }
    }
}

/// Whether a condition is True.
pub(crate) fn holds(object: &Value, kind: &str) -> bool {
    let conditions = list(&object["status"]["conditions"]);
    conditions.iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
}
