//! How long clients wait for a JPEG: of frames nobody has asked for, and of frames that are kept.

use crate::{
    client::{self, Times},
    figures::Figure,
    lab::Lab,
    process::Process,
};

/// Of all clients together.
const REQUESTS: usize = 240;

pub fn figures(lab: &Lab) -> Vec<Figure> {
    let api = frame::MirrorRoot::parse(&lab.archive.url()).unwrap().api_path();
    let mut figures = Vec::new();
    for clients in [1, 4, 16] {
        let name = format!("latency-{clients}.mov");
        let all: Vec<u32> = (0..REQUESTS as u32).collect();
        lab.long(&name, REQUESTS as u32, &all);
        let server = Process::lazycache(&[&lab.archive.url(), "--memory", "1GiB"]);
        // The index is no part of a frame.
        client::Client::new(&server.address).get(&format!("{api}{name}"));
        let run = || -> Times {
            let path = |number: usize| format!("{api}{name}/frame/{}.jpg", number + 1);
            client::run(&server.address, clients, REQUESTS / clients, path)
        };
        let (cold, warm) = (run(), run());
        let what = format!("median and p99 of a JPEG at {clients} clients: cold; kept");
        figures.push(Figure::aside(what, format!("{}; {}", cold.told(), warm.told())));
        std::fs::remove_file(lab.folder().join(&name)).unwrap();
    }
    figures
}
