//! A large archive: many names of empty files, a ledger in which all are done, and what a plan of it costs.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use frame::MoviePath;
use lazycache::Lazycache;
use plan::{Analysis, Decoder, FrameRange, Method, OpticalFlow, SourceIdentity, ledger::digest};

use super::Lab;

const A_DAY: u32 = 8;
/// Names of one file; ext4 has room for 65,000.
const NAMES_OF_A_FILE: usize = 30_000;

/// So many days of eight movies each.
#[derive(Debug, Clone, Copy)]
pub struct Large {
    pub days: u32,
}

/// What a plan took.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    /// All of them, those up to date, those just done, those that failed.
    pub items: (u64, u64, u64, u64),
    pub took: Duration,
    /// The most memory it had.
    pub mib: u64,
}

impl Large {
    pub fn movies(self) -> u64 {
        u64::from(self.days * A_DAY)
    }

    fn names(self) -> impl Iterator<Item = String> {
        (0..self.days).flat_map(|day| (0..A_DAY).map(move |number| name(day, number)))
    }

    /// Every movie is the same empty file under another name, so that all have one version.
    pub fn fill(self, lab: &Lab) {
        let time = SystemTime::now();
        let mut file = lab.folder.path().join("no-bytes");
        for (at, name) in self.names().enumerate() {
            if at % NAMES_OF_A_FILE == 0 {
                file.set_file_name(format!("no-bytes-{at}"));
                fs::File::create(&file).unwrap().set_modified(time).unwrap();
            }
            link(&file, &lab.root().join(name));
        }
    }

    /// A ledger in which every movie is done.
    pub fn fill_ledger(self, lab: &Lab, output: &str) {
        let range = FrameRange { start_frame: 1, end_frame: None, stride: 10 };
        let analysis = Analysis::OpticalFlow(OpticalFlow {
            range,
            method: Method::Auto,
            decoder: Decoder::Reduced,
            regions: true,
        });
        let identity = identity(lab);
        let mut regions = lab.folder.path().join("regions");
        for (at, name) in self.names().enumerate() {
            let movie = MoviePath::parse(&name).unwrap();
            let digest = digest(&analysis, &movie, &identity);
            let text = format!("{{\"provenance\":{{\"digest\":\"{digest}\"}},{}}}", " ".repeat(4000));
            let path = lab.output(output).join(name.replace(".mov", "_optical_flow.json"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            if at % NAMES_OF_A_FILE == 0 {
                regions.set_file_name(format!("regions-{at}"));
                fs::write(&regions, "{}").unwrap();
            }
            link(&regions, &path.with_file_name(format!("{}_optical_flow_regions.json", movie.stem())));
        }
    }
}

/// Runs a plan pod.
pub fn plan(lab: &Lab, output: &str, items_per_index: u64) -> Planned {
    let pods = lab.pods(output, |spec| spec["workers"]["itemsPerIndex"] = items_per_index.into());
    let start = Instant::now();
    let mut running = pods.start("plan", &[]);
    let status = format!("/proc/{}/status", running.child.id());
    let mut peak = 0;
    while running.child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = start.elapsed();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    Planned { items: ended.items(), took, mib: peak / 1024 }
}

fn name(day: u32, number: u32) -> String {
    let (year, month, date) = (2009 + day / 372, day / 31 % 12 + 1, day % 31 + 1);
    let hour = number * 3;
    format!("A/{year}/{month:02}/{date:02}/CAMHDA301-{year}{month:02}{date:02}T{hour:02}0000Z.mov")
}

fn link(file: &Path, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::hard_link(file, path).unwrap();
}

fn identity(lab: &Lab) -> SourceIdentity {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = MoviePath::parse(&name(0, 0)).unwrap();
    let found = runtime.block_on(async { Lazycache::open(&lab.server.url()).unwrap().identity(&first).await.unwrap() });
    SourceIdentity { size: found.size, etag: found.etag, last_modified: found.last_modified }
}
