//! A namespace of one test.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use e2e::wait;
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, ServiceAccount},
};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams, PostParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};

use super::{
    cluster::{Cluster, HOME, cluster, scratch},
    job::START,
};

static COUNT: AtomicU32 = AtomicU32::new(1);

/// What is written down of a namespace when its test fails.
const DUMPED: [&str; 10] = [
    "analysisjobs",
    "jobs",
    "deployments",
    "replicasets",
    "pods",
    "services",
    "configmaps",
    "persistentvolumeclaims",
    "persistentvolumes",
    "events",
];

/// A fresh namespace that enforces `PodSecurity: restricted`, with a claim `results`. When its test passes it goes; when
/// its test fails it stays, and what is in it is written down.
pub struct Space {
    cluster: &'static Cluster,
    client: Client,
    name: String,
}

impl Space {
    /// Makes one, named after `hint`, on the cluster with the operator that these tests share.
    pub async fn new(hint: &str) -> Self {
        Self::under(hint, cluster().await).await
    }

    /// Makes one, named after `hint`, for an operator that is there.
    pub async fn under(hint: &str, cluster: &'static Cluster) -> Self {
        let name = format!("e2e-{hint}-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let space = Self { cluster, client: cluster.client(), name };
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let namespace = from_value(json!({"metadata": {"name": space.name, "labels": labels}})).unwrap();
        Api::<Namespace>::all(space.client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        wait::until("the namespace's service account", START, async || {
            space.api::<ServiceAccount>().get("default").await.map(drop).map_err(|error| error.to_string())
        })
        .await
        .unwrap();
        space.claim("results", None).await;
        space
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster it is in.
    pub fn cluster(&self) -> &'static Cluster {
        self.cluster
    }

    /// The administrator's client.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The objects of a kind in it.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        Api::namespaced(self.client(), &self.name)
    }

    /// Applies an object of it.
    pub async fn apply<K>(&self, name: &str, object: &Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        self.api::<K>().patch(name, &PatchParams::apply("e2e").force(), &Patch::Apply(object)).await.unwrap();
    }

    /// Makes a claim. Its volume is the folder `place` of this machine; or else one that the cluster makes, or a folder.
    pub async fn claim(&self, name: &str, place: Option<PathBuf>) {
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        if let Some(folder) = place.or_else(|| self.folder(name)) {
            let volume = format!("{}-{name}", self.name);
            self.volume(&volume, name, &folder).await;
            (spec["storageClassName"], spec["volumeName"]) = (json!(""), json!(volume));
        }
        let claim =
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec});
        self.apply::<PersistentVolumeClaim>(name, &claim).await;
    }

    /// A folder of this machine for a claim, where the cluster makes no volumes.
    fn folder(&self, claim: &str) -> Option<PathBuf> {
        if self.cluster.provisions_volumes() {
            return None;
        }
        let folder = scratch("volumes").join(&self.name).join(claim);
        fs::create_dir_all(&folder).unwrap();
        open_to_all(&folder);
        Some(folder)
    }

    async fn volume(&self, volume: &str, claim: &str, folder: &std::path::Path) {
        let spec = json!({
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "hostPath": {"path": folder},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": self.name, "name": claim},
        });
        let labels = json!({"e2e": self.name});
        let object = from_value(json!({"metadata": {"name": volume, "labels": labels}, "spec": spec})).unwrap();
        Api::<PersistentVolume>::all(self.client()).create(&PostParams::default(), &object).await.unwrap();
    }

    fn dump(&self) {
        let folder = scratch("failed").join(&self.name);
        let _ = fs::create_dir_all(folder.join("logs"));
        let get = |file: &str, arguments: &[&str]| {
            let output = self.cluster.kubectl(arguments);
            let _ = fs::write(folder.join(file), [output.stdout, output.stderr].concat());
        };
        for kind in DUMPED {
            get(&format!("{kind}.yaml"), &["-n", &self.name, "get", kind, "--output=yaml"]);
        }
        get("operator.log", &["-n", HOME, "logs", "deployment/analysis-operator", "--tail=20000"]);
        get("operator-previous.log", &["-n", HOME, "logs", "deployment/analysis-operator", "--previous"]);
        let pods = self.cluster.kubectl(["-n", &self.name, "get", "pods", "--output=name"]);
        for pod in String::from_utf8_lossy(&pods.stdout).lines().filter_map(|line| line.strip_prefix("pod/")) {
            get(&format!("logs/{pod}.log"), &["-n", &self.name, "logs", pod, "--all-containers", "--timestamps"]);
        }
        eprintln!("what was in the namespace {} is in {}", self.name, folder.display());
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        if thread::panicking() {
            self.dump();
            return;
        }
        self.cluster.kubectl(["delete", "namespace", &self.name, "--wait=false"]);
        self.cluster.kubectl(["delete", "persistentvolumes", "--wait=false", "-l", &format!("e2e={}", self.name)]);
        let _ = fs::remove_dir_all(scratch("volumes").join(&self.name));
    }
}

/// Lets the pods' user write to a folder of this machine.
pub fn open_to_all(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
}
