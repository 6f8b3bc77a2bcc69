//! What the API server holds for one AnalysisJob, as the watches saw it last.
//!
//! In: the stores. Out: an [`Observed`], plain values. It may be behind the truth; every later step must be right all
//! the same: writes name what they expect, and a child is never made twice because its name says what it is.

use std::{collections::BTreeMap, sync::Arc};

use analysisjob::{AnalysisJob, labels, status::ChildJobKind};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Service};
use kube::{Resource, ResourceExt, core::DeserializeGuard};

use super::{
    facts::{DeploymentFacts, JobFacts},
    pods::PodFacts,
};
use crate::stores::Stores;

/// Everything known of one AnalysisJob and its children.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The AnalysisJob itself.
    pub job: Arc<AnalysisJob>,
    /// Its child Jobs of all runs, by name.
    pub jobs: BTreeMap<String, Arc<JobFacts>>,
    /// Its run's ConfigMaps, by name.
    pub configs: BTreeMap<String, Arc<ConfigMap>>,
    /// The cache's Deployment.
    pub cache: Option<Arc<DeploymentFacts>>,
    /// The workers' Deployment, of strategy Queue.
    pub workers: Option<Arc<DeploymentFacts>>,
    /// The cache's Service.
    pub service: Option<Arc<Service>>,
    /// The claim made from `output.claimTemplate`.
    pub claim: Option<Arc<PersistentVolumeClaim>>,
    /// Its pods.
    pub pods: Vec<Arc<PodFacts>>,
    /// A child of an earlier AnalysisJob of the same name is still there, by name.
    pub leftover: Option<String>,
}

impl Observed {
    /// An AnalysisJob of whose children nothing is known.
    pub fn childless(job: Arc<AnalysisJob>) -> Self {
        Self {
            job,
            jobs: BTreeMap::new(),
            configs: BTreeMap::new(),
            cache: None,
            workers: None,
            service: None,
            claim: None,
            pods: Vec::new(),
            leftover: None,
        }
    }
}

/// Why nothing can be said of an AnalysisJob.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// A child cannot be decoded; acting as if it were not there would make it anew.
    #[error("failed to read {kind} {name}: it is not of the shape this release knows")]
    Undecodable {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What does not fit.
        #[source]
        source: Box<kube::core::error_boundary::InvalidObject>,
    },
}

/// Gathers what the stores hold for `job`.
pub fn observe(job: Arc<AnalysisJob>, stores: &Stores) -> Result<Observed, ObserveError> {
    let mut gather = Gather::of(&job);
    let jobs = gather.own(stores.jobs.children(&*job), "Job")?;
    let configs = gather.own(stores.configs.children(&*job), "ConfigMap")?;
    let deployments = gather.own(stores.deployments.children(&*job), "Deployment")?;
    let of_role = |role| deployments.values().find(|one: &&Arc<DeploymentFacts>| label(&***one, labels::ROLE) == role);
    let (cache, workers) = (of_role(labels::CACHE).cloned(), of_role(labels::WORK).cloned());
    let services = gather.own(stores.services.children(&*job), "Service")?;
    // Pods belong to Jobs and Deployments, and a claim outlives its AnalysisJob: neither has our owner reference.
    let pods = decodable(&stores.pods.children(&*job));
    let claim = decodable(&stores.claims.children(&*job)).into_iter().next();
    Ok(Observed {
        jobs,
        configs,
        cache,
        workers,
        service: services.into_values().next(),
        claim,
        pods,
        leftover: gather.leftover,
        job,
    })
}

fn decodable<K: Clone>(children: &[Arc<DeserializeGuard<K>>]) -> Vec<Arc<K>> {
    children.iter().filter_map(|child| child.0.as_ref().ok().cloned().map(Arc::new)).collect()
}

/// Sorts children into one's own and those of an earlier AnalysisJob of the same name.
struct Gather {
    uid: Option<String>,
    leftover: Option<String>,
}

impl Gather {
    fn of(job: &AnalysisJob) -> Self {
        Self { uid: job.uid(), leftover: None }
    }

    fn own<K: Resource<DynamicType = ()> + Clone>(
        &mut self,
        children: Vec<Arc<DeserializeGuard<K>>>,
        kind: &'static str,
    ) -> Result<BTreeMap<String, Arc<K>>, ObserveError> {
        let mut own = BTreeMap::new();
        for child in children {
            let name = child.name_any();
            if !child.owner_references().iter().any(|owner| Some(&owner.uid) == self.uid.as_ref()) {
                self.leftover.get_or_insert(format!("{kind} {name}"));
                continue;
            }
            let object = child.0.as_ref().map_err(|source| ObserveError::Undecodable {
                kind,
                name: name.clone(),
                source: Box::new(source.clone()),
            })?;
            own.insert(name, Arc::new(object.clone()));
        }
        Ok(own)
    }
}

/// The run a child belongs to.
pub fn run_of<K: Resource>(child: &K) -> &str {
    label(child, labels::RUN)
}

/// What a child Job does.
pub fn kind_of(job: &JobFacts) -> Option<ChildJobKind> {
    match label(job, labels::ROLE) {
        labels::PLAN => Some(ChildJobKind::Plan),
        labels::WORK => Some(ChildJobKind::Work),
        labels::COLLECT => Some(ChildJobKind::Collect),
        _ => None,
    }
}

fn label<'a, K: Resource>(child: &'a K, key: &str) -> &'a str {
    child.meta().labels.as_ref().and_then(|labels| labels.get(key)).map_or("", String::as_str)
}
