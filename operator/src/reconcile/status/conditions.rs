//! The nine conditions, each with its own function; a condition keeps its transition time while its status stays.

use analysisjob::{AnalysisJobStatus, FrameCache, conditions as kinds, reasons};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::Obstacle;
use crate::reconcile::{
    observe::Observed,
    run::{End, Phase, Situation},
    trouble::Trouble,
    validate::Analysis,
};

/// Status, reason and message of a condition.
type Said = (&'static str, String, String);

fn said(status: &'static str, reason: &str, message: impl Into<String>) -> Said {
    (status, reason.to_owned(), message.into())
}

/// All conditions of an AnalysisJob.
pub(super) fn conditions(
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
    obstacle: Option<&Obstacle>,
    before: &AnalysisJobStatus,
    now: Timestamp,
) -> Vec<Condition> {
    let stalled = stalled(analysis, situation, obstacle);
    let all = [
        (kinds::READY, ready(analysis, situation, obstacle, &stalled)),
        (kinds::RECONCILING, reconciling(situation, obstacle)),
        (kinds::STALLED, stalled),
        (kinds::COMPLETE, complete(situation)),
        (kinds::FAILED, failed(situation)),
        (kinds::SUSPENDED, suspended(situation)),
        (kinds::CACHE_READY, cache_ready(analysis, observed, situation)),
        (kinds::PLANNED, planned(situation)),
        (kinds::OUTPUT_READY, output_ready(situation)),
    ];
    dated(all, Some(analysis.generation), before, now)
}

/// The conditions of an AnalysisJob that cannot be parsed.
pub(super) fn invalid(
    observed: &Observed,
    trouble: &Trouble,
    before: &AnalysisJobStatus,
    now: Timestamp,
) -> Vec<Condition> {
    let generation = observed.job.metadata.generation;
    let all = [
        (kinds::READY, said("False", trouble.reason, trouble.message.clone())),
        (kinds::RECONCILING, said("False", reasons::AS_EXPECTED, "")),
        (kinds::STALLED, said("True", trouble.reason, trouble.message.clone())),
    ];
    let mut conditions = dated(all, generation, before, now);
    let others = before
        .conditions
        .iter()
        .filter(|one| !matches!(one.type_.as_str(), kinds::READY | kinds::RECONCILING | kinds::STALLED));
    conditions.extend(others.cloned());
    conditions
}

fn dated<const N: usize>(
    all: [(&'static str, Said); N],
    generation: Option<i64>,
    before: &AnalysisJobStatus,
    now: Timestamp,
) -> Vec<Condition> {
    all.into_iter()
        .map(|(kind, (status, reason, message))| {
            let same = before.conditions.iter().find(|one| one.type_ == kind && one.status == status);
            Condition {
                last_transition_time: same.map_or_else(|| super::seconds(now), |one| one.last_transition_time.clone()),
                message,
                observed_generation: generation,
                reason,
                status: status.to_owned(),
                type_: kind.to_owned(),
            }
        })
        .collect()
}

/// Children match the generation; the reason says what the job is doing.
fn ready(analysis: &Analysis, situation: &Situation, obstacle: Option<&Obstacle>, stalled: &Said) -> Said {
    if let Some(Obstacle::Retrying(message)) = obstacle {
        return said("False", reasons::RETRYING, message);
    }
    if stalled.0 == "True" {
        let reason = if matches!(situation.phase, Phase::Ended(_)) { reasons::FAILED } else { &stalled.1 };
        return said("False", reason, stalled.2.clone());
    }
    let items = &situation.progress.items;
    let done =
        format!("{} of {} movies done, {} failed", items.up_to_date + items.succeeded, items.total, items.failed);
    if situation.suspended && !matches!(situation.phase, Phase::Ended(_)) {
        return said("True", reasons::SUSPENDED, "spec.suspend is true: nothing runs");
    }
    match &situation.phase {
        Phase::Draining(child) => said("False", reasons::DRAINING, format!("waits until {child} has gone")),
        Phase::Planning if is_queued(analysis, situation) => said("True", reasons::QUEUED, "waits for its queue"),
        Phase::Planning => said("True", reasons::PLANNING, "the plan is being made"),
        Phase::Working if is_queued(analysis, situation) => said("True", reasons::QUEUED, done),
        Phase::Working => said("True", reasons::RUNNING, done),
        Phase::Lending => said("True", reasons::LENDING, "workers do the movies of a list that others fill"),
        Phase::Collecting(_) => said("True", reasons::COLLECTING, "tables and report are being made"),
        Phase::Ended(_) if analysis.schedule.is_some() => said("True", reasons::WAITING, done),
        Phase::Ended(End::Complete) => said("True", reasons::COMPLETE, done),
        Phase::Ended(End::DryRun) => said("True", reasons::DRY_RUN, "the plan is in status.plan"),
        Phase::Ended(End::Failed { message, .. }) => said("False", reasons::FAILED, message),
    }
}

/// A queueing system has not let the Jobs go yet.
fn is_queued(analysis: &Analysis, situation: &Situation) -> bool {
    analysis.kueue.is_some() && situation.queued
}

fn reconciling(situation: &Situation, obstacle: Option<&Obstacle>) -> Said {
    match (obstacle, &situation.phase) {
        (Some(Obstacle::Retrying(message)), _) => said("True", reasons::RETRYING, message),
        (None, Phase::Draining(child)) => said("True", reasons::DRAINING, format!("waits until {child} has gone")),
        _ => said("False", reasons::AS_EXPECTED, ""),
    }
}

/// Someone must act: a trouble, a wrong configuration, or a run that failed and has no next one.
fn stalled(analysis: &Analysis, situation: &Situation, obstacle: Option<&Obstacle>) -> Said {
    if let Some(Obstacle::Stalled(trouble)) = obstacle {
        return said("True", trouble.reason, trouble.message.clone());
    }
    if let Some(error) = &situation.misconfigured {
        return said("True", &word(&error.reason), error.message.clone());
    }
    if let Phase::Ended(End::Failed { reason, message }) = &situation.phase
        && analysis.schedule.is_none()
    {
        return said("True", reason, message);
    }
    said("False", reasons::AS_EXPECTED, "")
}

fn complete(situation: &Situation) -> Said {
    match &situation.phase {
        Phase::Ended(End::Complete) => said("True", reasons::COMPLETE, "the run has ended"),
        Phase::Ended(End::DryRun) => said("True", reasons::DRY_RUN, "the plan is made"),
        Phase::Ended(End::Failed { reason, .. }) => said("False", reason, "the run has failed"),
        Phase::Lending => said("False", reasons::LENDING, "a Consumer has no end"),
        _ => said("False", reasons::RUNNING, "the run has not ended"),
    }
}

fn failed(situation: &Situation) -> Said {
    match &situation.phase {
        Phase::Ended(End::Failed { reason, message }) => said("True", reason, message),
        _ => said("False", reasons::AS_EXPECTED, ""),
    }
}

fn suspended(situation: &Situation) -> Said {
    match (situation.suspended, situation.queued) {
        (true, _) => said("True", reasons::SUSPENDED, "spec.suspend is true"),
        (false, true) => said("True", reasons::QUEUED, "a queueing system holds the run"),
        (false, false) => said("False", reasons::AS_EXPECTED, ""),
    }
}

/// Whether the run is held, by the spec or by a queueing system.
pub(super) fn is_held(situation: &Situation) -> bool {
    suspended(situation).0 == "True"
}

/// Since when a run is held, as the status before says.
pub(super) fn held_since(before: &AnalysisJobStatus) -> Option<Timestamp> {
    let held = before.conditions.iter().find(|one| one.type_ == kinds::SUSPENDED && one.status == "True")?;
    let Time(since) = held.last_transition_time;
    Some(since)
}

fn cache_ready(analysis: &Analysis, observed: &Observed, situation: &Situation) -> Said {
    if let FrameCache::Url(url) = &analysis.cache {
        return said("True", reasons::EXTERNAL, format!("{url} is used as it is"));
    }
    let ready = observed.cache.as_ref().and_then(|cache| cache.status.as_ref()?.ready_replicas).unwrap_or(0);
    if ready > 0 {
        return said("True", reasons::AS_EXPECTED, "");
    }
    match situation.phase {
        _ if situation.suspended => said("False", reasons::SCALED_TO_ZERO, "no run needs it now"),
        Phase::Planning | Phase::Working | Phase::Lending => said("False", reasons::STARTING, "its pods are starting"),
        _ => said("False", reasons::SCALED_TO_ZERO, "no run needs it now"),
    }
}

fn planned(situation: &Situation) -> Said {
    match (&situation.plan, &situation.phase) {
        (Some(_), _) | (None, Phase::Ended(End::Complete | End::DryRun)) => said("True", reasons::AS_EXPECTED, ""),
        (None, Phase::Ended(End::Failed { reason, message })) => said("False", reason, message),
        (None, Phase::Lending) => said("False", reasons::LENDING, "others plan"),
        (None, _) => said("False", reasons::PLANNING, "the plan is not made yet"),
    }
}

/// The plan's pod has looked into the output; later ones look again.
fn output_ready(situation: &Situation) -> Said {
    match (&situation.misconfigured, &situation.plan) {
        (Some(error), _) => said("False", &word(&error.reason), error.message.clone()),
        (None, Some(_)) => said("True", reasons::AS_EXPECTED, ""),
        (None, None) if matches!(situation.phase, Phase::Ended(End::Complete | End::DryRun)) => {
            said("True", reasons::AS_EXPECTED, "")
        }
        (None, None) => said("Unknown", reasons::NOT_CHECKED, "the plan's pod looks into it"),
    }
}

/// A reason of a pod as one word; what is none becomes the general one.
fn word(reason: &str) -> String {
    let is_word = reason.starts_with(|first: char| first.is_ascii_alphabetic())
        && reason.len() <= 64
        && reason.chars().all(|letter| letter.is_ascii_alphanumeric());
    if is_word { reason.to_owned() } else { reasons::CONFIGURATION_ERROR.to_owned() }
}
