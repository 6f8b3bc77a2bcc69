//! What every way of installing has to show.

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use e2e::wait;
use tokio::sync::{Mutex, MutexGuard};

use crate::support::{Cluster, Job, Space, Stand, cluster::repository, job::START};

/// One operator at a time.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// A cluster, one way of installing, and its cleaning up whatever happens.
pub struct Installation {
    pub cluster: &'static Cluster,
    /// Its namespaces; all go at the end.
    namespaces: &'static [&'static str],
}

impl Installation {
    /// None yet.
    pub async fn into(namespaces: &'static [&'static str]) -> Self {
        Self { cluster: Box::leak(Box::new(Cluster::find().await)), namespaces }
    }

    /// `kubectl apply --server-side -k`, as the README says it. The CRD is not served at once.
    pub async fn apply(&self, overlay: &Path) {
        wait::until(&format!("{} to be taken", overlay.display()), START, async || {
            let arguments = ["apply", "--server-side", "--force-conflicts", "-k", overlay.to_str().unwrap()];
            let output = self.cluster.kubectl(arguments);
            if output.status.success() { Ok(()) } else { Err(said(&output)) }
        })
        .await
        .unwrap();
    }

    /// Waits until a Deployment has rolled out, by kubectl.
    pub fn roll_out(&self, namespace: &str, deployment: &str) {
        let deployment = format!("deployment/{deployment}");
        let arguments = ["-n", namespace, "rollout", "status", &deployment, "--timeout=240s"];
        let output = self.cluster.kubectl(arguments);
        assert!(output.status.success(), "{}{}", said(&output), self.told(namespace, &deployment));
    }

    /// A small job comes to its end: the operator is there and may do what it must.
    pub async fn does_a_job(&self, hint: &str) {
        let space = Space::under(hint, self.cluster).await;
        let stand = Stand::with(&space, 2).await;
        let job = Job::start(&space, &stand, "first", |_| {}).await;
        let items = job.until_complete().await.items.unwrap();
        assert_eq!((items.total, items.succeeded), (2, 2));
    }

    /// What a Deployment's pods say, for a failure.
    fn told(&self, namespace: &str, deployment: &str) -> String {
        let pods = self.cluster.kubectl(["-n", namespace, "describe", "pods"]);
        let logs = self.cluster.kubectl(["-n", namespace, "logs", deployment, "--tail=50"]);
        format!("{}\n{}", said(&pods), said(&logs))
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        for namespace in self.namespaces {
            self.cluster.kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
        }
        let ours = ["clusterrole,clusterrolebinding", "-l", "app.kubernetes.io/part-of=video-analysis"];
        self.cluster.kubectl(["delete", "--ignore-not-found"].iter().chain(&ours));
    }
}

/// Both outputs of a command.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The path that `e2e/cluster/helm.sh` prints.
pub fn helm() -> String {
    let output = Command::new(repository().join("e2e/cluster/helm.sh")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// For what goes in the background.
pub const GONE: Duration = Duration::from_mins(3);
