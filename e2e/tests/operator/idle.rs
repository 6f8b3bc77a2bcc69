//! What does not change is not written.

use std::time::Duration;

use k8s_openapi::api::{apps::v1::Deployment, batch::v1::Job, core::v1::Service};
use kube::{ResourceExt, api::ListParams};

use crate::world::World;

/// How long nothing may be written.
const IDLE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_when_nothing_changes() {
    let world = World::new("writes", 3).await;
    for name in ["done", "busy"] {
        if name == "busy" {
            world.kubelet.hold("work");
        }
        world.apply(name, serde_json::json!({})).await;
        let wanted = if name == "busy" { ("Ready", "True/Running") } else { ("Complete", "True/Complete") };
        world.until(name, wanted.0, wanted.1).await;
    }
    settled(&world).await;
    let (versions, writes) = (versions(&world).await, world.operator.writes());
    tokio::time::sleep(IDLE).await;
    assert_eq!(world.operator.writes(), writes);
    assert_eq!(self::versions(&world).await, versions);
    let total: u64 = writes.values().sum();
    println!("{total} writes for a whole run of 3 movies and the beginning of another: {writes:#?}");
    assert!(total < 45, "{writes:#?}");
}

/// Waits until the last counts are written: active workers, and caches that follow.
async fn settled(world: &World) {
    world
        .until_true("everything to come to rest", async || {
            let (done, busy) = (world.status("done").await, world.status("busy").await);
            let caches = [done.cache.unwrap_or_default().ready, busy.cache.unwrap_or_default().ready];
            let active = busy.items.unwrap_or_default().active;
            if caches == [0, 1] && active == 2 { Ok(()) } else { Err(format!("{caches:?}, {active} active")) }
        })
        .await;
}

/// Resource versions of everything the operator writes.
async fn versions(world: &World) -> Vec<Option<String>> {
    let all = ListParams::default();
    let mut versions: Vec<Option<String>> = Vec::new();
    versions.extend(world.jobs().list(&all).await.unwrap().iter().map(ResourceExt::resource_version));
    versions.extend(world.child_jobs().await.iter().map(ResourceExt::resource_version));
    versions.extend(world.space.api::<Job>().list(&all).await.unwrap().iter().map(ResourceExt::resource_version));
    versions.extend(world.space.api::<Service>().list(&all).await.unwrap().iter().map(ResourceExt::resource_version));
    versions
        .extend(world.space.api::<Deployment>().list(&all).await.unwrap().iter().map(ResourceExt::resource_version));
    versions
}
