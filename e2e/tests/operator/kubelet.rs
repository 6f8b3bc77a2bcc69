//! Plays scheduler and kubelet of one namespace: pods are bound, run, and end as data pods do (exit code and termination
//! message). Movies are numbers; index k of the plan is movie k.
//!
//! What is held stays as it is until it is let go: a test looks at a phase as long as it likes.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use analysisjob::labels;
use http::Request;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

/// The only node. Nobody watches over it.
const NODE: &str = "node";
const TICK: Duration = Duration::from_millis(100);

/// How the data pods behave, and what they have done.
#[derive(Debug, Default)]
pub struct Play {
    /// Movies the plan selects; one more is up to date.
    pub movies: usize,
    /// Roles whose pods go on for ever.
    pub held: HashSet<&'static str>,
    /// Pods that are to stop do not.
    pub drains_held: bool,
    /// The plan's pod ends with exit code 78 and says this.
    pub misconfigured: Option<(&'static str, &'static str)>,
    /// Movies that have failed, as only the collect pod tells.
    pub broken: usize,
    /// Exit codes of the next pods of an index, or of a role without indexes, by `role index`.
    pub codes: HashMap<&'static str, Vec<i32>>,
    /// Names of pods that did their work, as `role index`.
    pub done: Vec<String>,
    /// Pods that have been bound, by name.
    bound: BTreeSet<String>,
}

/// A running kubelet; dropping it ends it.
pub struct Kubelet {
    /// Shared with the task.
    pub play: Arc<Mutex<Play>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Kubelet {
    /// Starts one.
    pub async fn start(client: Client, namespace: &str, movies: usize) -> Self {
        let node = json!({"metadata": {"name": NODE}});
        let nodes = Api::<Node>::all(client.clone());
        // Another test may have made it.
        let _ = nodes.create(&PostParams::default(), &serde_json::from_value(node).unwrap()).await;
        let play = Arc::new(Mutex::new(Play { movies, ..Play::default() }));
        let task = tokio::spawn(run(client, namespace.to_owned(), Arc::clone(&play)));
        Self { play, task }
    }

    /// Changes how pods behave.
    pub fn set(&self, change: impl FnOnce(&mut Play)) {
        change(&mut self.play.lock().unwrap());
    }

    /// Pods of `role` go on for ever.
    pub fn hold(&self, role: &'static str) {
        self.set(|play| {
            play.held.insert(role);
        });
    }

    /// Pods of `role` do their work.
    pub fn release(&self, role: &'static str) {
        self.set(|play| {
            play.held.remove(role);
        });
    }

    /// What was done, in order of names.
    pub fn done(&self) -> Vec<String> {
        let mut done = self.play.lock().unwrap().done.clone();
        done.sort();
        done
    }
}

async fn run(client: Client, namespace: String, play: Arc<Mutex<Play>>) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    loop {
        let listed = pods.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        for pod in listed {
            // A pod that is gone by now is no matter.
            let _ = tick(&client, &pods, &pod, &play).await;
        }
        tokio::time::sleep(TICK).await;
    }
}

/// One pod, one step: bound, running, ended, gone.
async fn tick(client: &Client, pods: &Api<Pod>, pod: &Pod, play: &Mutex<Play>) -> Result<(), kube::Error> {
    let (name, phase) = (pod.name_any(), phase(pod));
    let ended = matches!(phase, "Succeeded" | "Failed");
    if pod.metadata.deletion_timestamp.is_some() {
        if !ended && play.lock().unwrap().drains_held {
            return Ok(());
        }
        if !ended {
            pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(end(pod, 75, ""))).await?;
        }
        return pods
            .delete(&name, &DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() })
            .await
            .map(drop);
    }
    if phase == "Pending" {
        if play.lock().unwrap().bound.insert(name.clone()) {
            bind(client, pod).await?;
        }
        return pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(start(pod))).await.map(drop);
    }
    let Some((code, message)) = (!ended).then(|| outcome(pod, &mut play.lock().unwrap())).flatten() else {
        return Ok(());
    };
    pods.patch_status(&name, &PatchParams::default(), &Patch::Merge(end(pod, code, &message))).await?;
    if code == 0 {
        play.lock().unwrap().done.push(slot(pod));
    }
    Ok(())
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

fn role(pod: &Pod) -> &str {
    pod.labels().get(labels::ROLE).map_or("", String::as_str)
}

fn index(pod: &Pod) -> &str {
    pod.labels().get("batch.kubernetes.io/job-completion-index").map_or("", String::as_str)
}

/// Role and index.
fn slot(pod: &Pod) -> String {
    format!("{} {}", role(pod), index(pod)).trim().to_owned()
}

/// Exit code and termination message of a data pod that is not held.
fn outcome(pod: &Pod, play: &mut Play) -> Option<(i32, String)> {
    let role = role(pod);
    if role == labels::CACHE || play.held.contains(role) {
        return None;
    }
    if let (labels::PLAN, Some((reason, message))) = (role, play.misconfigured) {
        return Some((78, json!({"error": {"reason": reason, "message": message}}).to_string()));
    }
    if let Some(code) = play.codes.get_mut(slot(pod).as_str()).and_then(Vec::pop) {
        return Some((code, "a crash".to_owned()));
    }
    let (movies, broken) = (play.movies, play.broken);
    let message = match role {
        labels::PLAN => json!({
            "items": {"total": movies + 1, "upToDate": 1, "succeeded": 0, "failed": 0},
            "plan": {
                "selected": movies, "indexes": movies, "itemsPerIndex": 1,
                "digest": "sha256:0123456789abcdef", "sample": ["RS03/a.mov", "RS03/b.mov"],
            },
        }),
        labels::WORK => json!({"items": {"total": 1, "upToDate": 0, "succeeded": 1, "failed": 0}, "failures": []}),
        _ => {
            let failure =
                json!({"item": "RS03/a.mov", "reason": "DecodeError", "attempts": 3, "message": "no moov atom"});
            let run = pod.labels().get(labels::RUN).cloned().unwrap_or_default();
            json!({
                "items": {"total": movies + 1, "upToDate": 1, "succeeded": movies - broken, "failed": broken},
                "failures": vec![failure; broken],
                "report": format!(".analysis/{run}/failures.jsonl"),
            })
        }
    };
    Some((0, message.to_string()))
}

async fn bind(client: &Client, pod: &Pod) -> Result<(), kube::Error> {
    let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
    let binding = json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name, "namespace": namespace},
        "target": {"apiVersion": "v1", "kind": "Node", "name": NODE},
    });
    let request = Request::post(format!("/api/v1/namespaces/{namespace}/pods/{name}/binding"))
        .header("content-type", "application/json")
        .body(binding.to_string().into_bytes())
        .map_err(kube::Error::HttpError)?;
    client.request_text(request).await.map(drop)
}

fn start(pod: &Pod) -> Value {
    let running = json!({"running": {"startedAt": now()}});
    status("Running", "True", &container(pod, true, &running))
}

fn end(pod: &Pod, code: i32, message: &str) -> Value {
    let reason = if code == 0 { "Completed" } else { "Error" };
    let terminated = json!({"terminated": {
        "exitCode": code, "message": message, "reason": reason, "startedAt": now(), "finishedAt": now(),
    }});
    status(if code == 0 { "Succeeded" } else { "Failed" }, "False", &container(pod, false, &terminated))
}

fn container(pod: &Pod, ready: bool, state: &Value) -> Value {
    let container = &pod.spec.as_ref().unwrap().containers[0];
    json!({
        "name": container.name, "image": container.image, "imageID": "", "ready": ready, "restartCount": 0,
        "state": state,
    })
}

fn status(phase: &str, ready: &str, container: &Value) -> Value {
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": now()});
    json!({"status": {
        "phase": phase,
        "conditions": [condition("PodScheduled", "True"), condition("Ready", ready)],
        "containerStatuses": [container],
    }})
}

fn now() -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
    k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(k8s_openapi::jiff::Timestamp::now())
}
