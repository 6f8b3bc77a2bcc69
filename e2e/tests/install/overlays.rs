//! The kustomize overlays.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    installation::{Installation, alone},
    support::cluster::scratch,
};

/// An overlay with the images of this run, as a site of its own would write it.
fn with_images(installation: &Installation, overlay: &str, namespace: &str, more: &Value) -> PathBuf {
    let folder = scratch(&format!("install-{overlay}"));
    let cluster = installation.cluster;
    let (name, tag) =
        cluster.image("analysis-operator").rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let known = ["analysis-operator", "registry.example.org/video-analysis/analysis-operator"];
    let mut site = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [format!("../../../manifests/overlays/{overlay}")],
        "images": known.map(|known| json!({"name": known, "newName": name, "newTag": tag})),
        "configMapGenerator": [{
            "name": "analysis-operator-settings",
            "namespace": namespace,
            "behavior": "merge",
            "literals": [
                format!("ANALYSIS_OPERATOR_WORKER_IMAGE={}", cluster.image("analysis-worker")),
                format!("ANALYSIS_OPERATOR_CACHE_IMAGE={}", cluster.image("lazycache")),
            ],
        }],
    });
    site.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    fs::write(folder.join("kustomization.yaml"), site.to_string()).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn the_dev_overlay_installs_and_works() {
    let _alone = alone().await;
    let installation = Installation::into(&["video-analysis-dev"]).await;
    let overlay = with_images(&installation, "dev", "video-analysis-dev", &json!({}));
    installation.apply(&overlay).await;
    installation.roll_out("video-analysis-dev", "analysis-operator");
    installation.does_a_job("dev").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn the_production_overlay_installs_and_works() {
    let _alone = alone().await;
    let installation = Installation::into(&["video-analysis", "science"]).await;
    // The definitions of the Prometheus operator are not on a bare cluster; the overlay says to leave these out then.
    let monitoring = ["ServiceMonitor", "PodMonitor", "PrometheusRule"];
    let leave_out = monitoring.map(|kind| {
        let patch = json!({
            "$patch": "delete", "apiVersion": "monitoring.coreos.com/v1", "kind": kind, "metadata": {"name": "any"},
        });
        json!({"target": {"group": "monitoring.coreos.com", "kind": kind}, "patch": patch.to_string()})
    });
    let overlay = with_images(&installation, "production", "video-analysis", &json!({"patches": leave_out}));
    installation.apply(&overlay).await;
    installation.roll_out("video-analysis", "analysis-operator");
    installation.does_a_job("production").await;
}
