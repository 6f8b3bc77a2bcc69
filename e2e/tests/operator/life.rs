//! From `kubectl apply` to Complete, as a person sees it.

use std::collections::BTreeMap;

use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{ConfigMap, Event, Service},
};
use kube::{Resource, ResourceExt, api::ListParams};
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_goes_from_apply_to_complete() {
    let world = World::new("life", 4).await;
    for role in ["plan", "work", "collect"] {
        world.kubelet.hold(role);
    }
    world.kubelet.set(|play| play.broken = 1);
    world.apply("a", json!({"retry": {"maxFailedItems": "50%"}})).await;
    for (phase, role) in [("Planning", "plan"), ("Running", "work"), ("Collecting", "collect")] {
        world.until("a", "Ready", &format!("True/{phase}")).await;
        if phase == "Running" {
            world.until("a", "CacheReady", "True/AsExpected").await;
            let two_active = async || {
                let active = world.status("a").await.workers.unwrap_or_default().active;
                if active == 2 { Ok(()) } else { Err(active.to_string()) }
            };
            world.until_true("two active workers", two_active).await;
            owned(&world).await;
        }
        show(&world, phase);
        world.kubelet.release(role);
    }
    world.until_complete("a").await;
    show(&world, "Complete");
    counted(&world).await;
    world
        .until_true("the cache to go", async || {
            let pods = world.pods("cache").await.len();
            if pods == 0 { Ok(()) } else { Err(format!("{pods} pods")) }
        })
        .await;
    assert_eq!(world.cache_replicas("a").await, Some(0));
    assert_eq!(world.kubelet.done(), ["collect", "plan", "work 0", "work 1", "work 2", "work 3"]);
    told_once(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_mean_what_the_contract_says() {
    let world = World::new("codes", 4).await;
    world.kubelet.set(|play| {
        play.broken = 2;
        play.codes = [
            ("plan", vec![69]),   // tried again
            ("work 0", vec![65]), // given up
            ("work 1", vec![1]),  // no retry is allowed
            ("work 2", vec![75]), // an interruption does not count
        ]
        .into();
    });
    world.apply("a", json!({"retry": {"limitPerItem": 0, "maxFailedItems": 2}})).await;
    // Kubernetes waits 10 s before it tries again.
    let status = world.until_complete("a").await;
    assert_eq!(world.kubelet.done(), ["collect", "plan", "work 2", "work 3"]);
    assert!(world.kubelet.play.lock().unwrap().codes.values().all(Vec::is_empty));
    let work = world.child("a", "work").await.status.unwrap();
    assert_eq!((work.completed_indexes.as_deref(), work.failed_indexes.as_deref()), (Some("2,3"), Some("0,1")));
    let items = status.items.unwrap();
    assert_eq!((items.succeeded, items.failed, items.pending), (2, 2, 0));
}

/// Prints what a person sees, and holds that STATUS is the phase.
fn show(world: &World, phase: &str) {
    let text = world.get("a");
    println!("{text}");
    let words: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert!(words.contains(&phase), "{text}");
}

/// The collect pod's words are the truth of the run.
async fn counted(world: &World) {
    let status = world.status("a").await;
    let items = serde_json::to_value(status.items.unwrap()).unwrap();
    assert_eq!(items, json!({"total": 5, "upToDate": 1, "succeeded": 3, "active": 0, "pending": 0, "failed": 1}));
    assert_eq!(status.progress.as_deref(), Some("4/5"));
    let (failures, run) = (status.failures.unwrap(), status.run.unwrap());
    assert_eq!((failures.count, failures.samples.len()), (1, 1));
    assert_eq!(failures.report, Some(format!(".analysis/{}/failures.jsonl", run.id)));
    assert_eq!(run.jobs.len(), 3);
    assert!(status.completion_time.is_some());
}

async fn owned(world: &World) {
    let uid = world.jobs().get("a").await.unwrap().uid();
    let owners = [
        owners::<Job>(world).await,
        owners::<ConfigMap>(world).await,
        owners::<Deployment>(world).await,
        owners::<Service>(world).await,
    ];
    assert_eq!(owners.each_ref().map(Vec::len), [2, 1, 1, 1]);
    assert!(owners.iter().flatten().all(|owner| *owner == uid), "{owners:?}");
}

/// Of every child, the uid of its controller.
async fn owners<K>(world: &World) -> Vec<Option<String>>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + serde::de::DeserializeOwned
        + std::fmt::Debug,
{
    let ours = ListParams::default().labels(analysisjob::labels::JOB);
    let children = world.space.api::<K>().list(&ours).await.unwrap().items;
    let uid = |child: &K| {
        child.owner_references().iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
    };
    children.iter().map(uid).collect()
}

async fn told_once(world: &World) {
    let events = world.space.api::<Event>();
    let of_job = ListParams::default().fields("involvedObject.kind=AnalysisJob,involvedObject.name=a");
    let all = ["CacheReady", "Collecting", "Complete", "Planned", "Planning", "Running"];
    let told = world
        .until_true("the events", async || {
            let mut told: BTreeMap<String, usize> = BTreeMap::new();
            for event in events.list(&of_job).await.unwrap().items {
                let count = event.series.and_then(|series| series.count).or(event.count).unwrap_or(1);
                *told.entry(event.reason.unwrap()).or_default() += usize::try_from(count.max(1)).unwrap();
            }
            if told.len() >= all.len() { Ok(told) } else { Err(format!("{told:?}")) }
        })
        .await;
    println!("{}", crate::world::printed(&world.space.kubectl(&["events", "--for", "analysisjob/a"]).unwrap()));
    assert_eq!(told, all.map(|reason| (reason.to_owned(), 1)).into());
}
