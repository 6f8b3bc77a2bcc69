//! The harness keeps its promises.
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use e2e::{ControlPlane, Controllers, wait};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{from_value, json};

#[tokio::test]
async fn every_test_has_a_namespace_of_its_own() {
    let plane = e2e::shared().await.unwrap();
    let (one, other) = (plane.namespace("own").await.unwrap(), plane.namespace("own").await.unwrap());
    assert_ne!(one.name(), other.name());
}

#[tokio::test]
async fn without_controllers_the_test_makes_pods_itself() {
    let space = e2e::shared().await.unwrap().namespace("pods").await.unwrap();
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    space.api::<Pod>().create(&PostParams::default(), &from_value(pod).unwrap()).await.unwrap();
}

#[tokio::test]
async fn kubectl_is_there() {
    let space = e2e::shared().await.unwrap().namespace("kubectl").await.unwrap();
    let output = space.kubectl(&["version"]).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Server Version: v1.34."), "{text}");
    assert!(space.plane().bin().join("kubectl").exists() || std::env::var_os(e2e::binary::VARIABLE).is_some());
}

#[tokio::test]
async fn real_controllers_make_pods_of_jobs_and_collect_what_has_lost_its_owner() {
    let space = e2e::shared_with_controllers().await.unwrap().namespace("controllers").await.unwrap();
    let container = json!({"name": "c", "image": "i"});
    let spec = json!({"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}});
    let jobs = space.api::<k8s_openapi::api::batch::v1::Job>();
    let job = from_value(json!({"metadata": {"name": "j"}, "spec": spec})).unwrap();
    let job = jobs.create(&PostParams::default(), &job).await.unwrap();
    let pods = space.api::<Pod>();
    let count = async |api: &Api<Pod>| api.list(&kube::api::ListParams::default()).await.unwrap().items.len();
    wait::until("the Job's pod", wait::LONG, async || {
        let seen = count(&pods).await;
        if seen == 1 { Ok(()) } else { Err(format!("{seen} pods")) }
    })
    .await
    .unwrap();
    let owner = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": job.metadata.uid});
    let owned = from_value(json!({"metadata": {"name": "m", "ownerReferences": [owner]}})).unwrap();
    let maps = space.api::<ConfigMap>();
    maps.create(&PostParams::default(), &owned).await.unwrap();
    jobs.delete("j", &DeleteParams::background()).await.unwrap();
    wait::until("the children to go with their owner", wait::LONG, async || {
        match (maps.get_opt("m").await.unwrap(), count(&pods).await) {
            (None, 0) => Ok(()),
            (map, pods) => Err(format!("the map: {}, pods: {pods}", map.is_some())),
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_dropped_control_plane_leaves_nothing() {
    let plane = ControlPlane::start(Controllers::None).await.unwrap();
    let (folder, client) = (plane.folder().to_owned(), plane.client().unwrap());
    let processes: Vec<(&str, u32)> = plane.processes().collect();
    assert_eq!(processes.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["etcd", "kube-apiserver"]);
    client.apiserver_version().await.unwrap();
    drop(plane);
    assert!(!folder.exists());
    assert!(processes.iter().all(|(_, id)| !std::path::Path::new(&format!("/proc/{id}")).exists()));
    assert!(client.apiserver_version().await.is_err());
}
