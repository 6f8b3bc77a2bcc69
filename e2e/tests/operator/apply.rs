//! Server-side apply: what others own on a child stays theirs, what is the operator's comes back.

use k8s_openapi::api::{apps::v1::Deployment, batch::v1::Job, core::v1::Service};
use kube::{
    ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::json;

use crate::world::{World, printed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_own_on_a_child_stays_and_ours_comes_back() {
    let world = World::new("apply", 4).await;
    world.kubelet.hold("work");
    world.apply("a", json!({})).await;
    world.until("a", "Ready", "True/Running").await;
    let theirs = json!({
        "metadata": {"labels": {"team": "ocean"}, "annotations": {"note": "mine"}},
        "spec": {"template": {"metadata": {"annotations": {"scrape": "yes"}}}},
    });
    let params = PatchParams { field_manager: Some("person".into()), ..PatchParams::default() };
    world.space.api::<Deployment>().patch("a-cache", &params, &Patch::Merge(&theirs)).await.unwrap();
    let work = world.child("a", "work").await.name_any();
    let label = json!({"metadata": {"labels": {"team": "ocean"}}});
    world.space.api::<Job>().patch(&work, &params, &Patch::Merge(&label)).await.unwrap();
    printed(&world.space.kubectl(&["scale", "deployment/a-cache", "--replicas=3"]).unwrap());
    world.space.api::<Service>().delete("a-cache", &DeleteParams::default()).await.unwrap();
    world
        .until_true("the Service to come back", async || {
            world.space.api::<Service>().get_opt("a-cache").await.unwrap().ok_or_else(|| "nothing".to_owned())
        })
        .await;
    println!("cache pods a person asked for, seen after a reconcile: {:?}", world.cache_replicas("a").await);
    // What next changes the Deployment puts the operator's own fields back.
    for (suspend, ready, replicas) in [(true, "True/Suspended", 0), (false, "True/Running", 1)] {
        world.edit("a", json!({"suspend": suspend})).await;
        world.until("a", "Ready", ready).await;
        assert_eq!(world.cache_replicas("a").await, Some(replicas));
    }
    let cache = world.cache("a").await;
    assert_eq!(
        (cache.labels().get("team"), cache.annotations().get("note")),
        (Some(&"ocean".into()), Some(&"mine".into()))
    );
    let template = cache.spec.unwrap().template.metadata.unwrap().annotations.unwrap();
    assert_eq!(template.get("scrape").map(String::as_str), Some("yes"));
    assert_eq!(world.child("a", "work").await.labels().get("team").map(String::as_str), Some("ocean"));
    world.kubelet.release("work");
    world.until_complete("a").await;
}
