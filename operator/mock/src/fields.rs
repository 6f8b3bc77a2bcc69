//! Which fields an object has, as a tree: what a field manager owns.
//!
//! Lists are of three sorts, as in the schemas of Kubernetes: maps by a key (containers by name), sets (finalizers), and
//! everything else, which is owned whole. Some maps (selectors, references) are owned whole too.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kinds::{ANALYSIS_JOB, JOB, KindId};

/// A step into an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// A field of an object.
    Field(String),
    /// An item of a list that is a map: the values of its keys.
    Item(String),
    /// A member of a set.
    Member(String),
}

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The value itself: a leaf, or an item of a list that is a map.
    pub here: bool,
    /// What is below it.
    pub below: BTreeMap<Segment, Fields>,
}

/// How a list is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListType {
    /// Owned whole.
    Atomic,
    /// Each value for itself.
    Set,
    /// Each item by these keys.
    Map(&'static [&'static str]),
}

/// Where in which kind one is: what decides how a field is merged.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'a> {
    pub kind: KindId,
    /// The field's name.
    pub field: &'a str,
    /// The name of the field around it.
    pub parent: &'a str,
}

impl Schema<'static> {
    pub(crate) fn root(kind: KindId) -> Self {
        Self { kind, field: "", parent: "" }
    }
}

impl<'a> Schema<'a> {
    pub(crate) fn below<'b>(self, field: &'b str) -> Schema<'b>
    where
        'a: 'b,
    {
        Schema { kind: self.kind, field, parent: self.field }
    }

    /// Whether an object here is owned whole.
    pub(crate) fn is_atomic_map(self) -> bool {
        const ATOMIC: [&str; 10] = [
            "claimRef",
            "configMapKeyRef",
            "fieldRef",
            "involvedObject",
            "labelSelector",
            "nodeSelector",
            "regarding",
            "resourceFieldRef",
            "secretKeyRef",
            "secretRef",
        ];
        ATOMIC.contains(&self.field) || (self.field == "selector" && self.parent == "spec" && self.kind != ANALYSIS_JOB)
    }

    pub(crate) fn list_type(self) -> ListType {
        if self.kind == ANALYSIS_JOB {
            return self.of_analysis_job();
        }
        match (self.parent, self.field) {
            ("metadata", "finalizers") => ListType::Set,
            ("metadata", "ownerReferences") => ListType::Map(&["uid"]),
            (_, "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets") => ListType::Map(&["name"]),
            (_, "volumeMounts") => ListType::Map(&["mountPath"]),
            (_, "topologySpreadConstraints") => ListType::Map(&["topologyKey", "whenUnsatisfiable"]),
            ("status", "conditions") if self.kind != JOB => ListType::Map(&["type"]),
            ("spec", "ports") => ListType::Map(&["port", "protocol"]),
            (_, "ports") => ListType::Map(&["containerPort", "protocol"]),
            _ => ListType::Atomic,
        }
    }

    fn of_analysis_job(self) -> ListType {
        match (self.parent, self.field) {
            ("metadata", "finalizers")
            | ("source", "prefixes" | "include" | "exclude" | "items")
            | (_, "accessModes") => ListType::Set,
            ("metadata", "ownerReferences") => ListType::Map(&["uid"]),
            ("workers", "env" | "imagePullSecrets") | ("run", "jobs") => ListType::Map(&["name"]),
            ("status", "conditions") => ListType::Map(&["type"]),
            _ => ListType::Atomic,
        }
    }
}

/// The key of a list's item, in words that two equal items share. An absent protocol is TCP, as the server fills in.
pub(crate) fn item_key(keys: &[&str], item: &Value) -> String {
    let words = keys.iter().map(|key| match &item[*key] {
        Value::Null if *key == "protocol" => format!("{key}=\"TCP\""),
        value => format!("{key}={value}"),
    });
    words.collect::<Vec<_>>().join(",")
}

/// The word of a set's member.
pub(crate) fn member_key(value: &Value) -> String {
    value.to_string()
}

impl Fields {
    /// All fields of `value`.
    pub(crate) fn of(schema: Schema<'_>, value: &Value) -> Self {
        match value {
            Value::Object(map) if !map.is_empty() && !schema.is_atomic_map() => {
                let below = map.iter().filter(|(_, value)| !value.is_null());
                let below =
                    below.map(|(name, value)| (Segment::Field(name.clone()), Self::of(schema.below(name), value)));
                Self { here: false, below: below.collect() }
            }
            Value::Array(items) if !items.is_empty() => Self::of_list(schema, items),
            _ => Self { here: true, below: BTreeMap::new() },
        }
    }

    fn of_list(schema: Schema<'_>, items: &[Value]) -> Self {
        match schema.list_type() {
            ListType::Atomic => Self { here: true, below: BTreeMap::new() },
            ListType::Set => {
                let leaf = Self { here: true, below: BTreeMap::new() };
                let below = items.iter().map(|item| (Segment::Member(member_key(item)), leaf.clone()));
                Self { here: false, below: below.collect() }
            }
            ListType::Map(keys) => {
                let item = Schema { field: "", ..schema };
                let below = items.iter().map(|value| {
                    let fields = Self { here: true, ..Self::of(item, value) };
                    (Segment::Item(item_key(keys, value)), fields)
                });
                Self { here: false, below: below.collect() }
            }
        }
    }

    /// No field at all.
    pub(crate) fn is_empty(&self) -> bool {
        !self.here && self.below.is_empty()
    }

    /// Adds the fields of `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.here |= other.here;
        for (segment, fields) in &other.below {
            self.below.entry(segment.clone()).or_default().add(fields);
        }
    }

    /// Takes away the fields of `other`.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.here &= !other.here;
        for (segment, fields) in &other.below {
            if let Some(mine) = self.below.get_mut(segment) {
                mine.subtract(fields);
                if mine.is_empty() {
                    self.below.remove(segment);
                }
            }
        }
    }

    /// Keeps only what is below the given field of the root.
    pub(crate) fn only(mut self, field: &str) -> Self {
        self.below.retain(|segment, _| matches!(segment, Segment::Field(name) if name == field));
        self
    }

    /// Drops a field below this one.
    pub(crate) fn drop_field(&mut self, path: &[&str]) {
        let [first, rest @ ..] = path else { return };
        let segment = Segment::Field((*first).to_owned());
        if rest.is_empty() {
            self.below.remove(&segment);
        } else if let Some(fields) = self.below.get_mut(&segment) {
            fields.drop_field(rest);
            if fields.is_empty() {
                self.below.remove(&segment);
            }
        }
    }

    /// Whether the field at the path (fields only) or anything below it is in the set.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else { return !self.is_empty() };
        self.below.get(&Segment::Field((*first).to_owned())).is_some_and(|fields| fields.has(rest))
    }
}
