//! The checkpoints in an output.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::visit;

/// The checkpoints below `output`.
pub fn checkpoints(output: &Path) -> Vec<PathBuf> {
    let (folder, mut found) = (output.join(".analysis/checkpoints"), Vec::new());
    if folder.is_dir() {
        visit(&folder, &mut |path| {
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                found.push(path.to_owned());
            }
        });
    }
    found
}

/// Rows in the checkpoint below `output`; 0 where there is none.
pub fn rows_in(output: &Path) -> usize {
    let text = checkpoints(output).first().and_then(|file| std::fs::read_to_string(file).ok());
    // A digest, a header, the rows.
    text.map_or(0, |text| text.lines().count().saturating_sub(2))
}

/// Bounded by a minute.
pub fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited for a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
}
