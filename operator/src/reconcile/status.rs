//! What is said of an AnalysisJob. Pure: the situation, what was applied and the time give a status; writing it is
//! `apply`'s.
//!
//! Conditions follow kstatus: Ready=True when the children match the generation (also while they run, so that a GitOps
//! tool does not wait for a week), Reconciling=True while they are being made to, Stalled=True when someone must act.

mod conditions;

use analysisjob::{
    AnalysisJobStatus, FrameCache, reasons,
    status::{CacheStatus, ChildJob, FailuresStatus, PlanStatus, RunStatus, WorkersStatus},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    desired::worker_selector,
    facts::JobFacts,
    observe::{Observed, kind_of, run_of},
    policy::{deadline::seconds_between, indexes::Indexes},
    run::{Phase, Situation},
    trouble::Trouble,
    validate::Analysis,
};

/// What keeps a generation from being applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Someone must act.
    Stalled(Trouble),
    /// It is tried again.
    Retrying(String),
}

/// Says how `analysis` stands. `cache_replicas` are the cache pods wanted; `obstacle` what went wrong on the way.
pub fn status(
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
    cache_replicas: Option<u32>,
    obstacle: Option<&Obstacle>,
    now: Timestamp,
) -> AnalysisJobStatus {
    let before = observed.job.status.clone().unwrap_or_default();
    let mut status = AnalysisJobStatus { output: Some(analysis.output()), ..AnalysisJobStatus::default() };
    let recorded = before.run.as_ref().is_some_and(|run| run.digest.as_deref() == Some(&situation.run.digest));
    if recorded && before.completion_time.is_some() {
        // The run has ended: what was said of it stays, whatever has become of its children.
        status = AnalysisJobStatus { output: status.output, ..before.clone() };
    } else {
        of_run(&mut status, analysis, observed, situation, &before, now);
    }
    status.observed_generation = Some(analysis.generation);
    status.next_scan_time = situation.next_scan.map(seconds);
    status.cache = Some(cache(analysis, observed, cache_replicas));
    status.conditions = conditions::conditions(analysis, observed, situation, obstacle, &before, now);
    status.shorten();
    status
}

/// Says what is wrong with an AnalysisJob that cannot be parsed.
pub fn invalid(observed: &Observed, trouble: &Trouble, now: Timestamp) -> AnalysisJobStatus {
    let before = observed.job.status.clone().unwrap_or_default();
    let mut status = before.clone();
    status.observed_generation = observed.job.metadata.generation;
    status.conditions = conditions::invalid(observed, trouble, &before, now);
    status.shorten();
    status
}

fn of_run(
    status: &mut AnalysisJobStatus,
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
    before: &AnalysisJobStatus,
    now: Timestamp,
) {
    let run = &situation.run;
    let progress = &situation.progress;
    status.start_time = Some(seconds(run.start));
    status.last_scan_time = Some(seconds(run.scan));
    status.run = Some(RunStatus {
        id: run.id.clone(),
        digest: Some(run.digest.clone()),
        start_time: Some(seconds(run.start)),
        suspended_seconds: held(situation, before, now).filter(|seconds| *seconds > 0),
        jobs: jobs(observed, &run.id),
    });
    status.workers = Some(workers(analysis, situation));
    if let Phase::Ended(_) = situation.phase {
        status.completion_time = Some(seconds(now));
    }
    let Some(plan) = &situation.plan else { return };
    status.plan = Some(PlanStatus {
        discovered: plan.discovered,
        up_to_date: plan.up_to_date,
        selected: plan.selected,
        indexes: plan.indexes,
        digest: plan.digest.clone(),
        sample: plan.sample.clone(),
    });
    let items = &progress.items;
    status.progress = Some(format!("{}/{}", items.up_to_date + items.succeeded, items.total));
    status.items = Some(items.clone());
    if items.failed > 0 || progress.report.is_some() {
        status.failures = Some(FailuresStatus {
            count: items.failed,
            samples: progress.samples.clone(),
            report: progress.report.clone(),
        });
    }
    if situation.phase == Phase::Working && !situation.suspended {
        status.estimated_completion_time = estimate(situation, before, now).map(seconds);
    }
}

fn workers(analysis: &Analysis, situation: &Situation) -> WorkersStatus {
    let open: u32 = situation.progress.open.iter().sum();
    let desired = match situation.phase {
        Phase::Working | Phase::Lending if !situation.suspended && analysis.queue().is_some() => {
            analysis.spec.workers.parallelism
        }
        Phase::Working if !situation.suspended => analysis.spec.workers.parallelism.min(open),
        _ => 0,
    };
    WorkersStatus {
        desired,
        active: situation.progress.active,
        ready: situation.progress.ready,
        selector: Some(worker_selector(analysis)),
    }
}

fn cache(analysis: &Analysis, observed: &Observed, replicas: Option<u32>) -> CacheStatus {
    let url = Some(analysis.cache_url());
    if let FrameCache::Url(_) = analysis.cache {
        return CacheStatus { summary: Some("external".to_owned()), url, ..CacheStatus::default() };
    }
    let deployment = observed.cache.as_ref();
    let present =
        deployment.and_then(|cache| cache.spec.as_ref()?.replicas).and_then(|count| u32::try_from(count).ok());
    let desired = replicas.or(present).unwrap_or(0);
    let ready = deployment.and_then(|cache| cache.status.as_ref()?.ready_replicas).unwrap_or(0);
    let ready = u32::try_from(ready).unwrap_or(0);
    CacheStatus { desired, ready, summary: Some(format!("{ready}/{desired}")), url }
}

/// The run's Jobs; of many work Jobs only the last few, so that a status has the same size whatever the run's.
fn jobs(observed: &Observed, run: &str) -> Vec<ChildJob> {
    const MOST: usize = 8;
    let of_run = observed.jobs.iter().filter(|(_, job)| run_of(&***job) == run);
    let mut jobs: Vec<ChildJob> = of_run.filter_map(|(name, job)| child_job(name, job)).collect();
    jobs.sort_by_key(|job| (job.kind as u8, job.name.len(), job.name.clone()));
    if jobs.len() > MOST {
        let surplus = jobs.len() - MOST;
        jobs.drain(1..=surplus);
    }
    jobs
}

fn child_job(name: &str, job: &JobFacts) -> Option<ChildJob> {
    let kind = kind_of(job)?;
    let status = job.status.clone().unwrap_or_default();
    let count = |count: Option<i32>| count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    let indexed = job.spec.as_ref().and_then(|spec| spec.completion_mode.as_deref()) == Some("Indexed");
    let indexes = |text: &Option<String>| Indexes::parse(text.as_deref().unwrap_or_default()).count();
    let (succeeded, failed) = if indexed {
        (indexes(&status.completed_indexes), indexes(&status.failed_indexes))
    } else {
        (count(status.succeeded), count(status.failed))
    };
    Some(ChildJob { name: name.to_owned(), kind, active: count(status.active), succeeded, failed })
}

/// Seconds the run was held, the spell that has just ended included.
fn held(situation: &Situation, before: &AnalysisJobStatus, now: Timestamp) -> Option<u64> {
    let same = before.run.as_ref().filter(|run| run.id == situation.run.id)?;
    let added = conditions::held_since(before)
        .filter(|_| !conditions::is_held(situation))
        .map_or(0, |since| seconds_between(since, now));
    Some(same.suspended_seconds.unwrap_or(0) + added)
}

/// When the run will have ended, at the pace so far, rounded up to 10 minutes. An estimate that is still good is kept.
fn estimate(situation: &Situation, before: &AnalysisJobStatus, now: Timestamp) -> Option<Timestamp> {
    const STEP: i64 = 600;
    let items = &situation.progress.items;
    let done = items.succeeded + items.failed;
    let elapsed = situation.run.start.duration_until(now).as_secs_f64();
    if done == 0 || elapsed <= 0.0 {
        return None;
    }
    let left = f64::from(items.active + items.pending) * elapsed / f64::from(done);
    let end = now.checked_add(SignedDuration::try_from_secs_f64(left).ok()?).ok()?;
    let kept = before.estimated_completion_time.as_ref().map(|time| time.0);
    let close = |kept: &Timestamp| (kept.as_second() - end.as_second()).abs() < STEP && *kept > now;
    kept.filter(close).or_else(|| Timestamp::from_second((end.as_second() / STEP + 1) * STEP).ok())
}

fn seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

/// Whether a status says something new that should be written at once; else only counts have moved.
pub fn is_transition(before: &AnalysisJobStatus, after: &AnalysisJobStatus) -> bool {
    let gist = |status: &AnalysisJobStatus| {
        let conditions: Vec<_> =
            status.conditions.iter().map(|one| (one.type_.clone(), one.status.clone(), one.reason.clone())).collect();
        let run = status.run.as_ref().map(|run| run.id.clone());
        (
            conditions,
            run,
            status.observed_generation,
            status.completion_time.clone(),
            status.plan.clone(),
            status.next_scan_time.clone(),
        )
    };
    gist(before) != gist(after)
}

/// The reason of Ready.
pub fn ready_reason(status: &AnalysisJobStatus) -> &str {
    let ready = status.conditions.iter().find(|one| one.type_ == analysisjob::conditions::READY);
    ready.map_or(reasons::PROGRESSING, |one| one.reason.as_str())
}
