//! What the watches saw last: one store per kind of child, by the AnalysisJob it belongs to.
//!
//! The stores are filled by [`crate::watches`], and by tests from a mocked API. Every object is kept in a guard: one that
//! cannot be decoded is known to be there, and stops nothing but the AnalysisJob it belongs to.

mod shed;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use analysisjob::labels;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Service};
use kube::{Resource, ResourceExt, core::DeserializeGuard, runtime::watcher::Event};

use crate::reconcile::{
    facts::{DeploymentFacts, JobFacts},
    pods::PodFacts,
};
pub use shed::{Kept, shed_job};

/// The stores of one scope (a namespace, or all). Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    /// Child Jobs, reduced to what is looked at.
    pub jobs: Children<JobFacts>,
    /// The runs' ConfigMaps.
    pub configs: Children<ConfigMap>,
    /// Caches, reduced likewise.
    pub deployments: Children<DeploymentFacts>,
    /// Caches' Services.
    pub services: Children<Service>,
    /// Claims made from templates.
    pub claims: Children<PersistentVolumeClaim>,
    /// Pods, reduced to what is looked at.
    pub pods: Children<PodFacts>,
}

impl Stores {
    /// Whether every store has been filled once. Before, what is not known is not to be taken for absent.
    pub fn are_ready(&self) -> bool {
        let Self { jobs, configs, deployments, services, claims, pods } = self;
        jobs.is_ready()
            && configs.is_ready()
            && deployments.is_ready()
            && services.is_ready()
            && claims.is_ready()
            && pods.is_ready()
    }

    /// How many objects of each kind cannot be decoded.
    pub fn undecodable(&self) -> [(&'static str, usize); 6] {
        let Self { jobs, configs, deployments, services, claims, pods } = self;
        [
            ("Job", jobs.undecodable()),
            ("ConfigMap", configs.undecodable()),
            ("Deployment", deployments.undecodable()),
            ("Service", services.undecodable()),
            ("PersistentVolumeClaim", claims.undecodable()),
            ("Pod", pods.undecodable()),
        ]
    }
}

/// The children of one kind, by owner. Cheap to clone; all clones see the same.
#[derive(Debug)]
pub struct Children<K> {
    index: Arc<RwLock<Index<K>>>,
}

/// Namespace and name of an AnalysisJob.
type Owner = (String, String);
/// Sorted by name. A few children each: a map would weigh more than what it holds.
type ByName<K> = Vec<Arc<DeserializeGuard<K>>>;

#[derive(Debug)]
struct Index<K> {
    children: HashMap<Owner, ByName<K>>,
    /// A listing under way: it replaces what is known when it is whole.
    listing: HashMap<Owner, ByName<K>>,
    /// A listing has been whole once: what is not known is not there.
    ready: bool,
}

impl<K> Clone for Children<K> {
    fn clone(&self) -> Self {
        Self { index: Arc::clone(&self.index) }
    }
}

impl<K> Default for Children<K> {
    fn default() -> Self {
        Self { index: Arc::new(RwLock::new(Index { children: HashMap::new(), listing: HashMap::new(), ready: false })) }
    }
}

impl<K: Kept> Children<K> {
    /// The children of `job`, by name.
    pub fn children<J: Resource>(&self, job: &J) -> Vec<Arc<DeserializeGuard<K>>> {
        let owner = (job.namespace().unwrap_or_default(), job.name_any());
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.children.get(&owner).cloned().unwrap_or_default()
    }

    /// Whether all children have been listed once.
    pub fn is_ready(&self) -> bool {
        self.index.read().unwrap_or_else(PoisonError::into_inner).ready
    }

    /// How many children cannot be decoded.
    pub fn undecodable(&self) -> usize {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index.children.values().flatten().filter(|child| child.0.is_err()).count()
    }

    /// Takes in what a watch says.
    pub fn apply(&self, event: Event<DeserializeGuard<K>>) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Apply(child) => put(&mut index.children, slim(child)),
            Event::InitApply(child) => put(&mut index.listing, slim(child)),
            Event::Init => index.listing = HashMap::new(),
            Event::InitDone => {
                index.children = std::mem::take(&mut index.listing);
                index.ready = true;
            }
            Event::Delete(child) => {
                let owner = owner(&child);
                if let Some(children) = index.children.get_mut(&owner) {
                    if let Ok(place) = place_of(children, child.meta().name.as_deref()) {
                        children.remove(place);
                    }
                    if children.is_empty() {
                        index.children.remove(&owner);
                    }
                }
            }
        }
    }
}

/// The child without what no reconcile reads.
fn slim<K: Kept>(mut child: DeserializeGuard<K>) -> DeserializeGuard<K> {
    shed::shed_meta(child.meta_mut());
    if let Ok(object) = &mut child.0 {
        object.shed();
    }
    child
}

fn put<K: Resource<DynamicType = ()>>(children: &mut HashMap<Owner, ByName<K>>, child: DeserializeGuard<K>) {
    let own = children.entry(owner(&child)).or_default();
    let place = place_of(own, child.meta().name.as_deref());
    let child = Arc::new(child);
    match place {
        Ok(place) => own[place] = child,
        Err(place) => {
            own.reserve_exact(1);
            own.insert(place, child);
        }
    }
}

/// Where the child of a name is, or where it would be.
fn place_of<K: Resource<DynamicType = ()>>(children: &ByName<K>, name: Option<&str>) -> Result<usize, usize> {
    children.binary_search_by(|child| child.meta().name.as_deref().cmp(&name))
}

fn owner<K: Resource<DynamicType = ()>>(child: &DeserializeGuard<K>) -> Owner {
    let name = child.labels().get(labels::JOB).cloned().unwrap_or_default();
    (child.namespace().unwrap_or_default(), name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(name: &str, job: &str) -> DeserializeGuard<ConfigMap> {
        let value = json!({"metadata": {"name": name, "namespace": "science", "labels": {labels::JOB: job}}});
        serde_json::from_value(value).unwrap()
    }

    fn names(children: &Children<ConfigMap>, job: &str) -> Vec<String> {
        children.children(&config(job, "").0.unwrap()).iter().map(|child| child.name_any()).collect()
    }

    #[test]
    fn children_are_found_by_their_owner() {
        let children = Children::default();
        for (name, job) in [("a-1", "a"), ("b-1", "b"), ("a-2", "a")] {
            children.apply(Event::Apply(config(name, job)));
        }
        children.apply(Event::Delete(config("a-1", "a")));
        assert_eq!((names(&children, "a"), names(&children, "b")), (vec!["a-2".to_owned()], vec!["b-1".to_owned()]));
    }

    #[test]
    fn a_new_listing_replaces_all_when_it_is_whole() {
        let children = Children::default();
        children.apply(Event::Apply(config("old", "a")));
        children.apply(Event::Init);
        children.apply(Event::InitApply(config("new", "a")));
        assert_eq!(names(&children, "a"), ["old"]);
        children.apply(Event::InitDone);
        assert_eq!(names(&children, "a"), ["new"]);
    }

    #[test]
    fn what_cannot_be_decoded_is_there_all_the_same() {
        let children = Children::<ConfigMap>::default();
        let broken =
            json!({"metadata": {"name": "x", "namespace": "science", "labels": {labels::JOB: "a"}}, "data": 7});
        children.apply(Event::Apply(serde_json::from_value(broken).unwrap()));
        assert_eq!((names(&children, "a"), children.undecodable()), (vec!["x".to_owned()], 1));
    }
}
