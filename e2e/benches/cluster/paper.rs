//! A node that is only an object. What the scheduler binds to it runs at once and ends well at the next look; a plan says
//! that there are so many movies.

use std::time::Duration;

use analysisjob::labels;
use k8s_openapi::{
    api::core::v1::{Node, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// The node's name, its label and its taint.
pub const PAPER: &str = "paper";
const TICK: Duration = Duration::from_millis(200);

/// The node; dropping it ends it.
pub struct Paper {
    task: JoinHandle<()>,
}

impl Drop for Paper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a pod template needs to be bound to it, and to nothing else.
pub fn bound_to_it() -> Value {
    json!({"spec": {"nodeSelector": {PAPER: "yes"}, "tolerations": [{"key": PAPER, "operator": "Exists"}]}})
}

impl Paper {
    /// Makes the node, whose plans have so many movies.
    pub async fn unfold(client: Client, movies: u32) -> Self {
        let node = json!({
            "metadata": {"name": PAPER, "labels": {PAPER: "yes"}},
            "spec": {"taints": [{"key": PAPER, "effect": "NoSchedule"}]},
        });
        let nodes = Api::<Node>::all(client.clone());
        let _ = nodes.delete(PAPER, &DeleteParams::default()).await;
        nodes.create(&PostParams::default(), &serde_json::from_value(node).unwrap()).await.unwrap();
        let task = tokio::spawn(run(client, movies));
        Self { task }
    }

    /// Takes the node away.
    pub async fn fold(self, client: Client) {
        let _ = Api::<Node>::all(client).delete(PAPER, &DeleteParams::default()).await;
    }
}

async fn run(client: Client, movies: u32) {
    let pods = Api::<Pod>::all(client.clone());
    let ours = ListParams::default().fields(&format!("spec.nodeName={PAPER}"));
    loop {
        beat(&client).await;
        for pod in pods.list(&ours).await.map(|list| list.items).unwrap_or_default() {
            // A pod that is gone by now is no matter.
            let _ = tick(&client, &pod, movies).await;
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The node is well: else its pods would be evicted.
async fn beat(client: &Client) {
    let amounts = json!({"cpu": "1000", "memory": "1000Gi", "pods": "5000", "ephemeral-storage": "1000Gi"});
    let condition = json!({"type": "Ready", "status": "True", "reason": "Paper", "message": "", "lastHeartbeatTime": now(), "lastTransitionTime": now()});
    let status = json!({"status": {"capacity": amounts, "allocatable": amounts, "conditions": [condition]}});
    let _ = Api::<Node>::all(client.clone()).patch_status(PAPER, &PatchParams::default(), &Patch::Merge(status)).await;
}

async fn tick(client: &Client, pod: &Pod, movies: u32) -> Result<(), kube::Error> {
    let pods = Api::<Pod>::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    let name = pod.name_any();
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    if pod.metadata.deletion_timestamp.is_some() {
        return pods
            .delete(&name, &DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() })
            .await
            .map(drop);
    }
    let status = match phase {
        "Pending" => state(pod, "Running", &json!({"running": {"startedAt": now()}})),
        "Running" => state(pod, "Succeeded", &ended(pod, movies)),
        _ => return Ok(()),
    };
    pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await.map(drop)
}

fn ended(pod: &Pod, movies: u32) -> Value {
    let message = match pod.labels().get(labels::ROLE).map(String::as_str) {
        Some(labels::PLAN) => json!({
            "items": {"total": movies, "upToDate": 0, "succeeded": 0, "failed": 0},
            "plan": {"selected": movies, "indexes": movies, "itemsPerIndex": 1, "digest": "sha256:0123456789abcdef", "sample": []},
        }),
        Some(labels::COLLECT) => json!({"items": {"total": movies, "upToDate": 0, "succeeded": movies, "failed": 0}}),
        _ => json!({"items": {"total": 1, "upToDate": 0, "succeeded": 1, "failed": 0}}),
    };
    json!({"terminated": {
        "exitCode": 0, "reason": "Completed", "message": message.to_string(), "startedAt": now(), "finishedAt": now(),
    }})
}

fn state(pod: &Pod, phase: &str, state: &Value) -> Value {
    let container = &pod.spec.as_ref().unwrap().containers[0];
    let runs = phase == "Running";
    let ready = if runs { "True" } else { "False" };
    json!({"status": {
        "phase": phase,
        "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": now()}],
        "containerStatuses": [{
            "name": container.name, "image": container.image, "imageID": "", "ready": runs, "restartCount": 0, "state": state,
        }],
    }})
}

fn now() -> Time {
    Time(Timestamp::now())
}
