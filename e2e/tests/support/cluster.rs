//! The cluster of the run, and the operator on it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use e2e::wait;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod, storage::v1::StorageClass};
use kube::{
    Api, Client, Config, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;
use tokio::sync::OnceCell;

use super::job::START;

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// The operator's namespace.
pub const HOME: &str = "video-analysis-e2e";

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

/// The cluster, with an operator that is ready; the first test that asks installs it.
pub async fn cluster() -> &'static Cluster {
    CLUSTER
        .get_or_init(async || {
            let cluster = Cluster::find().await;
            cluster.install().await;
            cluster
        })
        .await
}

/// A cluster somebody has started.
pub struct Cluster {
    kubeconfig: PathBuf,
    config: Config,
    tag: String,
    registry: String,
    /// Whether claims find a volume by themselves.
    provisioned: bool,
}

fn told(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A folder of these tests below target/.
pub fn scratch(name: &str) -> PathBuf {
    let folder = repository().join("target/e2e").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

impl Cluster {
    /// The cluster alone.
    pub async fn find() -> Self {
        let needed = |name| told(name).unwrap_or_else(|| panic!("{name} is not set: start these tests by `make e2e`"));
        let kubeconfig = PathBuf::from(needed("E2E_KUBECONFIG"));
        let read = Kubeconfig::read_from(&kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.unwrap();
        let registry = told("E2E_REGISTRY").unwrap_or_else(|| "docker.io/library".to_owned());
        let classes: Api<StorageClass> = Api::all(Client::try_from(config.clone()).unwrap());
        let classes = classes.list(&ListParams::default()).await.unwrap().items;
        let is_default =
            |class: &StorageClass| class.annotations().get(DEFAULT_CLASS).is_some_and(|value| value == "true");
        let provisioned = classes.iter().any(is_default);
        Self { kubeconfig, config, tag: needed("E2E_TAG"), registry, provisioned }
    }

    /// Whether the cluster makes volumes for claims.
    pub fn provisions_volumes(&self) -> bool {
        self.provisioned
    }

    /// The file that makes kubectl and helm administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client of its own: clients belong to the runtime of the test that made them.
    pub fn client(&self) -> Client {
        Client::try_from(self.config.clone()).unwrap()
    }

    /// An image of this run.
    pub fn image(&self, program: &str) -> String {
        format!("{}/{program}:{}", self.registry, self.tag)
    }

    /// Runs kubectl as administrator.
    pub fn kubectl<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let mut command = Command::new("kubectl");
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        command.output().expect("kubectl must be on PATH")
    }

    /// Installs the operator from the components of manifests/, as an overlay does, and waits until it leads.
    async fn install(&self) {
        let others: Api<Deployment> = Api::all(self.client());
        let others =
            others.list(&ListParams::default().labels("app.kubernetes.io/name=analysis-operator")).await.unwrap();
        let other = others.items.iter().find(|one| one.namespace().as_deref() != Some(HOME));
        assert!(other.is_none(), "another operator runs in the namespace {}", other.unwrap().namespace().unwrap());
        let folder = scratch("operator");
        fs::write(folder.join("kustomization.yaml"), self.overlay().to_string()).unwrap();
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME, "labels": labels}});
        fs::write(folder.join("namespace.yaml"), namespace.to_string()).unwrap();
        self.apply(&folder).await;
        self.until_rolled_out().await;
    }

    /// JSON is YAML too.
    fn overlay(&self) -> serde_json::Value {
        let above = "../../../manifests/components";
        json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": HOME,
            "resources": ["namespace.yaml", format!("{above}/api"), format!("{above}/operator")],
            "replicas": [{"name": "analysis-operator", "count": 1}],
            "images": [{
                "name": "analysis-operator",
                "newName": format!("{}/analysis-operator", self.registry),
                "newTag": self.tag,
            }],
            "configMapGenerator": [{
                "name": "analysis-operator-settings",
                "behavior": "merge",
                "literals": [
                    format!("ANALYSIS_OPERATOR_WORKER_IMAGE={}", self.image("analysis-worker")),
                    format!("ANALYSIS_OPERATOR_CACHE_IMAGE={}", self.image("lazycache")),
                    "ANALYSIS_OPERATOR_LOG=info,analysis_operator=debug",
                ],
            }],
        })
    }

    /// The CRD is not served at once, so that applying all of it may take more than one try.
    async fn apply(&self, folder: &Path) {
        wait::until("the operator's manifests to be taken", START, async || {
            let arguments = ["apply", "--server-side", "--force-conflicts", "-k", folder.to_str().unwrap()];
            let output = self.kubectl(arguments);
            if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
        })
        .await
        .unwrap();
    }

    fn operator(&self) -> Api<Deployment> {
        Api::namespaced(self.client(), HOME)
    }

    /// Waits until the operator's Deployment has rolled out.
    pub async fn until_rolled_out(&self) {
        wait::until("the operator to be ready", START, async || {
            let found = self.operator().get("analysis-operator").await.map_err(|error| error.to_string())?;
            let (generation, status) = (found.metadata.generation, found.status.unwrap_or_default());
            let ready = status.observed_generation == generation
                && status.updated_replicas == Some(1)
                && status.ready_replicas == Some(1)
                && status.replicas == Some(1);
            if ready { Ok(()) } else { Err(format!("{status:?}")) }
        })
        .await
        .unwrap();
    }

    /// Ends every operator at once, as a node that dies does; the Deployment starts another.
    pub async fn kill_operator(&self) {
        let pods: Api<Pod> = Api::namespaced(self.client(), HOME);
        let ours = ListParams::default().labels("app.kubernetes.io/name=analysis-operator");
        pods.delete_collection(&DeleteParams::default().grace_period(0), &ours).await.unwrap();
    }

    /// Upgrades the operator, and with it the images of workers and caches, to the images with another tag.
    pub async fn roll_to(&self, suffix: &str) {
        let image = |program| format!("{}{suffix}", self.image(program));
        let env = [("WORKER", image("analysis-worker")), ("CACHE", image("lazycache"))]
            .map(|(what, image)| json!({"name": format!("ANALYSIS_OPERATOR_{what}_IMAGE"), "value": image}));
        let container = json!({"name": "operator", "image": image("analysis-operator"), "env": env});
        let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        self.operator().patch("analysis-operator", &PatchParams::default(), &Patch::Strategic(patch)).await.unwrap();
        self.until_rolled_out().await;
    }
}
