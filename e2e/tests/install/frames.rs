//! lazycache alone, without an operator.

use std::{fs, path::PathBuf};

use archive::layout;
use e2e::wait;
use serde_json::{Value, json};

use crate::{
    installation::{Installation, alone, said},
    support::{Space, Stand, cluster::scratch, job::START, movies},
};

const HOME: &str = "lazycache";

/// The overlay with the image and the archive of this run, as a site of its own would write it.
fn site(installation: &Installation, root: &str) -> PathBuf {
    let folder = scratch("install-lazycache");
    let (name, tag) =
        installation.cluster.image("lazycache").rsplit_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    // The archive of the tests is on a port of its own, and small nodes have few cores.
    let egress =
        json!([{"op": "add", "path": "/spec/egress/-", "value": {"ports": [{"port": 8000, "protocol": "TCP"}]}}]);
    let small = json!([{
        "op": "replace",
        "path": "/spec/template/spec/containers/0/resources",
        "value": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
    }]);
    let patch = |kind: &str, patch: &Value| json!({"target": {"kind": kind}, "patch": patch.to_string()});
    let site = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../../manifests/overlays/lazycache"],
        "images": [{"name": "lazycache", "newName": name, "newTag": tag}],
        "patches": [patch("NetworkPolicy", &egress), patch("Deployment", &small)],
        "configMapGenerator": [{
            "name": "lazycache-settings", "namespace": HOME, "behavior": "merge",
            "literals": [format!("LAZYCACHE_MIRRORS={root}")],
        }],
    });
    fs::write(folder.join("kustomization.yaml"), site.to_string()).unwrap();
    folder
}

/// What the service answers, asked through the API server.
fn get(installation: &Installation, path: &str) -> Result<Vec<u8>, String> {
    let path = format!("/api/v1/namespaces/{HOME}/services/lazycache:http/proxy{path}");
    let output = installation.cluster.kubectl(["get", "--raw", &path]);
    if output.status.success() { Ok(output.stdout) } else { Err(said(&output)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn lazycache_alone_installs_and_serves_frames() {
    // Its cleaning up takes the roles of every installation.
    let _alone = alone().await;
    let installation = Installation::into(&[HOME]).await;
    let space = Space::under("frames", installation.cluster).await;
    let stand = Stand::with(&space, 1).await;
    installation.apply(&site(&installation, &stand.root_url())).await;
    installation.roll_out(HOME, "lazycache");
    // The archive is http://stand.NAMESPACE.svc:8000/files/.
    let movie = format!("/v1/svc/{}/stand/8000/files/{}", space.name(), layout::movie_path(0).display());
    let described = wait::until("the movie to be described", START, async || get(&installation, &movie)).await.unwrap();
    let described: Value = serde_json::from_slice(&described).unwrap();
    assert_eq!(described["NumFrames"], movies::FRAMES);
    let png = get(&installation, &format!("{movie}/frame/7.png")).unwrap();
    assert_eq!((&png[..8], &png[16..24]), (&b"\x89PNG\r\n\x1a\n"[..], &[0, 0, 2, 128, 0, 0, 1, 104][..]), "640 x 360");
    let refused = get(&installation, &format!("{movie}/frame/{}", movies::FRAMES + 1)).unwrap_err();
    assert!(refused.contains("400") || refused.contains("BadRequest"), "{refused}");
    let map = get(&installation, "/").unwrap();
    assert!(String::from_utf8_lossy(&map).contains(&stand.root_url()));
}
