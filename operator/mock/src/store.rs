//! What the API server holds: the objects of each kind, every change in order, and three indexes (uid, owner, label)
//! so that nothing needs a scan.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    clock::Clock,
    fields::Fields,
    kinds::{KINDS, KindId},
    object::{self, Key},
    selector::Selection,
};

/// Manager, whether by apply, and whether through `/status`.
pub(crate) type ManagerKey = (String, bool, bool);
/// Which manager owns which fields.
pub(crate) type Owners = BTreeMap<ManagerKey, Fields>;

/// An object and who owns its fields.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub object: Arc<Value>,
    pub owners: Arc<Owners>,
}

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub revision: u64,
    pub key: Key,
    pub old: Option<Arc<Value>>,
    pub new: Option<Arc<Value>>,
}

/// The objects of one kind.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub objects: BTreeMap<Key, Stored>,
    pub changes: VecDeque<Change>,
    /// Changes up to this revision are forgotten.
    pub compacted: u64,
    labels: HashMap<(String, String), BTreeSet<Key>>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Store {
    pub clock: Clock,
    pub revision: u64,
    pub shelves: Vec<Shelf>,
    /// Changes remembered for each kind.
    pub history: usize,
    /// Whether the garbage collector runs after every write.
    pub auto_gc: bool,
    /// uid → object.
    pub uids: HashMap<String, (KindId, Key)>,
    /// Owner's uid → its dependents.
    pub dependents: HashMap<String, BTreeSet<(KindId, Key)>>,
    /// Owners the garbage collector has not dealt with yet.
    pub doomed: BTreeSet<String>,
    next_uid: u64,
    changed: watch::Sender<u64>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            revision: 1,
            shelves: KINDS.iter().map(|_| Shelf::default()).collect(),
            history: 50_000,
            auto_gc: false,
            uids: HashMap::new(),
            dependents: HashMap::new(),
            doomed: BTreeSet::new(),
            next_uid: 0,
            changed: watch::Sender::new(1),
        }
    }
}

impl Store {
    /// Tells of every change.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Wakes watches although nothing has changed.
    pub(crate) fn wake(&self) {
        self.changed.send_replace(self.revision);
    }

    pub(crate) fn get(&self, kind: KindId, key: &Key) -> Option<&Stored> {
        self.shelves[kind].objects.get(key)
    }

    /// A uid nothing else has.
    pub(crate) fn new_uid(&mut self) -> String {
        self.next_uid += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.next_uid)
    }

    /// The selected objects, in the order of their names.
    pub(crate) fn select(&self, kind: KindId, selection: &Selection) -> Vec<&Stored> {
        self.shelves[kind].select(selection)
    }

    /// Puts an object in its place and stamps it with the next revision.
    pub(crate) fn put(&mut self, kind: KindId, mut object: Value, owners: Arc<Owners>) -> Arc<Value> {
        self.revision += 1;
        let key = object::key(&object);
        object::meta_mut(&mut object).insert("resourceVersion".to_owned(), json!(self.revision.to_string()));
        let object = Arc::new(object);
        let old = self.shelves[kind].objects.insert(key.clone(), Stored { object: object.clone(), owners });
        let old = old.map(|stored| stored.object);
        self.index(kind, &key, old.as_deref(), Some(&object));
        self.record(kind, Change { revision: self.revision, key, old, new: Some(object.clone()) });
        object
    }

    /// Changes an object as a controller would: no checks, no owners; what changes nothing keeps its revision.
    pub(crate) fn revise(&mut self, kind: KindId, key: &Key, change: impl FnOnce(&mut Value)) {
        let Some(stored) = self.get(kind, key).cloned() else { return };
        let mut object = Value::clone(&stored.object);
        change(&mut object);
        if object != *stored.object {
            self.put(kind, object, stored.owners);
        }
    }

    /// Takes an object away; gives it as it was, with the revision of its end.
    pub(crate) fn take(&mut self, kind: KindId, key: &Key) -> Option<Arc<Value>> {
        let old = self.shelves[kind].objects.remove(key)?.object;
        self.revision += 1;
        self.index(kind, key, Some(&old), None);
        let uid = object::meta(&old, "uid").to_owned();
        if self.dependents.contains_key(&uid) {
            self.doomed.insert(uid);
        }
        let last = at_revision(&old, self.revision);
        self.record(kind, Change { revision: self.revision, key: key.clone(), old: Some(old), new: None });
        Some(Arc::new(last))
    }

    fn record(&mut self, kind: KindId, change: Change) {
        let shelf = &mut self.shelves[kind];
        shelf.changes.push_back(change);
        while shelf.changes.len() > self.history {
            shelf.compacted = shelf.changes.pop_front().map_or(shelf.compacted, |change| change.revision);
        }
        self.wake();
    }

    fn index(&mut self, kind: KindId, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        self.shelves[kind].index(key, old, new);
        self.index_owners(kind, key, old, new);
        if new.is_none()
            && let Some(old) = old
        {
            self.uids.remove(object::meta(old, "uid"));
        } else if old.is_none()
            && let Some(new) = new
        {
            self.uids.insert(object::meta(new, "uid").to_owned(), (kind, key.clone()));
        }
    }

    fn index_owners(&mut self, kind: KindId, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        if let (Some(old), Some(new)) = (old, new)
            && old["metadata"]["ownerReferences"] == new["metadata"]["ownerReferences"]
        {
            return;
        }
        let place = (kind, key.clone());
        for uid in old.into_iter().flat_map(object::owners) {
            if let Some(dependents) = self.dependents.get_mut(uid) {
                dependents.remove(&place);
                if dependents.is_empty() {
                    self.dependents.remove(uid);
                }
            }
        }
        for uid in new.into_iter().flat_map(object::owners) {
            self.dependents.entry(uid.to_owned()).or_default().insert(place.clone());
            if !self.uids.contains_key(uid) {
                self.doomed.insert(uid.to_owned());
            }
        }
    }
}

impl Shelf {
    fn index(&mut self, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        if let (Some(old), Some(new)) = (old, new)
            && old["metadata"]["labels"] == new["metadata"]["labels"]
        {
            return;
        }
        for (label, value) in old.into_iter().flat_map(object::labels) {
            if let Some(keys) = self.labels.get_mut(&(label.to_owned(), value.to_owned())) {
                keys.remove(key);
            }
        }
        for (label, value) in new.into_iter().flat_map(object::labels) {
            self.labels.entry((label.to_owned(), value.to_owned())).or_default().insert(key.clone());
        }
    }

    fn select(&self, selection: &Selection) -> Vec<&Stored> {
        let here = |key: &Key| selection.namespace.is_empty() || key.0 == selection.namespace;
        if let (Some(name), false) = (selection.only_name(), selection.namespace.is_empty()) {
            let found = self.objects.get(&(selection.namespace.clone(), name.to_owned()));
            return found.into_iter().filter(|stored| selection.admits(&stored.object)).collect();
        }
        let pairs = selection.pairs().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let indexed = pairs.map(|pair| self.labels.get(&pair)).min_by_key(|keys| keys.map_or(0, BTreeSet::len));
        if let Some(keys) = indexed {
            let keys = keys.into_iter().flatten().filter(|key| here(key));
            let stored = keys.filter_map(|key| self.objects.get(key));
            return stored.filter(|stored| selection.admits(&stored.object)).collect();
        }
        let from = (selection.namespace.clone(), String::new());
        let range = self.objects.range(from..).take_while(|(key, _)| here(key));
        range.map(|(_, stored)| stored).filter(|stored| selection.admits(&stored.object)).collect()
    }

    /// The objects as they were at a revision; `None` when that is forgotten.
    pub(crate) fn at(&self, revision: u64) -> Option<BTreeMap<Key, Arc<Value>>> {
        if revision < self.compacted {
            return None;
        }
        let now = self.objects.iter().map(|(key, stored)| (key.clone(), stored.object.clone()));
        let mut objects: BTreeMap<Key, Arc<Value>> = now.collect();
        for change in self.changes.iter().rev().take_while(|change| change.revision > revision) {
            match &change.old {
                Some(old) => objects.insert(change.key.clone(), old.clone()),
                None => objects.remove(&change.key),
            };
        }
        Some(objects)
    }
}

/// The object with another resourceVersion.
pub(crate) fn at_revision(object: &Value, revision: u64) -> Value {
    let mut object = object.clone();
    object::meta_mut(&mut object).insert("resourceVersion".to_owned(), json!(revision.to_string()));
    object
}
