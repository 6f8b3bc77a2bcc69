//! A world for the operator: a mocked API, a cluster that is played, data pods with a ledger, and the operator's own
//! reconcile between them. Time passes only by [`World::step`].

#![allow(dead_code)] // each test binary uses a part
#![allow(clippy::unwrap_used, clippy::panic)] // test code outside #[test] functions

use std::sync::Arc;

use analysis_operator::{
    context::Context,
    lease::Leadership,
    metrics::Metrics,
    reconcile::{
        facts::{DeploymentFacts, JobFacts},
        name_of,
        pods::PodFacts,
        reconcile,
        validate::Images,
    },
    stores::{Children, Kept, Stores},
};
use analysisjob::{AnalysisJob, AnalysisJobStatus};
use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Service},
};
use kube::{core::DeserializeGuard, runtime::watcher::Event};
use mockapi::{Cluster, DataPods, MockApi, Snapshot};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The namespace of every test.
pub const SCIENCE: &str = "science";

/// Everything a test holds.
pub struct World {
    pub api: MockApi,
    pub cluster: Cluster,
    pub pods: DataPods,
    pub context: Arc<Context>,
    /// The revision each kind's watch has come to; none: it is up to date.
    pub seen: Option<[u64; KINDS]>,
    /// Reconciles that failed.
    pub errors: Vec<String>,
}

impl World {
    /// A world whose archives have so many movies.
    pub fn new(items: usize, seed: u64) -> Self {
        let api = MockApi::new();
        let pods = DataPods::new(items);
        let cluster = Cluster::new(&api, seed, pods.clone());
        let context = context(&api);
        Self { api, cluster, pods, context, seen: None, errors: Vec::new() }
    }

    /// `kubectl apply` of an AnalysisJob with `spec` laid over a minimal one.
    pub fn create(&self, name: &str, spec: Value) {
        self.api.put(&job(name, spec)).unwrap();
    }

    /// `kubectl edit`.
    pub fn edit(&self, name: &str, change: impl FnOnce(&mut AnalysisJob)) {
        assert!(self.api.edit(SCIENCE, name, change).unwrap(), "there is no AnalysisJob {name}");
    }

    /// The operator starts anew: what it remembered is gone, and it lists what there is.
    pub fn restart(&mut self) {
        self.api.operator().restart();
        self.context = context(&self.api);
        if let Some(seen) = &mut self.seen {
            *seen = [self.api.revision(); KINDS];
        }
    }

    /// Every kind's watch comes forward by its own random part, never back.
    pub fn watch_on(&mut self, mut random: impl FnMut(u64) -> u64) {
        let now = self.api.revision();
        let seen = self.seen.get_or_insert([now; KINDS]);
        for revision in seen.iter_mut() {
            *revision += random(now - *revision);
        }
    }

    /// Reconciles every AnalysisJob once, over what the watches have seen.
    pub async fn reconcile(&mut self) {
        let fresh = self.api.snapshot();
        let views: Vec<Snapshot> = match self.seen {
            None => vec![fresh; KINDS],
            Some(seen) => {
                seen.iter().map(|revision| self.api.snapshot_at(*revision).unwrap_or_else(|| fresh.clone())).collect()
            }
        };
        fill(&self.context.stores, &views);
        for job in views[0].list::<DeserializeGuard<AnalysisJob>>() {
            let name = name_of(&job);
            match reconcile(Arc::new(job), Arc::clone(&self.context)).await {
                Ok(_) => self.context.attempts.forget(&name),
                Err(error) => {
                    self.context.attempts.next(&name);
                    self.errors.push(error.to_string());
                }
            }
        }
    }

    /// Reconciles until nothing is written any more.
    pub async fn settle(&mut self) {
        for _ in 0..60 {
            let before = self.api.operator().writes();
            self.reconcile().await;
            if self.api.operator().writes() == before || self.api.operator().is_dead() {
                return;
            }
        }
        panic!(
            "the operator goes on writing: {:#?}",
            self.api.operator().log().iter().rev().take(12).collect::<Vec<_>>()
        );
    }

    /// The operator works, then the cluster takes one step.
    pub async fn step(&mut self) {
        self.settle().await;
        self.cluster.step();
    }

    /// Steps until `done`, at most so many.
    pub async fn until(&mut self, steps: usize, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..steps {
            if done(self) {
                return;
            }
            self.step().await;
        }
        self.settle().await;
        assert!(done(self), "after {steps} steps: not {what}\n{}\nerrors {:?}", self.describe(), self.errors);
    }

    pub fn job(&self, name: &str) -> AnalysisJob {
        self.api.get(SCIENCE, name).unwrap()
    }

    pub fn status(&self, name: &str) -> AnalysisJobStatus {
        self.api.get::<AnalysisJob>(SCIENCE, name).and_then(|job| job.status).unwrap_or_default()
    }

    /// Status and reason of a condition, such as `True/Running`.
    pub fn condition(&self, name: &str, kind: &str) -> String {
        let status = self.status(name);
        let condition = status.conditions.iter().find(|one| one.type_ == kind);
        condition.map_or_else(|| "absent".to_owned(), |one| format!("{}/{}", one.status, one.reason))
    }

    pub fn message(&self, name: &str, kind: &str) -> String {
        let status = self.status(name);
        status.conditions.iter().find(|one| one.type_ == kind).map(|one| one.message.clone()).unwrap_or_default()
    }

    pub fn is(&self, name: &str, kind: &str) -> bool {
        self.condition(name, kind).starts_with("True")
    }

    /// Names of the child Jobs.
    pub fn jobs(&self) -> Vec<String> {
        self.api.list::<Job>(SCIENCE).into_iter().filter_map(|job| job.metadata.name).collect()
    }

    /// The child Job of a kind (`plan`, `work`, `collect`) of the newest run.
    pub fn child(&self, name: &str, kind: &str) -> Option<Job> {
        let run = self.status(name).run?.id;
        self.api.get(SCIENCE, &format!("{name}-{kind}-{run}"))
    }

    pub fn cache_replicas(&self, name: &str) -> Option<i32> {
        self.api.get::<Deployment>(SCIENCE, &format!("{name}-cache"))?.spec?.replicas
    }

    fn describe(&self) -> String {
        let mut text = String::new();
        for job in self.api.list::<AnalysisJob>(SCIENCE) {
            text += &serde_json::to_string_pretty(&job.status).unwrap_or_default();
        }
        for job in self.api.list::<Job>(SCIENCE) {
            let status = serde_json::to_string(&job.status).unwrap_or_default();
            text.extend(["\n", job.metadata.name.as_deref().unwrap_or_default(), " ", status.as_str()]);
        }
        text
    }
}

fn context(api: &MockApi) -> Arc<Context> {
    let images = Images { worker: "analysis-worker:test".into(), cache: "lazycache:test".into() };
    let (client, stores, metrics) = (api.client(), Stores::default(), Metrics::new());
    let mut context = Context::new(client, stores, Leadership::always(), images, metrics, "test".into());
    let clock = api.clone();
    context.clock = Arc::new(move || clock.now());
    Arc::new(context)
}

/// Fills the stores from one snapshot.
pub fn fill_now(stores: &Stores, snapshot: &Snapshot) {
    fill(stores, &vec![snapshot.clone(); KINDS]);
}

/// AnalysisJobs and the six kinds of children.
const KINDS: usize = 7;

/// Fills the stores from snapshots, as new listings would.
fn fill(stores: &Stores, views: &[Snapshot]) {
    refill::<JobFacts>(&stores.jobs, &views[1]);
    refill::<ConfigMap>(&stores.configs, &views[2]);
    refill::<DeploymentFacts>(&stores.deployments, &views[3]);
    refill::<Service>(&stores.services, &views[4]);
    refill::<PersistentVolumeClaim>(&stores.claims, &views[5]);
    refill::<PodFacts>(&stores.pods, &views[6]);
}

fn refill<K>(children: &Children<K>, snapshot: &Snapshot)
where
    K: Kept + DeserializeOwned + 'static,
{
    children.apply(Event::Init);
    for child in snapshot.list::<DeserializeGuard<K>>() {
        children.apply(Event::InitApply(child));
    }
    children.apply(Event::InitDone);
}

/// An AnalysisJob with `spec` laid over a minimal one.
pub fn job(name: &str, spec: Value) -> AnalysisJob {
    let mut whole = json!({
        "source": {"http": {"rootURL": "https://archive.example.org/files/"}, "prefixes": ["A/"]},
        "analysis": {"opticalFlow": {}},
        "output": {"persistentVolumeClaim": {"claimName": "results"}},
        "workers": {"parallelism": 4},
    });
    lay_over(&mut whole, spec);
    let metadata = json!({"name": name, "namespace": SCIENCE});
    serde_json::from_value(json!({
        "apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "metadata": metadata, "spec": whole,
    }))
    .unwrap()
}

fn lay_over(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                lay_over(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}
