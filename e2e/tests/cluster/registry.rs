//! Images from a registry that asks who one is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use e2e::wait;
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::support::{
    Job, Space, Stand,
    cluster::scratch,
    job::{RUN, START},
    machine::expected,
};

/// Where the own node's network is, and the address that its containerd takes for a registry without TLS.
const NETWORK: &str = "/run/netns/analysis-node";
const ADDRESS: &str = "10.250.0.1:5000";
const USER: &str = "tests";
const PASSWORD: &str = "of-the-tests";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn images_of_a_private_registry_are_pulled_with_the_secrets_named() {
    assert!(
        Path::new(NETWORK).exists(),
        "needs the own node of make e2e; on another cluster leave it out: --skip private_registry"
    );
    let space = Space::new("registry").await;
    let registry = Registry::start(&space).await;
    let [worker, cache] =
        ["analysis-worker", "lazycache"].map(|program| registry.take(&space.cluster().image(program), program));
    let stand = Stand::with(&space, 2).await;
    let images = |spec: &mut serde_json::Value| {
        spec["workers"]["image"] = json!(worker);
        spec["cache"]["managed"]["image"] = json!(cache);
        spec["workers"]["imagePullSecrets"] = json!([{"name": "registry"}]);
    };
    let job = Job::start(&space, &stand, "private", images).await;
    // Without the Secret the registry lets nobody in, and the AnalysisJob says so.
    let message = job.until_condition("Stalled", "True/ImagePullFailed", RUN).await;
    assert!(message.contains(ADDRESS), "{message}");
    space.apply::<Secret>("registry", &secret()).await;
    let items = job.until_complete().await.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (2, 2, 0));
    assert_eq!(stand.results("results").await, expected(2));
}

fn secret() -> serde_json::Value {
    let auths = json!({"auths": {ADDRESS: {"username": USER, "password": PASSWORD}}});
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry"},
        "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": auths.to_string()},
    })
}

/// Debian's docker-registry in the node's network.
struct Registry {
    process: Child,
    folder: PathBuf,
    name: String,
}

impl Registry {
    async fn start(space: &Space) -> Self {
        let folder = scratch("registry").join(space.name());
        fs::create_dir_all(&folder).unwrap();
        let users = Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]).output().expect("htpasswd (apache2-utils)");
        fs::write(folder.join("users"), users.stdout).unwrap();
        let config = json!({
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": folder.join("images")}},
            "http": {"addr": ADDRESS},
            "auth": {"htpasswd": {"realm": "tests", "path": folder.join("users")}},
        });
        fs::write(folder.join("config.yml"), config.to_string()).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={NETWORK}")).args(["docker-registry", "serve"]).arg(folder.join("config.yml"));
        let process = command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        let registry = Self { process, folder, name: space.name().to_owned() };
        wait::until("the registry to listen", START, async || {
            tokio::net::TcpStream::connect(ADDRESS).await.map(drop).map_err(|error| error.to_string())
        })
        .await
        .unwrap();
        registry
    }

    /// Takes an image that buildah has, under a name that no node has yet.
    fn take(&self, image: &str, program: &str) -> String {
        let name = format!("{ADDRESS}/{}/{program}:1", self.name);
        let credentials = format!("{USER}:{PASSWORD}");
        let flags = ["push", "--quiet", "--tls-verify=false", "--creds", &credentials, image];
        let output = Command::new("buildah").args(flags).arg(format!("docker://{name}")).output().expect("buildah");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        name
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(self.folder.join("images"));
    }
}
