//! What a browser weighs: all of its processes together.

use std::fs::read_to_string;

/// The memory of the processes this thread started and of all below them, in MiB: of pages several share, each its part
/// (PSS), as Linux counts it.
pub fn of_children() -> f64 {
    let kib: f64 = children("/proc/thread-self").into_iter().map(tree).sum();
    kib / 1024.0
}

fn tree(process: u32) -> f64 {
    let below = threads(process).into_iter().flat_map(|thread| children(&thread)).map(tree);
    own(process) + below.sum::<f64>()
}

/// KiB; none of a process that has just gone.
fn own(process: u32) -> f64 {
    let text = read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

fn threads(process: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    threads.map(|thread| thread.path().display().to_string()).collect()
}

fn children(thread: &str) -> Vec<u32> {
    let text = read_to_string(format!("{thread}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}
