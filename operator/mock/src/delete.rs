//! Deletion: propagation policies, finalizers, the grace of pods, collections.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    answer::Refusal,
    kinds::{JOB, KINDS, KindId, POD},
    object::{self, Key, list, meta, meta_mut},
    route::Call,
    selector::Selection,
    store::Store,
    write::{Outcome, call_key},
};

/// Holds an owner until its dependents are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Holds an owner until its dependents no longer name it.
pub(crate) const ORPHAN: &str = "orphan";

impl Store {
    pub(crate) fn delete(&mut self, call: &Call) -> Result<Outcome, Refusal> {
        let key = call_key(call);
        let Some(stored) = self.get(call.id, &key) else {
            return Err(Refusal::not_found(&KINDS[call.id].resource(), &call.name));
        };
        let object = stored.object.clone();
        preconditions(call, &object)?;
        if call.dry_run() {
            return Ok(Outcome { code: 200, object, changed: false });
        }
        let before = self.revision;
        let last = self.end(call.id, &key, &call.body);
        Ok(Outcome { code: 200, object: last.unwrap_or(object), changed: self.revision > before })
    }

    /// Deletes what is selected; gives what it was.
    pub(crate) fn delete_collection(&mut self, call: &Call) -> Result<(Vec<Arc<Value>>, bool), Refusal> {
        let selection = Selection::of(call)?;
        let chosen = self.select(call.id, &selection).into_iter().map(|stored| stored.object.clone());
        let chosen: Vec<Arc<Value>> = chosen.collect();
        let before = self.revision;
        if !call.dry_run() {
            for object in &chosen {
                self.end(call.id, &object::key(object), &call.body);
            }
        }
        Ok((chosen, self.revision > before))
    }

    /// Deletes one object as the options say: at once, or by marking it until its finalizers or its grace end.
    pub(crate) fn end(&mut self, kind: KindId, key: &Key, options: &Value) -> Option<Arc<Value>> {
        let stored = self.get(kind, key)?.clone();
        let mut object = Value::clone(&stored.object);
        let grace = grace(kind, &object, options);
        add_finalizers(kind, &mut object, options);
        if grace == 0 && object::finalizers(&object).next().is_none() {
            return self.take(kind, key);
        }
        let end = self.clock.now().as_second().saturating_add(grace);
        let known = crate::clock::seconds(&object["metadata"]["deletionTimestamp"]);
        if known == 0 || end < known {
            let metadata = meta_mut(&mut object);
            metadata.insert("deletionTimestamp".to_owned(), json!(crate::clock::second(end).to_string()));
            metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace));
            if let (0, Some(generation)) = (known, metadata.get("generation").and_then(Value::as_i64)) {
                metadata.insert("generation".to_owned(), json!(generation + 1));
            }
        }
        if object::finalizers(&object).any(|name| name == FOREGROUND || name == ORPHAN) {
            self.doomed.insert(meta(&object, "uid").to_owned());
        }
        if object == *stored.object {
            return Some(stored.object);
        }
        Some(self.put(kind, object, stored.owners))
    }

    /// Takes a finalizer away; an object on its way out goes with the last.
    pub(crate) fn release(&mut self, kind: KindId, key: &Key, finalizer: &str) {
        let Some(stored) = self.get(kind, key).cloned() else { return };
        let mut object = Value::clone(&stored.object);
        let rest: Vec<&str> = object::finalizers(&stored.object).filter(|name| *name != finalizer).collect();
        if rest.len() == list(&object["metadata"]["finalizers"]).len() {
            return;
        }
        let last = rest.is_empty();
        if last {
            meta_mut(&mut object).remove("finalizers");
        } else {
            object["metadata"]["finalizers"] = json!(rest);
        }
        let runs = kind == POD && is_running(&object);
        if last && object::is_terminating(&object) && !runs {
            self.take(kind, key);
        } else {
            self.put(kind, object, stored.owners);
        }
    }
}

/// Whether a kubelet still has the pod.
fn is_running(pod: &Value) -> bool {
    pod["spec"]["nodeName"].is_string() && !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

fn grace(kind: KindId, object: &Value, options: &Value) -> i64 {
    if kind != POD || !is_running(object) {
        return 0;
    }
    let wanted = options["gracePeriodSeconds"].as_i64();
    wanted.or_else(|| object["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or(30)
}

/// Jobs of batch/v1 leave their pods behind unless told otherwise: an API server's oldest default.
fn add_finalizers(kind: KindId, object: &mut Value, options: &Value) {
    let policy = options["propagationPolicy"].as_str().unwrap_or(if kind == JOB { "Orphan" } else { "Background" });
    let finalizer = match policy {
        "Foreground" => FOREGROUND,
        "Orphan" => ORPHAN,
        _ => return,
    };
    if object::finalizers(object).all(|name| name != finalizer) {
        let mut names: Vec<String> = object::finalizers(object).map(str::to_owned).collect();
        names.push(finalizer.to_owned());
        meta_mut(object).insert("finalizers".to_owned(), json!(names));
    }
}

fn preconditions(call: &Call, object: &Value) -> Result<(), Refusal> {
    for field in ["uid", "resourceVersion"] {
        let wanted = call.body["preconditions"][field].as_str();
        if wanted.is_some_and(|wanted| wanted != meta(object, field)) {
            let message =
                format!("Precondition failed: {field} of {} \"{}\" differs", KINDS[call.id].resource(), call.name);
            return Err(Refusal::conflict(message));
        }
    }
    Ok(())
}
