//! Watches: changes in order as lines of JSON, from a revision on.

use std::{collections::VecDeque, convert::Infallible};

use bytes::Bytes;
use futures::{Stream, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;

use crate::{
    answer::{Body, Refusal},
    api::Shared,
    kinds::{KINDS, KindId},
    process::Process,
    route::Call,
    selector::Selection,
    store::{Change, Store, at_revision},
};

struct Watch {
    shared: Shared,
    process: Process,
    epoch: u64,
    changed: Receiver<u64>,
    bell: Receiver<()>,
    kind: KindId,
    selection: Selection,
    seen: u64,
    lines: VecDeque<Bytes>,
    expired: bool,
}

/// The body of a watch's answer.
pub(crate) fn body(shared: &Shared, process: &Process, call: &Call) -> Result<Body, Refusal> {
    let selection = Selection::of(call)?;
    let store = shared.lock();
    let given = call.parameter("resourceVersion").unwrap_or_default();
    let mut lines = VecDeque::new();
    let seen = match given.parse::<u64>() {
        Ok(revision) if revision > 0 => revision,
        _ => {
            initial(&store, call, &selection, &mut lines);
            store.revision
        }
    };
    let (epoch, changed, bell) = (process.epoch(), store.subscribe(), process.bell());
    let (shared, process) = (shared.clone(), process.clone());
    let watch = Watch { shared, process, epoch, changed, bell, kind: call.id, selection, seen, lines, expired: false };
    drop(store);
    Ok(StreamBody::new(frames(watch)).boxed_unsync())
}

/// Everything there is, as if just added; then, for streaming lists, the bookmark that says so.
fn initial(store: &Store, call: &Call, selection: &Selection, lines: &mut VecDeque<Bytes>) {
    for stored in store.select(call.id, selection) {
        lines.push_back(line("ADDED", &stored.object));
    }
    if call.parameter("sendInitialEvents") == Some("true") {
        let row = &KINDS[call.id];
        let bookmark = json!({
            "apiVersion": row.api_version(), "kind": row.kind,
            "metadata": {
                "resourceVersion": store.revision.to_string(),
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
        });
        lines.push_back(line("BOOKMARK", &bookmark));
    }
}

fn frames(watch: Watch) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok(Frame::data(line)), watch))
    })
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.changed.borrow_and_update();
            self.bell.borrow_and_update();
            if self.process.epoch() != self.epoch {
                return None;
            }
            if !self.process.is_held() {
                self.catch_up();
                if let Some(line) = self.lines.pop_front() {
                    return Some(line);
                }
            }
            if self.expired {
                return None;
            }
            tokio::select! {
                changed = self.changed.changed() => changed.ok()?,
                rung = self.bell.changed() => rung.ok()?,
            }
        }
    }

    fn catch_up(&mut self) {
        if !self.lines.is_empty() || self.expired {
            return;
        }
        let store = self.shared.lock();
        let shelf = &store.shelves[self.kind];
        if self.seen < shelf.compacted {
            self.expired = true;
            self.lines.push_back(line("ERROR", &expired()));
            return;
        }
        let from = shelf.changes.partition_point(|change| change.revision <= self.seen);
        self.lines.extend(shelf.changes.range(from..).filter_map(|change| told(&self.selection, change)));
        self.seen = store.revision.max(self.seen);
    }
}

/// What a watch with this selection is told of a change: an object that leaves the selection is deleted for it.
fn told(selection: &Selection, change: &Change) -> Option<Bytes> {
    if !selection.namespace.is_empty() && selection.namespace != change.key.0 {
        return None;
    }
    let admitted = |object: &Option<std::sync::Arc<Value>>| object.clone().filter(|object| selection.admits(object));
    match (admitted(&change.old), admitted(&change.new)) {
        (None, Some(new)) => Some(line("ADDED", &new)),
        (Some(_), Some(new)) => Some(line("MODIFIED", &new)),
        (Some(old), None) => Some(line("DELETED", &at_revision(&old, change.revision))),
        (None, None) => None,
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    let mut line = format!("{{\"type\":\"{kind}\",\"object\":").into_bytes();
    line.extend(serde_json::to_vec(object).unwrap_or_default());
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}

fn expired() -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410,
    })
}
