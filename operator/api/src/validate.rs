//! What no schema can say: whether a schedule, a time zone, a glob, an address, a day or a path makes sense.
//!
//! In: an AnalysisJob that fits the schema. Out: every problem, with its field and a reason that becomes the reason of
//! the condition Stalled. No client, no clock: the same job always gets the same answer. One policy, one file:
//! `source` for the archive, `place` for addresses and paths, `schedule` for rescan.

mod place;
mod schedule;
mod source;

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{AnalysisJob, Cache, Output, Queue, Rescan, Source, reasons};

/// Something that must be mended before the job can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, such as `spec.rescan.schedule` or `spec.source.include[2]`.
    pub path: String,
    /// One word for programs: a constant of [`reasons`].
    pub reason: &'static str,
    /// What is wrong and what is possible instead.
    pub message: String,
    /// The line in the file, from 1; none without a file.
    pub line: Option<usize>,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, reason: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), reason, message: message.into(), line: None }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// Checks what the schema cannot; gives every problem, at least one, in the order of the fields.
pub fn validate(job: &AnalysisJob) -> Result<(), Vec<Problem>> {
    let spec = &job.spec;
    let parts = Parts {
        source: Some(&spec.source),
        cache: spec.cache.as_ref(),
        queue: spec.workers.queue.as_ref(),
        output: Some(&spec.output),
        rescan: spec.rescan.as_ref(),
    };
    let problems = parts.check();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The same checks on the parts of a spec that can be read, so that a misshapen part does not hide what is wrong with
/// the others.
pub(crate) fn validate_readable(spec: &Value) -> Vec<Problem> {
    let (source, cache) = (part(spec, "/source"), part(spec, "/cache"));
    let (queue, output, rescan) = (part(spec, "/workers/queue"), part(spec, "/output"), part(spec, "/rescan"));
    let parts = Parts {
        source: source.as_ref(),
        cache: cache.as_ref(),
        queue: queue.as_ref(),
        output: output.as_ref(),
        rescan: rescan.as_ref(),
    };
    parts.check()
}

fn part<T: DeserializeOwned>(spec: &Value, pointer: &str) -> Option<T> {
    spec.pointer(pointer).and_then(|part| T::deserialize(part).ok())
}

/// The parts of a spec there is something to check in.
struct Parts<'a> {
    source: Option<&'a Source>,
    cache: Option<&'a Cache>,
    queue: Option<&'a Queue>,
    output: Option<&'a Output>,
    rescan: Option<&'a Rescan>,
}

impl Parts<'_> {
    fn check(&self) -> Vec<Problem> {
        let Self { source, cache, queue, output, rescan } = self;
        let mut problems = Vec::new();
        if let Some(source) = source {
            source::check(source, &mut problems);
        }
        if let Some(cache) = cache {
            place::check_cache(cache, &mut problems);
        }
        if let Some(queue) = queue {
            place::check_queue(queue, &mut problems);
        }
        if let Some(output) = output {
            place::check_output(output, &mut problems);
        }
        if let Some(rescan) = rescan {
            schedule::check(rescan, &mut problems);
        }
        problems
    }
}

/// Adds a problem when a check gives a message.
fn add(problems: &mut Vec<Problem>, path: impl Into<String>, reason: &'static str, checked: Result<(), String>) {
    if let Err(message) = checked {
        problems.push(Problem::new(path, reason, message));
    }
}

/// Adds a problem when a path leaves its folder.
fn add_path(problems: &mut Vec<Problem>, field: impl Into<String>, path: Option<&str>) {
    add(problems, field, reasons::INVALID_PATH, path.map_or(Ok(()), place::path));
}

/// Adds a problem when an address makes no sense.
fn add_url(problems: &mut Vec<Problem>, field: &str, url: Option<&str>, secret: &str) {
    add(problems, field, reasons::INVALID_URL, url.map_or(Ok(()), |url| place::url(url, secret)));
}
