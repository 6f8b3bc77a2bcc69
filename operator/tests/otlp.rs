//! Spans reach a collector (feature `otlp`).

#![cfg(feature = "otlp")]
#![allow(clippy::unwrap_used)] // test code outside #[test] functions

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::Duration,
};

use analysis_operator::telemetry::{LogFormat, start};

/// A collector that takes one request: its path and how many bytes its body has.
fn collect(listener: &TcpListener) -> (String, usize) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut part).unwrap();
        bytes.extend_from_slice(&part[..length]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let wanted =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok()).unwrap();
        if bytes.len() >= end + 4 + wanted {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            return (path, wanted);
        }
    }
}

#[test]
fn spans_reach_the_collector_when_the_process_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let telemetry = start("info", LogFormat::Json, Some(&endpoint)).unwrap();
    tracing::info_span!("reconciling object", object = "science/a").in_scope(|| tracing::info!("reconciled"));
    let ends = std::thread::spawn(move || drop(telemetry));
    let (path, bytes) = collect(&listener);
    ends.join().unwrap();
    assert_eq!(path, "/v1/traces");
    assert!(bytes > 50, "{bytes} bytes");
}
