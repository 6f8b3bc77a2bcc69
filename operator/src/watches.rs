//! The watches: one per kind and scope, each guarded, each feeding a store and the queue of reconciles.

use std::{collections::HashSet, fmt::Debug, hash::Hash, time::Duration};

use analysisjob::{AnalysisJob, labels};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::{DeserializeGuard, NamespaceResourceScope},
    runtime::{
        WatchStreamExt,
        reflector::{self, ObjectRef, Store},
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, time::MissedTickBehavior};

use crate::stores::{Children, Kept, shed_job};

/// Where AnalysisJobs are looked after: one namespace, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every namespace.
    All,
    /// This one.
    Namespace(String),
}

impl Scope {
    /// The API of a kind in this scope.
    pub fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match self {
            Self::All => Api::all(client.clone()),
            Self::Namespace(namespace) => Api::namespaced(client.clone(), namespace),
        }
    }
}

/// The guarded AnalysisJob, as watches and reconciles see it.
pub type Guarded = DeserializeGuard<AnalysisJob>;

/// Watches AnalysisJobs: a store of them, and a stream that fills it and yields what has changed. `listed` is told when
/// the store has been filled: only one task may wait for that by [`Store::wait_until_ready`], and the controller does.
pub fn analysis_jobs(
    client: &Client,
    scope: &Scope,
    listed: watch::Sender<bool>,
) -> (Store<Guarded>, impl Stream<Item = Result<Guarded, watcher::Error>> + Send + use<>) {
    let (store, writer) = reflector::store();
    let events = watcher::watcher(scope.api::<Guarded>(client), watcher::Config::default());
    let events = events.modify(|job| shed_job(job.meta_mut())).default_backoff();
    let events = reflector::reflector(writer, events).inspect_ok(move |event| {
        if matches!(event, Event::InitDone) {
            listed.send_replace(true);
        }
    });
    (store, events.touched_objects())
}

/// Watches the children of one kind: fills `children` and yields whose AnalysisJob is to be looked at.
pub fn children<K>(
    client: &Client,
    scope: &Scope,
    children: Children<K>,
) -> impl Stream<Item = ObjectRef<Guarded>> + Send + use<K>
where
    K: Kept
        + Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Sync
        + 'static,
{
    let ours = watcher::Config::default().labels(labels::JOB);
    let events = watcher::watcher(scope.api::<DeserializeGuard<K>>(client), ours).default_backoff();
    let kind = K::kind(&()).into_owned();
    let events =
        events.inspect_err(move |error| tracing::warn!(%kind, %error, "a watch was interrupted; it is taken up again"));
    events.filter_map(move |event| {
        let owner = event.ok().and_then(|event| take(&children, event));
        std::future::ready(owner)
    })
}

/// Owners as they come, each at most once in `period`; the first after a pause at once. Not the controller's debounce: that
/// one begins anew with every change, and a run with many pods, which change several times a second, would never be looked
/// at until it has ended.
pub fn at_intervals<T: Eq + Hash + Send + 'static>(
    owners: impl Stream<Item = T> + Send + 'static,
    period: Duration,
) -> impl Stream<Item = T> + Send {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let begin = (owners.fuse().boxed(), HashSet::new(), ticks);
    let batches = stream::unfold(begin, |(mut owners, mut waiting, mut ticks)| async move {
        loop {
            tokio::select! {
                owner = owners.next() => match owner {
                    Some(owner) => drop(waiting.insert(owner)),
                    None if waiting.is_empty() => return None,
                    None => return Some((std::mem::take(&mut waiting), (owners, waiting, ticks))),
                },
                _ = ticks.tick(), if !waiting.is_empty() => {
                    return Some((std::mem::take(&mut waiting), (owners, waiting, ticks)));
                }
            }
        }
    });
    batches.flat_map(stream::iter)
}

/// Puts an event into the store; out comes the owner it concerns.
fn take<K: Kept>(children: &Children<K>, event: Event<DeserializeGuard<K>>) -> Option<ObjectRef<Guarded>> {
    let owner = match &event {
        Event::Apply(child) | Event::InitApply(child) | Event::Delete(child) => owner(child),
        Event::Init | Event::InitDone => None,
    };
    children.apply(event);
    owner
}

fn owner<K: Resource<DynamicType = ()>>(child: &DeserializeGuard<K>) -> Option<ObjectRef<Guarded>> {
    let name = child.labels().get(labels::JOB)?;
    Some(ObjectRef::new(name).within(&child.namespace()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_that_never_pause_are_looked_at_all_the_same() {
        let busy = stream::unfold(0, |change| async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            (change < 200).then_some(("a", change + 1))
        });
        let looks: Vec<&str> = at_intervals(busy, Duration::from_millis(50)).collect().await;
        assert!(looks.len() > 2, "200 changes in a second or more: {}", looks.len());
    }

    #[tokio::test]
    async fn a_burst_is_few_looks_and_nobody_is_forgotten() {
        let burst = stream::iter(["a", "b"].into_iter().cycle().take(1000)).chain(stream::pending());
        let looks = at_intervals(burst, Duration::from_millis(20));
        let seen: Vec<&str> = looks.take_until(tokio::time::sleep(Duration::from_millis(500))).collect().await;
        assert!(seen.contains(&"a") && seen.contains(&"b") && seen.len() < 100, "{}", seen.len());
    }
}
