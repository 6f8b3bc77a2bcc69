//! Parses an AnalysisJob once into an [`Analysis`]; later steps never look at the raw object again.
//!
//! In: the AnalysisJob as the API server holds it, the release's settings. Out: the parsed analysis, or every problem
//! that a person must mend. Pure: no client, no clock, no environment.

use std::sync::Arc;

use analysisjob::{
    AnalysisJob, AnalysisJobSpec, FrameCache, Problem, Queue, QueueRole, Strategy, labels, reasons,
    validate::validate as validate_fields,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::{Resource, ResourceExt};

use super::policy::schedule::Schedule;

/// The images of this release, used where a spec names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// The analysis-worker image.
    pub worker: String,
    /// The lazycache image.
    pub cache: String,
}

/// An AnalysisJob, parsed. Everything the pure steps need to know of it.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// The owner reference of every child.
    pub owner: OwnerReference,
    /// The spec, fields checked.
    pub spec: AnalysisJobSpec,
    /// The cache the job uses.
    pub cache: FrameCache,
    /// Images for pods whose spec names none.
    pub images: Images,
    /// When a standing job looks for new movies.
    pub schedule: Option<Schedule>,
    /// The Kueue queue the child Jobs are held by.
    pub kueue: Option<String>,
    /// Kueue's priority class of the child Jobs.
    pub kueue_priority: Option<String>,
    /// The value of the retry annotation.
    pub retry: Option<String>,
    /// When the AnalysisJob was created.
    pub created: Option<Time>,
}

/// The label by which Kueue takes a Job; it is copied to the child Jobs.
pub const KUEUE_QUEUE: &str = "kueue.x-k8s.io/queue-name";
/// The label of Kueue's priority class; it is copied too.
pub const KUEUE_PRIORITY: &str = "kueue.x-k8s.io/priority-class";

/// An AnalysisJob that cannot be worked on until someone mends it: at least one problem.
#[derive(Debug, thiserror::Error)]
#[error("{}", problems.first().map(ToString::to_string).unwrap_or_default())]
pub struct Invalid {
    /// What is wrong, in the order of the fields.
    pub problems: Vec<Problem>,
}

/// Parses `job`.
pub fn validate(job: &AnalysisJob, images: &Images) -> Result<Analysis, Invalid> {
    validate_fields(job).map_err(|problems| Invalid { problems })?;
    let problem = |path: &str, reason, message: &str| Invalid {
        problems: vec![Problem { path: path.to_owned(), reason, message: message.to_owned(), line: None }],
    };
    if job.spec.workers.strategy == Strategy::Queue && job.labels().contains_key(KUEUE_QUEUE) {
        let message = "Kueue admits Jobs, and the workers of strategy Queue are a Deployment: remove the label \
                       kueue.x-k8s.io/queue-name, or set strategy: Indexed";
        return Err(problem("spec.workers.strategy", reasons::UNSUPPORTED, message));
    }
    let schedule = job.spec.rescan.as_ref().map(Schedule::parse).transpose();
    let schedule = schedule.map_err(|message| problem("spec.rescan", reasons::INVALID_SCHEDULE, &message))?;
    let owner = job.controller_owner_ref(&()).ok_or_else(|| {
        problem("metadata.uid", reasons::INVALID_FIELD, "the object has no uid; it was not read from an API server")
    })?;
    Ok(Analysis {
        name: job.name_any(),
        namespace: job.namespace().unwrap_or_default(),
        generation: job.meta().generation.unwrap_or_default(),
        owner,
        spec: job.spec.clone(),
        cache: job.spec.frame_cache(),
        images: images.clone(),
        schedule,
        kueue: job.labels().get(KUEUE_QUEUE).cloned(),
        kueue_priority: job.labels().get(KUEUE_PRIORITY).cloned(),
        retry: job.annotations().get(labels::RETRY).cloned(),
        created: job.creation_timestamp(),
    })
}

impl Analysis {
    /// Namespace and name, as logs and counters name it.
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// The list that the workers drain, with strategy Queue.
    pub fn queue(&self) -> Option<&Queue> {
        self.spec.workers.queue.as_ref().filter(|_| self.spec.workers.strategy == Strategy::Queue)
    }

    /// Whether the job only lends workers to a list that others fill.
    pub fn only_lends(&self) -> bool {
        self.queue().is_some_and(|queue| queue.role == QueueRole::Consumer)
    }

    /// The worker image.
    pub fn worker_image(&self) -> &str {
        self.spec.workers.image.as_deref().unwrap_or(&self.images.worker)
    }

    /// Where workers reach the cache.
    pub fn cache_url(&self) -> String {
        match &self.cache {
            FrameCache::Url(url) => url.clone(),
            FrameCache::Managed(_) => {
                format!("http://{}.{}.svc:{}", self.cache_name(), self.namespace, super::desired::cache::PORT)
            }
        }
    }

    /// The name of the cache's Deployment and Service.
    pub fn cache_name(&self) -> String {
        format!("{}-cache", self.name)
    }

    /// The name of the workers' Deployment.
    pub fn workers_name(&self) -> String {
        format!("{}-workers", self.name)
    }

    /// The name of the claim made from `output.claimTemplate`.
    pub fn claim_name(&self) -> String {
        format!("{}-results", self.name)
    }

    /// Where results go, in one word.
    pub fn output(&self) -> String {
        let output = &self.spec.output;
        match (&output.persistent_volume_claim, &output.s3) {
            (Some(claim), _) => match &claim.sub_path {
                Some(path) => format!("pvc/{}/{path}", claim.claim_name),
                None => format!("pvc/{}", claim.claim_name),
            },
            (None, Some(s3)) => format!("s3://{}/{}", s3.bucket, s3.prefix.as_deref().unwrap_or_default()),
            (None, None) => format!("pvc/{}", self.claim_name()),
        }
    }
}

/// A parsed analysis, shared between steps.
pub type SharedAnalysis = Arc<Analysis>;
