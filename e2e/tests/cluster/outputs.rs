//! Where results go: an object store, a volume that is full.

use std::{collections::BTreeMap, fs, io::Write, path::PathBuf, process::Command};

use archive::{Fault, Rule};
use serde_json::{Value, json};

use crate::support::{
    Job, Space, Stand,
    cluster::scratch,
    job::{RUN, holds, phase},
    machine::{expected, names_below},
    results::{is_of_a_movie, timeless},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_bucket_takes_results_as_a_volume_does() {
    let space = Space::new("bucket").await;
    let stand = Stand::with(&space, 4).await;
    let output = stand.bucket();
    let job = Job::start(&space, &stand, "stored", |spec| spec["output"] = output).await;
    let items = job.until_complete().await.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (4, 4, 0));
    let in_bucket = stand.results("bucket/results/motion").await;
    assert_eq!(in_bucket, expected(4));
    assert_eq!(stand.results("results").await.len(), 0, "nothing went to the volume");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a cluster: make e2e"]
async fn a_full_volume_that_is_freed_loses_no_result() {
    let space = Space::new("full").await;
    let here = !space.cluster().provisions_volumes();
    assert!(here, "needs a node whose disk is this machine's; on another cluster leave it out: --skip full_volume");
    let small = SmallDisk::mount(&space);
    space.claim("small", Some(small.folder.clone())).await;
    let stand = Stand::with(&space, 4).await;
    stand.inject(Rule::on(".mov", Fault::Delay { ms: 1000 })).await;
    let job = Job::start(&space, &stand, "cramped", |spec| {
        spec["output"] = json!({"persistentVolumeClaim": {"claimName": "small"}});
        spec["retry"] = json!({"limitPerItem": 10});
    })
    .await;
    job.until("Planned", RUN, |status| holds(status, "Planned").then_some(())).await;
    small.fill();
    stand.heal().await;
    e2e::wait::until("a worker that could not write", RUN, async || {
        let phases: Vec<String> = job.pods("work").await.iter().map(phase).collect();
        if phases.iter().any(|phase| phase == "Failed") { Ok(()) } else { Err(format!("{phases:?}")) }
    })
    .await
    .unwrap();
    small.free();
    let items = job.until_complete().await.items.unwrap();
    assert_eq!((items.total, items.succeeded, items.failed), (4, 4, 0));
    let names = names_below(&small.folder).into_iter().filter(|name| is_of_a_movie(name));
    let read = |name: &String| serde_json::from_slice(&fs::read(small.folder.join(name)).unwrap()).unwrap();
    let results: BTreeMap<String, Value> = names.map(|name| (name.clone(), timeless(read(&name)))).collect();
    assert_eq!(results, expected(4));
}

/// A disk of 2 MB on this machine.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(space: &Space) -> Self {
        let folder = scratch("small").join(space.name());
        fs::create_dir_all(&folder).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m,mode=0777", "small"]).arg(&folder).status();
        assert!(mounted.unwrap().success(), "mounting needs root");
        Self { folder }
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut ballast = fs::File::create(self.folder.join("ballast")).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: pods of a test that failed still hold it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
        let _ = fs::remove_dir(&self.folder);
    }
}
