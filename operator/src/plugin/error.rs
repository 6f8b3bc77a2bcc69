//! What can go wrong, each with a sentence, an exit code and what mends it.

use std::{error::Error, io, path::PathBuf};

use analysisjob::yaml::ReadError;
use plan::exit;

use super::{connect::ConnectError, refusal::Refusal};

/// The AnalysisJob has failed, or is stalled.
pub const JOB_FAILED: u8 = 1;
/// `status` without --watch: the run is under way.
pub const UNDER_WAY: u8 = 3;
/// There is no such AnalysisJob, namespace or file in the output (`EX_NOINPUT`).
pub const NOT_FOUND: u8 = 66;
/// The cluster does not allow it, or does not know who asks (`EX_NOPERM`).
pub const NOT_ALLOWED: u8 = 77;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// No cluster to talk to.
    #[error("failed to connect to a cluster")]
    Connect(#[from] ConnectError),
    /// The API server did not do what it was asked for.
    #[error("failed to {doing}: {refusal}")]
    Request {
        /// What was asked for.
        doing: String,
        /// Why it was not done.
        refusal: Refusal,
    },
    /// There is no AnalysisJob of this name.
    #[error("there is no AnalysisJob {name} in namespace {namespace}{}", meant(nearest.as_deref()))]
    NoSuchJob {
        /// The name asked for.
        name: String,
        /// Where it was looked for.
        namespace: String,
        /// The name that was meant, maybe.
        nearest: Option<String>,
        /// The command that shows those there are.
        list: String,
    },
    /// A file could not be read or written.
    #[error("failed to {doing} {}", path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no AnalysisJob that can be used.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong; its own text holds every problem.
        source: ReadError,
    },
    /// The command line asks for what does not fit the file or the job.
    #[error("{message}")]
    Unfit {
        /// What does not fit.
        message: String,
        /// What fits.
        mend: String,
    },
    /// Something took longer than allowed.
    #[error("{message}")]
    TooLate {
        /// What was waited for, and what was seen last.
        message: String,
        /// What to look at.
        mend: String,
    },
    /// What was asked for is not in the output.
    #[error("{message}")]
    NotInOutput {
        /// What is not there.
        message: String,
        /// When it will be, or how to see what is.
        mend: String,
    },
    /// A pod of ours did not do what it is for.
    #[error("the pod {pod} failed: {message}")]
    Pod {
        /// The pod; it is gone by now.
        pod: String,
        /// What it said.
        message: String,
        /// How to do without it.
        mend: String,
    },
    /// The AnalysisJob itself failed, or is stalled.
    #[error("{message}")]
    Job {
        /// Why.
        message: String,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
    /// Standard output could not be written.
    #[error("failed to write to standard output")]
    Output(#[from] io::Error),
    /// The program could not start.
    #[error("failed to start")]
    Start(#[source] io::Error),
    /// What is to be shown cannot be written as JSON: a fault of this program.
    #[error("failed to write JSON")]
    Json(#[from] serde_json::Error),
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

impl PluginError {
    /// What a script is told.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Connect(_) | Self::Start(_) | Self::Json(_) => exit::CONFIGURATION,
            Self::Request { refusal, .. } => refusal.exit_code(),
            Self::NoSuchJob { .. } | Self::NotInOutput { .. } | Self::File { doing: "read", .. } => NOT_FOUND,
            Self::Invalid { .. } => exit::BAD_INPUT,
            Self::Unfit { .. } => exit::USAGE,
            Self::TooLate { .. } | Self::Pod { .. } | Self::File { .. } | Self::Output(_) => exit::UNAVAILABLE,
            Self::Job { .. } => JOB_FAILED,
            Self::Interrupted => exit::INTERRUPTED,
        }
    }

    /// Whether the API server has said no: then nothing was made. Without an answer something may have been.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Request { refusal, .. } if !refusal.passes())
    }

    /// What mends it; none where the message says all.
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::Connect(error) => Some(error.mend()),
            Self::Request { refusal, .. } => refusal.mend(),
            Self::NoSuchJob { list, .. } => Some(format!("see which there are: {list}")),
            Self::Unfit { mend, .. }
            | Self::TooLate { mend, .. }
            | Self::NotInOutput { mend, .. }
            | Self::Pod { mend, .. } => Some(mend.clone()),
            _ => None,
        }
    }

    /// All of it as text: the sentence, its causes, the mend.
    pub fn text(&self) -> String {
        let mut text = format!("kubectl-analysis: {self}\n");
        // The sentence of an invalid file holds its cause already.
        let mut cause = if matches!(self, Self::Invalid { .. }) { None } else { self.source() };
        while let Some(error) = cause {
            text.push_str(&format!("  because: {error}\n"));
            cause = error.source();
        }
        if let Some(mend) = self.mend() {
            text.push_str(&format!("  to mend it: {mend}\n"));
        }
        text
    }
}
