//! Deletion: real garbage collection takes the children, results stay.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::DeleteParams;
use serde_json::json;

use crate::world::{World, printed};

const CHILDREN: &str = "jobs,deployments,replicasets,services,configmaps,pods";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_go_with_their_job_and_the_claim_stays() {
    let world = World::new("deletion", 3).await;
    let output = json!({"output": {"claimTemplate": {"size": "1Gi", "accessModes": ["ReadWriteMany"]}}});
    world.kubelet.hold("work");
    world.apply("a", output.clone()).await;
    world.until("a", "Ready", "True/Running").await;
    world.until("a", "CacheReady", "True/AsExpected").await;
    let claims = world.space.api::<PersistentVolumeClaim>();
    let claim = claims.get("a-results").await.unwrap();
    assert_eq!(claim.metadata.owner_references, None);
    world.jobs().delete("a", &DeleteParams::background()).await.unwrap();
    world
        .until_true("the children to go", async || {
            let arguments = ["get", CHILDREN, "--selector=camhd.science/analysisjob=a", "--output=name"];
            let left = printed(&world.space.kubectl(&arguments).unwrap());
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
    assert!(world.jobs().get_opt("a").await.unwrap().is_none(), "nothing hangs");
    let kept = claims.get("a-results").await.unwrap();
    assert_eq!((kept.metadata.uid, kept.metadata.deletion_timestamp), (claim.metadata.uid.clone(), None));
    // Under the same name, the same results.
    world.kubelet.release("work");
    world.apply("a", output).await;
    world.until_complete("a").await;
    assert_eq!(claims.get("a-results").await.unwrap().metadata.uid, claim.metadata.uid);
}
