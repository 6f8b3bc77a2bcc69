//! Every bound of the schema: the edge is admitted, what is beyond is refused, by the API server as by the file reader.

use analysisjob::{AnalysisJob, crd, reasons, yaml};
use e2e::Namespace;
use http::{Request, header::CONTENT_TYPE};
use kube::api::PostParams;
use serde_json::{Value, json};

use super::{
    Refusal, admit,
    cases::mk_job,
    refusal,
    trials::{Trial, trials},
};

#[tokio::test]
async fn admit_the_edges_of_the_spec_and_refuse_what_is_beyond() {
    let space = e2e::shared().await.unwrap().namespace("bounds").await.unwrap();
    let schema = crd::schema().unwrap();
    let mut wrong = Vec::new();
    let all = [trials(&schema, "spec"), trials(&schema, "metadata")].concat();
    assert!(all.len() > 300, "only {} cases", all.len());
    for trial in &all {
        let job = trial.job();
        let answer = admit(&space, &job).await;
        wrong.extend(trial.judge(answer.as_ref().err()).map(|what| format!("API server: {what}")));
        wrong.extend(trial.judge(read(&job).as_ref()).map(|what| format!("file reader: {what}")));
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// What the file reader has against a job, but for what it alone checks.
fn read(job: &Value) -> Option<Refusal> {
    let error = yaml::read(job.to_string()).err()?;
    let of_the_schema = |reason: &str| reason == reasons::INVALID_FIELD || reason == reasons::RULE_BROKEN;
    let problems = error.problems().iter().filter(|problem| of_the_schema(problem.reason));
    let refusal: Refusal = problems.map(|problem| (problem.path.clone(), problem.message.clone())).collect();
    (!refusal.is_empty()).then_some(refusal)
}

#[tokio::test]
async fn admit_the_edges_of_the_status_and_refuse_what_is_beyond() {
    let space = e2e::shared().await.unwrap().namespace("status").await.unwrap();
    let job: AnalysisJob = serde_json::from_value(mk_job()).unwrap();
    space.api::<AnalysisJob>().create(&PostParams::default(), &job).await.unwrap();
    let all = trials(&crd::schema().unwrap(), "status");
    assert!(all.len() > 100, "only {} cases", all.len());
    let mut wrong = Vec::new();
    for trial in &all {
        let answer = patch_status(&space, &trial.job()["status"]).await;
        wrong.extend(trial.judge(answer.as_ref().err()));
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

async fn patch_status(space: &Namespace<'_>, status: &Value) -> Result<Value, Refusal> {
    let path = format!("{}/a-job/status?dryRun=All&fieldValidation=Strict", space.jobs_path());
    let body = json!({"status": status}).to_string().into_bytes();
    let request = Request::patch(path).header(CONTENT_TYPE, "application/merge-patch+json").body(body).unwrap();
    space.client().request(request).await.map_err(refusal)
}

impl Trial {
    /// What is wrong with an answer; none when it is as expected.
    fn judge(&self, refusal: Option<&Refusal>) -> Option<String> {
        match (self.admitted, refusal) {
            (true, None) => None,
            (true, Some(refusal)) => Some(format!("{self} was refused: {refusal:?}")),
            (false, None) => Some(format!("{self} was admitted")),
            // Of an object that lacks something, either may be named: the object or what it lacks.
            (false, Some(refusal)) if refusal.iter().any(|(field, _)| field.starts_with(&self.place)) => None,
            (false, Some(refusal)) => Some(format!("{self} was refused for something else: {refusal:?}")),
        }
    }
}
