//! The deployment controller (without the ReplicaSets between), claims, and the clean-up of finished Jobs.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Cluster,
    pod::{self, is_over, is_ready, set_condition},
};
use crate::{
    clock::seconds,
    kinds::{CLAIM, DEPLOYMENT, JOB, POD},
    object::{self, Key, label, map_mut, meta},
    store::{Owners, Store},
    write::{Check, Wanted},
};

const HASH: &str = "pod-template-hash";

impl Cluster {
    /// One look at every Deployment.
    pub(super) fn run_deployments(&mut self, store: &mut Store) {
        let keys: Vec<Key> = store.shelves[DEPLOYMENT].objects.keys().cloned().collect();
        for key in keys {
            let Some(deployment) = store.get(DEPLOYMENT, &key).map(|stored| stored.object.clone()) else { continue };
            if !object::is_terminating(&deployment) {
                self.run_deployment(store, &key, &deployment);
            }
        }
    }

    fn run_deployment(&mut self, store: &mut Store, key: &Key, deployment: &Value) {
        let hash = template_hash(deployment);
        let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1) as usize;
        let (current, old): (Vec<_>, Vec<_>) =
            own_pods(store, deployment).into_iter().partition(|(_, pod)| label(pod, HASH) == hash);
        for (key, _) in old.iter().chain(current.iter().skip(wanted)) {
            store.end(POD, key, &json!({"propagationPolicy": "Background"}));
        }
        for _ in current.len()..wanted {
            let mut pod = pod::from_template(DEPLOYMENT, deployment, &format!("{}-{hash}-{}", key.1, self.suffix()));
            map_mut(&mut pod["metadata"]["labels"]).insert(HASH.to_owned(), json!(hash));
            map_mut(&mut pod["spec"]).entry("restartPolicy").or_insert_with(|| json!("Always"));
            let wanted = Wanted { kind: POD, old: None, new: pod, owners: Owners::new(), dry_run: false };
            // A pod of a template the server has taken cannot be refused.
            drop(store.settle(wanted, Check::None));
        }
        let pods = own_pods(store, deployment);
        let ready = pods.iter().filter(|(_, pod)| is_ready(pod)).count();
        let updated = pods.iter().filter(|(_, pod)| label(pod, HASH) == hash).count();
        say(store, key, wanted, pods.len(), updated, ready);
    }
}

fn own_pods(store: &Store, owner: &Value) -> Vec<(Key, Arc<Value>)> {
    let own = store.dependents.get(meta(owner, "uid")).into_iter().flatten().filter(|(kind, _)| *kind == POD);
    let own = own.filter_map(|(_, key)| store.get(POD, key).map(|stored| (key.clone(), stored.object.clone())));
    own.filter(|(_, pod)| !object::is_terminating(pod) && !is_over(pod)).collect()
}

fn template_hash(deployment: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    deployment["spec"]["template"].to_string().hash(&mut hasher);
    format!("{:08x}", hasher.finish() as u32)
}

fn say(store: &mut Store, key: &Key, wanted: usize, pods: usize, updated: usize, ready: usize) {
    let now = store.clock.text();
    let time = store.clock.now().as_second();
    store.revise(DEPLOYMENT, key, |deployment| {
        let generation = deployment["metadata"]["generation"].clone();
        let status = map_mut(&mut deployment["status"]);
        status.insert("observedGeneration".to_owned(), generation);
        let missing = wanted.saturating_sub(ready);
        for (name, count) in [
            ("replicas", pods),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
            ("unavailableReplicas", missing),
        ] {
            if count == 0 {
                status.remove(name);
            } else {
                status.insert(name.to_owned(), json!(count));
            }
        }
        conditions(deployment, &now, time, missing == 0);
    });
}

fn conditions(deployment: &mut Value, now: &str, time: i64, available: bool) {
    let (status, reason) =
        if available { ("True", "MinimumReplicasAvailable") } else { ("False", "MinimumReplicasUnavailable") };
    let message = "Deployment has minimum availability.";
    set_condition(
        deployment,
        now,
        "Available",
        status,
        reason,
        if available { message } else { "Deployment does not have minimum availability." },
    );
    let since = object::list(&deployment["status"]["conditions"]).iter().find(|c| c["type"] == "Available");
    let since = since.map_or(time, |condition| seconds(&condition["lastTransitionTime"]));
    let limit = deployment["spec"]["progressDeadlineSeconds"].as_i64().unwrap_or(600);
    let (status, reason) = match available {
        true => ("True", "NewReplicaSetAvailable"),
        false if time - since > limit => ("False", "ProgressDeadlineExceeded"),
        false => ("True", "ReplicaSetUpdated"),
    };
    set_condition(deployment, now, "Progressing", status, reason, "");
}

/// Claims are bound at once.
pub(super) fn bind_claims(store: &mut Store) {
    let claims = store.shelves[CLAIM].objects.iter();
    let open: Vec<Key> =
        claims.filter(|(_, claim)| claim.object["status"]["phase"] != "Bound").map(|(key, _)| key.clone()).collect();
    for key in open {
        store.revise(CLAIM, &key, |claim| claim["status"]["phase"] = json!("Bound"));
    }
}

/// Deletes Jobs whose `ttlSecondsAfterFinished` has passed.
pub(super) fn clean_up(store: &mut Store) {
    let now = store.clock.now().as_second();
    let due = store.shelves[JOB].objects.iter().filter(|(_, job)| {
        let job = &job.object;
        let ttl = job["spec"]["ttlSecondsAfterFinished"].as_i64();
        let conditions = object::list(&job["status"]["conditions"]).iter();
        let end = conditions.filter(|c| c["status"] == "True" && (c["type"] == "Complete" || c["type"] == "Failed"));
        let end = end.map(|condition| seconds(&condition["lastTransitionTime"])).max();
        end.zip(ttl).is_some_and(|(end, ttl)| end + ttl <= now)
    });
    let due: Vec<Key> = due.map(|(key, _)| key.clone()).collect();
    for key in due {
        store.end(JOB, &key, &json!({"propagationPolicy": "Foreground"}));
    }
}
