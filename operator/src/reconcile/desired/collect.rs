//! The collect Job: one pod that makes tables and report of all results. It is made when no worker writes any more, and
//! carries why the run fails, when it does.

use analysisjob::labels;
use k8s_openapi::api::batch::v1::Job;

use super::{JobChange, JobDeletion, Resources, add_job, data_pod, overlay::OverlayError, plan::queue, run_meta, work};
use crate::reconcile::{
    observe::{Observed, kind_of, run_of},
    run::{END_MESSAGE, END_REASON, End, Situation, finished},
    validate::Analysis,
};

/// Stops what still works, then adds the collect Job.
pub(super) fn add(
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
    end: &End,
    held: bool,
    wanted: &mut Resources,
) -> Result<(), OverlayError> {
    let name = format!("{}-collect-{}", analysis.name, situation.run.id);
    let present = observed.jobs.contains_key(&name);
    if !present && (stop_work(analysis, observed, situation, wanted) || held) {
        return Ok(());
    }
    let template = data_pod::template(analysis, &situation.run, labels::COLLECT, labels::COLLECT, Vec::new())?;
    let mut metadata = run_meta(analysis, situation, name, labels::COLLECT);
    let annotations = metadata.annotations.get_or_insert_default();
    if let Some(plan) = &situation.plan {
        annotations.insert(labels::PLAN_COUNTS.to_owned(), work::carried(plan));
    }
    if let End::Failed { reason, message } = end {
        annotations.insert(END_REASON.to_owned(), reason.clone());
        annotations.insert(END_MESSAGE.to_owned(), message.clone());
    }
    let mut job = Job { metadata, spec: Some(data_pod::single(template, held)), status: None };
    queue(analysis, &mut job);
    add_job(wanted, observed, job);
    Ok(())
}

/// Stops work Jobs that still run; whether there are pods that have not stopped yet.
fn stop_work(analysis: &Analysis, observed: &Observed, situation: &Situation, wanted: &mut Resources) -> bool {
    let mut working = false;
    let of_run = observed.jobs.iter().filter(|(_, job)| run_of(&***job) == situation.run.id);
    for (name, job) in of_run.filter(|(_, job)| kind_of(job) == Some(analysisjob::status::ChildJobKind::Work)) {
        if finished(job).is_some() {
            continue;
        }
        let suspended = job.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false);
        let status = job.status.as_ref();
        let active = status.and_then(|status| status.active).unwrap_or(0)
            + status.and_then(|status| status.terminating).unwrap_or(0);
        if analysis.kueue.is_some() {
            // Kueue would let a held Job go again.
            working = true;
            if job.metadata.deletion_timestamp.is_none() {
                wanted.deletions.push(JobDeletion { name: name.clone(), at_once: false });
            }
        } else if !suspended {
            working = true;
            wanted.changes.push(JobChange { name: name.clone(), parallelism: None, suspend: Some(true) });
        } else if active > 0 {
            working = true;
        }
    }
    working
}
