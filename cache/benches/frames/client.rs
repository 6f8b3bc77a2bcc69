//! A client that costs next to nothing: one connection, one request after the other, bodies read and dropped.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Bytes that are read at once.
const READ: usize = 256 << 10;

/// A connection that is kept.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Self { stream, buffer: vec![0; READ] }
    }

    /// Asks for `path`, reads all of the answer, and gives its body's length. Only 200 will do.
    pub fn get(&mut self, path: &str) -> usize {
        write!(self.stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let (mut filled, end) = (0, b"\r\n\r\n");
        let head = loop {
            let read = self.stream.read(&mut self.buffer[filled..]).unwrap();
            assert!(read > 0, "{path}: the connection was closed");
            filled += read;
            if let Some(at) = self.buffer[..filled].windows(4).position(|window| window == end) {
                break at + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{path}: {}", String::from_utf8_lossy(&self.buffer[..filled]));
        let length = text.split_once("content-length: ").unwrap().1.split_once('\r').unwrap().0;
        let length: usize = length.parse().unwrap();
        let mut left = length - (filled - head);
        while left > 0 {
            let most = left.min(READ);
            let read = self.stream.read(&mut self.buffer[..most]).unwrap();
            assert!(read > 0, "{path}: the answer was broken off");
            left -= read;
        }
        length
    }
}

/// How long each of the requests of a run took, shortest first.
pub struct Times(Vec<Duration>);

impl Times {
    /// Number of requests.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` of the requests needed at the most.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0[at]
    }

    /// Median and 99th percentile in milliseconds, as text.
    pub fn told(&self) -> String {
        let milliseconds = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        format!("{:.1}, {:.1} ms", milliseconds(50), milliseconds(99))
    }
}

/// `clients` clients at once; client c asks for `path(c * requests)` to `path(c * requests + requests - 1)`, one after the
/// other.
pub fn run(address: &str, clients: usize, requests: usize, path: impl Fn(usize) -> String + Sync) -> Times {
    let one = |client: usize| {
        let mut connection = Client::new(address);
        let numbers = client * requests..(client + 1) * requests;
        let ask = |number| {
            let path = path(number);
            let start = Instant::now();
            connection.get(&path);
            start.elapsed()
        };
        numbers.map(ask).collect::<Vec<_>>()
    };
    let mut times = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|client| scope.spawn(move || one(client))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });
    times.sort_unstable();
    Times(times)
}
