//! What the operator holds in memory: measured in a process of its own, which has the operator's stores and no mocked
//! cluster. It reads the objects from a file, one by one as from a watch, and looks at each AnalysisJob once.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::Command,
    sync::Arc,
};

use analysis_operator::{
    context::Context,
    lease::Leadership,
    metrics::Metrics,
    reconcile::{reconcile, validate::Images},
    stores::{Children, Kept, Stores},
    watches::Guarded,
};
use analysisjob::AnalysisJob;
use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{ConfigMap, Pod, Service},
};
use kube::runtime::{reflector, watcher::Event};
use mockapi::{Kind, MockApi};
use serde::de::DeserializeOwned;

use crate::{
    figures::{Figure, thousands},
    world::{SCIENCE, World},
};

/// The argument by which the child knows what it is; a file and a time follow.
pub const CHILD: &str = "--memory-of";

/// Has a child measure what the objects of `world` take.
pub fn parent(world: &World) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("objects");
    let mut out = BufWriter::new(File::create(&file).unwrap());
    let jobs = write::<AnalysisJob>(world, &mut out);
    let counts = [
        write::<Job>(world, &mut out),
        write::<Deployment>(world, &mut out),
        write::<Service>(world, &mut out),
        write::<ConfigMap>(world, &mut out),
        write::<Pod>(world, &mut out),
    ];
    out.into_inner().unwrap().flush().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let said = child.arg(CHILD).arg(&file).arg(world.api.now().to_string()).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8(said.stdout).unwrap();
    let said: Vec<(&str, f64)> = said.lines().map(|line| line.split_once(' ').unwrap()).map(size).collect();
    let find = |what: &str| said.iter().find(|(said, _)| *said == what).unwrap().1;
    let (empty, looked) = (find(EMPTY), find(LOOKED));
    let [work, caches, services, configs, pods] = counts.map(|count| thousands(count as u64));
    let what = format!(
        "resident memory with {} AnalysisJobs ({work} Jobs, {caches} Deployments, {services} Services, {configs} ConfigMaps, \
         {pods} pods), all looked at",
        thousands(jobs as u64)
    );
    vec![
        Figure::of(what, format!("{looked:.1} MiB"), "50 MiB", looked < 50.0),
        Figure::aside("— of that before the stores are filled", format!("{empty:.1} MiB")),
        Figure::aside("— added by the objects in the stores", added(&said)),
        Figure::aside("— added by looking at all", format!("{:.1} MiB", looked - said[said.len() - 2].1)),
    ]
}

fn size<'a>((what, kib): (&'a str, &str)) -> (&'a str, f64) {
    (what, kib.parse::<f64>().unwrap() / 1024.0)
}

/// What each kind added.
fn added(said: &[(&str, f64)]) -> String {
    let steps = said.windows(2).filter(|pair| pair[1].0 != LOOKED);
    let steps: Vec<String> = steps.map(|pair| format!("{} {:.1}", pair[1].0, pair[1].1 - pair[0].1)).collect();
    format!("{} MiB", steps.join(", "))
}

fn write<K: Kind>(world: &World, out: &mut impl Write) -> usize {
    let objects = world.api.list::<K>(SCIENCE);
    for object in &objects {
        writeln!(out, "{} {}", K::kind(&()), serde_json::to_string(object).unwrap()).unwrap();
    }
    objects.len()
}

const EMPTY: &str = "empty";
const LOOKED: &str = "looked";

/// The child: prints its resident memory in KiB before anything, after each kind, and when all were looked at.
pub async fn child(file: &Path, now: &str) {
    let api = MockApi::new();
    api.set_time(now.parse().unwrap());
    let context = context(&api);
    println!("{EMPTY} {}", resident());
    let (jobs, mut writer) = reflector::store::<Guarded>();
    fill(&context.stores, &mut writer, file);
    for job in jobs.state() {
        reconcile(job, Arc::clone(&context)).await.unwrap();
    }
    assert_eq!(api.operator().writes(), 0, "the child is to look only");
    println!("{LOOKED} {}", resident());
}

/// Takes the objects in as a first listing, and says after each kind what is resident.
fn fill(stores: &Stores, jobs: &mut reflector::store::Writer<Guarded>, file: &Path) {
    each(stores, &Turn::Begins);
    jobs.apply_watcher_event(&Event::Init);
    let mut last = String::new();
    for line in BufReader::new(File::open(file).unwrap()).lines() {
        let line = line.unwrap();
        let (kind, object) = line.split_once(' ').unwrap();
        if kind != last && !last.is_empty() {
            println!("{last} {}", resident());
        }
        kind.clone_into(&mut last);
        match kind {
            "AnalysisJob" => jobs.apply_watcher_event(&Event::InitApply(serde_json::from_str(object).unwrap())),
            "Job" => add(&stores.jobs, object),
            "Deployment" => add(&stores.deployments, object),
            "Service" => add(&stores.services, object),
            "ConfigMap" => add(&stores.configs, object),
            _ => add(&stores.pods, object),
        }
    }
    jobs.apply_watcher_event(&Event::InitDone);
    each(stores, &Turn::Ends);
    println!("{last} {}", resident());
}

/// Where a listing is.
enum Turn {
    Begins,
    Ends,
}

fn each(Stores { jobs, configs, deployments, services, claims, pods }: &Stores, turn: &Turn) {
    tell(jobs, turn);
    tell(configs, turn);
    tell(deployments, turn);
    tell(services, turn);
    tell(claims, turn);
    tell(pods, turn);
}

fn tell<K: Kept>(children: &Children<K>, turn: &Turn) {
    children.apply(match turn {
        Turn::Begins => Event::Init,
        Turn::Ends => Event::InitDone,
    });
}

fn add<K: Kept + DeserializeOwned>(children: &Children<K>, object: &str) {
    children.apply(Event::InitApply(serde_json::from_str(object).unwrap()));
}

fn context(api: &MockApi) -> Arc<Context> {
    // As in the world whose objects these are: other images would be another Deployment.
    let images = Images { worker: "analysis-worker:test".into(), cache: "lazycache:test".into() };
    let (client, stores, metrics) = (api.client(), Stores::default(), Metrics::new());
    let mut context = Context::new(client, stores, Leadership::always(), images, metrics, "bench".into());
    let clock = api.clone();
    context.clock = Arc::new(move || clock.now());
    Arc::new(context)
}

/// Resident memory of this process in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}
