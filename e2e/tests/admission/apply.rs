//! `kubectl apply`, by the server or by kubectl: what is applied last decides, whatever was applied before.

use analysisjob::AnalysisJob;
use e2e::Namespace;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{
    admit,
    cases::{patched, queue},
};

/// Patches on the spec of the small job; each is laid over it, and each pair is applied in both orders.
fn pairs() -> Vec<(Value, Value)> {
    let managed = |managed: Value| json!({"cache": {"managed": managed}});
    let output = |output: Value| json!({"output": output});
    let requests = json!({"resources": {"requests": {"memory": "2Gi"}}});
    let variable = |rest: Value| json!({"workers": {"env": [rest]}});
    let secret = json!({"secretKeyRef": {"name": "n", "key": "k"}});
    vec![
        (json!({}), managed(json!({}))),
        (managed(json!({})), managed(json!({"storage": {"ephemeral": {"size": "1Gi"}}}))),
        (managed(json!({"storage": {"emptyDir": {}}})), managed(json!({"storage": {"none": {}}}))),
        (managed(json!({"replicas": {"max": 1}})), managed(json!({"replicas": {"min": 2}}))),
        (managed(json!({})), managed(requests.clone())),
        (managed(json!({})), json!({"cache": {"url": "http://c:8080"}})),
        (
            json!({"analysis": {"opticalFlow": {"stride": 3}}}),
            json!({"analysis": {"opticalFlow": null, "frameStatistics": {}}}),
        ),
        (json!({"source": {"include": ["**/*.mp4"]}}), json!({})),
        (json!({"source": {"exclude": ["a"]}}), json!({"source": {"exclude": ["b"]}})),
        (json!({}), json!({"source": {"prefixes": null, "items": ["a.mov"]}})),
        (json!({"source": {"dateRange": {"from": "2018-07-01"}}}), json!({"source": {"dateRange": {"lastDays": 3}}})),
        (json!({"workers": queue("ProducerAndConsumer")}), json!({})),
        (json!({"workers": requests}), json!({})),
        (variable(json!({"name": "A", "value": "b"})), variable(json!({"name": "A", "valueFrom": secret}))),
        (json!({}), output(json!({"persistentVolumeClaim": null, "claimTemplate": {"size": "1Gi"}}))),
        (
            output(json!({"persistentVolumeClaim": null, "claimTemplate": {"size": "1Gi"}})),
            output(
                json!({"persistentVolumeClaim": null, "claimTemplate": {"size": "1Gi", "accessModes": ["ReadWriteOnce"]}}),
            ),
        ),
        (
            output(json!({"persistentVolumeClaim": null, "claimTemplate": {"size": "1Gi"}})),
            output(json!({"persistentVolumeClaim": null, "s3": {"bucket": "abc"}})),
        ),
        (json!({"rescan": {"schedule": "@daily"}}), json!({"ttlSecondsAfterFinished": 60})),
        (json!({"retry": {"maxFailedItems": 5}}), json!({"retry": {"maxFailedItems": "5%"}})),
    ]
}

/// Both orders of every pair, each with a name for its job.
fn changes() -> Vec<(String, Value, Value)> {
    let both = |(one, other): (Value, Value)| [(one.clone(), other.clone()), (other, one)];
    let changes = pairs().into_iter().flat_map(both).enumerate();
    changes.map(|(number, (first, then))| (format!("job-{number}"), first, then)).collect()
}

fn named(name: &str, spec: &Value) -> Value {
    let mut job = patched(spec.clone());
    job["metadata"]["name"] = json!(name);
    job
}

/// What is wrong, when the stored spec is not the one that would come of the last file alone.
async fn leftover(space: &Namespace<'_>, name: &str, applied: Result<(), String>, last: &Value) -> Option<String> {
    let fresh = admit(space, &patched(last.clone())).await.unwrap()["spec"].clone();
    if let Err(error) = applied {
        return Some(format!("{last} was refused: {error}"));
    }
    let stored = space.api::<AnalysisJob>().get(name).await.unwrap().spec;
    let fresh = serde_json::from_value::<analysisjob::AnalysisJobSpec>(fresh).unwrap();
    (stored != fresh).then(|| format!("{last} left something of what was before: {stored:?}"))
}

#[tokio::test]
async fn what_is_applied_last_by_the_server_decides() {
    let space = e2e::shared().await.unwrap().namespace("apply").await.unwrap();
    let jobs = space.api::<AnalysisJob>();
    let params = PatchParams::apply("a-person");
    let mut wrong = Vec::new();
    for (name, first, then) in changes() {
        jobs.patch(&name, &params, &Patch::Apply(named(&name, &first))).await.unwrap();
        let applied = jobs.patch(&name, &params, &Patch::Apply(named(&name, &then))).await;
        wrong.extend(leftover(&space, &name, applied.map(drop).map_err(|error| error.to_string()), &then).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_applied_last_by_kubectl_decides() {
    let space = e2e::shared().await.unwrap().namespace("kubectl").await.unwrap();
    let changes = changes();
    let all = |which: fn(&(String, Value, Value)) -> Value| changes.iter().map(which).collect::<Vec<Value>>();
    apply_all(&space, &all(|(name, first, _)| named(name, first))).unwrap();
    let refused = apply_all(&space, &all(|(name, _, then)| named(name, then))).err();
    let mut wrong: Vec<String> = refused.into_iter().collect();
    for (name, _, then) in &changes {
        wrong.extend(leftover(&space, name, Ok(()), then).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn apply_all(space: &Namespace<'_>, jobs: &[Value]) -> Result<(), String> {
    let file = space.plane().folder().join(format!("{}.json", space.name()));
    std::fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": jobs}).to_string()).unwrap();
    let output = space.kubectl(&["apply", "--filename", &file.display().to_string()]).unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
