//! The server's objects as they were at one revision, and stores filled from them.

use std::{collections::BTreeMap, sync::Arc};

use kube::{
    Resource,
    runtime::{
        reflector::{Store as Reader, store::Writer},
        watcher::Event,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{kinds, object::Key, store::Store};

/// Everything at one revision.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The revision.
    pub revision: u64,
    shelves: Vec<BTreeMap<Key, Arc<Value>>>,
}

impl Snapshot {
    pub(crate) fn at(store: &Store, revision: u64) -> Option<Self> {
        let shelves: Option<Vec<_>> = store.shelves.iter().map(|shelf| shelf.at(revision)).collect();
        Some(Self { revision: revision.min(store.revision), shelves: shelves? })
    }

    /// The objects of a kind that can be decoded; of `DeserializeGuard<K>`, all.
    pub fn list<K>(&self) -> Vec<K>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned,
    {
        let kind = kinds::find(&K::group(&()), &K::version(&()), &K::plural(&()));
        let objects = kind.and_then(|kind| self.shelves.get(kind)).into_iter().flat_map(BTreeMap::values);
        objects.filter_map(|object| K::deserialize(&**object).ok()).collect()
    }

    /// Fills a store, as a watcher's first list would.
    pub fn fill<K>(&self, writer: &mut Writer<K>)
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + 'static,
    {
        writer.apply_watcher_event(&Event::Init);
        for object in self.list::<K>() {
            writer.apply_watcher_event(&Event::InitApply(object));
        }
        writer.apply_watcher_event(&Event::InitDone);
    }

    /// A store of its own. The reader outlives the writer.
    pub fn store<K>(&self) -> Reader<K>
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Clone + 'static,
    {
        let mut writer = Writer::new(());
        self.fill(&mut writer);
        writer.as_reader()
    }
}
