//! Server-side apply: what a manager wants is laid over what there is; what it no longer wants and nobody else owns goes.

use serde_json::{Value, json};

use crate::{
    answer::Refusal,
    fields::{Fields, Schema, Segment},
    kinds::{KINDS, KindId},
    merge,
    object::{self, meta},
    route::Call,
    store::{Owners, Store, Stored},
    write::{Check, Outcome, Wanted, call_key, drop_status, same_version},
};

/// Metadata that managers own.
const OWNED: [&str; 4] = ["labels", "annotations", "ownerReferences", "finalizers"];

impl Store {
    pub(crate) fn apply(&mut self, call: &Call) -> Result<Outcome, Refusal> {
        let wanted = self.checked_apply(call)?;
        let old = if call.status { Some(self.existing(call)?) } else { self.get(call.id, &call_key(call)).cloned() };
        precondition(call, old.as_ref(), &wanted)?;
        let mine = owned(call.id, &wanted, call.status);
        let mut owners = old.as_ref().map(|old| Owners::clone(&old.owners)).unwrap_or_default();
        let key = (call.manager().to_owned(), true, call.status);
        let before = owners.remove(&key).unwrap_or_default();
        let base = old.as_ref().map_or_else(|| skeleton(call), |old| Value::clone(&old.object));
        take_over(call, &mut owners, &mine, &base, &wanted)?;
        let new = laid_over(call.id, base, &wanted, before, &mine, &owners);
        owners.insert(key, mine);
        let wanted = Wanted { kind: call.id, old, new, owners, dry_run: call.dry_run() };
        self.settle(wanted, Check::Strict)
    }

    fn checked_apply(&self, call: &Call) -> Result<Value, Refusal> {
        if call.manager().is_empty() {
            return Err(Refusal::invalid(
                "PatchOptions.meta.k8s.io",
                "",
                "fieldManager: Required value: is required for apply patch",
            ));
        }
        let mut wanted = self.identified(call)?;
        if !object::list(&wanted["metadata"]["managedFields"]).is_empty() {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        if call.status {
            let status = wanted["status"].take();
            wanted = skeleton(call);
            wanted["status"] = status;
        } else {
            drop_status(call.id, &mut wanted);
        }
        Ok(wanted)
    }
}

fn skeleton(call: &Call) -> Value {
    let row = &KINDS[call.id];
    json!({"apiVersion": row.api_version(), "kind": row.kind, "metadata": {"namespace": call.namespace, "name": call.name}})
}

/// The fields a manager can own, on one side of the `/status` door.
pub(crate) fn owned(kind: KindId, object: &Value, status: bool) -> Fields {
    let mut fields = Fields::of(Schema::root(kind), object);
    if !status && KINDS[kind].has_status {
        fields.drop_field(&["status"]);
    }
    narrow(fields, status)
}

/// Drops what no manager owns: identity, metadata of the server, the other side of the `/status` door.
pub(crate) fn narrow(mut fields: Fields, status: bool) -> Fields {
    if status {
        return fields.only("status");
    }
    fields.drop_field(&["apiVersion"]);
    fields.drop_field(&["kind"]);
    let metadata = Segment::Field("metadata".to_owned());
    if let Some(mut inside) = fields.below.remove(&metadata) {
        inside.below.retain(|segment, _| matches!(segment, Segment::Field(name) if OWNED.contains(&name.as_str())));
        if !inside.below.is_empty() {
            fields.below.insert(metadata, inside);
        }
    }
    fields
}

/// Conflicts with other managers: refused, or with force taken from them.
fn take_over(call: &Call, owners: &mut Owners, mine: &Fields, base: &Value, wanted: &Value) -> Result<(), Refusal> {
    let mut lines = Vec::new();
    for ((manager, ..), fields) in owners.iter_mut() {
        let conflicts = merge::conflicts(Schema::root(call.id), mine, fields, base, wanted);
        lines.extend(merge::paths(&conflicts).into_iter().map(|path| format!("conflict with \"{manager}\": {path}")));
        if call.force() {
            fields.subtract(&conflicts);
        }
    }
    if !lines.is_empty() && !call.force() {
        let count = lines.len();
        return Err(Refusal::conflict(format!("Apply failed with {count} conflict(s): {}", lines.join("; "))));
    }
    owners.retain(|_, fields| !fields.is_empty());
    Ok(())
}

fn laid_over(kind: KindId, base: Value, wanted: &Value, before: Fields, mine: &Fields, others: &Owners) -> Value {
    let (mut new, mut gone) = (base, before);
    merge::merge(Schema::root(kind), &mut new, wanted);
    gone.subtract(mine);
    let kept: Vec<&Fields> = others.values().collect();
    merge::remove(Schema::root(kind), &mut new, &gone, &kept);
    new
}

fn precondition(call: &Call, old: Option<&Stored>, wanted: &Value) -> Result<(), Refusal> {
    let given = !meta(&call.body, "uid").is_empty() || !meta(&call.body, "resourceVersion").is_empty();
    match old {
        Some(old) => same_version(call, &old.object, &call.body),
        None if given => Err(Refusal::conflict(format!(
            "the object of which a version is given, {}, does not exist",
            meta(wanted, "name")
        ))),
        None => Ok(()),
    }
}
