//! The data pods as the operator's Jobs start them: by environment alone.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};

use super::Lab;

pub const RUN: &str = "4-7c9f";

fn next_number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// The pods of one run.
pub struct Pods {
    folder: PathBuf,
    job: PathBuf,
    environment: Vec<(String, String)>,
}

/// How a pod ended.
#[derive(Debug)]
pub struct PodEnded {
    pub code: Option<i32>,
    /// Its termination message.
    pub message: Value,
    pub stderr: String,
}

/// A pod that runs.
pub struct PodRunning {
    pub child: Child,
    log: PathBuf,
}

impl Lab {
    /// Pods whose AnalysisJob takes everything below `A/`, one item an index; `change` may change its spec.
    pub fn pods(&self, output: &str, change: impl FnOnce(&mut Value)) -> Pods {
        let mut spec = json!({
            "source": {"http": {"rootURL": self.server.url()}, "prefixes": ["A/"]},
            "analysis": {"opticalFlow": {}},
            "workers": {"itemsPerIndex": 1},
            "output": {"persistentVolumeClaim": {"claimName": "results"}},
            "retry": {"limitPerItem": 1},
            "fieldOfALaterRelease": {"x": 1},
        });
        change(&mut spec);
        let folder = self.folder.path().join(format!("pods-{}", next_number()));
        std::fs::create_dir(&folder).unwrap();
        let job = folder.join("job.json");
        let object = json!({
            "apiVersion": "camhd.science/v1alpha1",
            "kind": "AnalysisJob",
            "metadata": {"name": "lab", "namespace": "science", "generation": 4},
            "spec": spec,
        });
        std::fs::write(&job, object.to_string()).unwrap();
        let output = if output == "s3" {
            output.to_owned()
        } else {
            std::fs::create_dir_all(self.output(output)).unwrap();
            self.output(output).to_str().unwrap().to_owned()
        };
        let pods = Pods { folder, job, environment: Vec::new() };
        pods.with("ANALYSIS_OUTPUT", &output).with("ANALYSIS_PATIENCE", "2")
    }
}

impl Pods {
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn job(&self) -> &Path {
        &self.job
    }

    pub fn plan(&self) -> PodEnded {
        self.start("plan", &[]).end()
    }

    pub fn work(&self, index: u32) -> PodEnded {
        self.start_work(index).end()
    }

    pub fn collect(&self) -> PodEnded {
        self.start("collect", &[]).end()
    }

    pub fn start_work(&self, index: u32) -> PodRunning {
        self.start("work", &[("JOB_COMPLETION_INDEX", &index.to_string())])
    }

    /// Plan, every index in order, collect; all end with 0.
    pub fn run(&self) -> PodEnded {
        let plan = self.plan();
        assert_eq!(plan.code, Some(0), "{}", plan.stderr);
        for index in 0..plan.message["plan"]["indexes"].as_u64().unwrap() as u32 {
            let work = self.work(index);
            assert_eq!(work.code, Some(0), "{}", work.stderr);
        }
        self.collect()
    }

    pub fn start(&self, step: &str, more: &[(&str, &str)]) -> PodRunning {
        let log = self.folder.join(format!("termination-{}", next_number()));
        // The kubelet makes the file; the pod writes into it.
        std::fs::write(&log, "").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_analysis-worker"));
        command.arg(step).env("ANALYSIS_JOB", &self.job).env("ANALYSIS_RUN", RUN);
        command.env("ANALYSIS_TERMINATION_LOG", &log).envs(self.environment.iter().map(|(a, b)| (a, b)));
        command.envs(more.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        PodRunning { child: command.spawn().unwrap(), log }
    }
}

impl PodRunning {
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits for the end. Whatever the end, the termination message is there, small, and what is printed.
    pub fn end(self) -> PodEnded {
        let output = self.child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = std::fs::read_to_string(&self.log).unwrap();
        assert!(text.len() < 4096, "{} bytes", text.len());
        let message = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}: {stderr}"));
        PodEnded { code: output.status.code(), message, stderr }
    }
}

impl PodEnded {
    /// (total, up to date, done, failed).
    pub fn items(&self) -> (u64, u64, u64, u64) {
        let count = |name: &str| self.message["items"][name].as_u64().unwrap_or_else(|| panic!("{self:?}"));
        (count("total"), count("upToDate"), count("succeeded"), count("failed"))
    }

    pub fn reason(&self) -> &str {
        self.message["error"]["reason"].as_str().unwrap_or_default()
    }
}
