//! Scheduler and kubelet: pods from Pending to their end.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Cluster,
    pod::{PodInfo, is_over, phase, set_condition},
    script::{Stuck, Turn},
};
use crate::{
    clock::seconds,
    kinds::{CONFIG_MAP, POD},
    object::{self, Key, list, meta},
    store::Store,
};

/// The kubelet keeps this much of a termination message.
const MESSAGE: usize = 4096;

impl Cluster {
    /// One step of every pod that is not over.
    pub(super) fn run_pods(&mut self, store: &mut Store) {
        let mut alive: Vec<(Key, Arc<Value>)> = Vec::new();
        for (key, stored) in &store.shelves[POD].objects {
            if !is_over(&stored.object) {
                alive.push((key.clone(), stored.object.clone()));
            }
        }
        let mut running = alive.iter().filter(|(_, pod)| pod["spec"]["nodeName"].is_string()).count();
        for (key, pod) in alive {
            let ends = object::is_terminating(&pod);
            match (phase(&pod), pod["spec"]["nodeName"].is_string()) {
                ("Running", _) if ends || !is_waiting(&pod) => self.go_on(store, &key, &pod),
                (_, _) if ends => never_ran(store, &key),
                (_, true) => self.start(store, &key, &pod),
                (_, false) if running < self.capacity => running += usize::from(self.schedule(store, &key, &pod)),
                _ => unschedulable(store, &key, "0/1 nodes are available: 1 Insufficient cpu."),
            }
        }
    }

    fn schedule(&mut self, store: &mut Store, key: &Key, pod: &Arc<Value>) -> bool {
        if let Some(Stuck::Unschedulable(message)) = self.script.held(&PodInfo::of(pod, 0)) {
            unschedulable(store, key, &message);
            return false;
        }
        let (now, node) = (store.clock.text(), self.random_below(4));
        store.revise(POD, key, |pod| {
            pod["spec"]["nodeName"] = json!(format!("node-{node}"));
            set_condition(pod, &now, "PodScheduled", "True", "", "");
            waiting(pod, "ContainerCreating", "");
        });
        true
    }

    fn start(&mut self, store: &mut Store, key: &Key, pod: &Arc<Value>) {
        let stuck =
            if missing_config_map(store, pod) { Some(Stuck::Creating) } else { self.script.held(&PodInfo::of(pod, 0)) };
        let now = store.clock.text();
        match stuck {
            Some(Stuck::ImagePull(message)) => {
                store.revise(POD, key, |pod| waiting(pod, "ImagePullBackOff", &message));
            }
            Some(Stuck::Config(message)) => {
                store.revise(POD, key, |pod| waiting(pod, "CreateContainerConfigError", &message));
            }
            Some(_) => store.revise(POD, key, |pod| waiting(pod, "ContainerCreating", "")),
            None => store.revise(POD, key, |pod| started(pod, &now)),
        }
    }

    fn go_on(&mut self, store: &mut Store, key: &Key, pod: &Arc<Value>) {
        let uid = meta(pod, "uid");
        let ran = self.ran.entry(uid.to_owned()).or_default();
        *ran += 1;
        let limit = seconds(&pod["metadata"]["deletionTimestamp"]);
        let left = limit - store.clock.now().as_second();
        let info = PodInfo { grace_left: (limit > 0).then_some(left), ..PodInfo::of(pod, *ran) };
        let turn = if limit > 0 && left <= 0 {
            self.script.killed(&info);
            Turn::ends(137, "")
        } else if limit > 0 || self.asked.contains(uid) {
            self.script.asked_to_end(&info)
        } else {
            self.script.step(&info)
        };
        if let Turn::Ends { code, message } = turn {
            self.finish(store, key, code, &message);
        }
    }

    /// The end of a container: of a pod that is restarted in place, or of the pod.
    pub(super) fn finish(&mut self, store: &mut Store, key: &Key, code: i32, message: &str) {
        let now = store.clock.text();
        let mut uid = String::new();
        store.revise(POD, key, |pod| {
            meta(pod, "uid").clone_into(&mut uid);
            if pod["spec"]["restartPolicy"] == "Always" && !object::is_terminating(pod) {
                restarted(pod, &now);
            } else {
                ended(pod, &now, code, message);
            }
        });
        self.ran.remove(&uid);
        self.asked.remove(&uid);
        bury(store, key);
    }
}

/// A pod that is deleted before its container ran is failed by the pod garbage collector.
fn never_ran(store: &mut Store, key: &Key) {
    store.revise(POD, key, |pod| pod["status"]["phase"] = json!("Failed"));
    bury(store, key);
}

/// A deleted pod goes when it is over and nobody holds it.
fn bury(store: &mut Store, key: &Key) {
    let gone = store.get(POD, key).is_some_and(|stored| {
        let pod = &stored.object;
        is_over(pod) && object::is_terminating(pod) && object::finalizers(pod).next().is_none()
    });
    if gone {
        store.take(POD, key);
    }
}

fn unschedulable(store: &mut Store, key: &Key, message: &str) {
    let now = store.clock.text();
    store.revise(POD, key, |pod| set_condition(pod, &now, "PodScheduled", "False", "Unschedulable", message));
}

/// Pods wait for the ConfigMaps they mount.
fn missing_config_map(store: &Store, pod: &Value) -> bool {
    list(&pod["spec"]["volumes"]).iter().map(|volume| &volume["configMap"]).any(|source| {
        let key = (meta(pod, "namespace").to_owned(), source["name"].as_str().unwrap_or_default().to_owned());
        source.is_object() && source["optional"] != true && store.get(CONFIG_MAP, &key).is_none()
    })
}

fn is_waiting(pod: &Value) -> bool {
    pod["status"]["containerStatuses"][0]["state"]["waiting"].is_object()
}

fn statuses(pod: &mut Value, state: &Value, ready: bool) {
    let restarts = pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or(0);
    let names: Vec<Value> = list(&pod["spec"]["containers"])
        .iter()
        .map(|container| {
            json!({
                "name": container["name"], "image": container["image"].as_str().unwrap_or_default(), "imageID": "",
                "ready": ready, "started": ready, "restartCount": restarts, "state": state,
            })
        })
        .collect();
    pod["status"]["containerStatuses"] = json!(names);
}

fn waiting(pod: &mut Value, reason: &str, message: &str) {
    let state =
        if message.is_empty() { json!({"reason": reason}) } else { json!({"reason": reason, "message": message}) };
    statuses(pod, &json!({"waiting": state}), false);
}

fn started(pod: &mut Value, now: &str) {
    pod["status"]["phase"] = json!("Running");
    pod["status"]["startTime"] = json!(now);
    set_condition(pod, now, "Ready", "True", "", "");
    statuses(pod, &json!({"running": {"startedAt": now}}), true);
}

fn restarted(pod: &mut Value, now: &str) {
    let count = pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or(0) + 1;
    set_condition(pod, now, "Ready", "False", "ContainersNotReady", "");
    waiting(pod, "CrashLoopBackOff", "back-off restarting failed container");
    pod["status"]["containerStatuses"][0]["restartCount"] = json!(count);
}

fn ended(pod: &mut Value, now: &str, code: i32, message: &str) {
    pod["status"]["phase"] = json!(if code == 0 { "Succeeded" } else { "Failed" });
    set_condition(pod, now, "Ready", "False", if code == 0 { "PodCompleted" } else { "PodFailed" }, "");
    let reason = if code == 0 { "Completed" } else { "Error" };
    let began = pod["status"]["startTime"].clone();
    let mut end = json!({"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": now});
    let message = tail(message);
    if !message.is_empty() {
        end["message"] = json!(message);
    }
    statuses(pod, &json!({"terminated": end}), false);
}

fn tail(message: &str) -> &str {
    let from = (message.len().saturating_sub(MESSAGE)..message.len()).find(|at| message.is_char_boundary(*at));
    &message[from.unwrap_or(0)..]
}
