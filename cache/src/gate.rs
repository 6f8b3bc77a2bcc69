//! Gates: so many places, so many who may wait for one; whoever comes beyond is sent away at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::{GateName, Metrics};

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much is asked for at once: {waiting} requests wait for {what}")]
pub struct Overloaded {
    /// For what.
    pub what: &'static str,
    /// How many.
    pub waiting: usize,
}

/// A place behind a gate; given back when dropped.
pub type Place = OwnedSemaphorePermit;

/// A bound on what is done at once. Cheap to clone; clones share the places.
#[derive(Debug, Clone)]
pub struct Gate {
    name: GateName,
    places: Arc<Semaphore>,
    all: usize,
    waiting: Arc<AtomicUsize>,
    most_waiting: usize,
    metrics: Arc<Metrics>,
}

impl Gate {
    /// A gate with `places`, before which `most_waiting` may wait.
    pub fn new(name: GateName, places: usize, most_waiting: usize, metrics: Arc<Metrics>) -> Self {
        let all = places.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(all));
        Self { name, places, all, waiting: Arc::default(), most_waiting, metrics }
    }

    /// One place. An error where too many wait already.
    pub async fn enter(&self) -> Result<Place, Overloaded> {
        self.enter_with(1).await
    }

    /// So many places, at the most all there are. First come, first served: a large caller is not passed by small ones.
    pub async fn enter_with(&self, places: usize) -> Result<Place, Overloaded> {
        let wanted = u32::try_from(places.clamp(1, self.all)).unwrap_or(u32::MAX);
        if let Ok(place) = Arc::clone(&self.places).try_acquire_many_owned(wanted) {
            return Ok(place);
        }
        let waiting = self.wait()?;
        let closed = Overloaded { what: self.name.as_str(), waiting: self.waiting() };
        let place = Arc::clone(&self.places).acquire_many_owned(wanted).await;
        drop(waiting);
        // The semaphore is never closed; if it were, nothing more could be done.
        place.map_err(|_| closed)
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.all - self.places.available_permits()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn wait(&self) -> Result<Waiting<'_>, Overloaded> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= self.most_waiting {
            self.metrics.refused(self.name);
            return Err(Overloaded { what: self.name.as_str(), waiting: before });
        }
        Ok(waiting)
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(places: usize, waiting: usize) -> Gate {
        Gate::new(GateName::Decode, places, waiting, Arc::new(Metrics::default()))
    }

    #[tokio::test]
    async fn who_comes_beyond_the_queue_is_sent_away_and_who_waits_gets_in() {
        let gate = gate(1, 1);
        let place = gate.enter().await.unwrap();
        let (second, third) = (gate.clone(), gate.clone());
        let second = tokio::spawn(async move { second.enter().await.map(drop) });
        while gate.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(third.enter().await, Err(Overloaded { waiting: 1, .. })));
        drop(place);
        assert!(second.await.unwrap().is_ok());
        assert_eq!((gate.taken(), gate.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn who_goes_away_while_waiting_leaves_no_trace() {
        let gate = gate(1, 1);
        let place = gate.enter().await.unwrap();
        let waiting = gate.clone();
        let waiting = tokio::spawn(async move { waiting.enter().await.map(drop) });
        while gate.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        let _ = waiting.await;
        assert_eq!(gate.waiting(), 0);
        drop(place);
        assert_eq!(gate.taken(), 0);
    }

    #[tokio::test]
    async fn more_than_all_places_are_all_places() {
        let gate = gate(10, 0);
        let place = gate.enter_with(1000).await.unwrap();
        assert_eq!((place.num_permits(), gate.taken()), (10, 10));
    }
}
