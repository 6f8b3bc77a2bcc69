//! A plan of a large archive: how long it takes and how much memory.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::time::{Duration, Instant};

use frame::MoviePath;
use lazycache::Lazycache;
use plan::{Analysis, Decoder, FrameRange, Method, OpticalFlow, SourceIdentity, ledger::digest};
use support::Lab;

const DAYS: u32 = 3_750;
const A_DAY: u32 = 8;

fn name(day: u32, number: u32) -> String {
    let (year, month, date) = (2009 + day / 372, day / 31 % 12 + 1, day % 31 + 1);
    let hour = number * 3;
    format!("A/{year}/{month:02}/{date:02}/CAMHDA301-{year}{month:02}{date:02}T{hour:02}0000Z.mov")
}

fn names() -> impl Iterator<Item = String> {
    (0..DAYS).flat_map(|day| (0..A_DAY).map(move |number| name(day, number)))
}

/// Every movie is the same empty file under another name, so that all have one version.
fn fill(lab: &Lab) {
    let file = lab.folder.path().join("no-bytes");
    std::fs::write(&file, "").unwrap();
    for name in names() {
        let path = lab.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::hard_link(&file, path).unwrap();
    }
}

/// A ledger in which every movie is done.
fn fill_ledger(lab: &Lab, output: &str) {
    let range = FrameRange { start_frame: 1, end_frame: None, stride: 10 };
    let analysis =
        Analysis::OpticalFlow(OpticalFlow { range, method: Method::Auto, decoder: Decoder::Reduced, regions: true });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = MoviePath::parse(&name(0, 0)).unwrap();
    let found = runtime.block_on(async { Lazycache::open(&lab.server.url()).unwrap().identity(&first).await.unwrap() });
    let identity = SourceIdentity { size: found.size, etag: found.etag, last_modified: found.last_modified };
    for name in names() {
        let movie = MoviePath::parse(&name).unwrap();
        let digest = digest(&analysis, &movie, &identity);
        let text = format!("{{\"provenance\":{{\"digest\":\"{digest}\"}},{}}}", " ".repeat(4000));
        let path = lab.output(output).join(name.replace(".mov", "_optical_flow.json"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::write(path.with_file_name(format!("{}_optical_flow_regions.json", movie.stem())), "{}").unwrap();
    }
}

/// Runs a plan pod; gives how long it took and the most memory it had, in MiB.
fn plan(lab: &Lab, output: &str) -> ((u64, u64, u64, u64), Duration, u64) {
    let (pods, start) = (lab.pods(output, |_| {}), Instant::now());
    let mut running = pods.start("plan", &[]);
    let status = format!("/proc/{}/status", running.child.id());
    let mut peak = 0;
    while running.child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = start.elapsed();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    (ended.items(), took, peak / 1024)
}

#[test]
fn thirty_thousand_movies_are_planned_in_150_mib() {
    let lab = Lab::of(0);
    fill(&lab);
    fill_ledger(&lab, "full");
    let all = u64::from(DAYS * A_DAY);
    for (output, done) in [("empty", 0), ("full", all)] {
        let (items, took, mib) = plan(&lab, output);
        println!("ledger {output}: {all} movies planned in {:.1} s with {mib} MiB", took.as_secs_f64());
        assert_eq!(items, (all, done, 0, 0), "{output}");
        assert!(mib < 150, "{output}: {mib} MiB");
    }
}
