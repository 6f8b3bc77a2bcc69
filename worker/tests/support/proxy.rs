//! A stretch of network that breaks: connections through it are cut after so many bytes of answers.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Lets `cuts` connections through for so many bytes each, later ones for good. Lives as long as the process.
pub struct Proxy {
    pub url: String,
    cut: Arc<AtomicUsize>,
}

impl Proxy {
    pub fn before(url: &str, cuts: usize, bytes: usize) -> Self {
        let upstream = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cut = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cut);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&upstream).unwrap());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(from, to, usize::MAX));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || {
                    let left = if counted.load(Ordering::Relaxed) < cuts { bytes } else { usize::MAX };
                    if pass(server, client, left) {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Self { url, cut }
    }

    /// Connections that were cut.
    pub fn cuts(&self) -> usize {
        self.cut.load(Ordering::Relaxed)
    }
}

/// Whether it was cut.
fn pass(mut from: TcpStream, mut to: TcpStream, mut left: usize) -> bool {
    let mut buffer = [0; 8192];
    while left > 0 {
        let most = left.min(buffer.len());
        match from.read(&mut buffer[..most]) {
            Ok(0) | Err(_) => break,
            Ok(read) if to.write_all(&buffer[..read]).is_ok() => left -= read,
            Ok(_) => break,
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    left == 0
}
