//! A namespace with an operator, a kubelet, and the words of a person at a terminal.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use analysis_operator::{
    metrics::Metrics,
    reconcile::validate::Images,
    requests,
    run::{LeaseOptions, Options, RunError, run_with},
    watches::Scope,
};
use analysisjob::{AnalysisJob, AnalysisJobStatus, labels};
use e2e::{Namespace, wait};
use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{self, Pod},
};
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::kubelet::Kubelet;

/// An operator in a runtime of its own, so that it can end as a killed process does: everything at once.
pub struct Operator {
    pub metrics: Metrics,
    address: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<Result<(), RunError>>>,
    runtime: Option<Runtime>,
}

impl Operator {
    /// Starts one that looks after `space`, and leads by the lease `analysis-operator` in it.
    pub fn start(space: &Namespace<'_>, identity: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (metrics, stop, mut config) = (Metrics::new(), CancellationToken::new(), space.plane().config());
        // It is the service account of the manifests, with the roles of the manifests, and may do nothing else.
        config.auth_info.impersonate = Some(format!("system:serviceaccount:{}:{ACCOUNT}", space.name()));
        config.auth_info.impersonate_groups =
            Some(vec!["system:serviceaccounts".into(), "system:authenticated".into()]);
        // A port nobody listens on; that another process takes it before the operator does is unlikely.
        let address = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).unwrap();
        let options = Options {
            scopes: vec![Scope::Namespace(space.name().to_owned())],
            images: Images { worker: "analysis-worker:test".into(), cache: "lazycache:test".into() },
            listen: address,
            lease: Some(LeaseOptions { namespace: space.name().to_owned(), name: "analysis-operator".into() }),
            concurrency: 16,
            identity: identity.to_owned(),
        };
        let (counters, token) = (metrics.clone(), stop.clone());
        let task = runtime.spawn(async move {
            let url = config.cluster_url.to_string();
            let client = requests::counted(config, counters.clone()).unwrap();
            run_with(client, &url, options, counters, token).await
        });
        Self { metrics, address, stop, task: Some(task), runtime: Some(runtime) }
    }

    /// Ends it as SIGKILL does.
    pub fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Ends it as SIGTERM does; out comes when that was asked.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Waits for its end.
    pub async fn ended(mut self) {
        tokio::time::timeout(wait::SHORT, self.task.take().unwrap()).await.unwrap().unwrap().unwrap();
    }

    /// Waits until the readiness probe is content: what it watches has been listed.
    pub async fn until_ready(&self) {
        let look = async || {
            let mut stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
            let request = "GET /readyz HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
            if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer) }
        };
        wait::until("the operator to be ready", wait::SHORT, look).await.unwrap();
    }

    /// Whether it leads, as its metrics say.
    pub fn leads(&self) -> bool {
        self.metrics.text().lines().any(|line| line == "analysis_operator_leader 1")
    }

    /// Writes it sent, renewals of the lease left out, by verb and kind.
    pub fn writes(&self) -> BTreeMap<String, u64> {
        let text = self.metrics.text();
        let requests = text.lines().filter_map(|line| line.strip_prefix("analysis_operator_api_requests_total{"));
        let writes = requests.filter(|line| {
            let verb =
                ["create", "update", "patch", "delete"].iter().any(|verb| line.contains(&format!("verb=\"{verb}\"")));
            verb && !line.contains("kind=\"leases\"")
        });
        let count =
            |line: &str| line.rsplit_once("} ").map(|(labels, count)| (labels.to_owned(), count.parse().unwrap()));
        writes.filter_map(count).collect()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What a test holds.
pub struct World {
    pub operator: Operator,
    pub kubelet: Kubelet,
    pub space: Namespace<'static>,
}

impl World {
    /// A namespace that enforces `PodSecurity: restricted`, an operator, and data pods that find so many movies to do.
    pub async fn new(hint: &str, movies: usize) -> Self {
        let space = namespace(hint).await;
        let kubelet = Kubelet::start(space.client(), space.name(), movies).await;
        let operator = Operator::start(&space, "one");
        Self { operator, kubelet, space }
    }

    /// `kubectl apply --server-side` of an AnalysisJob with `spec` laid over a minimal one.
    pub async fn apply(&self, name: &str, spec: Value) {
        let params = PatchParams::apply("person").force();
        self.jobs().patch(name, &params, &Patch::Apply(&job(name, &spec))).await.unwrap();
    }

    /// `kubectl patch --type=merge` of the spec.
    pub async fn edit(&self, name: &str, spec: Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.jobs().patch(name, &PatchParams::default(), &patch).await.unwrap();
    }

    pub fn jobs(&self) -> Api<AnalysisJob> {
        self.space.api()
    }

    pub async fn status(&self, name: &str) -> AnalysisJobStatus {
        self.jobs().get(name).await.unwrap().status.unwrap_or_default()
    }

    /// Waits until a condition has this status and reason (`Ready`, `True/Running`); out comes its message.
    pub async fn until(&self, name: &str, kind: &str, wanted: &str) -> String {
        self.until_within(wait::LONG, name, kind, wanted).await
    }

    /// The same with a bound of its own.
    pub async fn until_within(&self, bound: Duration, name: &str, kind: &str, wanted: &str) -> String {
        let what = format!("{name} to be {kind}={wanted}");
        let seen = wait::until(&what, bound, async || {
            let status = self.status(name).await;
            let found = status.conditions.iter().find(|one| one.type_ == kind);
            match found.map(|one| (format!("{}/{}", one.status, one.reason), one.message.clone())) {
                Some((said, message)) if said == wanted => Ok(message),
                _ => Err(serde_json::to_string(&status).unwrap()),
            }
        });
        seen.await.unwrap()
    }

    /// Waits until `holds`, which says what it saw instead.
    pub async fn until_true<T>(&self, what: &str, holds: impl AsyncFnMut() -> Result<T, String>) -> T {
        wait::until(what, wait::LONG, holds).await.unwrap()
    }

    /// Waits until the run is complete.
    pub async fn until_complete(&self, name: &str) -> AnalysisJobStatus {
        self.until(name, "Complete", "True/Complete").await;
        self.status(name).await
    }

    pub async fn child_jobs(&self) -> Vec<Job> {
        self.space.api::<Job>().list(&ListParams::default()).await.unwrap().items
    }

    /// The child Job of a role in the run that goes on.
    pub async fn child(&self, name: &str, role: &str) -> Job {
        let run = self.status(name).await.run.unwrap().id;
        self.space.api::<Job>().get(&format!("{name}-{role}-{run}")).await.unwrap()
    }

    pub async fn cache(&self, name: &str) -> Deployment {
        self.space.api().get(&format!("{name}-cache")).await.unwrap()
    }

    pub async fn cache_replicas(&self, name: &str) -> Option<i32> {
        self.cache(name).await.spec.unwrap().replicas
    }

    /// Pods of a role that are there, ended ones too.
    pub async fn pods(&self, role: &str) -> Vec<Pod> {
        let of_role = ListParams::default().labels(&format!("{}={role}", labels::ROLE));
        self.space.api::<Pod>().list(&of_role).await.unwrap().items
    }

    /// Runs of which there are Jobs.
    pub async fn runs(&self) -> BTreeSet<String> {
        self.child_jobs().await.iter().filter_map(|job| job.labels().get(labels::RUN).cloned()).collect()
    }

    /// What a person sees.
    pub fn get(&self, name: &str) -> String {
        printed(&self.space.kubectl(&["get", "aj", name]).unwrap())
    }
}

/// A namespace that enforces `PodSecurity: restricted`.
pub async fn namespace(hint: &str) -> Namespace<'static> {
    let space = e2e::shared_with_controllers().await.unwrap().namespace(hint).await.unwrap();
    let labels = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let namespaces = Api::<v1::Namespace>::all(space.client());
    namespaces.patch(space.name(), &PatchParams::default(), &Patch::Merge(labels)).await.unwrap();
    let account = format!("--serviceaccount={}:{ACCOUNT}", space.name());
    grant(&space, include_str!("../../../manifests/components/operator/role.yaml"));
    run(&space, &["create", "rolebinding", "operator", "--clusterrole=analysis-operator", &account]);
    grant(&space, include_str!("../../../manifests/components/operator/leader-role.yaml"));
    run(&space, &["create", "rolebinding", "operator-leader", "--role=analysis-operator-leader", &account]);
    space
}

/// The operator's service account.
const ACCOUNT: &str = "analysis-operator";

/// Applies the role of a manifest; its binding, which a kustomization completes, is made by hand.
fn grant(space: &Namespace<'_>, manifest: &str) {
    let role = manifest.split("\n---\n").next().unwrap();
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), role).unwrap();
    run(space, &["apply", "--server-side", "--force-conflicts", "-f", file.path().to_str().unwrap()]);
}

fn run(space: &Namespace<'_>, arguments: &[&str]) {
    let output = space.kubectl(arguments).unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What a program has printed; it must have succeeded.
pub fn printed(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An AnalysisJob with `spec` laid over a minimal one.
fn job(name: &str, spec: &Value) -> Value {
    let mut whole = json!({
        "source": {"http": {"rootURL": "https://archive.example.org/files/"}, "prefixes": ["RS03/"]},
        "analysis": {"opticalFlow": {}},
        "output": {"persistentVolumeClaim": {"claimName": "results"}},
        "workers": {"parallelism": 2},
    });
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        whole[key] = value;
    }
    json!({
        "apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "metadata": {"name": name}, "spec": whole,
    })
}
