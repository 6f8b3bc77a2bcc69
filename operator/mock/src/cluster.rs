//! A cluster without nodes: controller manager, scheduler and kubelet, played in steps by seed and clock.
//!
//! ```text
//!   step ─▶ clock ─▶ claims, ttl, garbage ─▶ Deployments ─▶ Jobs ─▶ pods: Pending ─▶ node ─▶ Running ─▶ the script's word
//!                                               ▲                                                     │
//!                                               └───────────── counted in the next step ◀─────────────┘
//! ```
//!
//! The same seed, script and requests give the same cluster, object for object. Absent on purpose: real time, threads,
//! ReplicaSets, Kueue (tests play it: they set `suspend`).

mod deployment;
mod failures;
mod indexes;
mod job;
mod kubelet;
mod memory;
mod pod;
mod script;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

use self::{
    memory::Memory,
    pod::{TRACKING, is_over, phase},
};
pub use self::{
    pod::PodInfo,
    script::{Life, Script, Stuck, Turn},
};
use crate::{
    api::MockApi,
    kinds::{CORE_EVENT, POD},
    object::{self, Key, meta},
    store::{Owners, Store},
    write::{Check, Wanted},
};

/// The cluster around a [`MockApi`].
pub struct Cluster {
    api: MockApi,
    script: Box<dyn Script>,
    random: Pcg64Mcg,
    seconds: i64,
    capacity: usize,
    quotas: BTreeMap<String, usize>,
    /// Steps each pod has run, by uid.
    ran: HashMap<String, u32>,
    /// Pods told to end without being deleted, by uid.
    asked: BTreeSet<String>,
    jobs: HashMap<String, Memory>,
}

impl Cluster {
    /// A cluster whose pods do what the script says. A step takes 10 seconds of the server's clock.
    pub fn new(api: &MockApi, seed: u64, script: impl Script + 'static) -> Self {
        Self {
            api: api.clone(),
            script: Box::new(script),
            random: Pcg64Mcg::seed_from_u64(seed),
            seconds: 10,
            capacity: usize::MAX,
            quotas: BTreeMap::new(),
            ran: HashMap::new(),
            asked: BTreeSet::new(),
            jobs: HashMap::new(),
        }
    }

    /// How long a step takes.
    #[must_use]
    pub fn seconds_per_step(mut self, seconds: i64) -> Self {
        self.seconds = seconds;
        self
    }

    /// At most so many pods have a node.
    pub fn set_capacity(&mut self, pods: usize) {
        self.capacity = pods;
    }

    /// A namespace's quota of pods; `None` lifts it.
    pub fn set_quota(&mut self, namespace: &str, pods: Option<usize>) {
        match pods {
            Some(pods) => self.quotas.insert(namespace.to_owned(), pods),
            None => self.quotas.remove(namespace),
        };
    }

    /// One step of everything.
    pub fn step(&mut self) {
        let api = self.api.clone();
        let mut store = api.shared.lock();
        store.clock.advance(self.seconds);
        deployment::bind_claims(&mut store);
        deployment::clean_up(&mut store);
        store.collect_garbage();
        self.run_deployments(&mut store);
        self.run_jobs(&mut store);
        self.run_pods(&mut store);
        release_orphans(&mut store);
        store.collect_garbage();
    }

    /// So many steps.
    pub fn steps(&mut self, count: usize) {
        (0..count).for_each(|_| self.step());
    }

    /// The running pods of a role (empty: all), in the order of their names.
    pub fn running(&self, role: &str) -> Vec<PodInfo> {
        let store = self.api.shared.lock();
        let pods = store.shelves[POD].objects.values().map(|stored| &stored.object);
        let running = pods.filter(|pod| phase(pod) == "Running");
        running
            .map(|pod| PodInfo::of(pod, self.ran.get(meta(pod, "uid")).copied().unwrap_or(0)))
            .filter(|pod| role.is_empty() || pod.role == role)
            .collect()
    }

    /// Kills a pod's container (SIGKILL): exit code 137, no last word. `false` when it does not run.
    pub fn kill(&mut self, namespace: &str, name: &str) -> bool {
        let Some(pod) = self.running("").into_iter().find(|pod| pod.namespace == namespace && pod.name == name) else {
            return false;
        };
        self.script.killed(&pod);
        let api = self.api.clone();
        self.finish(&mut api.shared.lock(), &(pod.namespace, pod.name), 137, "");
        true
    }

    /// Kills any running pod of a role, by the seed.
    pub fn kill_any(&mut self, role: &str) -> Option<PodInfo> {
        let running = self.running(role);
        if running.is_empty() {
            return None;
        }
        let pod = running[self.random_below(running.len())].clone();
        self.kill(&pod.namespace, &pod.name).then_some(pod)
    }

    /// Evicts a pod: it bears DisruptionTarget and is deleted with its grace. `false` when there is none.
    pub fn evict(&mut self, namespace: &str, name: &str) -> bool {
        let mut store = self.api.shared.lock();
        let (key, now) = ((namespace.to_owned(), name.to_owned()), store.clock.text());
        store.revise(POD, &key, |pod| {
            pod::set_condition(
                pod,
                &now,
                "DisruptionTarget",
                "True",
                "EvictionByEvictionAPI",
                "Eviction API: evicting",
            );
        });
        store.end(POD, &key, &json!({})).is_some()
    }

    /// The node of a pod dies: it bears DisruptionTarget and ends without a word.
    pub fn lose_node(&mut self, namespace: &str, name: &str) -> bool {
        let (key, now) = ((namespace.to_owned(), name.to_owned()), self.api.now().to_string());
        self.api.shared.lock().revise(POD, &key, |pod| {
            pod::set_condition(pod, &now, "DisruptionTarget", "True", "DeletionByTaintManager", "the node is gone");
        });
        self.kill(namespace, name)
    }

    /// Tells a running pod to end without deleting it.
    pub fn ask_to_end(&mut self, namespace: &str, name: &str) {
        if let Some(pod) = self.running("").into_iter().find(|pod| pod.namespace == namespace && pod.name == name) {
            self.asked.insert(meta(&pod.object, "uid").to_owned());
        }
    }

    fn random_below(&mut self, limit: usize) -> usize {
        self.random.random_range(0..limit.max(1))
    }

    /// The five letters at the end of a pod's name.
    fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5).map(|_| char::from(LETTERS[self.random_below(LETTERS.len())])).collect()
    }

    /// The Event the job controller leaves when the quota refuses a pod.
    fn refused_by_quota(&mut self, store: &mut Store, job: &Value, used: usize, limit: usize) {
        let (namespace, name, now) = (meta(job, "namespace"), meta(job, "name"), store.clock.text());
        let key: Key = (namespace.to_owned(), format!("{name}.quota"));
        let known = store.get(CORE_EVENT, &key).map(|stored| stored.object["count"].as_i64().unwrap_or(0));
        if let Some(count) = known {
            store.revise(CORE_EVENT, &key, |event| {
                event["count"] = json!(count + 1);
                event["lastTimestamp"] = json!(now);
            });
            return;
        }
        let message = format!(
            "Error creating: pods \"{name}-{}\" is forbidden: exceeded quota: pods, requested: pods=1, used: pods={used}, limited: pods={limit}",
            self.suffix()
        );
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"namespace": namespace, "name": key.1},
            "involvedObject": {
                "apiVersion": "batch/v1", "kind": "Job", "namespace": namespace, "name": name, "uid": meta(job, "uid"),
            },
            "type": "Warning", "reason": "FailedCreate", "message": message, "count": 1,
            "firstTimestamp": now, "lastTimestamp": now, "source": {"component": "job-controller"},
            "reportingComponent": "job-controller", "reportingInstance": "",
        });
        let wanted = Wanted { kind: CORE_EVENT, old: None, new: event, owners: Owners::new(), dry_run: false };
        // Unchecked objects are never refused.
        drop(store.settle(wanted, Check::None));
    }
}

/// Pods whose Job is gone are nobody's to count.
fn release_orphans(store: &mut Store) {
    let pods = store.shelves[POD].objects.iter().filter(|(_, stored)| {
        let pod = &stored.object;
        let ends = is_over(pod) && object::finalizers(pod).any(|name| name == TRACKING);
        ends && object::owners(pod).all(|owner| !store.uids.contains_key(owner))
    });
    let orphans: Vec<Key> = pods.map(|(key, _)| key.clone()).collect();
    for key in orphans {
        store.release(POD, &key, TRACKING);
    }
}
