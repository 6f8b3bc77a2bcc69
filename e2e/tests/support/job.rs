//! An AnalysisJob of a test, and the words of a person at a terminal.

use std::time::Duration;

use analysisjob::{AnalysisJob, AnalysisJobStatus, labels};
use archive::layout::CAMERA;
use e2e::wait;
use k8s_openapi::api::{batch::v1, core::v1::Pod};
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::{space::Space, stand::Stand};

/// For pods to be pulled, started and ready, on a busy machine.
pub const START: Duration = Duration::from_mins(4);
/// For a run, or a good part of one.
pub const RUN: Duration = Duration::from_mins(12);

/// An AnalysisJob in a space.
pub struct Job<'s> {
    space: &'s Space,
    name: String,
}

/// The spec of a small job: one movie an index, four workers, results to the claim `results`.
pub fn spec(stand: &Stand<'_>) -> Value {
    let resources = json!({"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}});
    json!({
        "source": {"http": {"rootURL": stand.root_url()}, "prefixes": [format!("{CAMERA}/")]},
        "analysis": {"opticalFlow": {"stride": 10}},
        "cache": {"managed": {"resources": resources, "replicas": {"min": 1, "max": 1}}},
        "workers": {"parallelism": 4, "itemsPerIndex": 1, "resources": resources},
        "output": {"persistentVolumeClaim": {"claimName": "results"}},
    })
}

impl<'s> Job<'s> {
    /// `kubectl apply --server-side` of the small job, changed.
    pub async fn start(space: &'s Space, stand: &Stand<'_>, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut spec = spec(stand);
        change(&mut spec);
        let job = Self { space, name: name.to_owned() };
        job.apply(&spec).await;
        job
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `kubectl apply --server-side` of a whole spec.
    pub async fn apply(&self, spec: &Value) {
        let job = json!({
            "apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "metadata": {"name": self.name}, "spec": spec,
        });
        self.space.apply::<AnalysisJob>(&self.name, &job).await;
    }

    /// `kubectl patch --type=merge` of the spec.
    pub async fn edit(&self, spec: Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.api().patch(&self.name, &PatchParams::default(), &patch).await.unwrap();
    }

    /// AnalysisJobs of the space.
    pub fn api(&self) -> Api<AnalysisJob> {
        self.space.api()
    }

    /// What the operator says.
    pub async fn status(&self) -> AnalysisJobStatus {
        self.api().get(&self.name).await.unwrap().status.unwrap_or_default()
    }

    /// Waits until the status is as wanted: `holds` gives a value.
    pub async fn until<T>(&self, what: &str, bound: Duration, holds: impl Fn(&AnalysisJobStatus) -> Option<T>) -> T {
        let what = format!("{what}, of {}/{}", self.space.name(), self.name);
        wait::until(&what, bound, async || {
            // A busy API server may refuse; it is asked again.
            let job = self.api().get(&self.name).await.map_err(|error| error.to_string())?;
            let status = job.status.unwrap_or_default();
            holds(&status).ok_or_else(|| serde_json::to_string(&status).unwrap())
        })
        .await
        .unwrap()
    }

    /// Waits until a condition has this status and reason (`Ready`, `True/Running`); out comes its message.
    pub async fn until_condition(&self, kind: &str, wanted: &str, bound: Duration) -> String {
        self.until(&format!("{kind}={wanted}"), bound, |status| {
            let found = status.conditions.iter().find(|one| one.type_ == kind)?;
            (format!("{}/{}", found.status, found.reason) == wanted).then(|| found.message.clone())
        })
        .await
    }

    /// Waits until so many movies of this run have a result, or more.
    pub async fn until_succeeded(&self, movies: u32) {
        let what = format!("{movies} results");
        self.until(&what, RUN, |status| (status.items.as_ref()?.succeeded >= movies).then_some(())).await;
    }

    /// Waits until the run has ended well.
    pub async fn until_complete(&self) -> AnalysisJobStatus {
        self.until("the run to be complete", RUN, |status| {
            assert!(!holds(status, "Failed"), "the run has failed: {status:?}");
            holds(status, "Complete").then(|| status.clone())
        })
        .await
    }

    /// Pods of a role, ended ones too.
    pub async fn pods(&self, role: &str) -> Vec<Pod> {
        self.space.api::<Pod>().list(&self.of_role(role)).await.unwrap().items
    }

    /// Waits until so many pods of a role run.
    pub async fn until_running(&self, role: &str, count: usize) -> Vec<Pod> {
        wait::until(&format!("{count} {role} pods of {} to run", self.name), START, async || {
            let pods = self.pods(role).await;
            let phases: Vec<_> = pods.iter().map(phase).collect();
            let seen = format!("{phases:?}");
            let running: Vec<Pod> = pods.iter().filter(|pod| phase(pod) == "Running").cloned().collect();
            if running.len() == count { Ok(running) } else { Err(seen) }
        })
        .await
        .unwrap()
    }

    /// Its Jobs of a role, of all runs.
    pub async fn jobs(&self, role: &str) -> Vec<v1::Job> {
        self.space.api::<v1::Job>().list(&self.of_role(role)).await.unwrap().items
    }

    /// Lists its objects of a role.
    pub fn of_role(&self, role: &str) -> ListParams {
        ListParams::default().labels(&format!("{}={},{}={role}", labels::JOB, self.name, labels::ROLE))
    }
}

/// Whether a condition is True.
pub fn holds(status: &AnalysisJobStatus, kind: &str) -> bool {
    status.conditions.iter().any(|one| one.type_ == kind && one.status == "True")
}

/// A pod's phase; `Terminating` when it has been told to go and has not ended.
pub fn phase(pod: &Pod) -> String {
    let phase = pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
    let going = pod.metadata.deletion_timestamp.is_some() && !["Succeeded", "Failed"].contains(&phase.as_str());
    if going { "Terminating".to_owned() } else { phase }
}

/// How often the index of this pod had failed when it was made, as the Job counts.
pub fn failures_before(pod: &Pod) -> Option<u32> {
    pod.annotations().get("batch.kubernetes.io/job-index-failure-count")?.parse().ok()
}
