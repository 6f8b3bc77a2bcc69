//! A thousand indexes: ours, and a bare Indexed Job of the same pods.

use std::time::Duration;

use e2e::wait;
use k8s_openapi::api::{batch::v1, core::v1::Pod};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, PostParams},
};
use serde_json::{Value, json};

use crate::{
    figures::{Figure, thousands},
    paper::{Paper, bound_to_it},
    support::{Job, Space, Stand, cluster::HOME},
};

const INDEXES: u32 = 1000;
const PARALLELISM: u32 = 50;
const BOUND: Duration = Duration::from_mins(20);

/// Both by turns, so many times; and what the operator used meanwhile.
pub async fn of_a_thousand_indexes(times: usize) -> Vec<Figure> {
    let space = Space::new("thousand").await;
    let stand = Stand::with(&space, 0).await;
    let paper = Paper::unfold(space.client(), INDEXES).await;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let (mut cpu, mut memory) = (Vec::new(), 0.0_f64);
    for time in 0..times {
        let before = operator_use(&space).await;
        let (seconds, job) = with_operator(&space, &stand, time).await;
        let after = operator_use(&space).await;
        ours.push(seconds);
        cpu.push(after.0 - before.0);
        memory = memory.max(after.1);
        bare.push(alone(&space, &job, time).await);
    }
    paper.fold(space.client()).await;
    let over = (median(&ours) / median(&bare) - 1.0) * 100.0;
    let list = |all: &[f64]| all.iter().map(|one| format!("{one:.0}")).collect::<Vec<_>>().join(", ");
    vec![
        Figure::of(
            format!(
                "{} indexes, {PARALLELISM} pods at a time, over a bare Indexed Job of the same pods (medians of {times})",
                thousands(INDEXES.into())
            ),
            format!("{over:+.1} %"),
            "+5 %",
            over < 5.0,
        ),
        Figure::aside("— ours, and the bare Job", format!("{} s; {} s", list(&ours), list(&bare))),
        Figure::aside(
            "— the operator's processor time in one run (median), and its memory",
            format!("{:.1} s, {memory:.1} MiB", median(&cpu)),
        ),
    ]
}

/// Seconds from the start of our work Job to its end, and that Job.
async fn with_operator(space: &Space, stand: &Stand<'_>, time: usize) -> (f64, v1::Job) {
    let job = Job::start(space, stand, &format!("thousand-{time}"), |spec| {
        spec["cache"] = json!({"url": "http://no-cache-is-asked.invalid/"});
        spec["workers"]["parallelism"] = json!(PARALLELISM);
        spec["workers"]["podTemplate"] = bound_to_it();
    })
    .await;
    job.until("the run to be complete", BOUND, |status| crate::support::job::holds(status, "Complete").then_some(()))
        .await;
    let work = job.jobs("work").await.into_iter().next().unwrap();
    let seconds = seconds(&work).unwrap();
    job.api().delete(job.name(), &DeleteParams::foreground()).await.unwrap();
    until_no_pods(space).await;
    (seconds, work)
}

/// Seconds of a Job of the same pods, made by hand.
async fn alone(space: &Space, like: &v1::Job, time: usize) -> f64 {
    let mut spec = serde_json::to_value(like.spec.as_ref().unwrap()).unwrap();
    let fields = spec.as_object_mut().unwrap();
    fields.remove("selector");
    // What the operator and the Job controller write; by these labels the operator would take the pods for its own.
    fields["template"]["metadata"] = json!({"labels": {"app": "bare"}});
    fields.insert("completions".into(), json!(INDEXES));
    fields.insert("parallelism".into(), json!(PARALLELISM));
    fields.insert("suspend".into(), json!(false));
    let name = format!("bare-{time}");
    let job: v1::Job = object(json!({"metadata": {"name": name}, "spec": spec}));
    let jobs: Api<v1::Job> = space.api();
    jobs.create(&PostParams::default(), &job).await.unwrap();
    let seconds = wait::until("the bare Job to be complete", BOUND, async || {
        let job = jobs.get(&name).await.map_err(|error| error.to_string())?;
        seconds(&job).ok_or_else(|| format!("{:?}", job.status))
    })
    .await
    .unwrap();
    jobs.delete(&name, &DeleteParams::foreground()).await.unwrap();
    until_no_pods(space).await;
    seconds
}

fn object<K: serde::de::DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

/// From start to completion, as the Job controller writes it down.
fn seconds(job: &v1::Job) -> Option<f64> {
    let status = job.status.as_ref()?;
    let (start, end) = (status.start_time.as_ref()?, status.completion_time.as_ref()?);
    Some(end.0.duration_since(start.0).as_secs_f64())
}

/// One after the other: what is left of one slows the next.
async fn until_no_pods(space: &Space) {
    wait::until("the pods of the run to be gone", BOUND, async || {
        let pods = space.api::<Pod>().list_metadata(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let left = pods.items.iter().filter(|pod| !pod.name_any().starts_with("stand-")).count();
        if left == 0 { Ok(()) } else { Err(format!("{left} pods")) }
    })
    .await
    .unwrap();
}

/// Processor seconds and resident MiB of the operator, as its kubelet says.
async fn operator_use(space: &Space) -> (f64, f64) {
    let pods = Api::<Pod>::namespaced(space.client(), HOME).list(&ListParams::default()).await.unwrap().items;
    let node = pods.iter().find_map(|pod| pod.spec.as_ref()?.node_name.clone()).unwrap();
    let request = http::Request::get(format!("/api/v1/nodes/{node}/proxy/stats/summary")).body(Vec::new()).unwrap();
    let summary: Value = space.client().request(request).await.unwrap();
    let pods = summary["pods"].as_array().unwrap();
    let ours = pods.iter().find(|pod| pod["podRef"]["namespace"] == HOME).unwrap();
    let container = &ours["containers"][0];
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    (
        number(&container["cpu"]["usageCoreNanoSeconds"]) / 1e9,
        number(&container["memory"]["rssBytes"]) / f64::from(1 << 20),
    )
}

fn median(all: &[f64]) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
