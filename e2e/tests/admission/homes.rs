//! Where each field may stand: what must be around it for an otherwise valid job, by the field's path.

use serde_json::{Value, json};

use super::cases::{merge, mk_job, queue};

/// A job in which something may be put at `path` (as `trials` writes paths: `[]` for an element).
pub fn home(path: &str) -> Value {
    let mut job = mk_job();
    for (prefix, around) in surroundings() {
        if below(path, prefix) {
            merge(&mut job, around);
        }
    }
    job
}

/// Whether `path` is `prefix` or a part of it.
fn below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

/// What goes with one certain value.
pub fn companions(path: &str, value: &Value) -> Value {
    match (path, value.as_str()) {
        ("spec.workers.strategy", Some("Queue")) => json!({"spec": {"workers": queue("ProducerAndConsumer")}}),
        ("spec.workers.queue.role", Some("Consumer")) => json!({"spec": {"source": {"prefixes": null}}}),
        _ => json!({}),
    }
}

/// Merge patches on the job, by the path from which on they are laid; the shorter path first.
fn surroundings() -> Vec<(&'static str, Value)> {
    let spec = |spec: Value| json!({"spec": spec});
    let managed = |managed: Value| spec(json!({"cache": {"managed": managed}}));
    let output = |output: Value| spec(json!({"output": output}));
    let env = |of: Value| spec(json!({"workers": {"env": [{"name": "A", "valueFrom": of}]}}));
    let key = json!({"name": "n", "key": "k"});
    let condition = json!({"type": "T", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    vec![
        ("spec.source.items", spec(json!({"source": {"prefixes": null, "items": ["a"]}}))),
        ("spec.source.itemsFrom", spec(json!({"source": {"prefixes": null, "itemsFrom": {"configMapKeyRef": key}}}))),
        ("spec.source.dateRange", spec(json!({"source": {"dateRange": {"from": "2018-07-01"}}}))),
        ("spec.source.dateRange.lastDays", spec(json!({"source": {"dateRange": {"from": null}}}))),
        ("spec.source.dateLayout", spec(json!({"source": {"dateRange": {"lastDays": 1}}}))),
        ("spec.source.http.authSecretRef", spec(json!({"source": {"http": {"authSecretRef": {"name": "n"}}}}))),
        ("spec.analysis.frameStatistics", spec(json!({"analysis": {"opticalFlow": null, "frameStatistics": {}}}))),
        ("spec.cache.managed.replicas.min", managed(json!({"replicas": {"max": 100}}))),
        ("spec.cache.managed.storage", managed(json!({"storage": {"none": {}}}))),
        (
            "spec.cache.managed.storage.ephemeral",
            managed(json!({"storage": {"none": null, "ephemeral": {"size": "1Gi"}}})),
        ),
        ("spec.cache.managed.storage.emptyDir", managed(json!({"storage": {"none": null, "emptyDir": {}}}))),
        ("spec.cache.managed.overlay", managed(json!({"overlay": {"persistentVolumeClaim": {"claimName": "c"}}}))),
        ("spec.workers.env", spec(json!({"workers": {"env": [{"name": "A"}]}}))),
        ("spec.workers.env[].valueFrom", env(json!({"secretKeyRef": key}))),
        ("spec.workers.env[].valueFrom.configMapKeyRef", env(json!({"configMapKeyRef": key}))),
        ("spec.workers.envFrom", spec(json!({"workers": {"envFrom": [{"configMapRef": {"name": "n"}}]}}))),
        ("spec.workers.envFrom[].secretRef", spec(json!({"workers": {"envFrom": [{"secretRef": {"name": "n"}}]}}))),
        ("spec.workers.imagePullSecrets", spec(json!({"workers": {"imagePullSecrets": [{"name": "n"}]}}))),
        ("spec.workers.queue", spec(json!({"workers": queue("ProducerAndConsumer")}))),
        (
            "spec.workers.queue.redis.urlSecretRef",
            spec(json!({"workers": {"queue": {"redis": {"url": null, "urlSecretRef": key}}}})),
        ),
        ("spec.output.claimTemplate", output(json!({"persistentVolumeClaim": null, "claimTemplate": {"size": "1Gi"}}))),
        ("spec.output.s3", output(json!({"persistentVolumeClaim": null, "s3": {"bucket": "abc"}}))),
        ("spec.output.s3.secretRef", output(json!({"s3": {"secretRef": {"name": "n"}}}))),
        ("spec.rescan", spec(json!({"rescan": {"schedule": "@daily"}}))),
        ("status.conditions", json!({"status": {"conditions": [condition]}})),
        ("status.run.jobs", json!({"status": {"run": {"jobs": [{"name": "n", "kind": "work"}]}}})),
    ]
}
