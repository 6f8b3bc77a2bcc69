//! The work Jobs: Indexed Jobs whose indexes are slices of the plan; several where one Job cannot hold all indexes.

use analysisjob::labels;
use k8s_openapi::api::{
    batch::v1::{Job, JobSpec, PodFailurePolicy},
    core::v1::PodTemplateSpec,
};

use super::{Resources, add_job, data_pod, overlay::OverlayError, plan::queue, pod::env, run_meta};
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
    let shares = parallelism(analysis.spec.workers.parallelism, &left);
    let template = |shard: Shard| {
        let first = env("ANALYSIS_FIRST_INDEX", shard.first_index.to_string());
        data_pod::template(analysis, &situation.run, labels::WORK, vec![first])
    };
    let begun = shards(plan.indexes).zip(shares).filter_map(|(shard, share)| Some((shard, share?)));
    begun.map(|(shard, share)| Ok(job(analysis, situation, plan, shard, share, held, template(shard)?))).collect()
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
