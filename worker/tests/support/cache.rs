//! A lazycache server over an archive, on a thread of its own.

use frame::MirrorRoot;
use lazycache::server::{Served, run};
use tokio::sync::oneshot;

/// Stops when dropped.
pub struct Cache {
    pub url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Cache {
    /// As the operator starts it: a root, no more.
    pub fn over(root: &str) -> Self {
        Self::at("127.0.0.1:0", root)
    }

    pub fn at(address: &str, root: &str) -> Self {
        Self::start(address, root, |served| served)
    }

    /// One that sends no answer of several frames.
    pub fn one_by_one(root: &str) -> Self {
        Self::start("127.0.0.1:0", root, |served| served.max_answer(0))
    }

    fn start(address: &str, root: &str, set: fn(Served) -> Served) -> Self {
        let (root, address) = (MirrorRoot::parse(root).unwrap(), address.to_owned());
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let listener = tokio::net::TcpListener::bind(address).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let ended = async { drop(stopped.await) };
                run(listener, set(Served::new(&[root], 2).unwrap()), ended, std::time::Duration::ZERO).await.unwrap();
            });
        });
        let url = format!("http://{}", told.recv().unwrap());
        Self { url, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
