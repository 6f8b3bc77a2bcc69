//! The job controller: counts what is over, starts what is wanted, says what is so.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{
    Cluster, indexes,
    memory::{Memory, completions, is_indexed},
    pod::{self, TRACKING, give_index, holds, is_over, is_ready},
};
use crate::{
    kinds::{JOB, POD},
    object::{self, Key, map_mut, meta},
    store::{Owners, Store},
    write::{Check, Wanted},
};

/// The pods of one Job.
struct Pods {
    /// Alive and not told to end.
    active: Vec<(Key, Arc<Value>)>,
    /// Alive and told to end.
    ending: Vec<(Key, Arc<Value>)>,
}

impl Cluster {
    /// One look at every Job.
    pub(super) fn run_jobs(&mut self, store: &mut Store) {
        let jobs: Vec<Key> = store.shelves[JOB].objects.keys().cloned().collect();
        for key in jobs {
            self.run_job(store, &key);
        }
    }

    fn run_job(&mut self, store: &mut Store, key: &Key) {
        let Some(job) = store.get(JOB, key).map(|stored| stored.object.clone()) else { return };
        let mut memory = self.jobs.remove(meta(&job, "uid")).unwrap_or_default();
        if object::is_terminating(&job) {
            // A Job on its way out makes no pods, and lets go of those that end.
            count_ended(store, &job, &mut memory);
        } else if !memory.settled {
            begin(store, key, &job);
            let job = store.get(JOB, key).map_or(job.clone(), |stored| stored.object.clone());
            let pods = count_ended(store, &job, &mut memory);
            memory.check_limits(&job, store.clock.now().as_second());
            self.adjust(store, &job, &memory, pods);
            say(store, key, &job, &mut memory);
        }
        self.jobs.insert(meta(&job, "uid").to_owned(), memory);
    }

    /// Ends pods that are too many, makes those that are missing.
    fn adjust(&mut self, store: &mut Store, job: &Value, memory: &Memory, pods: Pods) {
        let over = memory.fails.is_some() || memory.is_done(job) || job["spec"]["suspend"] == true;
        let wanted = if over { 0 } else { wanted(job, memory) };
        let (mut active, surplus) = (pods.active, pods.ending.len());
        active.sort_by_key(|(_, pod)| (pod::phase(pod) == "Pending", pod::index(pod)));
        for (key, _) in active.iter().skip(wanted) {
            store.end(POD, key, &json!({"propagationPolicy": "Background"}));
        }
        let failed_only = job["spec"]["podReplacementPolicy"] == "Failed";
        let busy = active.len() + if failed_only { surplus } else { 0 };
        let mut taken: BTreeSet<u32> = active.iter().filter_map(|(_, pod)| pod::index(pod)).collect();
        if failed_only {
            taken.extend(pods.ending.iter().filter_map(|(_, pod)| pod::index(pod)));
        }
        self.make_pods(store, job, memory, wanted.saturating_sub(busy), &taken);
    }

    fn make_pods(&mut self, store: &mut Store, job: &Value, memory: &Memory, count: usize, taken: &BTreeSet<u32>) {
        let now = store.clock.now().as_second();
        let ready = |index: u32| memory.not_before.get(&index).is_none_or(|time| *time <= now);
        if !is_indexed(job) {
            let last = memory.not_before.values().max().copied().unwrap_or(0);
            (0..count).filter(|_| last <= now).all(|_| self.make_pod(store, job, memory, None));
            return;
        }
        let free = (0..completions(job)).filter(|index| {
            !memory.completed.contains(index)
                && !memory.failed.contains(index)
                && !taken.contains(index)
                && ready(*index)
        });
        free.take(count).all(|index| self.make_pod(store, job, memory, Some(index)));
    }

    /// Makes one pod; `false` when the quota refuses it.
    fn make_pod(&mut self, store: &mut Store, job: &Value, memory: &Memory, index: Option<u32>) -> bool {
        let namespace = meta(job, "namespace");
        if let Some(limit) = self.quotas.get(namespace).copied() {
            let used = pods_in(store, namespace);
            if used >= limit {
                self.refused_by_quota(store, job, used, limit);
                return false;
            }
        }
        let suffix = self.suffix();
        let name = match index {
            Some(index) => format!("{}-{index}-{suffix}", meta(job, "name")),
            None => format!("{}-{suffix}", meta(job, "name")),
        };
        let mut pod = pod::from_template(JOB, job, &name);
        map_mut(&mut pod["metadata"]).insert("finalizers".to_owned(), json!([TRACKING]));
        if let Some(index) = index {
            give_index(&mut pod, index, memory.by_index.get(&index).copied().unwrap_or(0));
        }
        let wanted = Wanted { kind: POD, old: None, new: pod, owners: Owners::new(), dry_run: false };
        store.settle(wanted, Check::None).is_ok()
    }
}

fn pods_in(store: &Store, namespace: &str) -> usize {
    let from = (namespace.to_owned(), String::new());
    let here = store.shelves[POD].objects.range(from..).take_while(|(key, _)| key.0 == namespace);
    here.filter(|(_, stored)| !is_over(&stored.object)).count()
}

/// Start time, and the Suspended condition.
fn begin(store: &mut Store, key: &Key, job: &Value) {
    let now = store.clock.text();
    let (suspend, was) = (job["spec"]["suspend"] == true, holds(job, "Suspended"));
    store.revise(JOB, key, |job| {
        let over = holds(job, "Complete") || holds(job, "Failed");
        if suspend && !was && !over {
            pod::set_condition(job, &now, "Suspended", "True", "JobSuspended", "Job suspended");
        } else if !suspend && was {
            pod::set_condition(job, &now, "Suspended", "False", "JobResumed", "Job resumed");
            job["status"]["startTime"] = json!(now);
        } else if !suspend && job["status"]["startTime"].is_null() {
            map_mut(&mut job["status"]).insert("startTime".to_owned(), json!(now));
        }
    });
}

/// Counts the pods that are over, once: the tracking finalizer goes with the counting.
fn count_ended(store: &mut Store, job: &Value, memory: &mut Memory) -> Pods {
    let mut pods = Pods { active: Vec::new(), ending: Vec::new() };
    let now = store.clock.now().as_second();
    let own = store.dependents.get(meta(job, "uid")).into_iter().flatten().filter(|(kind, _)| *kind == POD);
    let own: Vec<(Key, Arc<Value>)> =
        own.filter_map(|(_, key)| store.get(POD, key).map(|stored| (key.clone(), stored.object.clone()))).collect();
    for (key, pod) in own {
        if is_over(&pod) {
            if object::finalizers(&pod).any(|name| name == TRACKING) {
                memory.count(job, &pod, now);
                store.release(POD, &key, TRACKING);
            }
        } else if object::is_terminating(&pod) {
            pods.ending.push((key, pod));
        } else {
            pods.active.push((key, pod));
        }
    }
    pods
}

fn wanted(job: &Value, memory: &Memory) -> usize {
    let parallelism = job["spec"]["parallelism"].as_u64().unwrap_or(1);
    let left = if is_indexed(job) {
        u64::from(completions(job)).saturating_sub((memory.completed.len() + memory.failed.len()) as u64)
    } else {
        u64::from(completions(job)).saturating_sub(memory.succeeded)
    };
    parallelism.min(left) as usize
}

/// Writes the status, and ends the Job once its pods have ended.
fn say(store: &mut Store, key: &Key, job: &Value, memory: &mut Memory) {
    let own = store.dependents.get(meta(job, "uid")).into_iter().flatten().filter(|(kind, _)| *kind == POD);
    let alive = own.filter_map(|(_, key)| store.get(POD, key)).filter(|stored| !is_over(&stored.object));
    let alive: Vec<Arc<Value>> = alive.map(|stored| stored.object.clone()).collect();
    let (ending, active): (Vec<_>, Vec<_>) = alive.into_iter().partition(|pod| object::is_terminating(pod));
    let ready = active.iter().filter(|pod| is_ready(pod)).count();
    let (now, done) = (store.clock.text(), memory.is_done(job));
    let quiet = active.is_empty() && ending.is_empty();
    memory.settled = quiet && (done || memory.fails.is_some());
    store.revise(JOB, key, |job| {
        counts(job, memory, active.len(), ready, ending.len());
        if let Some((reason, message)) = &memory.fails {
            pod::set_condition(job, &now, "FailureTarget", "True", reason, message);
            if quiet {
                pod::set_condition(job, &now, "Failed", "True", reason, message);
            }
        } else if done {
            let (reason, message) = ("CompletionsReached", "Reached expected number of succeeded pods");
            pod::set_condition(job, &now, "SuccessCriteriaMet", "True", reason, message);
            if quiet {
                pod::set_condition(job, &now, "Complete", "True", reason, message);
                map_mut(&mut job["status"]).insert("completionTime".to_owned(), json!(now));
            }
        }
    });
}

fn counts(job: &mut Value, memory: &Memory, active: usize, ready: usize, ending: usize) {
    let (indexed, per_index) = (is_indexed(job), !job["spec"]["backoffLimitPerIndex"].is_null());
    let status = map_mut(&mut job["status"]);
    let mut number = |name: &str, count: u64| {
        if count == 0 && matches!(name, "active" | "succeeded" | "failed") {
            status.remove(name);
        } else {
            status.insert(name.to_owned(), json!(count));
        }
    };
    number("active", active as u64);
    number("ready", ready as u64);
    number("terminating", ending as u64);
    number("failed", memory.failures);
    number("succeeded", if indexed { memory.completed.len() as u64 } else { memory.succeeded });
    status.insert("uncountedTerminatedPods".to_owned(), json!({}));
    let mut text = |name: &str, said: String, always: bool| {
        if said.is_empty() && !always {
            status.remove(name);
        } else {
            status.insert(name.to_owned(), json!(said));
        }
    };
    text("completedIndexes", indexes::text(&memory.completed), false);
    text("failedIndexes", indexes::text(&memory.failed), per_index);
}
