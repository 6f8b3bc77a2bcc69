//! The cases of admission: what is tried on the file reader here, and on a real API server by the crate `e2e`, which
//! includes this file. Each case is a merge patch on the spec of a small valid job; `null` takes a field away.

use serde_json::{Value, json};

/// A small valid job.
pub fn mk_job() -> Value {
    json!({
        "apiVersion": "camhd.science/v1alpha1",
        "kind": "AnalysisJob",
        "metadata": {"name": "a-job"},
        "spec": {
            "source": {"http": {"rootURL": "http://archive.test/files/"}, "prefixes": ["RS03/"]},
            "analysis": {"opticalFlow": {}},
            "output": {"persistentVolumeClaim": {"claimName": "out"}},
        },
    })
}

/// A merge patch (RFC 7386).
pub fn merge(into: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let Value::Object(fields) = into else { return };
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The job with a patch laid over its spec.
pub fn patched(spec: Value) -> Value {
    let mut job = mk_job();
    merge(&mut job["spec"], spec);
    job
}

/// `workers` of strategy Queue.
pub fn queue(role: &str) -> Value {
    json!({"strategy": "Queue", "queue": {"redis": {"url": "redis://r:6379/0"}, "stream": "s", "role": role}})
}

/// A broken rule, the field it is about, and how its message begins.
pub fn broken_rules() -> Vec<(Value, &'static str, &'static str)> {
    let range = |range: Value| json!({"source": {"dateRange": range}});
    let output = |output: Value| json!({"output": output});
    let storage = |storage: Value| json!({"cache": {"managed": {"storage": storage}}});
    let env = |env: Value| json!({"workers": {"env": [env]}});
    let key = json!({"name": "n", "key": "k"});
    vec![
        (json!({"source": {"items": ["a.mov"]}}), "spec.source", "set exactly one of prefixes, items and itemsFrom"),
        (
            json!({"source": {"prefixes": null}}),
            "spec.source",
            "set exactly one of prefixes, items and itemsFrom; only",
        ),
        (
            json!({"source": {"prefixes": null, "items": ["a.mov"], "dateRange": {"lastDays": 3}}}),
            "spec.source.dateRange",
            "dateRange chooses among the movies below prefixes",
        ),
        (
            json!({"source": {"dateLayout": "{yyyy}/"}}),
            "spec.source.dateLayout",
            "dateLayout lists the days of dateRange",
        ),
        (range(json!({})), "spec.source.dateRange", "set exactly one of from and lastDays"),
        (range(json!({"from": "2018-07-01", "lastDays": 3})), "spec.source.dateRange", "set exactly one of from and"),
        (range(json!({"lastDays": 3, "to": "2018-07-01"})), "spec.source.dateRange.to", "to ends what from begins"),
        (range(json!({"from": "2018-07-02", "to": "2018-07-01"})), "spec.source.dateRange.to", "to is before from"),
        (
            json!({"analysis": {"opticalFlow": null}}),
            "spec.analysis",
            "set exactly one of opticalFlow and frameStatistics",
        ),
        (json!({"analysis": {"frameStatistics": {}}}), "spec.analysis", "set exactly one of opticalFlow and"),
        (
            json!({"analysis": {"opticalFlow": {"startFrame": 5, "endFrame": 5}}}),
            "spec.analysis.opticalFlow.endFrame",
            "endFrame, which is not looked at itself, must be greater than startFrame",
        ),
        (
            json!({"analysis": {"opticalFlow": null, "frameStatistics": {"startFrame": 9, "endFrame": 5}}}),
            "spec.analysis.frameStatistics.endFrame",
            "endFrame, which is not looked at itself, must be greater than startFrame",
        ),
        (
            json!({"cache": {"url": "http://c:8080", "managed": {}}}),
            "spec.cache.url",
            "set at most one of managed and url",
        ),
        (
            json!({"cache": {"managed": {"replicas": {"min": 9}}}}),
            "spec.cache.managed.replicas.min",
            "min is greater than max",
        ),
        (storage(json!({})), "spec.cache.managed.storage", "set exactly one of ephemeral, emptyDir and none"),
        (storage(json!({"none": {}, "emptyDir": {}})), "spec.cache.managed.storage", "set exactly one of ephemeral"),
        (json!({"workers": {"strategy": "Queue"}}), "spec.workers.queue", "strategy Queue needs a queue"),
        (
            json!({"workers": {"queue": queue("Consumer")["queue"]}, "source": {"prefixes": null}}),
            "spec.workers.queue",
            "queue is for strategy Queue only",
        ),
        (
            json!({"workers": {"strategy": "Queue", "queue": {"redis": {}, "stream": "s"}}}),
            "spec.workers.queue.redis",
            "set exactly one of url and urlSecretRef",
        ),
        (json!({"workers": queue("Consumer")}), "spec.source", "a Consumer takes its movies from the stream"),
        (
            json!({"workers": queue("Consumer"), "source": {"prefixes": null}, "rescan": {"schedule": "@daily"}}),
            "spec.rescan",
            "a Consumer only lends workers",
        ),
        (
            env(json!({"name": "A", "value": "b", "valueFrom": {"secretKeyRef": key}})),
            "spec.workers.env[0].valueFrom",
            "set at most one of value and valueFrom",
        ),
        (
            env(json!({"name": "A", "valueFrom": {}})),
            "spec.workers.env[0].valueFrom",
            "set exactly one of configMapKeyRef and secretKeyRef",
        ),
        (
            json!({"workers": {"envFrom": [{"secretRef": {"name": "s"}}, {"prefix": "A_"}]}}),
            "spec.workers.envFrom[1]",
            "set exactly one of configMapRef and secretRef",
        ),
        (
            output(json!({"persistentVolumeClaim": null})),
            "spec.output",
            "set exactly one of persistentVolumeClaim, claimTemplate and s3",
        ),
        (output(json!({"s3": {"bucket": "abc"}})), "spec.output", "set exactly one of persistentVolumeClaim"),
        (
            json!({"rescan": {"schedule": "@daily"}, "ttlSecondsAfterFinished": 1}),
            "spec.ttlSecondsAfterFinished",
            "a standing job never finishes",
        ),
        (json!({"rescan": {"schedule": "@daily"}, "dryRun": true}), "spec.dryRun", "a dry run plans once"),
    ]
}

/// What no rule minds.
pub fn allowed() -> Vec<Value> {
    vec![
        json!({}),
        json!({"source": {"prefixes": null, "items": ["a.mov"]}}),
        json!({"source": {"prefixes": null, "itemsFrom": {"configMapKeyRef": {"name": "n", "key": "k"}}}}),
        json!({"source": {"dateRange": {"from": "2018-07-01"}}}),
        json!({"source": {"dateRange": {"from": "2018-07-01", "to": "2018-07-01"}, "dateLayout": "{yyyy}/{mm}/{dd}/"}}),
        json!({"source": {"dateRange": {"lastDays": 30}}}),
        json!({"analysis": {"opticalFlow": null, "frameStatistics": {"startFrame": 4, "endFrame": 5}}}),
        json!({"analysis": {"opticalFlow": {"method": "DualTVL1", "endFrame": 100}}}),
        json!({"cache": {}}),
        json!({"cache": {"url": "http://c:8080"}}),
        json!({"cache": {"managed": {"replicas": {"min": 2, "max": 2}, "storage": {"none": {}}}}}),
        json!({"cache": {"managed": {"storage": {"ephemeral": {"size": "50Gi"}}}}}),
        json!({"workers": queue("ProducerAndConsumer")}),
        json!({"workers": queue("Consumer"), "source": {"prefixes": null}}),
        json!({"workers": {"env": [{"name": "A"}, {"name": "B", "value": "b"}], "itemsPerIndex": 1000}}),
        json!({"workers": {"podTemplate": {"spec": {"anything": [1, {"goes": null}]}}, "parallelism": 0}}),
        json!({"workers": {"resources": {"requests": {"cpu": 2, "nvidia.com/gpu": "1"}}}}),
        json!({"output": {"persistentVolumeClaim": null, "claimTemplate": {"size": "10Gi"}}}),
        json!({"output": {"persistentVolumeClaim": null, "s3": {"bucket": "abc", "endpoint": "http://m:9000"}}}),
        json!({"rescan": {"schedule": "15 4 * * *", "timeZone": "Europe/Berlin"}}),
        json!({"ttlSecondsAfterFinished": 0, "dryRun": true, "retry": {"maxFailedItems": 0}}),
    ]
}
