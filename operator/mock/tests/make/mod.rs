//! Makers of the objects the tests speak about.
#![allow(dead_code)] // every test file uses its own part
#![allow(clippy::needless_pass_by_value)] // json!(…) is given as it is made

use k8s_openapi::api::{batch::v1::Job, core::v1::ConfigMap};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use mockapi::MockApi;
use serde_json::{Value, json};

pub fn api() -> (MockApi, Client) {
    let api = MockApi::new();
    let client = api.client();
    (api, client)
}

pub fn jobs(client: &Client) -> Api<Job> {
    Api::namespaced(client.clone(), "science")
}

pub fn config_maps(client: &Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), "science")
}

pub fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "science"}, "data": data})
}

pub fn job(name: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": "science", "labels": {"role": "work"}},
        "spec": {
            "completionMode": "Indexed", "completions": 4, "parallelism": 2, "backoffLimitPerIndex": 1,
            "template": {"spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "worker", "image": "worker:1", "env": [{"name": "A", "value": "1"}]}],
            }},
        },
    })
}

pub fn analysis(name: &str) -> Value {
    json!({
        "apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "metadata": {"name": name, "namespace": "science"},
        "spec": {
            "source": {"http": {"rootURL": "https://archive.example/files/"}, "prefixes": ["A/"]},
            "analysis": {"opticalFlow": {"startFrame": 1, "stride": 10}},
            "workers": {"parallelism": 4},
            "output": {"persistentVolumeClaim": {"claimName": "results"}},
        },
    })
}

pub async fn apply<K>(objects: &Api<K>, manager: &str, object: &Value) -> kube::Result<K>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let name = object["metadata"]["name"].as_str().unwrap();
    objects.patch(name, &PatchParams::apply(manager), &Patch::Apply(object)).await
}

pub fn code<T: std::fmt::Debug>(result: kube::Result<T>) -> u16 {
    match result {
        Err(kube::Error::Api(status)) => status.code,
        other => panic!("no refusal: {other:?}"),
    }
}
