//! Why a pod ended early: the variant decides the exit code and the reason the operator shows.

use plan::{exit, run::PlanError};

use queue::QueueError;

use super::queue::ListError;
use crate::{
    job::JobError,
    source::SourceError,
    steps::{collect::CollectError, plan::PlanStepError},
    store::StoreError,
};

/// Why a pod ended without an answer.
#[derive(Debug, thiserror::Error)]
pub enum PodError {
    /// The AnalysisJob is not what it should be.
    #[error(transparent)]
    Job(Box<JobError>),
    /// The source cannot be, or cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output is to be a bucket, but the AnalysisJob names none.
    #[error("the output is to be a bucket, but spec.output.s3 is not set")]
    NoBucket,
    /// No plan.
    #[error(transparent)]
    Plan(#[from] PlanStepError),
    /// The run has no plan.
    #[error("there is no plan {name} in {place}: is it the output the plan was written to?")]
    PlanMissing {
        /// The plan.
        name: String,
        /// The output.
        place: String,
    },
    /// The run's plan cannot be read.
    #[error("failed to read {name} in {place}")]
    PlanDamaged {
        /// The plan.
        name: String,
        /// The output.
        place: String,
        /// Why.
        #[source]
        source: PlanError,
    },
    /// The output failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The results are there, the tables are not.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The list cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
    /// The async runtime could not start.
    #[error("failed to start")]
    Runtime(#[source] std::io::Error),
    /// A mistake of ours; the message went to standard error.
    #[error("the program panicked; see the pod's log")]
    Panicked,
}

impl From<JobError> for PodError {
    fn from(error: JobError) -> Self {
        Self::Job(Box::new(error))
    }
}

impl From<QueueError> for PodError {
    fn from(error: QueueError) -> Self {
        Self::List(error.into())
    }
}

impl PodError {
    /// The exit code (see `plan::exit`).
    pub fn exit_code(&self) -> u8 {
        let configuration = match self {
            Self::Job(_) | Self::NoBucket | Self::PlanMissing { .. } | Self::List(_) => true,
            Self::Source(error) | Self::Plan(PlanStepError::Server(error)) => error.is_configuration(),
            Self::Store(error)
            | Self::Plan(PlanStepError::Store(error))
            | Self::Collect(CollectError::Store(error)) => error.is_configuration(),
            Self::Plan(error) => matches!(error, PlanStepError::NoFolder { .. }),
            Self::PlanDamaged { .. } | Self::Collect(_) | Self::Runtime(_) | Self::Panicked => false,
        };
        if configuration { exit::CONFIGURATION } else { exit::UNAVAILABLE }
    }

    /// A stable word in `UpperCamelCase`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Job(error) => job_reason(error),
            Self::Source(error) | Self::Plan(PlanStepError::Server(error)) if error.is_configuration() => {
                "SourceInvalid"
            }
            Self::Source(error)
            | Self::Plan(
                PlanStepError::Server(error)
                | PlanStepError::List { source: error, .. }
                | PlanStepError::Ask { source: error, .. },
            ) => error.kind().as_str(),
            Self::NoBucket => "OutputInvalid",
            Self::List(_) => "QueueInvalid",
            Self::Plan(PlanStepError::NoFolder { .. }) => "PrefixMissing",
            Self::Plan(PlanStepError::Encode(_))
            | Self::Collect(CollectError::Csv(_) | CollectError::Encode(_))
            | Self::Runtime(_) => "Internal",
            Self::PlanMissing { .. } => "PlanMissing",
            Self::PlanDamaged { .. } | Self::Plan(PlanStepError::ReadBack { .. }) => "PlanDamaged",
            Self::Store(error)
            | Self::Plan(PlanStepError::Store(error))
            | Self::Collect(CollectError::Store(error)) => error.reason(),
            Self::Panicked => "Panicked",
        }
    }
}

fn job_reason(error: &JobError) -> &'static str {
    match error {
        JobError::Item { .. } => "InvalidItem",
        JobError::Pattern(_) => analysisjob::reasons::INVALID_GLOB,
        JobError::NotHere { .. } => "Unsupported",
        JobError::File { .. } | JobError::Invalid { .. } | JobError::Json { .. } | JobError::Run { .. } => "JobInvalid",
    }
}
