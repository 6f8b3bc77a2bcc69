//! AnalysisJobs of the API server: one by name, and something asked for again and again while the server may be away.

use std::time::Duration;

use analysisjob::{AnalysisJob, yaml::nearest};
use kube::{Api, api::ListParams};

use super::{connect::Session, console::Console, error::PluginError, refusal::Refusal};

/// So many times in a row the server may be away before waiting is given up; with the pauses between, ten minutes.
const TRIES: u32 = 25;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The AnalysisJobs of the session's namespace.
pub fn api(session: &Session) -> Api<AnalysisJob> {
    Api::namespaced(session.client.clone(), &session.namespace)
}

/// Makes an error of the client one of ours: `doing` completes "failed to …".
pub fn failed_to(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> PluginError {
    move |error| PluginError::Request { doing: doing.into(), refusal: Refusal::of(&error) }
}

/// The AnalysisJob of this name; when there is none, the name that was meant.
pub async fn get(session: &Session, name: &str) -> Result<AnalysisJob, PluginError> {
    match api(session).get(name).await {
        Ok(job) => Ok(job),
        Err(error) => Err(get_failed(session, name, &error).await),
    }
}

/// The same, waiting out a server that is away.
pub async fn get_patiently(
    session: &Session,
    console: &mut Console<'_>,
    name: &str,
) -> Result<AnalysisJob, PluginError> {
    match patiently(console, async || api(session).get(name).await).await {
        Ok(job) => Ok(job),
        Err(error) => Err(get_failed(session, name, &error).await),
    }
}

/// What to say when an AnalysisJob could not be had.
pub async fn get_failed(session: &Session, name: &str, error: &kube::Error) -> PluginError {
    match Refusal::of(error) {
        Refusal::Missing(_) => PluginError::NoSuchJob {
            name: name.to_owned(),
            namespace: session.namespace.clone(),
            nearest: meant(session, name).await,
            list: session.kubectl("get analysisjobs"),
        },
        refusal => PluginError::Request { doing: format!("get AnalysisJob {name}"), refusal },
    }
}

/// The name nearest to one that does not exist. Only a hint: when it cannot be had, there is none.
async fn meant(session: &Session, name: &str) -> Option<String> {
    let jobs = api(session).list_metadata(&ListParams::default()).await.ok()?;
    let names: Vec<String> = jobs.items.into_iter().filter_map(|job| job.metadata.name).collect();
    nearest(name, names.iter().map(String::as_str)).map(ToOwned::to_owned)
}

/// Asks until there is an answer, as long as asking again may help; says once that the server is away.
pub async fn patiently<T>(
    console: &mut Console<'_>,
    mut ask: impl AsyncFnMut() -> Result<T, kube::Error>,
) -> Result<T, kube::Error> {
    let mut pause = console.every;
    for tried in 1.. {
        match ask().await {
            Err(error) if tried < TRIES && Refusal::of(&error).passes() => {
                if tried == 1 {
                    console.note(&format!("{}; trying again", Refusal::of(&error)));
                }
            }
            answer => return answer,
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
    ask().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Desk, no_job, object, refusal, server};
    use serde_json::{Value, json};

    fn list(names: &[&str]) -> (u16, Value) {
        let item = |name: &&str| json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": name}});
        let items: Vec<Value> = names.iter().map(item).collect();
        (
            200,
            json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": {}, "items": items}),
        )
    }

    #[tokio::test]
    async fn a_job_that_is_not_there_is_answered_with_the_one_that_was_meant() {
        let (session, calls) = server(|call| {
            if call.line.ends_with("/ashes-2081") { no_job("ashes-2081") } else { list(&["other", "ashes-2018"]) }
        });
        let error = get(&session, "ashes-2081").await.unwrap_err();
        assert_eq!(
            error.text(),
            "kubectl-analysis: there is no AnalysisJob ashes-2081 in namespace science; did you mean ashes-2018?\n  \
             to mend it: see which there are: kubectl get analysisjobs -n science\n"
        );
        assert_eq!(error.exit_code(), 66);
        assert_eq!(
            calls.lines(),
            [
                "GET /apis/camhd.science/v1alpha1/namespaces/science/analysisjobs/ashes-2081",
                "GET /apis/camhd.science/v1alpha1/namespaces/science/analysisjobs"
            ]
        );
    }

    #[tokio::test]
    async fn a_cluster_without_the_definition_is_told_how_to_get_it() {
        let (session, _) = server(|_| (404, "404 page not found".into()));
        let error = get(&session, "x").await.unwrap_err();
        assert_eq!(
            error.text(),
            "kubectl-analysis: failed to get AnalysisJob x: the cluster does not know AnalysisJobs\n  to mend it: \
             install the definition, `analysis-operator crd | kubectl apply --server-side -f -`, and the operator\n"
        );
        assert_eq!(error.exit_code(), 78);
    }

    #[tokio::test]
    async fn a_missing_right_is_said_in_the_servers_words() {
        let (session, _) =
            server(|_| refusal(403, "Forbidden", "User \"ann\" cannot get resource \"analysisjobs\"", "x"));
        let error = get(&session, "x").await.unwrap_err();
        assert_eq!(
            error.text(),
            "kubectl-analysis: failed to get AnalysisJob x: it is not allowed: User \"ann\" cannot get resource \
             \"analysisjobs\"\n  to mend it: ask whoever rules the namespace for this right; `kubectl auth can-i \
             --list` shows those you have\n"
        );
        assert_eq!(error.exit_code(), 77);
    }

    #[tokio::test]
    async fn a_server_that_does_not_listen_is_unreachable() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        drop(listener);
        let (session, _) = server(|_| (200, Value::Null));
        let client = kube::Client::try_from(kube::Config::new(uri)).unwrap();
        let error = get(&Session { client, ..session }, "x").await.unwrap_err();
        let start = "kubectl-analysis: failed to get AnalysisJob x: the API server cannot be reached (";
        assert!(error.text().starts_with(start) && error.text().contains("kubectl version"), "{}", error.text());
        assert_eq!(error.exit_code(), 69);
    }

    #[tokio::test]
    async fn a_server_that_comes_back_is_waited_for() {
        let mut answers = vec![(200, object()), refusal(503, "", "starting", ""), refusal(503, "", "starting", "")];
        let (session, _) = server(move |_| answers.pop().unwrap());
        let mut desk = Desk::default();
        let job = get_patiently(&session, &mut desk.console(), "ashes-2018").await.unwrap();
        assert_eq!(job.metadata.name.as_deref(), Some("ashes-2018"));
        assert_eq!(desk.err(), "the API server cannot answer now (starting); trying again\n");
    }
}
