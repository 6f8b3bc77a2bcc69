//! Reads one file of a claim without exec: a pod prints a piece of it, its log is read, the pod is deleted; then the
//! next piece. Every piece carries the file's size and time, so that what was cut or changed meanwhile is noticed.

use std::{
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use analysisjob::{AnalysisJob, managers};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{
    Api,
    api::{DeleteParams, LogParams, PostParams},
};

use super::{
    answer::{Piece, exit_code, parse, waits_for},
    place::Place,
    pod::{self, NO_ACCESS, NO_FILE, PIECE, Source},
};
use crate::plugin::{
    args::ReaderArgs,
    connect::Session,
    console::{Console, uncut},
    error::PluginError,
    jobs::{failed_to, patiently},
    plan::{suffix, temporary::gone},
    words::printable,
};

/// How long deleting may take before it is left to the owner reference.
const DELETE: Duration = Duration::from_secs(15);

/// What is read, and where.
pub struct Reader<'a> {
    job: &'a AnalysisJob,
    session: &'a Session,
    source: Source,
    /// The file's name in the output, for people.
    file: String,
}

impl<'a> Reader<'a> {
    /// A reader of `file` of the job's output; refused for a bucket, with the command that does it.
    pub async fn new(
        job: &'a AnalysisJob,
        place: &Place,
        file: &str,
        args: &ReaderArgs,
        session: &'a Session,
    ) -> Result<Self, PluginError> {
        let Place::Claim { claim, .. } = place else {
            return Err(PluginError::Unfit {
                message: format!("{file} is in a bucket, whose keys are in a secret this plugin does not read"),
                mend: format!("fetch it with keys of your own: {}", place.fetch(file)),
            });
        };
        let image = image(job, args, session).await;
        let source = Source { claim: claim.clone(), file: place.path(file), image, timeout: args.timeout };
        Ok(Self { job, session, source, file: file.to_owned() })
    }

    /// The commands that do the same by hand.
    pub fn by_hand(&self) -> Result<String, PluginError> {
        let name = format!("{}-read", self.job.metadata.name.as_deref().unwrap_or_default());
        let pod = serde_json::to_string(&pod::whole(self.job, &name, &self.source))?;
        let kubectl = |words: String| self.session.kubectl(&words);
        let wait = format!("wait pod/{name} --for=jsonpath={{.status.phase}}=Succeeded --timeout=5m");
        let file = self.file.rsplit('/').next().unwrap_or_default();
        Ok(format!(
            "  {} <<'EOF'\n{pod}\nEOF\n  {}\n  {} > {file}\n  {}\n",
            kubectl("create -f -".to_owned()),
            kubectl(wait),
            kubectl(format!("logs {name}")),
            kubectl(format!("delete pod {name}")),
        ))
    }

    /// The whole file. `stop` ends the reading; no pod stays.
    pub async fn read(
        &self,
        console: &mut Console<'_>,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<u8>, PluginError> {
        let mut stop = pin!(stop);
        let (mut bytes, mut version) = (Vec::new(), None);
        loop {
            let piece = self.piece(bytes.len() as u64, console, stop.as_mut()).await?;
            if version.is_some_and(|version| version != piece.version) {
                return Err(self.failed("", "the file changed while it was read"));
            }
            let size = piece.version.0;
            version = Some(piece.version);
            let expected = PIECE.min(size.saturating_sub(bytes.len() as u64));
            if piece.bytes.len() as u64 != expected {
                return Err(self.failed("", "its log is not whole"));
            }
            bytes.extend(piece.bytes);
            if bytes.len() as u64 >= size {
                return Ok(bytes);
            }
            console.note(&format!("{}: {} of {} MiB", self.file, bytes.len() >> 20, size >> 20));
        }
    }

    /// One piece, and no pod left of it: also when `stop` comes first.
    async fn piece(
        &self,
        offset: u64,
        console: &mut Console<'_>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Piece, PluginError> {
        let name = format!("{}-read-{}", self.job.metadata.name.as_deref().unwrap_or_default(), suffix());
        let (made, stopped) = uncut(self.make(&name, offset), stop.as_mut()).await;
        let printed = match made {
            Err(error) if error.is_refusal() => return Err(error),
            Err(error) => Err(error),
            Ok(()) if stopped => Err(PluginError::Interrupted),
            Ok(()) => tokio::select! {
                printed = self.printed(&name, console) => printed,
                () = stop => Err(PluginError::Interrupted),
            },
        };
        if let Err(error) = self.delete(&name).await {
            let mend = self.session.kubectl(&format!("delete pod {name}"));
            console.note(&format!("failed to delete the pod {name} ({error}); do it by hand: {mend}"));
        }
        parse(&printed?).ok_or_else(|| self.failed(&name, "its log cannot be read"))
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.session.client.clone(), &self.session.namespace)
    }

    async fn make(&self, name: &str, offset: u64) -> Result<(), PluginError> {
        let pod: Pod = serde_json::from_value(pod::piece(self.job, name, &self.source, offset))?;
        let params = PostParams { field_manager: Some(managers::PLUGIN.to_owned()), ..PostParams::default() };
        let made = self.pods().create(&params, &pod).await;
        made.map(drop).map_err(failed_to(format!("create the pod {name} that reads the claim")))
    }

    /// What the pod printed, once it has ended.
    async fn printed(&self, name: &str, console: &mut Console<'_>) -> Result<String, PluginError> {
        let pods = self.pods();
        self.wait(name, &pods, console).await?;
        let log = patiently(console, async || pods.logs(name, &LogParams::default()).await).await;
        log.map_err(failed_to(format!("read the log of the pod {name}")))
    }

    async fn wait(&self, name: &str, pods: &Api<Pod>, console: &mut Console<'_>) -> Result<(), PluginError> {
        let (start, allowed) = (Instant::now(), Duration::from_secs(self.source.timeout.into()));
        let mut said = String::new();
        loop {
            let pod = patiently(console, async || pods.get(name).await).await;
            let pod = pod.map_err(failed_to(format!("get the pod {name}")))?;
            match pod.status.as_ref().and_then(|status| status.phase.as_deref()) {
                Some("Succeeded") => return Ok(()),
                Some("Failed") => return Err(self.refused(name, &pod)),
                _ => {}
            }
            let reason = waits_for(&pod).unwrap_or_default();
            if start.elapsed() > allowed {
                return Err(self.too_late(name, &reason));
            }
            if reason != said && !reason.is_empty() {
                console.note(&format!("waiting for the pod {name}: {reason}"));
                said = reason;
            }
            tokio::time::sleep(console.every).await;
        }
    }

    fn too_late(&self, name: &str, reason: &str) -> PluginError {
        let seconds = self.source.timeout;
        let reason = if reason.is_empty() { "no node has started it" } else { reason };
        PluginError::TooLate {
            message: format!("the pod {name} did not print the file in {seconds} s: {reason}"),
            mend: format!(
                "an image your nodes can pull is given with --image (used: {}), more time with --timeout; a \
                 ReadWriteOnce claim is free when no worker holds it",
                self.source.image
            ),
        }
    }

    /// Why a pod that ran did not print.
    fn refused(&self, name: &str, pod: &Pod) -> PluginError {
        match exit_code(pod) {
            Some(NO_FILE) => PluginError::NotInOutput {
                message: format!("there is no {} in claim {}", self.source.file, self.source.claim),
                mend: "it is written when a run ends; `status` tells how far it is".to_owned(),
            },
            Some(NO_ACCESS) => self.failed(name, "the file may not be read by UID 10001, which workers run as"),
            Some(code) => self.failed(name, &format!("exit code {code}")),
            None => {
                let status = pod.status.as_ref();
                let message = status.and_then(|status| status.message.as_ref().or(status.reason.as_ref()));
                self.failed(name, &message.map(|text| printable(text)).unwrap_or_default())
            }
        }
    }

    fn failed(&self, pod: &str, message: &str) -> PluginError {
        let mend = "try again; `report` without --to says how to read the claim by hand".to_owned();
        let pod = if pod.is_empty() { format!("that reads {}", self.file) } else { pod.to_owned() };
        PluginError::Pod { pod, message: message.to_owned(), mend }
    }

    async fn delete(&self, name: &str) -> Result<(), PluginError> {
        let deleting = async { self.pods().delete(name, &DeleteParams::background()).await.map(drop) };
        let late =
            |_| PluginError::TooLate { message: "the API server does not answer".to_owned(), mend: String::new() };
        let deleted = tokio::time::timeout(DELETE, deleting).await.map_err(late)?;
        gone(deleted).map_err(failed_to(format!("delete the pod {name}")))
    }
}

/// An image the cluster can pull: the one given, the workers' own, the one of the run's Jobs, this release's.
async fn image(job: &AnalysisJob, args: &ReaderArgs, session: &Session) -> String {
    let named = args.image.clone().or_else(|| job.spec.workers.image.clone());
    if let Some(image) = named {
        return image;
    }
    let of_run = match job.status.as_ref().and_then(|status| status.run.as_ref()?.jobs.last()) {
        // Only a better guess than the release's: when it cannot be had, that one is used.
        Some(child) => {
            let jobs: Api<Job> = Api::namespaced(session.client.clone(), &session.namespace);
            jobs.get_opt(&child.name).await.ok().flatten().and_then(image_of)
        }
        None => None,
    };
    of_run.unwrap_or_else(|| format!("analysis-worker:{}", env!("CARGO_PKG_VERSION")))
}

fn image_of(job: Job) -> Option<String> {
    job.spec?.template.spec?.containers.into_iter().next()?.image
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Call, Calls, Desk, job, refusal, server};
    use serde_json::{Value, json};
    use std::future::{pending, ready};

    fn args() -> ReaderArgs {
        ReaderArgs { image: Some("worker:1".to_owned()), timeout: 60 }
    }

    fn pod(phase: &str, state: &Value) -> (u16, Value) {
        let container =
            json!({"name": "reader", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state});
        let status = json!({"phase": phase, "containerStatuses": [container]});
        (200, json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "status": status}))
    }

    /// A cluster whose pods end in this phase and print this, one after the other.
    fn cluster(phase: &'static str, code: i32, mut logs: Vec<String>) -> (Session, Calls) {
        logs.reverse();
        server(move |call: &Call| match call.line.split_once(' ') {
            Some(("GET", path)) if path.ends_with("/log") => (200, Value::String(logs.pop().unwrap())),
            _ => pod(phase, &json!({"terminated": {"exitCode": code}})),
        })
    }

    async fn read(session: &Session, stop: impl Future<Output = ()>) -> Result<Vec<u8>, PluginError> {
        let job = job();
        let reader = Reader::new(&job, &Place::of(&job)?, "report.html", &args(), session).await?;
        reader.read(&mut Desk::default().console(), stop).await
    }

    fn verbs(calls: &Calls) -> Vec<String> {
        calls.lines().iter().map(|line| line.split_once(' ').unwrap().0.to_owned()).collect()
    }

    #[tokio::test]
    async fn a_file_is_read_and_the_pod_deleted() {
        let (session, calls) = cluster("Succeeded", 0, vec!["6 1700000000\nPGh0\nbWw+\n".to_owned()]);
        assert_eq!(read(&session, pending()).await.unwrap(), b"<html>");
        assert_eq!(verbs(&calls), ["POST", "GET", "GET", "DELETE"]);
        let name = calls.body("POST")["metadata"]["name"].as_str().unwrap().to_owned();
        assert_eq!(calls.lines()[3], format!("DELETE /api/v1/namespaces/science/pods/{name}"));
        assert_eq!(calls.body("POST")["spec"]["containers"][0]["env"][0]["value"], "motion/report.html");
    }

    #[tokio::test]
    async fn a_big_file_is_read_in_pieces_each_by_a_pod_of_its_own() {
        let size = PIECE + 3;
        // PIECE is no multiple of three; its last two bytes are written with padding.
        let zeros = format!("{size} 1\n{}AAA=\n", "A".repeat((PIECE as usize - 2) / 3 * 4));
        let (session, calls) = cluster("Succeeded", 0, vec![zeros, format!("{size} 1\nYWJj\n")]);
        let bytes = read(&session, pending()).await.unwrap();
        assert_eq!((bytes.len() as u64, &bytes[PIECE as usize..]), (size, &b"abc"[..]));
        assert_eq!(verbs(&calls), ["POST", "GET", "GET", "DELETE", "POST", "GET", "GET", "DELETE"]);
    }

    #[tokio::test]
    async fn a_log_that_is_cut_is_no_file() {
        let (session, calls) = cluster("Succeeded", 0, vec!["7 1700000000\nPGh0bWw+\n".to_owned()]);
        assert!(read(&session, pending()).await.unwrap_err().text().contains("its log is not whole"));
        assert_eq!(verbs(&calls).last().unwrap(), "DELETE");
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_said_to_be_so_and_the_pod_deleted() {
        let (session, calls) = cluster("Failed", NO_FILE, Vec::new());
        let error = read(&session, pending()).await.unwrap_err();
        let text = "kubectl-analysis: there is no motion/report.html in claim results\n";
        assert!(error.text().starts_with(text) && error.exit_code() == 66, "{}", error.text());
        assert_eq!(verbs(&calls).last().unwrap(), "DELETE");
    }

    #[tokio::test]
    async fn an_interrupted_reading_leaves_no_pod() {
        let (session, calls) = server(|_| pod("Pending", &json!({})));
        assert_eq!(read(&session, ready(())).await.unwrap_err().exit_code(), 75);
        assert_eq!(verbs(&calls), ["POST", "DELETE"]);
    }

    #[tokio::test]
    async fn without_the_right_to_make_pods_it_says_so() {
        let message = "User \"ann\" cannot create resource \"pods\"";
        let (session, calls) = server(move |_| refusal(403, "Forbidden", message, ""));
        let error = read(&session, pending()).await.unwrap_err();
        assert!(error.exit_code() == 77 && error.text().contains(message), "{}", error.text());
        assert_eq!(verbs(&calls), ["POST"], "what was refused need not be deleted");
    }

    #[tokio::test]
    async fn what_keeps_the_pod_from_starting_is_in_the_message() {
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
        let (session, _) = server(move |_| pod("Pending", &waiting));
        let (job, args) = (job(), ReaderArgs { timeout: 0, ..args() });
        let reader = Reader::new(&job, &Place::of(&job).unwrap(), "report.html", &args, &session).await.unwrap();
        let error = reader.read(&mut Desk::default().console(), pending()).await.unwrap_err();
        assert!(error.text().contains("in 0 s: ImagePullBackOff: no such image"), "{}", error.text());
        assert_eq!(error.exit_code(), 69);
    }

    #[tokio::test]
    async fn the_image_is_that_of_the_runs_jobs_where_none_is_named() {
        let template = json!({"spec": {"containers": [{"name": "w", "image": "registry/worker:7"}]}});
        let answer = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "spec": {"template": template}});
        let (session, calls) = server(move |_| (200, answer.clone()));
        let args = ReaderArgs { image: None, ..args() };
        assert_eq!(image(&job(), &args, &session).await, "registry/worker:7");
        assert_eq!(calls.lines(), ["GET /apis/batch/v1/namespaces/science/jobs/ashes-2018-work-4-7c9f"]);
        let (session, _) = server(|_| refusal(403, "Forbidden", "no", ""));
        assert!(image(&job(), &args, &session).await.starts_with("analysis-worker:"));
    }
}
