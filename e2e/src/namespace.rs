//! A namespace of one test.

use std::{
    fs,
    process::Output,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use k8s_openapi::{NamespaceResourceScope, api::core::v1};
use kube::{Api, Client, Resource, api::PostParams};
use serde::de::DeserializeOwned;

use crate::plane::{ControlPlane, StartError};

static COUNT: AtomicU32 = AtomicU32::new(1);

/// What is written down of a namespace when its test fails.
const DUMPED: [&str; 10] = [
    "analysisjobs",
    "jobs",
    "deployments",
    "pods",
    "services",
    "configmaps",
    "persistentvolumeclaims",
    "leases",
    "events",
    "serviceaccounts",
];

/// A fresh namespace. It is not deleted (the control plane goes as a whole); when its test fails, it is dumped.
pub struct Namespace<'p> {
    plane: &'p ControlPlane,
    name: String,
    client: Client,
}

impl<'p> Namespace<'p> {
    pub(crate) async fn make(plane: &'p ControlPlane, hint: &str) -> Result<Self, StartError> {
        let name = format!("{hint}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let client = plane.client()?;
        let mut namespace = v1::Namespace::default();
        namespace.metadata.name = Some(name.clone());
        Api::<v1::Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(Self { plane, name, client })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The control plane it is in.
    pub fn plane(&self) -> &'p ControlPlane {
        self.plane
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

    /// The path of AnalysisJobs in it, for requests `Api` has no words for.
    pub fn jobs_path(&self) -> String {
        format!("/apis/camhd.science/v1alpha1/namespaces/{}/analysisjobs", self.name)
    }

    /// Runs kubectl in it, as administrator.
    pub fn kubectl(&self, arguments: &[&str]) -> std::io::Result<Output> {
        self.plane.kubectl(["--namespace", &self.name].iter().chain(arguments))
    }

    fn dump(&self) {
        let folder = self.plane.folder().join(&self.name);
        let _ = fs::create_dir_all(&folder);
        for kind in DUMPED {
            if let Ok(output) = self.kubectl(&["get", kind, "--output=yaml", "--show-managed-fields"]) {
                let _ = fs::write(folder.join(format!("{kind}.yaml")), [output.stdout, output.stderr].concat());
            }
        }
        self.plane.keep();
        eprintln!("what was in the namespace {} is in {}, logs beside it", self.name, folder.display());
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.dump();
        }
    }
}
