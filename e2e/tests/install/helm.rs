//! The Helm chart.

use std::process::{Command, Output};

use e2e::wait;

use crate::{
    installation::{GONE, Installation, alone, helm, said},
    support::cluster::repository,
};

const NAMESPACE: &str = "video-analysis-helm";

/// A release of the chart.
struct Release {
    installation: Installation,
    helm: String,
}

impl Release {
    fn helm(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.helm);
        command
            .args(arguments)
            .args(["--namespace", NAMESPACE])
            .env("KUBECONFIG", self.installation.cluster.kubeconfig());
        command.output().unwrap()
    }

    /// `helm upgrade --install`, with the images of this run; waits until the operator is there.
    fn upgrade(&self, values: &[&str]) {
        let cluster = self.installation.cluster;
        let chart = repository().join("chart");
        let (registry, tag) = cluster.image("").rsplit_once("/:").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let images = [
            format!("image.registry={registry}"),
            format!("image.tag={tag}"),
            format!("worker.image={}", cluster.image("analysis-worker")),
            format!("cache.image={}", cluster.image("lazycache")),
        ];
        let mut arguments =
            vec!["upgrade", "--install", "analysis-operator", chart.to_str().unwrap(), "--create-namespace"];
        // The definition may be there from `kubectl apply`: the chart's README says how a release takes it over.
        arguments.extend(["--take-ownership", "--force-conflicts", "--wait", "--timeout", "4m"]);
        arguments
            .extend(images.iter().map(String::as_str).chain(values.iter().copied()).flat_map(|value| ["--set", value]));
        let output = self.helm(&arguments);
        assert!(output.status.success(), "{}", said(&output));
        self.installation.roll_out(NAMESPACE, "analysis-operator");
    }

    fn get(&self, what: &[&str]) -> String {
        let output =
            self.installation.cluster.kubectl(["get", "--ignore-not-found", "--output=name"].iter().chain(what));
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn the_chart_installs_upgrades_and_uninstalls() {
    let _alone = alone().await;
    let release = Release { installation: Installation::into(&[NAMESPACE]).await, helm: helm() };
    release.upgrade(&["replicas=1"]);
    release.installation.does_a_job("helm").await;

    release.upgrade(&["replicas=2", "settings.logFormat=text"]);
    let status = release.helm(&["status", "analysis-operator", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["version"], 2, "an upgrade, not a second installation");

    let output = release.helm(&["uninstall", "analysis-operator", "--wait", "--timeout", "3m"]);
    assert!(output.status.success(), "{}", said(&output));
    let crd = release.get(&["crd", "analysisjobs.camhd.science"]);
    assert_eq!(crd.trim(), "customresourcedefinition.apiextensions.k8s.io/analysisjobs.camhd.science", "jobs are kept");
    wait::until("what the release made to be gone", GONE, async || {
        let left = release.get(&[
            "-n",
            NAMESPACE,
            "deployment,service,role,rolebinding,networkpolicy,pdb,serviceaccount",
            "-l",
            "app.kubernetes.io/name=analysis-operator",
        ]);
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await
    .unwrap();
}
