//! Merging objects: JSON merge patch, and the three moves of server-side apply (merge, conflicts, removal).

use serde_json::Value;

use crate::fields::{Fields, ListType, Schema, Segment, item_key, member_key};

/// RFC 7396.
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    let target = crate::object::map_mut(target);
    for (name, change) in changes {
        if change.is_null() {
            target.remove(name);
        } else {
            merge_patch(target.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// Lays `applied` over `live`: maps and keyed lists are merged, sets united, everything else replaced.
pub(crate) fn merge(schema: Schema<'_>, live: &mut Value, applied: &Value) {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) if !schema.is_atomic_map() => {
            for (name, value) in applied.iter().filter(|(_, value)| !value.is_null()) {
                match live.get_mut(name) {
                    Some(old) => merge(schema.below(name), old, value),
                    None => drop(live.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(live), Value::Array(applied)) => merge_list(schema, live, applied),
        (live, applied) => *live = applied.clone(),
    }
}

fn merge_list(schema: Schema<'_>, live: &mut Vec<Value>, applied: &[Value]) {
    match schema.list_type() {
        ListType::Atomic => *live = applied.to_vec(),
        ListType::Set => {
            for item in applied {
                if !live.contains(item) {
                    live.push(item.clone());
                }
            }
        }
        ListType::Map(keys) => {
            for item in applied {
                let key = item_key(keys, item);
                match live.iter_mut().find(|old| item_key(keys, old) == key) {
                    Some(old) => merge(Schema { field: "", ..schema }, old, item),
                    None => live.push(item.clone()),
                }
            }
        }
    }
}

/// The value one step further in.
fn step<'a>(schema: Schema<'_>, value: &'a Value, segment: &Segment) -> Option<&'a Value> {
    match segment {
        Segment::Field(name) => value.get(name),
        Segment::Item(key) => {
            let ListType::Map(keys) = schema.list_type() else { return None };
            value.as_array()?.iter().find(|item| item_key(keys, item) == *key)
        }
        Segment::Member(key) => value.as_array()?.iter().find(|item| member_key(item) == *key),
    }
}

fn inner<'a>(schema: Schema<'a>, segment: &'a Segment) -> Schema<'a> {
    match segment {
        Segment::Field(name) => schema.below(name),
        Segment::Item(_) | Segment::Member(_) => Schema { field: "", ..schema },
    }
}

/// Fields of `mine` that `other` owns too and for which `wanted` differs from `live`.
pub(crate) fn conflicts(schema: Schema<'_>, mine: &Fields, other: &Fields, live: &Value, wanted: &Value) -> Fields {
    let mut found = Fields::default();
    if mine.below.is_empty() {
        // An empty map owns only itself: what others have in it is no conflict.
        found.here = mine.here && other.here && live != wanted;
        return found;
    }
    for (segment, mine) in &mine.below {
        let Some(other) = other.below.get(segment) else { continue };
        let (Some(live), Some(wanted)) = (step(schema, live, segment), step(schema, wanted, segment)) else { continue };
        let below = conflicts(inner(schema, segment), mine, other, live, wanted);
        if !below.is_empty() {
            found.below.insert(segment.clone(), below);
        }
    }
    found
}

/// Removes from `value` what is in `gone` and that nobody in `kept` owns.
pub(crate) fn remove(schema: Schema<'_>, value: &mut Value, gone: &Fields, kept: &[&Fields]) {
    for (segment, gone) in &gone.below {
        let kept: Vec<&Fields> = kept.iter().filter_map(|fields| fields.below.get(segment)).collect();
        if gone.here && kept.is_empty() {
            remove_step(schema, value, segment);
            continue;
        }
        let schema_inside = inner(schema, segment);
        if let Some(inside) = step_mut(schema, value, segment) {
            remove(schema_inside, inside, gone, &kept);
            if kept.is_empty() && is_hollow(inside) {
                remove_step(schema, value, segment);
            }
        }
    }
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn step_mut<'a>(schema: Schema<'_>, value: &'a mut Value, segment: &Segment) -> Option<&'a mut Value> {
    match (segment, value) {
        (Segment::Field(name), value) => value.get_mut(name),
        (Segment::Item(key), Value::Array(items)) => {
            let ListType::Map(keys) = schema.list_type() else { return None };
            items.iter_mut().find(|item| item_key(keys, item) == *key)
        }
        _ => None,
    }
}

fn remove_step(schema: Schema<'_>, value: &mut Value, segment: &Segment) {
    match (segment, value) {
        (Segment::Field(name), Value::Object(map)) => drop(map.remove(name)),
        (Segment::Item(key), Value::Array(items)) => {
            if let ListType::Map(keys) = schema.list_type() {
                items.retain(|item| item_key(keys, item) != *key);
            }
        }
        (Segment::Member(key), Value::Array(items)) => items.retain(|item| member_key(item) != *key),
        _ => {}
    }
}

/// What differs between two objects: the fields of `new` that are new or changed, and the fields of `old` that are gone.
pub(crate) fn difference(schema: Schema<'_>, old: &Value, new: &Value) -> (Fields, Fields) {
    let (mut changed, mut gone) = (Fields::of(schema, new), Fields::of(schema, old));
    let same = unchanged(schema, &changed, old, new);
    gone.subtract(&changed);
    changed.subtract(&same);
    (changed, gone)
}

fn unchanged(schema: Schema<'_>, fields: &Fields, old: &Value, new: &Value) -> Fields {
    let mut same = Fields { here: fields.here && (old == new || !fields.below.is_empty()), ..Fields::default() };
    for (segment, fields) in &fields.below {
        let (Some(old), Some(new)) = (step(schema, old, segment), step(schema, new, segment)) else { continue };
        let below = unchanged(inner(schema, segment), fields, old, new);
        if !below.is_empty() {
            same.below.insert(segment.clone(), below);
        }
    }
    same
}

/// The first lines of a conflict, as a server words them.
pub(crate) fn paths(fields: &Fields) -> Vec<String> {
    let mut found = Vec::new();
    collect(fields, String::new(), &mut found);
    found
}

fn collect(fields: &Fields, path: String, found: &mut Vec<String>) {
    for (segment, fields) in &fields.below {
        let path = match segment {
            Segment::Field(name) => format!("{path}.{name}"),
            Segment::Item(key) | Segment::Member(key) => format!("{path}[{key}]"),
        };
        collect(fields, path, found);
    }
    if fields.here && fields.below.is_empty() {
        found.push(path);
    }
}
