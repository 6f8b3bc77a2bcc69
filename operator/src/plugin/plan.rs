//! `plan`: what a run of a file would do.
//!
//! ```text
//!  file ─▶ yaml::read ─▶ dry-run apply ─▶ temporary AnalysisJob ─▶ status.plan ─▶ text | JSON
//!          --offline      --check          plan/temporary.rs        deleted in every case
//! ```

pub mod temporary;
pub mod text;

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io::Read,
    path::Path,
};

use analysisjob::{AnalysisJob, managers, yaml};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use plan::exit;
use serde_json::json;

use self::temporary::Temporary;
use super::{
    args::{ClusterArgs, Format, PlanArgs},
    connect::{Session, connect},
    console::Console,
    error::PluginError,
    jobs::{self, failed_to},
};

/// Reads the file and goes as far as `args` say. `stop` ends the waiting; what was made is deleted all the same.
pub async fn run(
    args: &PlanArgs,
    cluster: &ClusterArgs,
    console: &mut Console<'_>,
    stop: impl Future<Output = ()>,
) -> Result<u8, PluginError> {
    let mut job = read(&args.file)?;
    if args.offline {
        return valid(args, &job, "the file is a valid AnalysisJob", console);
    }
    let mut session = connect(cluster).await?;
    session.namespace = namespace(&job, cluster, &session)?;
    job.metadata.namespace = Some(session.namespace.clone());
    in_cluster(args, &job, &session, console, stop).await
}

async fn in_cluster(
    args: &PlanArgs,
    job: &AnalysisJob,
    session: &Session,
    console: &mut Console<'_>,
    stop: impl Future<Output = ()>,
) -> Result<u8, PluginError> {
    admit(job, session).await?;
    if args.check {
        let text = format!("the API server admits it in namespace {}", session.namespace);
        return valid(args, job, &text, console);
    }
    let claim = results_claim(job, session).await?;
    let temporary = Temporary::new(job, &suffix(), args.timeout, claim)?;
    let plan = temporary.plan(session, console, stop).await?;
    match args.output {
        Format::Text => console.print(&text::render(&name(job), &session.namespace, &plan))?,
        Format::Json => {
            console.print_json(&json!({"name": name(job), "namespace": session.namespace, "plan": plan}))?;
        }
    }
    Ok(exit::DONE)
}

fn valid(args: &PlanArgs, job: &AnalysisJob, text: &str, console: &mut Console<'_>) -> Result<u8, PluginError> {
    match args.output {
        Format::Text => console.print(&format!("{}: {text}\n", name(job)))?,
        Format::Json => console.print_json(&json!({"name": name(job), "valid": true}))?,
    }
    Ok(exit::DONE)
}

fn name(job: &AnalysisJob) -> String {
    job.metadata.name.clone().unwrap_or_default()
}

fn read(path: &Path) -> Result<AnalysisJob, PluginError> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = read.map_err(|source| PluginError::File { doing: "read", path: path.to_owned(), source })?;
    yaml::read(bytes).map_err(|source| PluginError::Invalid { path: path.to_owned(), source })
}

/// The namespace of the file, or of the command line; both, when they agree.
fn namespace(job: &AnalysisJob, cluster: &ClusterArgs, session: &Session) -> Result<String, PluginError> {
    match (&job.metadata.namespace, &cluster.namespace) {
        (Some(file), Some(given)) if file != given => Err(PluginError::Unfit {
            message: format!("the file is for namespace {file}, the command line for {given}"),
            mend: "leave out -n, or the namespace of the file".to_owned(),
        }),
        (Some(file), _) => Ok(file.clone()),
        (None, _) => Ok(session.namespace.clone()),
    }
}

/// Lets admission speak: schema, rules against the job as it stands, webhooks, quotas. By force, because fields that
/// others own are no matter of a dry run.
async fn admit(job: &AnalysisJob, session: &Session) -> Result<(), PluginError> {
    let name = name(job);
    let params = PatchParams::apply(managers::PLUGIN).force().dry_run();
    let applied = jobs::api(session).patch(&name, &params, &Patch::Apply(job)).await;
    applied.map(drop).map_err(failed_to(format!("apply AnalysisJob {name} as a dry run")))
}

/// The claim the job's earlier runs wrote to, when a claimTemplate asks for one and it is there: what it holds is up to
/// date.
async fn results_claim(job: &AnalysisJob, session: &Session) -> Result<Option<String>, PluginError> {
    if job.spec.output.claim_template.is_none() {
        return Ok(None);
    }
    let claim = temporary::results_claim(&name(job));
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(session.client.clone(), &session.namespace);
    let found = claims.get_metadata_opt(&claim).await.map_err(failed_to(format!("look for the claim {claim}")))?;
    Ok(found.map(|_| claim))
}

/// Four letters that make a name new. The standard library seeds its hashers at random.
pub fn suffix() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random = RandomState::new().build_hasher().finish();
    (0..4).map(|place| char::from(LETTERS[(random >> (5 * place)) as usize % LETTERS.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Call, Desk, condition, job, object, refusal, server};
    use serde_json::Value;
    use std::future::{pending, ready};

    const PATH: &str = "/apis/camhd.science/v1alpha1/namespaces/science/analysisjobs";

    fn args() -> PlanArgs {
        PlanArgs { file: "-".into(), check: false, offline: false, timeout: 900, output: Format::Text }
    }

    fn planned() -> Value {
        let mut object = object();
        object["status"] = json!({
            "observedGeneration": 4, "conditions": [condition("Planned", "True", "Planned", "")],
            "plan": {"discovered": 248, "upToDate": 12, "selected": 236, "indexes": 236, "sample": ["RS03/a.mov"]},
        });
        object
    }

    /// A server that admits, and answers reads of the temporary job so.
    fn answers(mut read: impl FnMut() -> (u16, Value) + Send + 'static) -> (Session, crate::plugin::testing::Calls) {
        server(move |call: &Call| if call.line.starts_with("GET") { read() } else { (200, object()) })
    }

    fn verbs(lines: &[String]) -> Vec<&str> {
        lines.iter().map(|line| line.split_once(' ').unwrap().0).collect()
    }

    #[tokio::test]
    async fn the_plan_is_shown_and_the_temporary_job_deleted() {
        let mut reads = vec![planned(), object()];
        let (session, calls) = answers(move || (200, reads.pop().unwrap()));
        let mut desk = Desk::default();
        let code = in_cluster(&args(), &job(), &session, &mut desk.console(), pending()).await.unwrap();
        assert_eq!(code, 0);
        assert!(desk.out().contains("selected    236"), "{}", desk.out());
        let lines = calls.lines();
        assert_eq!(verbs(&lines), ["PATCH", "POST", "GET", "GET", "DELETE"]);
        assert_eq!(lines[0], format!("PATCH {PATH}/ashes-2018?&dryRun=All&force=true&fieldManager=kubectl-analysis"));
        assert_eq!(lines[1], format!("POST {PATH}?&fieldManager=kubectl-analysis"));
        let name = calls.body("POST")["metadata"]["name"].as_str().unwrap().to_owned();
        assert_eq!(lines[4], format!("DELETE {PATH}/{name}"));
    }

    #[tokio::test]
    async fn an_interrupted_plan_leaves_nothing_behind() {
        let (session, calls) = answers(|| (200, object()));
        let error = in_cluster(&args(), &job(), &session, &mut Desk::default().console(), ready(())).await.unwrap_err();
        assert_eq!(error.exit_code(), 75);
        // What is being made is made first: only then can it be deleted.
        assert_eq!(verbs(&calls.lines()), ["PATCH", "POST", "DELETE"]);
    }

    #[tokio::test]
    async fn a_plan_that_fails_says_why_and_leaves_nothing_behind() {
        let mut failed = object();
        let why = condition("Stalled", "True", "MarkerMissing", "the marker file README.md is missing");
        failed["status"]["conditions"] = json!([why]);
        let (session, calls) = answers(move || (200, failed.clone()));
        let error = in_cluster(&args(), &job(), &session, &mut Desk::default().console(), pending()).await.unwrap_err();
        let text = "kubectl-analysis: the plan cannot be made: MarkerMissing: the marker file README.md is missing\n";
        assert_eq!((error.text().as_str(), error.exit_code()), (text, 1));
        assert_eq!(verbs(&calls.lines()).last(), Some(&"DELETE"));
    }

    #[tokio::test]
    async fn a_job_that_is_not_admitted_makes_nothing() {
        let message = "spec.output: Invalid value: output cannot change while a run is under way";
        let (session, calls) = server(move |_| refusal(422, "Invalid", message, "ashes-2018"));
        let error = in_cluster(&args(), &job(), &session, &mut Desk::default().console(), pending()).await.unwrap_err();
        let text = format!(
            "kubectl-analysis: failed to apply AnalysisJob ashes-2018 as a dry run: the API server refuses it: {message}\n"
        );
        assert_eq!((error.text(), error.exit_code()), (text, 65));
        assert_eq!(calls.lines().len(), 1);
    }

    #[tokio::test]
    async fn a_check_stops_at_admission() {
        let (session, calls) = answers(|| (500, Value::Null));
        let mut desk = Desk::default();
        let args = PlanArgs { check: true, ..args() };
        in_cluster(&args, &job(), &session, &mut desk.console(), pending()).await.unwrap();
        assert_eq!(desk.out(), "ashes-2018: the API server admits it in namespace science\n");
        assert_eq!(verbs(&calls.lines()), ["PATCH"]);
    }

    #[tokio::test]
    async fn offline_names_every_problem_without_a_cluster() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "apiVersion: camhd.science/v1alpha1\nkind: AnalysisJob\nmetadata: {name: x}\nspec: {}\n",
        )
        .unwrap();
        let args = PlanArgs { file: file.path().to_owned(), offline: true, ..args() };
        let error = run(&args, &ClusterArgs::default(), &mut Desk::default().console(), pending()).await.unwrap_err();
        assert_eq!(error.exit_code(), 65);
        assert!(error.text().contains("spec.source") && error.text().contains("spec.output"), "{}", error.text());
    }

    #[tokio::test]
    async fn a_namespace_of_the_file_must_fit_that_of_the_command_line() {
        let (session, _) = answers(|| (500, Value::Null));
        let given =
            |name: Option<&str>| ClusterArgs { namespace: name.map(ToOwned::to_owned), ..ClusterArgs::default() };
        assert_eq!(namespace(&job(), &given(None), &session).unwrap(), "science");
        assert_eq!(namespace(&job(), &given(Some("other")), &session).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn a_suffix_is_part_of_a_name() {
        assert!(suffix().len() == 4 && suffix().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    }
}
