//! One reconcile: observe, validate, desired, apply, status.
//!
//! ```text
//!   stores ──observe──▶ Observed ─┐
//!   AnalysisJob ──validate──▶ Analysis ─┴─situation─▶ Situation ──desired──▶ Resources ──apply──▶ Applied ──status──▶ events
//!                             (pure)        (pure, time given)      (pure)      (writes)      (pure, one write)
//! ```
//!
//! Read next: [`run`] (which run, how far), [`desired`] (what should be there), [`status`] (what is said), [`apply`] (the
//! only door for writes). The policies in [`policy`] answer one question each.

pub mod apply;
pub mod desired;
pub mod events;
pub mod facts;
pub mod items;
pub mod observe;
pub mod pods;
pub mod policy;
pub mod run;
pub mod status;
pub mod trouble;
pub mod validate;

use std::{sync::Arc, time::Duration};

use analysisjob::{AnalysisJob, AnalysisJobStatus, reasons};
use jiff::Timestamp;
use kube::{ResourceExt, core::DeserializeGuard, runtime::controller::Action};

use crate::context::Context;
use apply::ApplyError;
use desired::{Resources, overlay::OverlayError};
use observe::{ObserveError, Observed};
use run::{Situation, situation};
use status::Obstacle;
use trouble::Trouble;
use validate::{Analysis, Invalid, validate};

/// Why a reconcile did not come to its end. The variant's name is the reason in metrics.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The AnalysisJob itself cannot be decoded.
    #[error("failed to read AnalysisJob {name}: it is not of the shape this release knows")]
    Undecodable {
        /// Its name.
        name: String,
        /// What does not fit.
        #[source]
        source: Box<kube::core::error_boundary::InvalidObject>,
    },
    /// A child cannot be read.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// A write failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl ReconcileError {
    /// The reason in metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Undecodable { .. } => "Undecodable",
            Self::Observe(_) => "Observe",
            Self::Apply(ApplyError::NotLeader) => "NotLeader",
            Self::Apply(ApplyError::NameTaken { .. }) => "NameTaken",
            Self::Apply(ApplyError::Refused { .. }) => "Refused",
            Self::Apply(ApplyError::Write { .. }) => "Write",
        }
    }
}

/// Makes one AnalysisJob what it should be, and says so in its status.
pub async fn reconcile(
    job: Arc<DeserializeGuard<AnalysisJob>>,
    context: Arc<Context>,
) -> Result<Action, ReconcileError> {
    if !context.leadership.is_held() {
        return Ok(Action::await_change());
    }
    let job = decoded(&job)?;
    if job.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let now = (context.clock)();
    let observed = match observe::observe(Arc::clone(&job), &context.stores) {
        Ok(observed) => observed,
        Err(error) => {
            let trouble = Trouble { reason: reasons::UNREADABLE, message: chain(&error) };
            let observed = Observed::childless(job);
            say(&context, &observed, &status::invalid(&observed, &trouble, now), now).await?;
            return Err(error.into());
        }
    };
    let analysis = match validate(&observed.job, &context.images) {
        Ok(analysis) => analysis,
        Err(invalid) => return say_invalid(&context, &observed, &invalid, now).await,
    };
    if let Some(child) = run::child_of_later(&analysis, &observed) {
        // Another process has seen a later generation: this one's watch of AnalysisJobs is behind, and will catch up.
        tracing::debug!(job = %analysis.name, %child, "a child is of a later generation; waiting for the watch");
        return Ok(Action::requeue(BEHIND_PAUSE));
    }
    let mut situation = situation(&analysis, &observed, now);
    if situation.begins() && !situation.suspended {
        // The one decision that must not rest on what a watch has seen: never two runs at once.
        if let Some(stranger) = context.writer.job_of_other_run(&analysis, &situation.run.id).await? {
            situation.phase = run::Phase::Draining(stranger);
        }
    }
    let wanted = desired::desired(&analysis, &observed, &situation);
    let made = Box::pin(make(&context, &analysis, &observed, &situation, wanted, now)).await;
    if let Err(error) = &made
        && context.attempts.so_far(&analysis.key()) >= FAILURES_TOLD
    {
        let obstacle = Obstacle::Retrying(chain(error));
        let status = status::status(&analysis, &observed, &situation, None, Some(&obstacle), now);
        // Best effort: the first error is the one that counts.
        let _ = say(&context, &observed, &status, now).await;
    }
    let (replicas, obstacle) = made?;
    let Some(replicas) = replicas else { return Ok(Action::await_change()) };
    let obstacle = match obstacle {
        Some(obstacle) => Some(obstacle),
        None => pods_obstacle(&context, &observed, &situation, now).await,
    };
    let status = status::status(&analysis, &observed, &situation, replicas, obstacle.as_ref(), now);
    let written = say(&context, &observed, &status, now).await?;
    Ok(next_look(&observed, &situation, obstacle.as_ref(), written, now))
}

/// A write that fails now and then is nobody's business; one that fails so often in a row is said.
const FAILURES_TOLD: u32 = 2;

/// An error and its causes, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// A watch that is behind is waited for so long.
const BEHIND_PAUSE: Duration = Duration::from_secs(1);

fn decoded(job: &DeserializeGuard<AnalysisJob>) -> Result<Arc<AnalysisJob>, ReconcileError> {
    match &job.0 {
        Ok(job) => Ok(Arc::new(job.clone())),
        Err(source) => {
            let name = source.metadata.name.clone().unwrap_or_default();
            Err(ReconcileError::Undecodable { name, source: Box::new(source.clone()) })
        }
    }
}

/// Applies what is wanted. Out: the cache pods wanted, `None` inside when that is not known, `None` when the AnalysisJob
/// is gone; and what stood in the way. Errors that a person can do nothing about go up, and are retried.
type Made = (Option<Option<u32>>, Option<Obstacle>);

async fn make(
    context: &Context,
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
    wanted: Result<Resources, OverlayError>,
    now: Timestamp,
) -> Result<Made, ReconcileError> {
    let mut wanted = match wanted {
        Ok(wanted) => wanted,
        Err(error) => {
            let trouble = Trouble { reason: reasons::INVALID_POD_TEMPLATE, message: error.to_string() };
            return Ok((Some(None), Some(Obstacle::Stalled(trouble))));
        }
    };
    wanted.expired = is_expired(analysis, observed, situation, now);
    match context.writer.apply(analysis, observed, &wanted).await {
        Ok(applied) if applied.expired => Ok((None, None)),
        Ok(applied) => Ok((Some(Some(applied.cache_replicas)), None)),
        Err(error) => match refusal(analysis, &error) {
            Some(trouble) => Ok((Some(None), Some(Obstacle::Stalled(trouble)))),
            None => Err(error.into()),
        },
    }
}

/// Whether the AnalysisJob's time after its end is over.
fn is_expired(analysis: &Analysis, observed: &Observed, situation: &Situation, now: Timestamp) -> bool {
    let status = observed.job.status.as_ref();
    let (Some(ttl), Some(end)) =
        (analysis.spec.ttl_seconds_after_finished, status.and_then(|status| status.completion_time.as_ref()))
    else {
        return false;
    };
    situation.run.known && policy::deadline::expiry(end.0, ttl) <= now
}

/// What the API server refuses, in words a person can act on; `None` for errors that pass.
fn refusal(analysis: &Analysis, error: &ApplyError) -> Option<Trouble> {
    let (reason, message) = match error {
        ApplyError::NotLeader | ApplyError::Write { .. } => return None,
        ApplyError::NameTaken { .. } => (reasons::NAME_TAKEN, error.to_string()),
        ApplyError::Refused { quota: true, message, .. } => {
            (reasons::QUOTA_EXCEEDED, format!("{message}: free some of the quota, or raise it"))
        }
        ApplyError::Refused { kind, .. } => {
            let managed = analysis.spec.cache.as_ref().and_then(|cache| cache.managed.as_ref());
            let overlay = match kind.as_str() {
                "Job" => analysis.spec.workers.pod_template.is_some(),
                "Deployment" => managed.is_some_and(|managed| managed.pod_template.is_some()),
                _ => false,
            };
            (if overlay { reasons::INVALID_POD_TEMPLATE } else { reasons::REFUSED }, error.to_string())
        }
    };
    Some(Trouble { reason, message })
}

/// What keeps pods from running. Why a Job has no pods at all, only its events say: they are asked for then.
async fn pods_obstacle(
    context: &Context,
    observed: &Observed,
    situation: &Situation,
    now: Timestamp,
) -> Option<Obstacle> {
    if matches!(situation.phase, run::Phase::Ended(_) | run::Phase::Draining(_)) || situation.suspended {
        return None;
    }
    let mut trouble = trouble::trouble(observed, situation, now)?;
    if trouble.reason == reasons::PODS_NOT_CREATED
        && let Some(bare) = trouble::bare_job(observed, situation, now)
        && let Some(said) = context.events.last_refusal(&observed.job, &bare).await
    {
        trouble = if said.contains("exceeded quota") {
            let message = format!("{said}: free some of the quota, or raise it");
            Trouble { reason: reasons::QUOTA_EXCEEDED, message }
        } else {
            Trouble { reason: reasons::PODS_NOT_CREATED, message: said }
        };
    }
    Some(Obstacle::Stalled(trouble))
}

async fn say_invalid(
    context: &Context,
    observed: &Observed,
    invalid: &Invalid,
    now: Timestamp,
) -> Result<Action, ReconcileError> {
    let reason = invalid.problems.first().map_or(reasons::INVALID_FIELD, |problem| problem.reason);
    let all: Vec<String> = invalid.problems.iter().map(ToString::to_string).collect();
    let trouble = Trouble { reason, message: all.join("; ") };
    say(context, observed, &status::invalid(observed, &trouble, now), now).await?;
    Ok(Action::await_change())
}

/// How often a status is written when only counts have moved.
pub const COUNTS_EVERY: Duration = Duration::from_secs(10);

/// Writes the status where it says something new: transitions at once, counts at most every 10 s. Then come the events.
/// Out: when the counts may be written, where they may not yet.
async fn say(
    context: &Context,
    observed: &Observed,
    status: &AnalysisJobStatus,
    now: Timestamp,
) -> Result<Option<Duration>, ReconcileError> {
    let before = observed.job.status.clone().unwrap_or_default();
    context.metrics.observe_job(&observed.job, status, now);
    if before == *status {
        return Ok(None);
    }
    if !status::is_transition(&before, status)
        && let Some(wait) = context.pace.wait(&observed.job, now)
    {
        return Ok(Some(wait));
    }
    context.writer.status(&observed.job, status).await?;
    context.pace.written(&observed.job, now);
    context.events.tell(&observed.job, &before, status).await;
    Ok(None)
}

/// A trouble that only pods' ages tell is looked for again after so long.
const TROUBLE_EVERY: Duration = Duration::from_secs(20);

/// When to look again if nothing changes before.
fn next_look(
    observed: &Observed,
    situation: &Situation,
    obstacle: Option<&Obstacle>,
    counts: Option<Duration>,
    now: Timestamp,
) -> Action {
    let pods = trouble::look_again(observed, now).filter(|_| !matches!(situation.phase, run::Phase::Ended(_)));
    let times = [situation.look_again.filter(|at| *at > now), pods].into_iter().flatten();
    let waits =
        times.map(|at| Duration::try_from(now.duration_until(at)).unwrap_or_default() + Duration::from_millis(50));
    let refused = obstacle.map(|_| TROUBLE_EVERY);
    match waits.chain(counts).chain(refused).min() {
        Some(wait) => Action::requeue(wait),
        None => Action::await_change(),
    }
}

/// The name for logs.
pub fn name_of(job: &DeserializeGuard<AnalysisJob>) -> String {
    format!("{}/{}", job.namespace().unwrap_or_default(), job.name_any())
}
