//! Leadership: one process writes, the others stand by with warm stores.
//!
//! A `coordination.k8s.io/v1` Lease names the holder. The holder renews it every second; whoever finds that its term has
//! passed without a renewal takes it. Clocks of different machines are not compared: a standby measures how long the
//! lease has not changed by its own clock (as client-go does). A holder that cannot renew stops writing before anybody
//! else may start: it counts its term from before its last successful renewal was sent, and ends it a second early.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long a lease counts after its last renewal. A standby takes over within this and one try.
pub const TERM: Duration = Duration::from_secs(3);
/// How often the holder renews, and a standby looks.
const PERIOD: Duration = Duration::from_millis(800);
/// The holder stops writing after so long without a renewal: before anybody else may start.
const HOLD: Duration = Duration::from_secs(2);

/// Whether this process may write. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leadership {
    until: Arc<RwLock<Option<Instant>>>,
    /// Told when leadership is gained or lost.
    changes: watch::Sender<bool>,
    always: bool,
}

impl Leadership {
    /// A process that leads without a lease: leader election is off.
    pub fn always() -> Self {
        Self { until: Arc::default(), changes: watch::Sender::new(true), always: true }
    }

    /// A process that does not lead yet.
    pub fn standby() -> Self {
        Self { until: Arc::default(), changes: watch::Sender::new(false), always: false }
    }

    /// Whether this process may write now.
    pub fn is_held(&self) -> bool {
        self.always
            || self.until.read().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }

    /// Tells when leadership is gained or lost.
    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.changes.subscribe()
    }

    /// A renewal counts until `until`. A term that had run out in between (a process that was starved) ended leadership
    /// without anybody telling: reconciles have passed by since, so it is told as gained anew.
    fn renew(&self, until: Instant) {
        if !self.is_held() {
            self.hold_until(None);
        }
        self.hold_until(Some(until));
    }

    fn hold_until(&self, until: Option<Instant>) {
        *self.until.write().unwrap_or_else(PoisonError::into_inner) = until;
        self.changes.send_if_modified(|led| std::mem::replace(led, until.is_some()) != until.is_some());
    }
}

/// What a standby remembers of the lease it saw last: it is over when it has not changed for its term.
#[derive(Debug)]
struct Seen {
    version: Option<String>,
    since: Instant,
}

/// Takes, renews and gives up the lease.
pub struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
    leadership: Leadership,
}

impl Candidate {
    /// A candidate for lease `name` in `namespace`; `identity` tells it from all others.
    pub fn new(client: Client, namespace: &str, name: String, identity: String, leadership: Leadership) -> Self {
        Self { leases: Api::namespaced(client, namespace), name, identity, leadership }
    }

    /// Runs until `stop`; then gives the lease up, so that a standby need not wait for its end. `stopped` is awaited
    /// before that: the last writes have ended.
    pub async fn run(self, stop: CancellationToken) {
        let mut seen = None;
        loop {
            let sent = Instant::now();
            match tokio::time::timeout(PERIOD, self.try_hold(&mut seen, sent)).await {
                Ok(Ok(true)) => {
                    if !self.leadership.is_held() {
                        tracing::info!(identity = %self.identity, "leading");
                    }
                    self.leadership.renew(sent + HOLD);
                }
                Ok(Ok(false)) => self.lose("another process holds the lease"),
                Ok(Err(error)) => self.lapse(&error.to_string()),
                Err(_) => self.lapse("the API server does not answer in time"),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(PERIOD.saturating_sub(sent.elapsed())) => {}
            }
        }
    }

    /// Gives the lease up, so that a standby need not wait for its end.
    pub async fn release(client: Client, namespace: &str, name: &str, identity: &str) {
        let leases: Api<Lease> = Api::namespaced(client, namespace);
        let Ok(Some(mut lease)) = leases.get_opt(name).await else { return };
        let Some(spec) = lease.spec.as_mut().filter(|spec| spec.holder_identity.as_deref() == Some(identity)) else {
            return;
        };
        spec.holder_identity = None;
        spec.renew_time = None;
        let _ = leases.replace(name, &PostParams::default(), &lease).await;
    }

    fn lose(&self, why: &str) {
        if self.leadership.is_held() {
            tracing::warn!(why, "no longer leading");
        }
        self.leadership.hold_until(None);
    }

    /// A renewal failed: what was held counts until its term ends, and no longer.
    fn lapse(&self, why: &str) {
        if !self.leadership.is_held() {
            self.leadership.hold_until(None);
        }
        tracing::warn!(why, "failed to renew the lease");
    }

    /// Takes or renews the lease if it is free, over, or ours; whether it is ours now.
    async fn try_hold(&self, seen: &mut Option<Seen>, now: Instant) -> Result<bool, kube::Error> {
        let Some(lease) = self.leases.get_opt(&self.name).await? else {
            let created = self.leases.create(&PostParams::default(), &self.claim(None)).await;
            return as_taken(created);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.as_deref().filter(|holder| !holder.is_empty());
        if holder.is_some_and(|holder| holder != self.identity) {
            let version = lease.metadata.resource_version.clone();
            let known = seen.as_ref().filter(|seen| seen.version == version).map(|seen| seen.since);
            let Some(since) = known else {
                *seen = Some(Seen { version, since: now });
                return Ok(false);
            };
            let term = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
            if now.duration_since(since) < term.map_or(TERM, Duration::from_secs) {
                return Ok(false);
            }
        }
        // The resource version in the replacement lets only one of several candidates win.
        as_taken(self.leases.replace(&self.name, &PostParams::default(), &self.claim(Some(lease))).await)
    }

    fn claim(&self, present: Option<Lease>) -> Lease {
        let now = MicroTime(Timestamp::now());
        let before = present.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let renewal = before.holder_identity.as_deref() == Some(self.identity.as_str());
        let transitions = before.lease_transitions.unwrap_or(0);
        Lease {
            metadata: present.map_or_else(
                || ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                |lease| ObjectMeta { managed_fields: None, ..lease.metadata },
            ),
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(TERM.as_secs()).ok(),
                acquire_time: if renewal { before.acquire_time } else { Some(now.clone()) },
                renew_time: Some(now),
                lease_transitions: Some(if renewal { transitions } else { transitions + 1 }),
                ..LeaseSpec::default()
            }),
        }
    }
}

/// A conflict means that another candidate was faster: not an error.
fn as_taken(written: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_term_that_ran_out_unnoticed_is_told_as_gained_anew() {
        let leadership = Leadership::standby();
        let mut changes = leadership.subscribe();
        leadership.renew(Instant::now());
        assert!(changes.has_changed().unwrap() && *changes.borrow_and_update());
        assert!(!leadership.is_held(), "it ran out at once");
        leadership.renew(Instant::now() + TERM);
        assert!(changes.has_changed().unwrap() && *changes.borrow_and_update());
        leadership.renew(Instant::now() + TERM);
        assert!(!changes.has_changed().unwrap(), "a renewal in time is nothing to tell");
    }
}
