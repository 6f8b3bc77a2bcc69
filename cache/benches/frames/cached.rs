//! A JPEG that is kept, beside the same bytes from a static file server.

use std::time::Duration;

use crate::{
    client::{self, Client, Times},
    figures::{Figure, thousands},
    lab::{Lab, MOVIE},
    process::Process,
};

const CLIENTS: usize = 16;
/// Of each client.
const REQUESTS: usize = 500;
const PASSES: usize = 5;

/// Requests a second and core of a server, and how long the best run's requests took.
struct Best {
    rate: f64,
    times: Option<Times>,
}

impl Best {
    fn see(&mut self, server: &Process, path: &str) {
        let before = server.processor_time();
        let times = client::run(&server.address, CLIENTS, REQUESTS, |_| path.to_owned());
        let took = server.processor_time().saturating_sub(before);
        self.rate = self.rate.max(times.len() as f64 / took.as_secs_f64());
        if self.times.as_ref().is_none_or(|best| times.percentile(99) < best.percentile(99)) {
            self.times = Some(times);
        }
    }

    fn times(&self) -> &Times {
        self.times.as_ref().unwrap()
    }
}

pub fn figures(lab: &Lab) -> Vec<Figure> {
    let server = Process::lazycache(&[&lab.archive.url()]);
    let path = format!("{}{MOVIE}/frame/5.jpg", frame::MirrorRoot::parse(&lab.archive.url()).unwrap().api_path());
    let small = format!("{path}?width=480&height=270");
    let mut client = Client::new(&server.address);
    let files = tempfile::tempdir().unwrap();
    let sizes = [&path, &small].map(|path| client.get(path));
    for (size, name) in sizes.iter().zip(["full", "small"]) {
        std::fs::write(files.path().join(name), vec![b'x'; *size]).unwrap();
    }
    let plain = Process::static_files(files.path());
    let mut figures = Vec::new();
    for (path, name, size) in [(&path, "full", sizes[0]), (&small, "small", sizes[1])] {
        let (mut ours, mut theirs) = (Best { rate: 0.0, times: None }, Best { rate: 0.0, times: None });
        for _ in 0..PASSES {
            ours.see(&server, path);
            theirs.see(&plain, &format!("/{name}"));
        }
        figures.extend(told(size, &ours, &theirs));
    }
    figures
}

fn told(size: usize, ours: &Best, theirs: &Best) -> [Figure; 3] {
    let what = format!("a cached JPEG of {} kB, {CLIENTS} clients: requests a second and core", size / 1000);
    let p99 = ours.times().percentile(99);
    [
        Figure::of(what, thousands(ours.rate as u64), "8,000", ours.rate >= 8000.0),
        Figure::of("— median and p99 of a request", ours.times().told(), "p99 5 ms", p99 <= Duration::from_millis(5)),
        Figure::aside(
            "— a static file server, the same bytes",
            format!("{}, {}", thousands(theirs.rate as u64), theirs.times().told()),
        ),
    ]
}
