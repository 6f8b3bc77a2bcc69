//! Processor time, as Linux counts it, in milliseconds.

use std::fs::read_to_string;

/// Of this thread so far.
pub fn of_thread() -> f64 {
    running("/proc/thread-self/schedstat").unwrap()
}

/// Of all threads of this process that are alive. Threads are kept by their runtime longer than a pass takes.
pub fn of_process() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    threads.filter_map(|thread| running(thread.path().join("schedstat").to_str()?)).sum()
}

/// `None` of a thread that has just gone.
fn running(schedstat: &str) -> Option<f64> {
    let nanoseconds: f64 = read_to_string(schedstat).ok()?.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e6)
}
