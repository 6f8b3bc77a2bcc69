//! Single flight: callers that want the same thing at once share one piece of work.
//!
//! The contract, in words: the first caller starts the work, in a task of its own; whoever asks for the same key while it is
//! under way waits for that. All get the same result, also the same error. The work does not depend on any caller's being
//! polled. When the last of them has gone away, the work is cancelled. A result is handed to those who waited, not kept: who
//! asks later starts anew.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{Error, tier::Key};

type Work<T> = Shared<BoxFuture<'static, Result<T, Arc<Error>>>>;
type UnderWay<T> = HashMap<Key, WeakShared<BoxFuture<'static, Result<T, Arc<Error>>>>>;

/// Work under way, by what it is for. Cheap to clone; clones share.
#[derive(Debug)]
pub struct Flights<T> {
    under_way: Arc<Mutex<UnderWay<T>>>,
}

impl<T> Clone for Flights<T> {
    fn clone(&self) -> Self {
        Self { under_way: Arc::clone(&self.under_way) }
    }
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// What the work for `key` gives: of work that is under way, else of what `work` makes. The second value says whether
    /// the work was somebody else's.
    pub async fn join<F>(&self, key: Key, work: impl FnOnce() -> F) -> (Result<T, Error>, bool)
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        // Dropped last: it looks whether anybody is left.
        let _leaving = Leaving { flights: self, key };
        let (work, joined) = self.find_or_start(key, work);
        (work.await.map_err(Error::Shared), joined)
    }

    /// How many pieces of work are under way.
    pub fn under_way(&self) -> usize {
        self.lock().len()
    }

    fn find_or_start<F>(&self, key: Key, work: impl FnOnce() -> F) -> (Work<T>, bool)
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let mut under_way = self.lock();
        // What has ended already is as good as gone: a failure must not be the answer to those who come later.
        let found = under_way.get(&key).and_then(WeakShared::upgrade).filter(|work| work.peek().is_none());
        if let Some(work) = found {
            return (work, true);
        }
        let task = AbortOnDropHandle::new(tokio::spawn(work()));
        let ended = async move {
            match task.await {
                Ok(result) => result.map_err(Arc::new),
                Err(_) => Err(Arc::new(Error::Panicked)),
            }
        };
        let work = ended.boxed().shared();
        if let Some(weak) = work.downgrade() {
            under_way.insert(key, weak);
        }
        (work, false)
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay<T>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Leaving<'a, T: Clone + Send + Sync + 'static> {
    flights: &'a Flights<T>,
    key: Key,
}

impl<T: Clone + Send + Sync + 'static> Drop for Leaving<'_, T> {
    fn drop(&mut self) {
        let mut under_way = self.flights.lock();
        let alone = under_way.get(&self.key).is_some_and(|work| match work.upgrade() {
            None => true,
            Some(work) => work.peek().is_some(),
        });
        if alone {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };
    use tokio::sync::Notify;

    struct Gone(Arc<Notify>);

    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    fn key() -> Key {
        Key::index("x")
    }

    #[tokio::test]
    async fn a_hundred_callers_share_one_piece_of_work() {
        let (flights, started) = (Flights::default(), Arc::new(AtomicUsize::new(0)));
        let callers = (0..100).map(|_| {
            let started = Arc::clone(&started);
            flights.join(key(), || async move {
                started.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(7)
            })
        });
        let all = futures::future::join_all(callers).await;
        assert!(all.iter().all(|(result, _)| matches!(result, Ok(7))));
        assert_eq!((started.load(Ordering::SeqCst), all.iter().filter(|(_, joined)| *joined).count()), (1, 99));
        assert_eq!(flights.under_way(), 0);
    }

    #[tokio::test]
    async fn an_error_is_shared_but_not_kept() {
        let flights = Flights::<u32>::default();
        let fail = || flights.join(key(), || async { Err(Error::RawNotAllowed) });
        let (first, second) = tokio::join!(fail(), fail());
        assert!(matches!((first.0, second.0), (Err(Error::Shared(_)), Err(Error::Shared(_)))));
        assert!(matches!(flights.join(key(), || async { Ok(1) }).await.0, Ok(1)));
    }

    #[tokio::test]
    async fn work_goes_on_while_one_caller_is_left_and_ends_with_the_last() {
        let flights = Flights::<u32>::default();
        let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let start = || {
            let (flights, go, gone) = (flights.clone(), Arc::clone(&go), Gone(Arc::clone(&gone)));
            tokio::spawn(async move {
                let work = async move {
                    let _gone = gone;
                    go.notified().await;
                    Ok(1)
                };
                flights.join(key(), || work).await.0
            })
        };
        let first = start();
        while flights.under_way() == 0 {
            tokio::task::yield_now().await;
        }
        let second = start();
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.is_err());
        assert_eq!(flights.under_way(), 1, "the second caller still waits");
        second.abort();
        assert!(second.await.is_err());
        tokio::time::timeout(Duration::from_secs(30), gone.notified()).await.unwrap();
        assert_eq!(flights.under_way(), 0);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_for_those_who_wait_and_no_more() {
        let flights = Flights::<u32>::default();
        let work = || async { panic!("on purpose") };
        let Err(Error::Shared(error)) = flights.join(key(), work).await.0 else { panic!("no error") };
        assert!(matches!(*error, Error::Panicked));
        assert_eq!(flights.under_way(), 0);
    }
}
