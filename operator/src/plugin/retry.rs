//! `retry`: asks for a run over the movies that failed, by giving an annotation a new value.

use analysisjob::{AnalysisJob, AnalysisJobStatus, conditions, labels, managers};
use kube::api::{Patch, PatchParams};
use plan::exit;
use serde_json::json;

use super::{
    args::RetryArgs,
    connect::Session,
    console::Console,
    error::PluginError,
    jobs::{self, failed_to},
    view::{Outcome, View, is_true},
    words::{count, printable},
};

/// Asks for the retry, and says what happens next.
pub async fn run(args: &RetryArgs, session: &Session, console: &mut Console<'_>) -> Result<u8, PluginError> {
    let job = jobs::get(session, &args.name).await?;
    let now = console.now();
    // A merge patch of this one annotation: nothing else of the object is touched, whoever owns it.
    let patch = json!({"metadata": {"annotations": {labels::RETRY: now.to_string()}}});
    let params = PatchParams { field_manager: Some(managers::PLUGIN.to_owned()), ..PatchParams::default() };
    let patched = jobs::api(session).patch(&args.name, &params, &Patch::Merge(&patch)).await;
    patched.map_err(failed_to(format!("ask for a retry of AnalysisJob {}", args.name)))?;
    console.print(&next(&job, &View::new(&job, now), session))?;
    Ok(exit::DONE)
}

/// What happens next, by how the job stood.
fn next(job: &AnalysisJob, view: &View, session: &Session) -> String {
    let name = &view.name;
    let mut text = match view.items.failed {
        0 => format!(
            "{name}: a retry is asked for; no movie is known to have failed, so it only looks for what lacks a result\n"
        ),
        failed => {
            format!("{name}: a retry of {} is asked for; what is done stays done\n", count(failed, "failed movie"))
        }
    };
    if let Some(held) = held(job, view, session) {
        text.push_str(&held);
        text.push('\n');
    }
    text + &format!("follow it: {}\n", session.kubectl(&format!("analysis status {name} --watch")))
}

/// What keeps the retry from beginning at once.
fn held(job: &AnalysisJob, view: &View, session: &Session) -> Option<String> {
    if job.spec.suspend {
        let patch =
            session.kubectl(&format!("patch aj {} --type merge -p '{{\"spec\":{{\"suspend\":false}}}}'", view.name));
        return Some(format!("it begins when the job is no longer suspended: {patch}"));
    }
    let stalled = job.status.as_ref().and_then(|status| is_true(status, conditions::STALLED));
    if let Some(stalled) = stalled {
        return Some(format!("first mend what stalls the job: {}: {}", stalled.reason, printable(&stalled.message)));
    }
    let under_way =
        view.outcome == Outcome::UnderWay && job.status.as_ref().is_some_and(AnalysisJobStatus::run_under_way);
    under_way.then(|| "a run is under way, and there are never two at once: the retry comes after it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Desk, condition, no_job, object, server};
    use serde_json::Value;

    async fn retried(object: Value) -> String {
        let (session, _) = server(move |_| (200, object.clone()));
        let mut desk = Desk::default();
        run(&RetryArgs { name: "ashes-2018".to_owned() }, &session, &mut desk.console()).await.unwrap();
        desk.out()
    }

    #[tokio::test]
    async fn one_annotation_is_written_under_a_field_manager_of_its_own() {
        let (session, calls) = server(|_| (200, object()));
        run(&RetryArgs { name: "ashes-2018".to_owned() }, &session, &mut Desk::default().console()).await.unwrap();
        let path = "/apis/camhd.science/v1alpha1/namespaces/science/analysisjobs/ashes-2018";
        assert_eq!(calls.lines(), [format!("GET {path}"), format!("PATCH {path}?&fieldManager=kubectl-analysis")]);
        let expected = json!({"metadata": {"annotations": {"camhd.science/retry": "2026-01-01T12:00:00Z"}}});
        assert_eq!(calls.body("PATCH"), expected);
    }

    #[tokio::test]
    async fn a_failed_job_is_told_what_is_retried_and_how_to_follow_it() {
        let mut failed = object();
        failed["status"]["conditions"] = json!([condition("Failed", "True", "TooManyFailedItems", "")]);
        failed["status"]["completionTime"] = json!("2026-01-01T11:00:00Z");
        assert_eq!(
            retried(failed).await,
            "ashes-2018: a retry of 1 failed movie is asked for; what is done stays done\n\
             follow it: kubectl analysis status ashes-2018 --watch -n science\n"
        );
    }

    #[tokio::test]
    async fn what_holds_the_retry_back_is_said() {
        assert!(retried(object()).await.contains("a run is under way, and there are never two at once"));
        let mut suspended = object();
        suspended["spec"]["suspend"] = json!(true);
        let patch = r#"kubectl patch aj ashes-2018 --type merge -p '{"spec":{"suspend":false}}' -n science"#;
        assert!(retried(suspended).await.contains(patch));
        let mut stalled = object();
        stalled["status"]["conditions"] =
            json!([condition("Stalled", "True", "InvalidGlob", "include[0]: unclosed [")]);
        assert!(retried(stalled).await.contains("first mend what stalls the job: InvalidGlob: include[0]: unclosed ["));
    }

    #[tokio::test]
    async fn nothing_is_written_to_a_job_that_is_not_there() {
        let (session, calls) = server(|_| no_job("ashes-2018"));
        let error = run(&RetryArgs { name: "ashes-2018".to_owned() }, &session, &mut Desk::default().console()).await;
        assert_eq!(error.unwrap_err().exit_code(), 66);
        assert!(calls.lines().iter().all(|line| line.starts_with("GET")));
    }
}
