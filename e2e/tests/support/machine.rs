//! The same job on this machine, to compare with.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use archive::{Server, layout::CAMERA};
use serde_json::{Value, json};

use super::{
    cluster::repository,
    movies,
    results::{is_of_a_movie, timeless},
};

/// What `analysis-worker run` makes of a spec and the first movies.
pub fn on_one_machine(spec: &Value, movies: u32) -> tempfile::TempDir {
    let (output, archive) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    movies::copy_to(archive.path(), movies);
    let server = Server::start(archive.path()).unwrap();
    let job = json!({
        "apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "metadata": {"name": "machine"}, "spec": spec,
    });
    let file = output.path().with_extension("yaml");
    fs::write(&file, job.to_string()).unwrap();
    let mut command = Command::new(repository().join("target/release/analysis-worker"));
    command.arg("run").arg(&file).arg("--output").arg(output.path());
    let ended = command.args(["--source-root", &server.url(), "--progress", "plain"]).output();
    let ended = ended.unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
    fs::remove_file(&file).unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    output
}

/// The results of the first movies at stride 10, by name, without what differs from run to run.
pub fn expected(movies: u32) -> BTreeMap<String, Value> {
    let spec = json!({
        "source": {"http": {"rootURL": "http://127.0.0.1:1/files/"}, "prefixes": [format!("{CAMERA}/")]},
        "analysis": {"opticalFlow": {"stride": 10}},
        "output": {"persistentVolumeClaim": {"claimName": "results"}},
    });
    let output = on_one_machine(&spec, movies);
    let read = |name: &String| serde_json::from_slice(&fs::read(output.path().join(name)).unwrap()).unwrap();
    let names = names_below(output.path()).into_iter().filter(|name| is_of_a_movie(name));
    names.map(|name| (name.clone(), timeless(read(&name)))).collect()
}

/// Files below a folder, papers of runs left out, in order.
pub fn names_below(folder: &Path) -> Vec<String> {
    let (mut names, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                names.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names.retain(|name| !name.starts_with('.') && !name.contains("/."));
    names.sort();
    names
}
