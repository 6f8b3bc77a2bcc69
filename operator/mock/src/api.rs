//! The handle a test holds: clients for processes, and a hand of its own that meets no faults and leaves no trace in
//! their logs.

use std::{
    fmt::Debug,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::Timestamp;
use kube::{Client, Resource};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    answer::Refusal,
    kinds::{self, KindId},
    object::{self, Key},
    process::Process,
    selector::Selection,
    service::Connection,
    snapshot::Snapshot,
    store::{Owners, Store},
    write::{Check, Wanted},
};

/// A type the mock serves.
pub trait Kind:
    Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static
{
}

impl<K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static> Kind for K {}

/// The server, shared between its handles.
#[derive(Clone)]
pub(crate) struct Shared {
    store: Arc<Mutex<Store>>,
    minor: Arc<AtomicU32>,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn minor(&self) -> u32 {
        self.minor.load(Ordering::Relaxed)
    }
}

/// A Kubernetes API server in memory. Clones are handles of the same server.
#[derive(Clone)]
pub struct MockApi {
    pub(crate) shared: Shared,
    operator: Process,
}

impl Default for MockApi {
    fn default() -> Self {
        Self::new()
    }
}

impl MockApi {
    /// An empty server, at 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        let shared = Shared { store: Arc::default(), minor: Arc::new(AtomicU32::new(34)) };
        Self { shared, operator: Process::default() }
    }

    /// A client of the operator's process. Needs a tokio runtime around it.
    pub fn client(&self) -> Client {
        self.client_of(&self.operator)
    }

    /// A client of any process, such as a second replica.
    pub fn client_of(&self, process: &Process) -> Client {
        Client::new(self.service_of(process), "default")
    }

    /// The service below [`MockApi::client_of`], for layers of one's own.
    pub fn service_of(&self, process: &Process) -> Connection {
        Connection::new(self.shared.clone(), process.clone())
    }

    /// The operator's process: its log, its faults, its death.
    pub fn operator(&self) -> &Process {
        &self.operator
    }

    /// The server says it is Kubernetes 1.`minor` (34 unless told).
    pub fn set_version(&self, minor: u32) {
        self.shared.minor.store(minor, Ordering::Relaxed);
    }

    /// The time at the server.
    pub fn now(&self) -> Timestamp {
        self.shared.lock().clock.now()
    }

    /// Sets the time; fractions of a second are dropped.
    pub fn set_time(&self, time: Timestamp) {
        self.shared.lock().clock.set(time);
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: i64) {
        self.shared.lock().clock.advance(seconds);
    }

    /// Runs the garbage collector until nothing moves.
    pub fn gc(&self) {
        self.shared.lock().collect_garbage();
    }

    /// Runs the garbage collector after every write, or only when [`MockApi::gc`] says so (as it is at first).
    pub fn auto_gc(&self, on: bool) {
        self.shared.lock().auto_gc = on;
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.shared.lock().revision
    }

    /// Remembers so many changes of each kind (50,000 unless told); older watches and snapshots expire.
    pub fn remember(&self, changes: usize) {
        let mut store = self.shared.lock();
        store.history = changes;
        for shelf in &mut store.shelves {
            while shelf.changes.len() > changes {
                shelf.compacted = shelf.changes.pop_front().map_or(shelf.compacted, |change| change.revision);
            }
        }
    }

    /// Everything as it is.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::at(&self.shared.lock(), u64::MAX).unwrap_or_default()
    }

    /// Everything as it was at a revision, for stores that are behind; `None` when that is forgotten.
    pub fn snapshot_at(&self, revision: u64) -> Option<Snapshot> {
        Snapshot::at(&self.shared.lock(), revision)
    }

    /// Everything as it was `changes` revisions ago.
    pub fn view(&self, lag: u64) -> Option<Snapshot> {
        let store = self.shared.lock();
        Snapshot::at(&store, store.revision.saturating_sub(lag))
    }

    /// One object.
    pub fn get<K: Kind>(&self, namespace: &str, name: &str) -> Option<K> {
        let value = self.get_raw::<K>(namespace, name)?;
        K::deserialize(&*value).ok()
    }

    /// One object as the server holds it.
    pub fn get_raw<K: Kind>(&self, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let key = (namespace.to_owned(), name.to_owned());
        self.shared.lock().get(kind_of::<K>()?, &key).map(|stored| stored.object.clone())
    }

    /// The objects of a namespace (empty: all) that can be decoded, in the order of their names.
    pub fn list<K: Kind>(&self, namespace: &str) -> Vec<K> {
        let selection = Selection::all_of(namespace);
        let Some(kind) = kind_of::<K>() else { return Vec::new() };
        let store = self.shared.lock();
        store.select(kind, &selection).iter().filter_map(|stored| K::deserialize(&*stored.object).ok()).collect()
    }

    /// How many objects of a kind there are.
    pub fn count<K: Kind>(&self) -> usize {
        kind_of::<K>().map_or(0, |kind| self.shared.lock().shelves[kind].objects.len())
    }

    /// Makes an object, or puts it in the place of the one of its name; metadata of the server is kept.
    pub fn put<K: Kind>(&self, object: &K) -> Result<K, Refusal> {
        let mut value = serde_json::to_value(object).map_err(|error| Refusal::bad_request(error.to_string()))?;
        value["apiVersion"] = K::api_version(&()).into();
        value["kind"] = K::kind(&()).into();
        let stored = self.put_checked(value, Check::Prune)?;
        K::deserialize(&*stored).map_err(|error| Refusal::bad_request(error.to_string()))
    }

    /// Puts an object past every check: what a newer server, or a mistake, may hold.
    pub fn put_raw(&self, object: Value) -> Result<Arc<Value>, Refusal> {
        self.put_checked(object, Check::None)
    }

    fn put_checked(&self, object: Value, check: Check) -> Result<Arc<Value>, Refusal> {
        let kind =
            kinds::of_object(&object).ok_or_else(|| Refusal::bad_request("the mock does not serve this kind"))?;
        let mut store = self.shared.lock();
        let key = object::key(&object);
        let old = store.get(kind, &key).cloned();
        let owners = old.as_ref().map(|old| Owners::clone(&old.owners)).unwrap_or_default();
        let wanted = Wanted { kind, old, new: object, owners, dry_run: false };
        Ok(store.settle(wanted, check)?.object)
    }

    /// Changes an object, spec and status alike; `false` when there is none.
    pub fn edit<K: Kind>(&self, namespace: &str, name: &str, change: impl FnOnce(&mut K)) -> Result<bool, Refusal> {
        let Some(mut object) = self.get::<K>(namespace, name) else { return Ok(false) };
        change(&mut object);
        self.put(&object).map(|_| true)
    }

    /// Deletes an object in the background manner; `false` when there is none.
    pub fn delete<K: Kind>(&self, namespace: &str, name: &str) -> bool {
        let Some(kind) = kind_of::<K>() else { return false };
        let key: Key = (namespace.to_owned(), name.to_owned());
        let mut store = self.shared.lock();
        let ended = store.end(kind, &key, &serde_json::json!({"propagationPolicy": "Background"})).is_some();
        if store.auto_gc {
            store.collect_garbage();
        }
        ended
    }

    /// The managers that own the field at a path of fields (or something below it), such as `["spec", "suspend"]`.
    pub fn owners<K: Kind>(&self, namespace: &str, name: &str, path: &[&str]) -> Vec<String> {
        let key = (namespace.to_owned(), name.to_owned());
        let store = self.shared.lock();
        let stored = kind_of::<K>().and_then(|kind| store.get(kind, &key));
        let owners = stored.into_iter().flat_map(|stored| stored.owners.iter());
        owners.filter(|(_, fields)| fields.has(path)).map(|((manager, ..), _)| manager.clone()).collect()
    }
}

pub(crate) fn kind_of<K: Kind>() -> Option<KindId> {
    kinds::find(&K::group(&()), &K::version(&()), &K::plural(&()))
}
