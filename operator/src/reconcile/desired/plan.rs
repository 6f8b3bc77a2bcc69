//! The plan Job: one pod that lists the archive, asks the output what stands there, and writes the plan.

use analysisjob::labels;
use k8s_openapi::api::batch::v1::Job;

use super::{Resources, add_job, data_pod, overlay::OverlayError, run_meta, work};
use crate::reconcile::{
    observe::Observed,
    pods::PlanCounts,
    run::Situation,
    validate::{Analysis, KUEUE_PRIORITY, KUEUE_QUEUE},
};

/// Adds the plan Job, and a rehearsal of the work Job before there is any.
pub(super) fn add(
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
    held: bool,
    wanted: &mut Resources,
) -> Result<(), OverlayError> {
    let name = format!("{}-plan-{}", analysis.name, situation.run.id);
    if !observed.jobs.contains_key(&name) {
        if held {
            return Ok(());
        }
        let example = PlanCounts { selected: 1, indexes: 1, items_per_index: 1, ..PlanCounts::default() };
        wanted.rehearsal = work::jobs(analysis, situation, &example, held)?.pop();
    }
    let template = data_pod::template(analysis, &situation.run, labels::PLAN, labels::PLAN, Vec::new())?;
    let mut job = Job {
        metadata: run_meta(analysis, situation, name, labels::PLAN),
        spec: Some(data_pod::single(template, held)),
        status: None,
    };
    queue(analysis, &mut job);
    add_job(wanted, observed, job);
    Ok(())
}

/// Hands a Job to Kueue where the AnalysisJob names a queue: it begins held, and Kueue lets it go.
pub(super) fn queue(analysis: &Analysis, job: &mut Job) {
    let Some(queue) = &analysis.kueue else { return };
    let labels = job.metadata.labels.get_or_insert_default();
    labels.insert(KUEUE_QUEUE.to_owned(), queue.clone());
    if let Some(priority) = &analysis.kueue_priority {
        labels.insert(KUEUE_PRIORITY.to_owned(), priority.clone());
    }
    if let Some(spec) = &mut job.spec {
        spec.suspend = Some(true);
    }
}
