//! What `docs/results.md` says of Python, done: its lines run on the results of a run, and the tables are a valid data
//! package. Run by `make test-python`.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use std::{path::Path, process::Command};

use support::{Lab, movie};

const PAGE: &str = include_str!("../../docs/results.md");

/// Runs `script` in `folder` with the Python of `make test-python`; gives what it prints.
fn python(folder: &Path, script: &str) -> String {
    let python = std::env::var("ANALYSIS_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(&python).args(["-c", script]).current_dir(folder).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{python}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn lines_of_the_page() -> &'static str {
    let (_, rest) = PAGE.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
#[ignore = "needs pandas: make test-python"]
fn the_lines_of_the_page_load_the_results_of_a_run() {
    let lab = Lab::of(2);
    lab.run_plain("out");
    let check = "
assert list(regions.columns[:5]) == ['mov_basename', 'date_time', 'start_frame', 'end_frame', 'scene_tag'], regions.columns
assert list(movies.columns[:5]) == ['mov_basename', 'date_time', 'num_frames', 'duration', 'file_size'], movies.columns
assert movies['num_frames'].tolist() == [40, 40] and (movies['file_size'] > 1000).all(), movies
assert str(regions['date_time'].dtype).startswith('datetime64'), regions.dtypes
assert motion.index.tolist() == [1, 11, 21, 31] and len(sure) == 4, rows
assert (motion['s'] - 1).abs().max() < 0.001 and motion['tx'].abs().max() < 0.5, motion
assert abs(regions['seconds'].iloc[0] - 31 * movies['duration'].iloc[0] / 40) < 1e-9, regions
";
    let said = python(&lab.output("out"), &format!("{}{check}", lines_of_the_page()));
    let stem = Path::new(&movie(1)).file_stem().unwrap().to_str().unwrap().to_owned();
    assert!(said.contains(&stem) && said.contains("theta"), "{said}");
}

const VALIDATE: &str = "
from frictionless import Package, validate
report = validate('datapackage.json')
assert report.valid, report.flatten(['title', 'message'])
package = Package('datapackage.json')
rows = {resource.name: resource.read_rows() for resource in package.resources}
print(len(rows['regions']), len(rows['movie_metadata']), rows['movie_metadata'][0]['date_time'].isoformat())
";

#[test]
#[ignore = "needs frictionless: make test-python"]
fn the_tables_of_a_run_are_a_valid_data_package() {
    let lab = Lab::of(2);
    std::fs::write(lab.root().join(movie(3)), "no movie").unwrap();
    lab.run_plain("out");
    assert_eq!(python(&lab.output("out"), VALIDATE).trim(), "2 2 2018-07-21T03:00:00");
    let table = lab.output("out/regions.csv");
    let text = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, text.replace(",1,31,", ",one,31,")).unwrap();
    let broken =
        python(&lab.output("out"), "from frictionless import validate; print(validate('datapackage.json').valid)");
    assert_eq!(broken.trim(), "False", "a table that is not what is said of it is found");
}
