//! The bound on work that burns a core: so many closures at once, off the async threads.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

/// Runs closures on at most `threads` cores at once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cpu {
    permits: Arc<Semaphore>,
    threads: usize,
}

/// A closure did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CpuError {
    /// It panicked; the message went to standard error.
    #[error("a computation panicked")]
    Panicked(#[source] tokio::task::JoinError),
    /// The process is ending.
    #[error("the computation was not started, because the process is ending")]
    Closed,
}

impl Cpu {
    /// A bound of `threads`, at least 1.
    pub fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        Self { permits: Arc::new(Semaphore::new(threads)), threads }
    }

    /// The bound.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` when a core is free. A panic in it costs this call only.
    ///
    /// A task of its own waits for the core: a stream polls only some of its futures at a time, and a core given to one
    /// that is not polled would be lost to those that are, for good.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, CpuError> {
        let permits = Arc::clone(&self.permits);
        let task = tokio::spawn(async move {
            let permit = permits.acquire_owned().await.map_err(|_| CpuError::Closed)?;
            let done = tokio::task::spawn_blocking(move || {
                let value = work();
                drop(permit);
                value
            });
            done.await.map_err(CpuError::Panicked)
        });
        AbortOnDropHandle::new(task).await.map_err(CpuError::Panicked)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn never_more_at_once_than_threads() {
        let cpu = Cpu::new(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let calls = (0..12).map(|_| {
            let (cpu, now, most) = (cpu.clone(), now.clone(), most.clone());
            async move {
                cpu.run(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(3));
                    now.fetch_sub(1, Ordering::SeqCst);
                })
                .await
                .unwrap();
            }
        });
        futures::future::join_all(calls).await;
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_costs_one_call_only() {
        let cpu = Cpu::new(1);
        assert!(matches!(cpu.run(|| panic!("on purpose")).await, Err::<(), _>(CpuError::Panicked(_))));
        assert_eq!(cpu.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_call_that_nobody_polls_keeps_no_core_from_the_others() {
        let cpu = Cpu::new(1);
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::spawn({
            let cpu = cpu.clone();
            async move { cpu.run(move || wait.recv().is_err()).await }
        });
        tokio::task::yield_now().await;
        // First in the queue, polled once and never again.
        let mut forgotten = Box::pin(cpu.run(|| ()));
        assert!(futures::poll!(&mut forgotten).is_pending());
        let next = cpu.run(|| 7);
        drop(release);
        let next = tokio::time::timeout(std::time::Duration::from_secs(10), next).await;
        assert_eq!(next.unwrap().unwrap(), 7);
        assert!(busy.await.unwrap().unwrap());
    }
}
