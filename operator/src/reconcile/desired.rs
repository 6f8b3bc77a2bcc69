//! What should be there for an AnalysisJob in a given situation. Pure: no client, no clock, no environment.
//!
//! In: an [`Analysis`], what is observed, the [`Situation`]. Out: [`Resources`], one named field per kind, so that a kind
//! that is forgotten in `apply` does not compile. One file per kind.
//!
//! A Job's pod template cannot change once the Job is there, and other controllers (Kueue) write to Jobs: a Job is made
//! whole once, and afterwards only its parallelism and its suspension are patched.

pub mod cache;
pub mod claim;
pub mod collect;
pub mod config;
mod data_pod;
pub mod overlay;
pub mod plan;
mod pod;
pub mod work;
pub mod workers;

use std::collections::BTreeMap;

use analysisjob::{FrameCache, UpdatePolicy, labels};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        batch::v1::Job,
        core::v1::{ConfigMap, PersistentVolumeClaim, Service},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{
    facts::JobFacts,
    observe::{Observed, run_of},
    run::{Phase, Situation, finished},
    validate::Analysis,
};
use overlay::OverlayError;

/// What should be there, ready to be applied. `None` and empty: nothing is to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    /// The run's ConfigMap.
    pub config: Option<ConfigMap>,
    /// The claim made from a template.
    pub claim: Option<PersistentVolumeClaim>,
    /// The cache's Service.
    pub service: Option<Service>,
    /// The cache.
    pub cache: Option<Deployment>,
    /// The workers of strategy Queue.
    pub workers: Option<Deployment>,
    /// Jobs to be made.
    pub jobs: Vec<Job>,
    /// A Job that the API server is asked about without making it, so that a wrong overlay shows before the plan is made.
    pub rehearsal: Option<Job>,
    /// Jobs to be changed.
    pub changes: Vec<JobChange>,
    /// Jobs to be deleted, by name.
    pub deletions: Vec<JobDeletion>,
    /// ConfigMaps of other runs to be deleted, by name.
    pub stale_configs: Vec<String>,
    /// The AnalysisJob itself is to be deleted: its time is over.
    pub expired: bool,
}

/// A change of a Job that is there; absent fields stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobChange {
    /// Its name.
    pub name: String,
    /// Pods at a time.
    pub parallelism: Option<i32>,
    /// Whether it is held.
    pub suspend: Option<bool>,
}

/// A Job to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDeletion {
    /// Its name.
    pub name: String,
    /// Its pods are not given their time to end what they hold.
    pub at_once: bool,
}

/// Says what should be there.
pub fn desired(analysis: &Analysis, observed: &Observed, situation: &Situation) -> Result<Resources, OverlayError> {
    let mut wanted = Resources { deletions: deletions(analysis, observed, situation), ..Resources::default() };
    wanted.cache = cache::deployment(analysis, observed, situation)?;
    wanted.workers = workers::deployment(analysis, observed, situation)?;
    if matches!(analysis.cache, FrameCache::Managed(_)) {
        wanted.service = Some(cache::service(analysis));
    }
    wanted.stale_configs = stale_configs(observed, situation);
    if matches!(situation.phase, Phase::Draining(_) | Phase::Ended(_)) {
        return Ok(wanted);
    }
    wanted.config = Some(config::config(analysis, &situation.run));
    wanted.claim = claim::claim(analysis);
    let held = situation.suspended;
    match &situation.phase {
        Phase::Planning => plan::add(analysis, observed, situation, held, &mut wanted)?,
        Phase::Working => work::add(analysis, observed, situation, held, &mut wanted)?,
        Phase::Collecting(end) => collect::add(analysis, observed, situation, end, held, &mut wanted)?,
        Phase::Draining(_) | Phase::Ended(_) | Phase::Lending => {}
    }
    // A Job that goes is neither changed nor made at the same time.
    let goes = |name: Option<&str>| wanted.deletions.iter().any(|deletion| Some(deletion.name.as_str()) == name);
    let changes = wanted.changes.iter().filter(|change| !goes(Some(&change.name))).cloned().collect();
    let jobs = wanted.jobs.iter().filter(|job| !goes(job.metadata.name.as_deref())).cloned().collect();
    (wanted.changes, wanted.jobs) = (changes, jobs);
    Ok(wanted)
}

/// Jobs that go: those of other runs, those that are made anew, and those that Kueue must let go of while suspended.
fn deletions(analysis: &Analysis, observed: &Observed, situation: &Situation) -> Vec<JobDeletion> {
    let replace = analysis.spec.update_policy == UpdatePolicy::Replace;
    let ended = matches!(situation.phase, Phase::Ended(_));
    let stopping = situation.suspended && !ended;
    let goes = |name: &String, job: &JobFacts| {
        let of_other_run = run_of(job) != situation.run.id;
        let held_by_kueue = stopping && analysis.kueue.is_some() && finished(job).is_none();
        of_other_run || held_by_kueue || situation.redo.contains(name)
    };
    let going = observed.jobs.iter().filter(|(name, job)| job.metadata.deletion_timestamp.is_none() && goes(name, job));
    let deletion = |(name, job): (&String, &std::sync::Arc<JobFacts>)| JobDeletion {
        name: name.clone(),
        at_once: replace && run_of(&**job) != situation.run.id,
    };
    going.map(deletion).collect()
}

fn stale_configs(observed: &Observed, situation: &Situation) -> Vec<String> {
    // They stay as long as pods of their run may still read them.
    if matches!(situation.phase, Phase::Draining(_)) {
        return Vec::new();
    }
    let stale = observed.configs.iter().filter(|(_, config)| run_of(&***config) != situation.run.id);
    stale.map(|(name, _)| name.clone()).collect()
}

/// Adds a Job: made whole where there is none, else changed where it differs from what is wanted.
fn add_job(wanted: &mut Resources, observed: &Observed, job: Job) {
    let name = job.metadata.name.clone().unwrap_or_default();
    let Some(present) = observed.jobs.get(&name) else { return wanted.jobs.push(job) };
    if finished(present).is_some() || present.metadata.deletion_timestamp.is_some() {
        return;
    }
    let (Some(want), Some(have)) = (&job.spec, &present.spec) else { return };
    let change = JobChange {
        name,
        parallelism: want.parallelism.filter(|_| want.parallelism != have.parallelism),
        suspend: want.suspend.filter(|suspend| have.suspend.unwrap_or(false) != *suspend),
    };
    // Kueue holds and admits its Jobs by itself: their suspension is its own.
    let change = if is_held_by_kueue(present) { JobChange { suspend: None, ..change } } else { change };
    if change.parallelism.is_some() || change.suspend.is_some() {
        wanted.changes.push(change);
    }
}

fn is_held_by_kueue(job: &JobFacts) -> bool {
    job.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(super::validate::KUEUE_QUEUE))
}

/// Metadata of a child that is there as long as the AnalysisJob is.
fn child_meta(analysis: &Analysis, name: String, role: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(analysis.namespace.clone()),
        labels: Some(child_labels(analysis, role)),
        owner_references: Some(vec![analysis.owner.clone()]),
        ..ObjectMeta::default()
    }
}

/// Metadata of a child of one run.
fn run_meta(analysis: &Analysis, situation: &Situation, name: String, role: &str) -> ObjectMeta {
    let mut meta = child_meta(analysis, name, role);
    meta.labels.get_or_insert_default().insert(labels::RUN.to_owned(), situation.run.id.clone());
    meta
}

fn child_labels(analysis: &Analysis, role: &str) -> BTreeMap<String, String> {
    [
        (labels::APP_NAME, labels::APP),
        (labels::MANAGED_BY, labels::MANAGER),
        (labels::JOB, analysis.name.as_str()),
        (labels::ROLE, role),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// The label selector of the worker pods, as text.
pub fn worker_selector(analysis: &Analysis) -> String {
    format!("{}={},{}={}", labels::JOB, analysis.name, labels::ROLE, labels::WORK)
}
