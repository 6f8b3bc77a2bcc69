//! Reads files of a claim without exec: a pod prints a piece of them, its log is read, the pod is deleted; then the next
//! piece. Every piece says where it is and of which version, so that what was cut or changed meanwhile is noticed.

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
use plan::{
    exit,
    parcel::{NO_ACCESS, NO_FILE},
};

use super::{
    answer::{Piece, exit_code, parse, waits_for},
    place::Place,
    pod::{self, Files, Source},
    unpack::{Memory, Target, UnpackError, Unpacking},
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

/// Exit code of a container whose program is not in its image.
const NO_PROGRAM: i32 = 128;
/// Exit code of a worker that does not know the command.
const NO_COMMAND: i32 = exit::USAGE as i32;

/// What is read, and where.
pub struct Reader<'a> {
    job: &'a AnalysisJob,
    session: &'a Session,
    source: Source,
    /// The file's path in the claim, for people.
    path: String,
}

impl<'a> Reader<'a> {
    /// A reader of files of the job's output; refused for a bucket, with the command that does it.
    pub async fn new(
        job: &'a AnalysisJob,
        place: &Place,
        files: Files,
        args: &ReaderArgs,
        session: &'a Session,
    ) -> Result<Self, PluginError> {
        let Place::Claim { claim, folder } = place else {
            return Err(PluginError::Unfit {
                message: format!("{} is in a bucket, whose keys are in a secret this plugin does not read", files.file),
                mend: format!("fetch it with keys of your own: {}", place.fetch(&files)),
            });
        };
        let (image, path) = (image(job, args, session).await, place.path(&files.file));
        let source = Source { claim: claim.clone(), folder: folder.clone(), files, image, timeout: args.timeout };
        Ok(Self { job, session, source, path })
    }

    /// The commands that do the same by hand.
    pub fn by_hand(&self) -> Result<String, PluginError> {
        let name = format!("{}-read", self.job.metadata.name.as_deref().unwrap_or_default());
        let pod = serde_json::to_string(&pod::whole(self.job, &name, &self.source))?;
        let kubectl = |words: String| self.session.kubectl(&words);
        let wait = format!("wait pod/{name} --for=jsonpath={{.status.phase}}=Succeeded --timeout=5m");
        let file = self.source.files.file.rsplit('/').next().unwrap_or_default();
        Ok(format!(
            "  {} <<'EOF'\n{pod}\nEOF\n  {}\n  {} > {file}\n  {}\n",
            kubectl("create -f -".to_owned()),
            kubectl(wait),
            kubectl(format!("logs {name}")),
            kubectl(format!("delete pod {name}")),
        ))
    }

    /// The file that has to be there, and nothing else. `stop` ends the reading; no pod stays.
    pub async fn read(
        &self,
        console: &mut Console<'_>,
        stop: impl Future<Output = ()>,
    ) -> Result<Vec<u8>, PluginError> {
        let mut memory = Memory::default();
        self.read_into(&mut memory, console, stop).await?;
        Ok(memory.0)
    }

    /// All files, one after the other into `target`; gives how many bytes.
    pub async fn read_into(
        &self,
        target: &mut impl Target,
        console: &mut Console<'_>,
        stop: impl Future<Output = ()>,
    ) -> Result<u64, PluginError> {
        let mut stop = pin!(stop);
        let mut unpacking = Unpacking::new(target);
        let (mut at, mut version) = (0, None);
        loop {
            let Piece { head, bytes } = self.piece(at, console, stop.as_mut()).await?;
            if version.as_ref().is_some_and(|version| *version != head.version) {
                return Err(self.failed("", "the files changed while they were read"));
            }
            if head.from != at {
                return Err(self.failed("", "its log is of another piece"));
            }
            unpacking.take(&bytes).map_err(|error| self.not_unpacked(error))?;
            at = head.end;
            if at == head.total {
                unpacking.end().map_err(|error| self.not_unpacked(error))?;
                return Ok(at);
            }
            version = Some(head.version);
            console.note(&format!("{}: {} of {} MiB", self.source.files.file, at >> 20, head.total >> 20));
        }
    }

    /// One piece, and no pod left of it: also when `stop` comes first.
    async fn piece(
        &self,
        from: u64,
        console: &mut Console<'_>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Piece, PluginError> {
        let name = format!("{}-read-{}", self.job.metadata.name.as_deref().unwrap_or_default(), suffix());
        let (made, stopped) = uncut(self.make(&name, from), stop.as_mut()).await;
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
        parse(&printed?).ok_or_else(|| self.failed(&name, "its log is not whole, or of another program"))
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.session.client.clone(), &self.session.namespace)
    }

    async fn make(&self, name: &str, from: u64) -> Result<(), PluginError> {
        let pod: Pod = serde_json::from_value(pod::piece(self.job, name, &self.source, from))?;
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
            Some(code) if code == i32::from(NO_FILE) => PluginError::NotInOutput {
                message: format!("there is no {} in claim {}", self.path, self.source.claim),
                mend: "it is written when a run ends; `status` tells how far it is".to_owned(),
            },
            Some(code) if code == i32::from(NO_ACCESS) => {
                self.failed(name, "the file may not be read by UID 10001, which workers run as")
            }
            Some(NO_PROGRAM | NO_COMMAND) => {
                let message = format!("its image {} has no `analysis-worker export`", self.source.image);
                PluginError::Pod {
                    pod: name.to_owned(),
                    message,
                    mend: "give the workers' image of this release with --image".to_owned(),
                }
            }
            Some(code) => self.failed(name, &format!("exit code {code}")),
            None => {
                let status = pod.status.as_ref();
                let message = status.and_then(|status| status.message.as_ref().or(status.reason.as_ref()));
                self.failed(name, &message.map(|text| printable(text)).unwrap_or_default())
            }
        }
    }

    fn not_unpacked(&self, error: UnpackError) -> PluginError {
        match error {
            UnpackError::Broken(message) => self.failed("", &message),
            UnpackError::Write { path, source } => PluginError::File { doing: "write", path, source },
        }
    }

    fn failed(&self, pod: &str, message: &str) -> PluginError {
        let mend = "try again; `report` without --to says how to read the claim by hand".to_owned();
        let pod = if pod.is_empty() { format!("that reads {}", self.source.files.file) } else { pod.to_owned() };
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
    use crate::plugin::testing::{Call, Calls, Desk, job, parcel, printed, refusal, server};
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
        let reader = Reader::new(&job, &Place::of(&job)?, Files::one("report.html"), &args(), session).await?;
        reader.read(&mut Desk::default().console(), stop).await
    }

    fn verbs(calls: &Calls) -> Vec<String> {
        calls.lines().iter().map(|line| line.split_once(' ').unwrap().0.to_owned()).collect()
    }

    #[tokio::test]
    async fn a_file_is_read_and_the_pod_deleted() {
        let (session, calls) = cluster("Succeeded", 0, vec![parcel(&[("report.html", "<html>")])]);
        assert_eq!(read(&session, pending()).await.unwrap(), b"<html>");
        assert_eq!(verbs(&calls), ["POST", "GET", "GET", "DELETE"]);
        let name = calls.body("POST")["metadata"]["name"].as_str().unwrap().to_owned();
        assert_eq!(calls.lines()[3], format!("DELETE /api/v1/namespaces/science/pods/{name}"));
        let command = calls.body("POST")["spec"]["containers"][0]["command"].to_string();
        assert!(command.contains("/results/motion") && command.contains("report.html"), "{command}");
    }

    #[tokio::test]
    async fn what_is_big_is_read_in_pieces_each_by_a_pod_of_its_own() {
        // The first ends within the file.
        let text = b"{\"name\":\"report.html\",\"size\":6}\n<html>";
        let (first, second) = text.split_at(35);
        let pieces = vec![printed(0, 35, text.len() as u64, first), printed(35, 38, text.len() as u64, second)];
        let (session, calls) = cluster("Succeeded", 0, pieces);
        assert_eq!(read(&session, pending()).await.unwrap(), b"<html>");
        assert_eq!(verbs(&calls), ["POST", "GET", "GET", "DELETE", "POST", "GET", "GET", "DELETE"]);
    }

    #[tokio::test]
    async fn files_that_change_between_two_pieces_are_not_mixed() {
        let second = printed(4, 8, 12, b"....").replace(" 9f ", " a0 ");
        let (session, calls) = cluster("Succeeded", 0, vec![printed(0, 4, 12, b"...."), second]);
        assert!(read(&session, pending()).await.unwrap_err().text().contains("changed while they were read"));
        assert_eq!(verbs(&calls).last().unwrap(), "DELETE");
    }

    #[tokio::test]
    async fn a_log_that_is_cut_is_no_file() {
        let log = parcel(&[("report.html", "<html>")]);
        let (session, calls) = cluster("Succeeded", 0, vec![log[..log.len() - 6].to_owned()]);
        assert!(read(&session, pending()).await.unwrap_err().text().contains("its log is not whole"));
        assert_eq!(verbs(&calls).last().unwrap(), "DELETE");
    }

    #[tokio::test]
    async fn an_image_that_is_no_worker_is_named() {
        for code in [NO_PROGRAM, NO_COMMAND] {
            let (session, _) = cluster("Failed", code, Vec::new());
            let text = read(&session, pending()).await.unwrap_err().text();
            assert!(text.contains("worker:1") && text.contains("--image"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_said_to_be_so_and_the_pod_deleted() {
        let (session, calls) = cluster("Failed", i32::from(NO_FILE), Vec::new());
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
        let reader =
            Reader::new(&job, &Place::of(&job).unwrap(), Files::one("report.html"), &args, &session).await.unwrap();
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
