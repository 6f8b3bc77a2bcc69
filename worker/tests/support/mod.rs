//! What the tests of whole runs share: a small archive, a job, the program.
#![allow(dead_code)] // every test file uses its own part

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use archive::{Movie, Server};
use serde_json::Value;

pub mod bucket;
pub mod cache;
pub mod checkpoint;
pub mod large;
pub mod pods;
pub mod proxy;

/// A rendered archive, served; results of runs go beside it.
pub struct Lab {
    pub folder: tempfile::TempDir,
    pub server: Server,
}

/// The names of a lab's movies, below its root.
pub fn movie(number: u32) -> String {
    format!("A/2018/07/24/M-2018072{number}T030000Z.mov")
}

impl Lab {
    /// `count` small movies of 40 frames: a rest with a plume.
    pub fn of(count: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("archive");
        for number in 1..=count {
            let movie_of =
                Movie { frames: 40, size: (640, 360), seed: number.into(), particles: 10, ..Movie::default() };
            movie_of.render(&root.join(movie(number))).unwrap();
        }
        std::fs::create_dir_all(&root).unwrap();
        let server = Server::start(&root).unwrap();
        Self { folder, server }
    }

    /// One movie of so many frames, small.
    pub fn of_frames(frames: u32) -> Self {
        let lab = Self::of(0);
        let movie_of = Movie { frames, size: (320, 180), particles: 10, ..Movie::default() };
        movie_of.render(&lab.root().join(movie(1))).unwrap();
        lab
    }

    /// How often movie 1 was asked for. Of an opened movie two requests are for its index, each other one for a frame.
    pub fn requests(&self) -> u64 {
        self.server.counts().paths.get(&movie(1)).copied().unwrap_or(0)
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    pub fn output(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a job that takes everything below `A/`, with lines replaced as asked.
    pub fn job(&self, replacements: &[(&str, &str)]) -> PathBuf {
        let mut text = JOB.to_owned();
        for (from, to) in replacements {
            assert!(text.contains(from), "{from} is not in the job");
            text = text.replace(from, to);
        }
        let name = format!("job-{}.yaml", text.len());
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// `analysis-worker run FILE --output NAME --source-root SERVER --json`, ready to be started.
    pub fn command(&self, file: &Path, output: &str) -> Command {
        self.command_from(&self.server.url(), file, output)
    }

    fn command_from(&self, root: &str, file: &Path, output: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_analysis-worker"));
        command.arg("run").arg(file).arg("--output").arg(self.output(output)).args(["--json", "--patience", "2"]);
        command.args(["--source-root", root]).stdin(Stdio::null());
        command
    }

    /// Runs the plain job on movies from elsewhere.
    pub fn run_from(&self, root: &str, output: &str) -> Ended {
        Ended::of(&self.command_from(root, &self.job(&[]), output).output().unwrap())
    }

    /// Runs the job to its end.
    pub fn run(&self, file: &Path, output: &str) -> Ended {
        Ended::of(&self.command(file, output).output().unwrap())
    }

    /// Runs the plain job to its end.
    pub fn run_plain(&self, output: &str) -> Ended {
        self.run(&self.job(&[]), output)
    }

    /// Every movie's results below an output, by name, without what differs from run to run (times, host, address).
    pub fn results(&self, output: &str) -> BTreeMap<String, Value> {
        let folder = self.output(output);
        let mut found = BTreeMap::new();
        visit(&folder, &mut |path| {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            if path.extension().is_some_and(|extension| extension == "json") && name != "datapackage.json" {
                found.insert(name, timeless(read_json(path)));
            }
        });
        found
    }
}

const JOB: &str = "\
apiVersion: camhd.science/v1alpha1
kind: AnalysisJob
metadata: {name: lab}
spec:
  source:
    http: {rootURL: 'http://127.0.0.1:1/files/'}
    prefixes: [A/]
  analysis:
    opticalFlow: {stride: 10, method: Auto}
  output:
    persistentVolumeClaim: {claimName: results}
    overwritePolicy: IfStale
  retry: {limitPerItem: 1}
";

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub summary: Value,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: &Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let summary = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        Self { code: output.status.code(), summary, stderr }
    }

    /// (done, up to date, failed).
    pub fn items(&self) -> (u64, u64, u64) {
        let count = |name: &str| self.summary["items"][name].as_u64().unwrap_or_else(|| panic!("{self:?}"));
        (count("succeeded"), count("upToDate"), count("failed"))
    }

    pub fn frames(&self) -> u64 {
        self.summary["frames"].as_u64().unwrap()
    }
}

pub fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn visit(folder: &Path, see: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { visit(&path, see) } else { see(&path) }
    }
}

/// Without times, host and address.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for name in ["performance", "durationSeconds", "cacheURL", "sourceURL"] {
                fields.remove(name);
            }
            for (_, field) in fields.iter_mut() {
                *field = timeless(field.take());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    value
}
