//! Strategy Queue: one list, workers of several namespaces.

use std::{collections::BTreeSet, fs, time::Duration};

use archive::{Fault, Rule};
use e2e::wait;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Pod, Secret},
};
use kube::{ResourceExt, api::DeleteParams};
use serde_json::{Value, json};

use crate::support::{
    Job, Space, Stand,
    cluster::scratch,
    job::{START, holds, phase},
    machine::expected,
    results::is_of_a_movie,
};

const MOVIES: u32 = 40;

/// The Redis of manifests/components, in the space.
async fn start_redis(space: &Space) -> String {
    let folder = scratch("redis").join(space.name());
    fs::create_dir_all(&folder).unwrap();
    let image = space.cluster().image("redis");
    let (name, tag) = image.rsplit_once(':').unwrap();
    let site = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": space.name(),
        "resources": ["../../../../manifests/components/redis"],
        "images": [{"name": "redis", "newName": name, "newTag": tag}],
    });
    fs::write(folder.join("kustomization.yaml"), site.to_string()).unwrap();
    let applied = space.cluster().kubectl(["apply", "--server-side", "-k", folder.to_str().unwrap()]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    wait::until("Redis to be ready", START, async || {
        let found = space.api::<Deployment>().get("redis").await.map_err(|error| error.to_string())?;
        let ready = found.status.and_then(|status| status.ready_replicas);
        if ready == Some(1) { Ok(()) } else { Err(format!("{ready:?}")) }
    })
    .await
    .unwrap();
    format!("redis://redis.{}.svc:6379/0", space.name())
}

fn workers(spec: &mut Value, redis: &str, role: &str) {
    spec["workers"]["strategy"] = json!("Queue");
    spec["workers"]["queue"] = json!({"redis": {"url": redis}, "stream": "tests", "role": role});
    spec["workers"]["parallelism"] = json!(3);
    // Killed workers are missed sooner than by default.
    spec["workers"]["env"] = json!([{"name": "ANALYSIS_SILENCE_SECONDS", "value": "5"}]);
    spec["workers"]["itemsPerIndex"] = json!("Auto");
}

/// Ends one running worker at once, as a node that dies does; the `turn` decides which.
async fn kill_one(space: &Space, job: &Job<'_>, turn: usize) -> bool {
    let running: Vec<Pod> = job.pods("work").await.into_iter().filter(|pod| phase(pod) == "Running").collect();
    let Some(pod) = running.get(turn.wrapping_mul(7) % running.len().max(1)) else { return false };
    let at_once = DeleteParams::default().grace_period(0);
    space.api::<Pod>().delete(&pod.name_any(), &at_once).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn workers_of_two_namespaces_do_one_list_though_pods_and_redis_are_killed() {
    let (space, other) = (Space::new("queue").await, Space::new("lender").await);
    let (redis, stand) = (start_redis(&space).await, Stand::with(&space, MOVIES).await);
    let keys = space.api::<Secret>().get("results-keys").await.unwrap();
    let copy = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "results-keys"}, "data": keys.data});
    other.apply::<Secret>("results-keys", &copy).await;
    // Reads are late, so that workers have something in hand.
    stand.inject(Rule::on(".mov", Fault::Delay { ms: 300 })).await;
    let lent = Job::start(&other, &stand, "lent", |spec| {
        spec["output"] = stand.bucket();
        spec["source"].as_object_mut().unwrap().remove("prefixes");
        spec["retry"] = json!({"limitPerItem": 10});
        workers(spec, &redis, "Consumer");
    })
    .await;
    lent.until_running("work", 3).await;
    let job = Job::start(&space, &stand, "shared", |spec| {
        spec["output"] = stand.bucket();
        spec["retry"] = json!({"limitPerItem": 10});
        workers(spec, &redis, "ProducerAndConsumer");
    })
    .await;
    let (mut turn, mut killed) = (0, 0);
    loop {
        let status = job.status().await;
        assert!(!holds(&status, "Failed"), "{status:?}");
        if holds(&status, "Complete") {
            break;
        }
        turn += 1;
        let (there, theirs) = if turn % 2 == 0 { (&space, &job) } else { (&other, &lent) };
        killed += usize::from(turn <= 16 && kill_one(there, theirs, turn).await);
        if turn == 6 {
            // It comes back empty: its disk goes with its pod.
            let ours = ["delete", "pod", "--namespace", space.name(), "-l", "app.kubernetes.io/name=redis", "--now"];
            assert!(space.cluster().kubectl(ours).status.success());
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(turn < 400, "{status:?}");
    }
    stand.heal().await;
    let items = job.until_complete().await.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (MOVIES, MOVIES, 0));
    assert_eq!(stand.results("bucket/results/motion").await, expected(MOVIES));
    assert!(killed >= 5, "{killed} workers were killed");
    let hosts = hosts(&stand).await;
    assert!(
        ["shared-workers-", "lent-workers-"].iter().all(|name| hosts.iter().any(|host| host.starts_with(name))),
        "{hosts:?}"
    );
    assert!(lent.status().await.conditions.iter().any(|one| one.type_ == "Ready" && one.reason == "Lending"));
}

/// Which pods the results are from.
async fn hosts(stand: &Stand<'_>) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    let output = "bucket/results/motion";
    for path in stand.files(output).await.into_keys().filter(|path| is_of_a_movie(path) && !path.contains("regions")) {
        let value: Value = serde_json::from_str(&stand.read(output, &path).await).unwrap();
        hosts.insert(value["performance"]["hostinfo"]["hostname"].as_str().unwrap().to_owned());
    }
    hosts
}
