//! The garbage collector of the controller manager: what follows when an owner goes.

use serde_json::{Value, json};

use crate::{
    delete::{FOREGROUND, ORPHAN},
    kinds::KindId,
    object::{self, Key, list, meta_mut},
    store::Store,
};

impl Store {
    /// Deletes what nobody owns any more, lets go of owners whose dependents are dealt with, until nothing moves.
    pub(crate) fn collect_garbage(&mut self) {
        loop {
            let before = self.revision;
            for uid in std::mem::take(&mut self.doomed) {
                match self.uids.get(&uid).cloned() {
                    Some((kind, key)) => self.let_go(&uid, kind, &key),
                    None => self.bereave(&uid),
                }
            }
            if self.revision == before {
                return;
            }
        }
    }

    /// The owner still exists and waits for its dependents.
    fn let_go(&mut self, uid: &str, kind: KindId, key: &Key) {
        let Some(owner) = self.get(kind, key).map(|stored| stored.object.clone()) else { return };
        if !object::is_terminating(&owner) {
            return;
        }
        let has = |finalizer: &str| object::finalizers(&owner).any(|name| name == finalizer);
        if has(ORPHAN) {
            for (kind, key) in self.dependents_of(uid) {
                self.disown(kind, &key, uid);
            }
            self.release(kind, key, ORPHAN);
        } else if has(FOREGROUND) {
            let blocking = self.blocking(uid);
            for (kind, key) in &blocking {
                // What is on its way out is not told again: it would get the finalizer it has just lost.
                if self.get(*kind, key).is_some_and(|stored| !object::is_terminating(&stored.object)) {
                    self.end(*kind, key, &json!({"propagationPolicy": "Foreground"}));
                }
            }
            if self.blocking(uid).is_empty() {
                self.release(kind, key, FOREGROUND);
            } else {
                self.doomed.insert(uid.to_owned());
            }
        }
    }

    /// The owner is gone.
    fn bereave(&mut self, uid: &str) {
        for (kind, key) in self.dependents_of(uid) {
            let Some(stored) = self.get(kind, &key) else { continue };
            let orphan = object::owners(&stored.object).all(|owner| !self.uids.contains_key(owner));
            if orphan {
                self.end(kind, &key, &json!({"propagationPolicy": "Background"}));
            } else {
                self.disown(kind, &key, uid);
            }
        }
    }

    fn dependents_of(&self, uid: &str) -> Vec<(KindId, Key)> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    fn blocking(&self, uid: &str) -> Vec<(KindId, Key)> {
        let mut dependents = self.dependents_of(uid);
        dependents.retain(|(kind, key)| {
            let owners = self.get(*kind, key).map(|stored| &stored.object["metadata"]["ownerReferences"]);
            let owners = owners.map_or(&[][..], list);
            owners.iter().any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true)
        });
        dependents
    }

    fn disown(&mut self, kind: KindId, key: &Key, uid: &str) {
        let Some(stored) = self.get(kind, key).cloned() else { return };
        let mut object = Value::clone(&stored.object);
        let owners = list(&object["metadata"]["ownerReferences"]).iter();
        let rest: Vec<Value> = owners.filter(|owner| owner["uid"] != uid).cloned().collect();
        if rest.is_empty() {
            meta_mut(&mut object).remove("ownerReferences");
        } else {
            object["metadata"]["ownerReferences"] = json!(rest);
        }
        self.put(kind, object, stored.owners);
    }
}
