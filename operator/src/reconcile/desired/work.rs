//! The work Jobs: Indexed Jobs whose indexes are slices of the plan; several where one Job cannot hold all indexes.
//!
//! With strategy Queue an index does not compute its slice: it puts it on the list, and ends when all of it is done. So
//! what a run has done is read off its Jobs with either strategy, and the operator never speaks to Redis.

use analysisjob::labels;
use k8s_openapi::{
    api::{
        batch::v1::{Job, JobSpec, PodFailurePolicy},
        core::v1::{EnvVar, PodTemplateSpec, ResourceRequirements},
    },
    apimachinery::pkg::api::resource::Quantity,
};

use super::{Resources, add_job, data_pod, overlay::OverlayError, plan::queue, pod::env, run_meta, workers};
use crate::reconcile::{
    items::FIRST_INDEX,
    observe::Observed,
    pods::PlanCounts,
    policy::shards::{Shard, parallelism, shards},
    run::Situation,
    validate::Analysis,
};

/// Adds the work Jobs whose turn has come.
pub(super) fn add(
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
    held: bool,
    wanted: &mut Resources,
) -> Result<(), OverlayError> {
    let Some(plan) = &situation.plan else { return Ok(()) };
    for job in jobs(analysis, situation, plan, held)? {
        let present = job.metadata.name.as_ref().is_some_and(|name| observed.jobs.contains_key(name));
        // A run that is held makes nothing new.
        if present || !held {
            add_job(wanted, observed, job);
        }
    }
    Ok(())
}

/// The work Jobs of `plan` whose turn has come.
pub(super) fn jobs(
    analysis: &Analysis,
    situation: &Situation,
    plan: &PlanCounts,
    held: bool,
) -> Result<Vec<Job>, OverlayError> {
    let open = &situation.progress.open;
    let left: Vec<u32> = shards(plan.indexes)
        .map(|shard| open.get(shard.number as usize).copied().unwrap_or(shard.completions))
        .collect();
    // Who only feeds the list does so for all of it at once.
    let at_once = if analysis.queue().is_some() { plan.indexes } else { analysis.spec.workers.parallelism };
    let shares = parallelism(at_once, &left);
    let template = |shard: Shard| {
        let first = env("ANALYSIS_FIRST_INDEX", shard.first_index.to_string());
        match analysis.queue() {
            None => data_pod::template(analysis, &situation.run, labels::WORK, labels::WORK, vec![first]),
            Some(_) => feed(analysis, situation, first),
        }
    };
    let begun = shards(plan.indexes).zip(shares).filter_map(|(shard, share)| Some((shard, share?)));
    begun.map(|(shard, share)| Ok(job(analysis, situation, plan, shard, share, held, template(shard)?))).collect()
}

/// A pod that looks after a slice of the plan on the list: it computes nothing.
fn feed(analysis: &Analysis, situation: &Situation, first: EnvVar) -> Result<PodTemplateSpec, OverlayError> {
    let more = workers::environment(analysis).into_iter().chain([first]).collect();
    let mut template = data_pod::template(analysis, &situation.run, labels::FEED, labels::FEED, more)?;
    let containers = template.spec.iter_mut().flat_map(|spec| &mut spec.containers);
    for container in containers.filter(|container| container.name == data_pod::CONTAINER) {
        container.resources = Some(little());
    }
    Ok(template)
}

/// Enough for waiting, and for a list of a few thousand names.
fn little() -> ResourceRequirements {
    let quantities = |pairs: [(&str, &str); 2]| pairs.map(|(name, much)| (name.to_owned(), Quantity(much.to_owned())));
    ResourceRequirements {
        requests: Some(quantities([("cpu", "10m"), ("memory", "32Mi")]).into()),
        limits: Some(quantities([("cpu", "1"), ("memory", "256Mi")]).into()),
        ..ResourceRequirements::default()
    }
}

fn job(
    analysis: &Analysis,
    situation: &Situation,
    plan: &PlanCounts,
    shard: Shard,
    parallelism: u32,
    held: bool,
    template: PodTemplateSpec,
) -> Job {
    let run = &situation.run.id;
    let name = match shard.number {
        0 => format!("{}-work-{run}", analysis.name),
        number => format!("{}-work-{run}-{number}", analysis.name),
    };
    let mut metadata = run_meta(analysis, situation, name, labels::WORK);
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(labels::PLAN_COUNTS.to_owned(), carried(plan));
    annotations.insert(FIRST_INDEX.to_owned(), shard.first_index.to_string());
    let spec = JobSpec {
        completion_mode: Some("Indexed".to_owned()),
        completions: Some(signed(shard.completions)),
        parallelism: Some(signed(parallelism)),
        backoff_limit_per_index: Some(signed(analysis.spec.retry.limit_per_item)),
        // Every index may fail by itself: how many may is judged by movies, not by indexes.
        max_failed_indexes: Some(signed(shard.completions)),
        pod_failure_policy: Some(PodFailurePolicy { rules: data_pod::failure_rules(true) }),
        pod_replacement_policy: Some("Failed".to_owned()),
        suspend: Some(held),
        template,
        ..JobSpec::default()
    };
    let mut job = Job { metadata, spec: Some(spec), status: None };
    queue(analysis, &mut job);
    job
}

/// What the plan says, as a Job carries it: it outlives the plan's pod.
pub(super) fn carried(plan: &PlanCounts) -> String {
    serde_json::to_string(plan).unwrap_or_default()
}

fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
