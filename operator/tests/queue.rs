//! Strategy Queue, played on a mocked API and cluster: the operator never speaks to Redis, and knows how far a run is from
//! its Jobs alone.
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod world;

use k8s_openapi::api::{apps::v1::Deployment, batch::v1::Job};
use serde_json::{Value, json};
use world::{SCIENCE, World};

fn queue(role: &str) -> Value {
    json!({"strategy": "Queue", "parallelism": 4, "queue": {"redis": {"url": "redis://redis:6379"}, "stream": "camhd", "role": role}})
}

fn consumer() -> Value {
    json!({"workers": queue("Consumer"), "source": {"prefixes": null}})
}

fn workers(world: &World, name: &str) -> Option<Deployment> {
    world.api.get(SCIENCE, &format!("{name}-workers"))
}

fn replicas(world: &World, name: &str) -> Option<i32> {
    workers(world, name)?.spec?.replicas
}

#[tokio::test]
async fn a_list_is_fed_drained_by_a_deployment_and_collected() {
    let mut world = World::new(40, 1);
    world.pods.with(SCIENCE, "a", |ledger| ledger.items_per_index = 4);
    world.create("a", json!({"workers": queue("ProducerAndConsumer")}));
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        world.step().await;
        seen.push(world.condition("a", "Ready"));
        sizes.push(replicas(&world, "a").unwrap_or(-1));
    }
    seen.dedup();
    sizes.dedup();
    assert_eq!(seen, ["True/Planning", "True/Running", "True/Collecting", "True/Complete"]);
    assert_eq!(sizes, [-1, 4, 0], "no workers before there is work, and none after");
    assert_eq!(world.status("a").progress.as_deref(), Some("40/40"));
    let ledger = world.pods.ledger(SCIENCE, "a");
    assert_eq!((ledger.missing(), ledger.computed_twice(), ledger.collected), (0, 0, 1));
    assert_eq!((world.cache_replicas("a"), world.errors.clone()), (Some(0), Vec::<String>::new()));
}

#[tokio::test]
async fn progress_and_workers_are_told_while_the_list_is_drained() {
    let mut world = World::new(40, 1);
    world.pods.with(SCIENCE, "a", |ledger| {
        ledger.items_per_index = 4;
        ledger.steps_per_item = 3;
    });
    world.create("a", json!({"workers": queue("ProducerAndConsumer")}));
    world.until(60, "at work", |world| world.status("a").workers.unwrap_or_default().ready == 4).await;
    let status = world.status("a");
    let (items, workers) = (status.items.unwrap(), status.workers.unwrap());
    assert_eq!((workers.desired, workers.active, workers.ready, items.active), (4, 4, 4, 4));
    assert_eq!(items.succeeded + items.active + items.pending, 40);
    let feed = world.child("a", "work").unwrap().spec.unwrap();
    let pod = feed.template.spec.unwrap();
    assert_eq!((feed.parallelism, feed.completions), (Some(10), Some(10)), "all of the list is looked after");
    assert_eq!(pod.containers[0].command.as_deref().unwrap()[1], "feed");
}

#[tokio::test]
async fn scale_and_suspend_act_on_the_workers_at_once_and_start_no_run() {
    let mut world = World::new(60, 1);
    world.pods.with(SCIENCE, "a", |ledger| {
        ledger.items_per_index = 6;
        ledger.steps_per_item = 4;
    });
    world.create("a", json!({"workers": queue("ProducerAndConsumer")}));
    world.until(30, "running", |world| world.condition("a", "Ready") == "True/Running").await;
    let run = world.status("a").run.unwrap().id;
    world.edit("a", |job| job.spec.workers.parallelism = 9);
    world.settle().await;
    assert_eq!(replicas(&world, "a"), Some(9));
    world.edit("a", |job| job.spec.suspend = true);
    world.settle().await;
    assert_eq!(replicas(&world, "a"), Some(0));
    world.edit("a", |job| job.spec.suspend = false);
    world.until(120, "complete", |world| world.is("a", "Complete")).await;
    assert_eq!(world.status("a").run.unwrap().id, run);
    let ledger = world.pods.ledger(SCIENCE, "a");
    assert_eq!((ledger.missing(), ledger.computed_twice()), (0, 0));
}

#[tokio::test]
async fn a_consumer_only_lends_workers_and_never_ends() {
    let mut world = World::new(40, 1);
    world.create("c", consumer());
    for _ in 0..20 {
        world.step().await;
    }
    assert_eq!(
        (world.condition("c", "Ready"), world.condition("c", "Complete")),
        ("True/Lending".into(), "False/Lending".into())
    );
    assert_eq!((replicas(&world, "c"), world.cache_replicas("c")), (Some(4), Some(1)));
    assert_eq!((world.jobs(), world.status("c").items), (Vec::new(), None));
    assert_eq!(world.status("c").workers.unwrap().ready, 4);
    world.settle().await;
    let before = world.api.operator().writes();
    for _ in 0..20 {
        world.api.advance(60);
        world.reconcile().await;
    }
    assert_eq!(world.api.operator().writes(), before, "idle is idle");
    world.edit("c", |job| job.spec.suspend = true);
    world.until(10, "no workers", |world| world.status("c").workers.unwrap_or_default().active == 0).await;
    assert_eq!((world.cache_replicas("c"), world.condition("c", "Suspended")), (Some(0), "True/Suspended".into()));
}

#[tokio::test]
async fn a_consumer_whose_work_changes_goes_on_with_the_new_work() {
    let mut world = World::new(4, 1);
    world.create("c", consumer());
    world.until(20, "lending", |world| world.status("c").workers.unwrap_or_default().ready == 4).await;
    let run = world.status("c").run.unwrap().id;
    world.edit("c", |job| job.spec.retry.limit_per_item = 9);
    world.until(20, "another run", |world| world.status("c").run.unwrap_or_default().id != run).await;
    world.until(20, "lending", |world| world.status("c").workers.unwrap_or_default().ready == 4).await;
    let template = workers(&world, "c").unwrap().spec.unwrap().template.spec.unwrap();
    let config = format!("c-{}", world.status("c").run.unwrap().id);
    let mounted = template.volumes.unwrap().into_iter().filter_map(|volume| volume.config_map);
    assert_eq!(mounted.map(|volume| volume.name).collect::<Vec<_>>(), [config]);
}

#[tokio::test]
async fn the_address_with_its_password_is_in_no_object_but_the_secret() {
    let mut world = World::new(4, 1);
    let secret = json!({"workers": {"strategy": "Queue", "queue": {
        "redis": {"urlSecretRef": {"name": "redis", "key": "url"}}, "stream": "camhd"}}});
    world.create("a", secret);
    world.until(30, "working", |world| world.child("a", "work").is_some()).await;
    let pods = [
        world.child("a", "work").unwrap().spec.unwrap().template.spec.unwrap(),
        workers(&world, "a").unwrap().spec.unwrap().template.spec.unwrap(),
    ];
    for pod in pods {
        let env = pod.containers[0].env.clone().unwrap();
        let address = env.iter().find(|one| one.name == "ANALYSIS_REDIS").unwrap();
        let from = address.value_from.clone().unwrap().secret_key_ref.unwrap();
        assert_eq!((address.value.clone(), from.name.as_str(), from.key.as_str()), (None, "redis", "url"));
    }
}

#[tokio::test]
async fn kueue_and_a_queue_of_workers_exclude_each_other_in_words() {
    let mut world = World::new(4, 1);
    let mut job = world::job("a", json!({"workers": queue("ProducerAndConsumer")}));
    job.metadata.labels = Some([("kueue.x-k8s.io/queue-name".to_owned(), "science".to_owned())].into());
    world.api.put(&job).unwrap();
    world.settle().await;
    assert_eq!(world.condition("a", "Stalled"), "True/Unsupported");
    assert!(world.message("a", "Stalled").contains("remove the label kueue.x-k8s.io/queue-name"));
    assert_eq!(world.api.list::<Job>(SCIENCE).len(), 0);
}

#[tokio::test]
async fn a_change_of_the_work_drains_the_old_run_before_the_new_one_begins() {
    for policy in ["Drain", "Replace"] {
        let mut world = World::new(40, 1);
        world.pods.with(SCIENCE, "a", |ledger| {
            ledger.items_per_index = 4;
            ledger.steps_per_item = 3;
        });
        world.create("a", json!({"updatePolicy": policy, "workers": queue("ProducerAndConsumer")}));
        world.until(60, "half way", |world| world.pods.ledger(SCIENCE, "a").done() >= 8).await;
        let old = world.status("a").run.unwrap().id;
        world.edit("a", |job| job.spec.retry.limit_per_item = 5);
        for _ in 0..120 {
            world.step().await;
            let runs: std::collections::BTreeSet<String> = world
                .api
                .list::<Job>(SCIENCE)
                .into_iter()
                .filter_map(|job| job.metadata.labels?.get("camhd.science/run").cloned())
                .collect();
            assert!(runs.len() <= 1, "{policy}: {runs:?}");
        }
        assert!(world.is("a", "Complete"), "{policy}");
        assert_ne!(world.status("a").run.unwrap().id, old);
        let ledger = world.pods.ledger(SCIENCE, "a");
        assert_eq!((ledger.missing(), ledger.unexplained()), (0, 0), "{policy}");
        assert_eq!(replicas(&world, "a"), Some(0));
    }
}
