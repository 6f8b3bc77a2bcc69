//! The door to YAML, and the only user of `serde_yaml`: reads AnalysisJob files strictly, prints the CRD.
//!
//! [`read`] refuses what an API server refuses, and says all of it at once, each problem with the field's path and line.
//! The schema of the CRD is what it checks against, in the order of an API server:
//!
//! ```text
//!   bytes ─▶ one document ─▶ JSON ─▶ defaults, nulls, shape ─▶ CEL rules ─▶ validate ─▶ AnalysisJob
//!            document.rs             shape.rs                  kube's cel   crate::validate
//! ```
//!
//! It is stricter than an API server in one thing: a field that does not exist is an error and not dropped, because it
//! is a typing error nearly always. A `status` in the file is ignored, as an API server does.

mod document;
mod line;
mod metadata;
mod nearest;
mod print;
mod shape;

use std::fmt;

use kube::core::cel::{ErrorKind, ValidationErrors, Validator};
use serde_json::Value;

use crate::{
    AnalysisJob, Problem,
    crd::{CrdError, schema},
    reasons,
    validate::validate_readable,
};

pub use nearest::nearest;
pub use print::{PrintError, print_crd};

/// The apiVersion of the files read here.
pub const API_VERSION: &str = "camhd.science/v1alpha1";
/// The kind of the files read here.
pub const KIND: &str = "AnalysisJob";

/// Why a file is not an AnalysisJob.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes are no text.
    #[error("the file is not UTF-8 text")]
    NotText(#[from] std::str::Utf8Error),
    /// The text is no YAML; the source says where.
    #[error("the file is not YAML: {0}")]
    Syntax(Box<dyn std::error::Error + Send + Sync>),
    /// There is no document in the file.
    #[error("the file holds no document; expected an AnalysisJob")]
    Empty,
    /// There is more than one document in the file.
    #[error("the file holds {0} documents; expected one AnalysisJob")]
    SeveralDocuments(usize),
    /// The document is something else.
    #[error("expected apiVersion {API_VERSION} and kind {KIND}, found {0}")]
    OtherKind(String),
    /// The AnalysisJob has problems, each with its field.
    #[error("{0}")]
    Invalid(Problems),
    /// There is no schema to check against: a fault of this build.
    #[error("failed to make the schema")]
    Schema(#[from] CrdError),
}

/// All problems of a file, at least one, by their line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, by their line.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "problem" } else { "problems" };
        write!(f, "the AnalysisJob has {} {plural}:", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl ReadError {
    /// The problems by field; none when the file is no AnalysisJob at all.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems.as_slice(),
            _ => &[],
        }
    }
}

/// Reads one AnalysisJob with its defaults filled in, or says everything that is wrong with it.
pub fn read(bytes: impl AsRef<[u8]>) -> Result<AnalysisJob, ReadError> {
    let text = std::str::from_utf8(bytes.as_ref())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut problems = Vec::new();
    let mut object = document::read(text, &mut problems)?;
    document::expect_kind(&object)?;
    let job = check(&schema()?, &mut object, &mut problems);
    match job {
        Some(job) if problems.is_empty() => Ok(job),
        _ => Err(ReadError::Invalid(in_order(text, problems))),
    }
}

/// The checks in the order of an API server; gives the job when its fields can be read at all.
fn check(schema: &Value, object: &mut Value, problems: &mut Vec<Problem>) -> Option<AnalysisJob> {
    if let Some(root) = object.as_object_mut() {
        root.remove("status");
    }
    metadata::check(object, problems);
    shape::check(schema, object, problems);
    if let Err(broken) = Validator::new().validate(schema, object, None) {
        add_broken_rules(&broken, problems);
    }
    let known: Vec<String> = problems.iter().map(|problem| problem.path.clone()).collect();
    let senseless = validate_readable(object.get("spec").unwrap_or(&Value::Null));
    problems.extend(senseless.into_iter().filter(|problem| !known.contains(&problem.path)));
    let job = serde_path_to_error::deserialize(&*object);
    // The shape check has said it already, in better words; this is for what it may have missed.
    if let (Err(error), true) = (&job, problems.is_empty()) {
        problems.push(Problem::new(error.path().to_string(), reasons::INVALID_FIELD, error.inner().to_string()));
    }
    job.ok()
}

/// A rule that is false is a problem. A rule that cannot be evaluated is one too, unless the fields it looks at are
/// misshapen, which has been said then.
fn add_broken_rules(broken: &ValidationErrors, problems: &mut Vec<Problem>) {
    let misshapen: Vec<String> = problems.iter().map(|problem| problem.path.clone()).collect();
    for error in broken {
        let path = error.field_path.trim_start_matches('.');
        let judged = error.kind == ErrorKind::ValidationFailure && misshapen.iter().all(|known| known != path);
        if judged || misshapen.is_empty() {
            problems.push(Problem::new(path, reasons::RULE_BROKEN, error.message.clone()));
        }
    }
}

fn in_order(text: &str, problems: Vec<Problem>) -> Problems {
    let at_line = |problem: Problem| Problem { line: line::of(text, &problem.path), ..problem };
    let mut problems: Vec<Problem> = problems.into_iter().map(at_line).collect();
    problems.sort_by_key(|problem| problem.line.unwrap_or(0));
    Problems(problems)
}
