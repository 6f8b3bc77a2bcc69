//! The first thing that a person tries.

use std::{fs, process::Command};

use crate::support::{
    Job, Space, Stand,
    cluster::repository,
    job::spec,
    machine::{names_below, on_one_machine},
    results::{is_of_a_movie, timeless},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_cluster_gives_what_one_machine_gives() {
    let space = Space::new("quickstart").await;
    let stand = Stand::with(&space, 3).await;
    let job = Job::start(&space, &stand, "quickstart", |_| {}).await;
    let status = job.until_complete().await;
    let items = status.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed, items.pending), (3, 3, 0, 0));
    assert_eq!(status.progress.as_deref(), Some("3/3"));

    let machine = on_one_machine(&spec(&stand), 3);
    let files = stand.files("results").await;
    let names: Vec<&String> = files.keys().collect();
    let made = names_below(machine.path());
    assert_eq!(names, made.iter().collect::<Vec<_>>(), "the same files");
    // Pictures are there under the same names; the rest is read.
    for name in made.iter().filter(|name| !name.ends_with(".jpg")) {
        let (here, there) = (fs::read_to_string(machine.path().join(name)).unwrap(), stand.read("results", name).await);
        if is_of_a_movie(name) {
            let read = |text: &str| timeless(serde_json::from_str(text).unwrap());
            assert_eq!(read(&there), read(&here), "{name}");
        } else if [".csv", ".jsonl"].iter().any(|end| name.ends_with(end)) {
            assert_eq!(there, here, "{name}");
        }
    }

    // A person without a way to the volume takes the report from here.
    let copy = tempfile::tempdir().unwrap();
    let mut command = Command::new(repository().join("target/release/kubectl-analysis"));
    command.args(["report", "quickstart", "--namespace", space.name(), "--to"]).arg(copy.path());
    let ended = command.arg("--kubeconfig").arg(space.cluster().kubeconfig()).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let copied = names_below(copy.path());
    for name in ["report.html", "regions.csv"] {
        assert!(copied.iter().any(|copied| copied == name), "{name} of {copied:?}");
        assert_eq!(fs::read_to_string(copy.path().join(name)).unwrap(), stand.read("results", name).await, "{name}");
    }
}
