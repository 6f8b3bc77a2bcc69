//! Writes that make or change an object: create, replace, merge patch; apply is next door. Each computes the object that
//! is wanted and who owns it; [`Store::settle`] does what all have in common.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    answer::Refusal,
    apply::{narrow, owned},
    fields::Schema,
    kinds::{CLAIM, DEPLOYMENT, KINDS, KindId, POD},
    merge,
    object::{self, Key, map_mut, meta, meta_mut},
    route::Call,
    rules,
    store::{Owners, Store, Stored},
    strict,
};

/// Metadata only the server writes.
const SYSTEM: [&str; 7] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
];

/// What came of a write.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub code: u16,
    pub object: Arc<Value>,
    pub changed: bool,
}

/// What a write wants.
pub(crate) struct Wanted {
    pub kind: KindId,
    pub old: Option<Stored>,
    pub new: Value,
    pub owners: Owners,
    pub dry_run: bool,
}

/// How unknown fields are met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Refused, as apply does.
    Strict,
    /// Dropped, as the other verbs do unless asked to be strict.
    Prune,
    /// Nothing is checked: objects a newer or older server may hold.
    None,
}

impl Store {
    pub(crate) fn create(&mut self, call: &Call) -> Result<Outcome, Refusal> {
        let kind = call.id;
        let mut new = self.identified(call)?;
        let key = object::key(&new);
        if self.get(kind, &key).is_some() {
            let message = format!("{} \"{}\" already exists", KINDS[kind].resource(), key.1);
            return Err(Refusal::new(409, "AlreadyExists", message));
        }
        if !meta(&new, "resourceVersion").is_empty() {
            return Err(Refusal::bad_request("resourceVersion should not be set on objects to be created"));
        }
        drop_status(kind, &mut new);
        let owners = Owners::from([((call.manager().to_owned(), false, false), owned(kind, &new, false))]);
        let wanted = Wanted { kind, old: None, new, owners, dry_run: call.dry_run() };
        self.settle(wanted, strictness(call))
    }

    pub(crate) fn replace(&mut self, call: &Call) -> Result<Outcome, Refusal> {
        let old = self.existing(call)?;
        let mut new = self.identified(call)?;
        same_version(call, &old.object, &new)?;
        if call.status {
            new = with_status(&old.object, &new["status"]);
        } else if KINDS[call.id].has_status {
            copy(&old.object, &mut new, "status");
        }
        self.update(call, old, new)
    }

    pub(crate) fn merge_patch(&mut self, call: &Call) -> Result<Outcome, Refusal> {
        let old = self.existing(call)?;
        same_version(call, &old.object, &call.body)?;
        let mut new = Value::clone(&old.object);
        if call.status {
            merge::merge_patch(&mut new["status"], call.body.get("status").unwrap_or(&json!({})));
        } else {
            let mut patch = call.body.clone();
            drop_status(call.id, &mut patch);
            merge::merge_patch(&mut new, &patch);
        }
        if object::key(&new) != object::key(&old.object) {
            return Err(Refusal::bad_request("the name of the object does not match the name on the URL"));
        }
        self.update(call, old, new)
    }

    /// A change by anything but apply: what it changes is its own.
    fn update(&mut self, call: &Call, old: Stored, mut new: Value) -> Result<Outcome, Refusal> {
        object::drop_nulls(&mut new);
        let (changed, gone) = merge::difference(Schema::root(call.id), &old.object, &new);
        let (changed, gone) = (narrow(changed, call.status), narrow(gone, call.status));
        let mut owners = Owners::clone(&old.owners);
        for fields in owners.values_mut() {
            fields.subtract(&changed);
            fields.subtract(&gone);
        }
        if !changed.is_empty() {
            owners.entry((call.manager().to_owned(), false, call.status)).or_default().add(&changed);
        }
        owners.retain(|_, fields| !fields.is_empty());
        let wanted = Wanted { kind: call.id, old: Some(old), new, owners, dry_run: call.dry_run() };
        self.settle(wanted, strictness(call))
    }

    pub(crate) fn existing(&self, call: &Call) -> Result<Stored, Refusal> {
        let found = self.get(call.id, &call_key(call)).cloned();
        found.ok_or_else(|| Refusal::not_found(&KINDS[call.id].resource(), &call.name))
    }

    /// The body, once its kind, namespace and name fit the URL.
    pub(crate) fn identified(&self, call: &Call) -> Result<Value, Refusal> {
        let row = &KINDS[call.id];
        let mut new = call.body.clone();
        if new["apiVersion"] != row.api_version() || new["kind"] != row.kind {
            let message = format!("the body is no {} of {}", row.kind, row.api_version());
            return Err(Refusal::bad_request(message));
        }
        let namespace = meta(&new, "namespace");
        if call.namespace.is_empty() || !namespace.is_empty() && namespace != call.namespace {
            return Err(Refusal::bad_request(
                "the namespace of the object does not match the namespace of the request",
            ));
        }
        let mut name = meta(&new, "name").to_owned();
        if name.is_empty() && call.name.is_empty() {
            name = format!("{}{:05x}", meta(&new, "generateName"), self.revision);
        } else if name.is_empty() {
            name.clone_from(&call.name);
        } else if !call.name.is_empty() && name != call.name {
            return Err(Refusal::bad_request("the name of the object does not match the name on the URL"));
        }
        let metadata = meta_mut(&mut new);
        metadata.insert("namespace".to_owned(), json!(call.namespace));
        metadata.insert("name".to_owned(), json!(name));
        Ok(new)
    }

    /// Finishes a write: system metadata, defaults, rules, generation. What changes nothing keeps its revision.
    pub(crate) fn settle(&mut self, wanted: Wanted, check: Check) -> Result<Outcome, Refusal> {
        let Wanted { kind, old, mut new, owners, dry_run } = wanted;
        object::drop_nulls(&mut new);
        self.system_metadata(kind, old.as_ref().map(|old| &*old.object), &mut new);
        if check != Check::None {
            rules::fill_in(kind, &mut new);
            strict::check(kind, &mut new, check == Check::Strict)?;
            rules::check(kind, old.as_ref().map(|old| &*old.object), &new)?;
        }
        let code = if old.is_some() { 200 } else { 201 };
        if let Some(old) = &old {
            next_generation(kind, &old.object, &mut new);
            if *old.object == new && *old.owners == owners {
                return Ok(Outcome { code, object: old.object.clone(), changed: false });
            }
        }
        if dry_run {
            return Ok(Outcome { code, object: Arc::new(new), changed: false });
        }
        if object::is_terminating(&new) && object::finalizers(&new).next().is_none() && kind != POD {
            let key = object::key(&new);
            let last = self.take(kind, &key).unwrap_or_else(|| Arc::new(new));
            return Ok(Outcome { code, object: last, changed: true });
        }
        Ok(Outcome { code, object: self.put(kind, new, Arc::new(owners)), changed: true })
    }

    fn system_metadata(&mut self, kind: KindId, old: Option<&Value>, new: &mut Value) {
        let now = self.clock.text();
        let uid = if old.is_none() { self.new_uid() } else { String::new() };
        let metadata = meta_mut(new);
        for field in SYSTEM {
            metadata.remove(field);
            if let Some(value) = old.and_then(|old| old["metadata"].get(field)) {
                metadata.insert(field.to_owned(), value.clone());
            }
        }
        if old.is_some() {
            return;
        }
        metadata.insert("uid".to_owned(), json!(uid));
        metadata.insert("creationTimestamp".to_owned(), json!(now));
        if KINDS[kind].has_generation {
            metadata.insert("generation".to_owned(), json!(1));
        }
        if matches!(kind, POD | CLAIM) && new["status"].is_null() {
            new["status"] = json!({"phase": "Pending"});
        }
    }
}

fn strictness(call: &Call) -> Check {
    if call.parameter("fieldValidation") == Some("Strict") { Check::Strict } else { Check::Prune }
}

pub(crate) fn call_key(call: &Call) -> Key {
    (call.namespace.clone(), call.name.clone())
}

pub(crate) fn drop_status(kind: KindId, object: &mut Value) {
    if let (true, Some(map)) = (KINDS[kind].has_status, object.as_object_mut()) {
        map.remove("status");
    }
}

fn copy(from: &Value, to: &mut Value, field: &str) {
    match from.get(field) {
        Some(value) => map_mut(to).insert(field.to_owned(), value.clone()),
        None => map_mut(to).remove(field),
    };
}

fn with_status(old: &Value, status: &Value) -> Value {
    let mut new = old.clone();
    map_mut(&mut new).insert("status".to_owned(), status.clone());
    new
}

pub(crate) fn same_version(call: &Call, old: &Value, given: &Value) -> Result<(), Refusal> {
    let differs = |field: &str| !meta(given, field).is_empty() && meta(given, field) != meta(old, field);
    if differs("resourceVersion") || differs("uid") {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": the object has been modified; please apply your changes to the latest version and try again",
            KINDS[call.id].resource(),
            call.name
        );
        return Err(Refusal::conflict(message));
    }
    Ok(())
}

fn next_generation(kind: KindId, old: &Value, new: &mut Value) {
    let annotations = kind == DEPLOYMENT && old["metadata"]["annotations"] != new["metadata"]["annotations"];
    if KINDS[kind].has_generation && (old["spec"] != new["spec"] || annotations) {
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(1) + 1;
        meta_mut(new).insert("generation".to_owned(), json!(generation));
    }
}
