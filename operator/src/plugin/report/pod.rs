//! The pod that reads one file of a claim: restricted, read-only, gone in a moment. Pure.
//!
//! It prints `SIZE MTIME`, then one piece of the file as base64. A piece stays well below the 10 MiB at which a kubelet
//! by default begins a new log file, because `logs` gives the newest one only.

use analysisjob::{AnalysisJob, labels, managers};
use serde_json::{Value, json};

/// The most bytes of a file that are read at once.
pub const PIECE: u64 = 5 << 20;
/// Exit code of the pod: the file is not there.
pub const NO_FILE: i32 = 3;
/// Exit code of the pod: the file is there, and cannot be read.
pub const NO_ACCESS: i32 = 4;
/// Everyone's UID in this project's images.
const UID: u32 = 10_001;
/// Where the claim is mounted.
const MOUNT: &str = "/results";

/// Prints one piece; FILE, FROM (counted from 1) and COUNT are its environment.
const PRINT_PIECE: &str = "cd /results && [ -f \"$FILE\" ] || exit 3\n[ -r \"$FILE\" ] || exit 4\n\
    stat -L -c '%s %Y' \"$FILE\" && tail -c \"+$FROM\" \"$FILE\" | head -c \"$COUNT\" | base64 -w 4096";
/// Prints the whole file as it is.
const PRINT_FILE: &str = "cat \"/results/$FILE\"";

/// What a pod reads, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The claim.
    pub claim: String,
    /// The file, as a path from the claim's root.
    pub file: String,
    /// An image with a shell and coreutils.
    pub image: String,
    /// The longest it may run, in seconds.
    pub timeout: u32,
}

/// The pod that prints the piece that begins `offset` bytes into the file.
pub fn piece(job: &AnalysisJob, name: &str, source: &Source, offset: u64) -> Value {
    let env = json!([
        {"name": "FILE", "value": source.file},
        {"name": "FROM", "value": (offset + 1).to_string()},
        {"name": "COUNT", "value": PIECE.to_string()},
    ]);
    let mut pod = pod(job, name, source, PRINT_PIECE, &env);
    // Should nobody be left to delete it, it goes with the AnalysisJob. It is not the job's child: no controller.
    if let Some(uid) = &job.metadata.uid {
        let owner = json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob", "uid": uid,
                           "name": job.metadata.name.as_deref().unwrap_or_default()});
        pod["metadata"]["ownerReferences"] = json!([owner]);
    }
    pod
}

/// The pod that prints the whole file, for a person to make.
pub fn whole(job: &AnalysisJob, name: &str, source: &Source) -> Value {
    pod(job, name, source, PRINT_FILE, &json!([{"name": "FILE", "value": source.file}]))
}

fn pod(job: &AnalysisJob, name: &str, source: &Source, script: &str, env: &Value) -> Value {
    let metadata = json!({"name": name, "labels": {
        labels::APP_NAME: labels::APP, labels::MANAGED_BY: managers::PLUGIN,
    }});
    let container = json!({
        "name": "reader", "image": source.image, "command": ["/bin/sh", "-c", script], "env": env,
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
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
    use std::process::Command;

    fn source(file: &str) -> Source {
        Source { claim: "results".to_owned(), file: file.to_owned(), image: "worker:1".to_owned(), timeout: 60 }
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

    /// Runs a script as the pod would, with `folder` in place of the mounted claim.
    fn run(script: &str, folder: &std::path::Path, file: &str, from: u64) -> (Option<i32>, String) {
        let script = script.replace(MOUNT, folder.to_str().unwrap());
        let env = [("FILE", file.to_owned()), ("FROM", from.to_string()), ("COUNT", "4".to_owned())];
        let output = Command::new("/bin/sh").args(["-c", &script]).envs(env).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn the_script_prints_a_piece_after_size_and_time() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a b.html"), "0123456789").unwrap();
        let (code, said) = run(PRINT_PIECE, folder.path(), "a b.html", 5);
        let (header, rest) = said.split_once('\n').unwrap();
        assert!(code == Some(0) && header.starts_with("10 "), "{said}");
        assert_eq!(rest, "NDU2Nw==\n", "4567");
        assert_eq!(run(PRINT_PIECE, folder.path(), "missing", 1).0, Some(NO_FILE));
        assert_eq!(run(PRINT_FILE, folder.path(), "a b.html", 1), (Some(0), "0123456789".to_owned()));
    }
}
