//! Frames that nobody has asked for yet: read from a folder, decoded, encoded.

use std::{sync::Arc, time::Duration};

use ffmpeg_next::codec::packet::Packet;
use frame::{Format, FrameNumber, Rendition};
use lazycache::{HttpOptions, Lazycache, Movie, Resources, Settings};

use crate::{
    bare::Bare,
    client::Client,
    figures::Figure,
    lab::{Lab, MOVIE},
    process::{Process, processor_time},
};

pub const PASSES: usize = 9;

/// A format, its file extension, the share of the bare decode's rate and the multiple of its cost that are the goals.
struct Goal {
    format: Format,
    extension: &'static str,
    rate: Option<(&'static str, f64)>,
    cost: (&'static str, f64),
}

const GOALS: [Goal; 4] = [
    Goal { format: Format::Raw, extension: "raw", rate: Some(("85 %", 0.85)), cost: ("1.2x", 1.2) },
    Goal { format: Format::Bmp, extension: "bmp", rate: None, cost: ("1.3x", 1.3) },
    Goal { format: Format::Jpeg, extension: "jpg", rate: Some(("65 %", 0.65)), cost: ("1.7x", 1.7) },
    Goal { format: Format::Png, extension: "png", rate: Some(("50 %", 0.50)), cost: ("2.6x", 2.6) },
];

/// The least cost of a frame so far, in milliseconds.
#[derive(Clone, Copy)]
pub struct Least(pub f64);

impl Least {
    pub const NONE: Self = Self(f64::INFINITY);

    pub fn see(&mut self, took: Duration, frames: usize) {
        self.0 = self.0.min(took.as_secs_f64() * 1e3 / frames as f64);
    }
}

pub fn figures(lab: &Lab) -> Vec<Figure> {
    let library = Library::new(lab);
    let folder = format!("m={}", lab.folder().display());
    let server = Process::lazycache(&["--folder", &folder, "--memory", "0", "--allow-raw-output"]);
    let mut client = Client::new(&server.address);
    let packets: Vec<Packet> = lab.packets.iter().map(|packet| Packet::copy(packet)).collect();
    let (mut bare, mut decoder) = (Least::NONE, Bare::new());
    let (mut by_library, mut by_server) = ([Least::NONE; 4], [Least::NONE; 4]);
    for _ in 0..PASSES {
        bare.see(taken("self", || packets.iter().for_each(|packet| decoder.decode(packet))), packets.len());
        for (place, goal) in GOALS.iter().enumerate() {
            by_library[place]
                .see(taken("self", || library.answer_all(goal.format, Rendition::default())), packets.len());
            let before = server.processor_time();
            for number in 1..=packets.len() {
                client.get(&format!("/v1/m/{MOVIE}/frame/{number}.{}", goal.extension));
            }
            by_server[place].see(server.processor_time().saturating_sub(before), packets.len());
        }
    }
    told(bare.0, &by_library, &by_server)
}

fn told(bare: f64, library: &[Least; 4], server: &[Least; 4]) -> Vec<Figure> {
    let text = format!("{bare:.1} ms, {:.0} frames/s", 1e3 / bare);
    let mut figures = vec![Figure::aside("FFmpeg's bare decode, one thread", text)];
    for (goal, (library, server)) in GOALS.iter().zip(library.iter().zip(server)) {
        let name = goal.extension;
        if let Some((wanted, rate)) = goal.rate {
            let what = format!("cold frames a second and core, {name}, of the bare decode's (library)");
            figures.push(Figure::of(
                what,
                format!("{:.0} %", 100.0 * bare / library.0),
                wanted,
                bare / library.0 >= rate,
            ));
        }
        let (wanted, cost) = goal.cost;
        let what = format!("— processor time of a cold {name} over the bare decode's (library)");
        let text = format!("{:.2}x ({:.1} ms)", library.0 / bare, library.0);
        figures.push(Figure::of(what, text, wanted, library.0 / bare <= cost));
        let what = format!("— the same of the server, over HTTP, {name}");
        let text = format!("{:.2}x ({:.1} ms), {:.0} %", server.0 / bare, server.0, 100.0 * bare / server.0);
        figures.push(Figure::aside(what, text));
    }
    figures
}

pub fn taken(process: &str, work: impl FnOnce()) -> Duration {
    let before = processor_time(process);
    work();
    processor_time(process).saturating_sub(before)
}

/// The library's way to an answer, as the server takes it; nothing is kept.
pub struct Library {
    runtime: tokio::runtime::Runtime,
    cache: Lazycache,
    movie: Arc<Movie>,
}

impl Library {
    pub fn new(lab: &Lab) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let resources = Resources::new(Settings { decodes: 1, ..Settings::default() });
        let root = lab.folder().to_str().unwrap();
        let cache = Lazycache::open_with(root, HttpOptions::default(), None, resources).unwrap();
        let movie = runtime.block_on(cache.movie(&Lab::movie())).unwrap();
        Self { runtime, cache, movie }
    }

    pub fn answer_all(&self, format: Format, rendition: Rendition) {
        for number in 1..=self.movie.num_frames() {
            let number = FrameNumber::new(number).unwrap();
            let answer = self.cache.answer(&self.movie, number, format, rendition);
            self.runtime.block_on(answer).unwrap();
        }
    }
}
