//! The pod that reads files of a claim: restricted, read-only, gone in a moment. Pure.
//!
//! It runs `analysis-worker export`, which prints one piece of the files (`plan::parcel`). A piece stays well below the 10 MiB
//! at which a kubelet by default begins a new log file, because `logs` gives the newest one only.

use analysisjob::{AnalysisJob, labels, managers};
use serde_json::{Value, json};

/// The most bytes, compressed, that are read at once; as base64 a third more.
pub const PIECE: u64 = 5 << 20;
/// Everyone's UID in this project's images.
const UID: u32 = 10_001;
/// Where the claim is mounted.
const MOUNT: &str = "/results";

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The claim.
    pub claim: String,
    /// The output's folder in it; empty for its root.
    pub folder: String,
    /// Which files.
    pub files: Files,
    /// An image of the worker.
    pub image: String,
    /// The longest it may run, in seconds.
    pub timeout: u32,
}

/// Files of an output, by their names in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// It has to be there.
    pub file: String,
    /// Files, and folders' files, that come too where they are there.
    pub also: Vec<String>,
    /// The pictures of all movies.
    pub pictures: bool,
}

impl Files {
    /// One file.
    pub fn one(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }
}

/// The pod that prints the piece that begins at byte `from`.
pub fn piece(job: &AnalysisJob, name: &str, source: &Source, from: u64) -> Value {
    let Files { file, also, pictures } = &source.files;
    let mut words = vec!["--file".to_owned(), file.clone()];
    words.extend(also.iter().flat_map(|name| ["--also".to_owned(), name.clone()]));
    words.extend(pictures.then(|| "--pictures".to_owned()));
    words.extend(["--from".to_owned(), from.to_string(), "--limit".to_owned(), PIECE.to_string()]);
    let mut pod = pod(job, name, source, &words);
    // Should nobody be left to delete it, it goes with the AnalysisJob. It is not the job's child: no controller.
    if let Some(uid) = &job.metadata.uid {
        let owner = json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "uid": uid,
                           "name": job.metadata.name.as_deref().unwrap_or_default()});
        pod["metadata"]["ownerReferences"] = json!([owner]);
    }
    pod
}

/// The pod that prints the file as it is, for a person to make.
pub fn whole(job: &AnalysisJob, name: &str, source: &Source) -> Value {
    pod(job, name, source, &["--file".to_owned(), source.files.file.clone(), "--plain".to_owned()])
}

fn pod(job: &AnalysisJob, name: &str, source: &Source, words: &[String]) -> Value {
    let metadata = json!({"name": name, "labels": {
        labels::APP_NAME: labels::APP, labels::MANAGED_BY: managers::PLUGIN,
    }});
    let folder = [MOUNT, source.folder.trim_matches('/')].join("/");
    let mut command = vec!["analysis-worker", "export", folder.trim_end_matches('/')];
    command.extend(words.iter().map(String::as_str));
    let container = json!({
        "name": "reader", "image": source.image, "command": command,
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "results", "mountPath": MOUNT, "readOnly": true}],
    });
    // Read-only where it is mounted, not where it is attached: some drivers refuse that while workers write.
    let claim = json!({"claimName": source.claim});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {
        "restartPolicy": "Never", "activeDeadlineSeconds": source.timeout, "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": false, "enableServiceLinks": false,
        "imagePullSecrets": job.spec.workers.image_pull_secrets,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": UID, "runAsGroup": UID, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "results", "persistentVolumeClaim": claim}],
    }})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::job;
    use k8s_openapi::api::core::v1::Pod;

    fn source(file: &str) -> Source {
        Source {
            claim: "results".to_owned(),
            folder: String::new(),
            files: Files::one(file),
            image: "worker:1".to_owned(),
            timeout: 60,
        }
    }

    #[test]
    fn it_is_a_pod_the_restricted_profile_admits() {
        let pod = piece(&job(), "x", &source("report.html"), 0);
        let typed: Pod = serde_json::from_value(pod.clone()).unwrap();
        let spec = typed.spec.unwrap();
        let security = spec.security_context.unwrap();
        assert_eq!((security.run_as_non_root, security.run_as_user), (Some(true), Some(10_001)));
        let container = &pod["spec"]["containers"][0]["securityContext"];
        assert_eq!(container["capabilities"], json!({"drop": ["ALL"]}));
        assert_eq!(container["allowPrivilegeEscalation"], false);
        assert_eq!(
            (spec.automount_service_account_token, spec.restart_policy.as_deref()),
            (Some(false), Some("Never"))
        );
        assert_eq!(typed.metadata.owner_references.unwrap()[0].uid, "u-1");
    }

    fn command(pod: &Value) -> String {
        let words = pod["spec"]["containers"][0]["command"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn it_says_which_files_and_from_where() {
        let report = Files {
            file: "report.html".to_owned(),
            also: vec!["report".to_owned(), "regions.csv".to_owned()],
            pictures: true,
        };
        let source = Source { files: report, folder: "motion/2018/".to_owned(), ..source("") };
        assert_eq!(
            command(&piece(&job(), "x", &source, 17)),
            "analysis-worker export /results/motion/2018 --file report.html --also report --also regions.csv --pictures \
             --from 17 --limit 5242880"
        );
        assert_eq!(
            command(&whole(&job(), "x", &self::source("a b.html"))),
            "analysis-worker export /results --file a b.html --plain"
        );
    }
}
