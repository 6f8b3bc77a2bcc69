//! An AnalysisJob that lives only to be planned: made, waited for, deleted whatever happens.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use analysisjob::{
    AnalysisJob, AnalysisJobStatus, Output, OutputClaim, QueueRole, Strategy, conditions, managers, status::PlanStatus,
};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, PostParams},
};

use crate::plugin::{
    connect::Session,
    console::{Console, uncut},
    error::PluginError,
    jobs::{self, failed_to},
    refusal::Refusal,
    view::{Outcome, View, is_true, outcome},
    words::{duration, printable},
};

/// The most letters of the job's own name, so that name and suffix have at most 40.
const STEM: usize = 30;
/// It is deleted so long after its end, should nobody be left to delete it.
const TTL_SECONDS: u32 = 300;
/// How long deleting may take before it is left to the ttl.
const DELETE: Duration = Duration::from_secs(15);
/// After so long without an operator's sign, its absence is spoken of.
const UNSEEN: Duration = Duration::from_secs(15);

/// The claim the operator makes for a claimTemplate.
pub fn results_claim(name: &str) -> String {
    format!("{name}-results")
}

/// The temporary job.
pub struct Temporary {
    job: AnalysisJob,
    name: String,
    timeout: u32,
}

impl Temporary {
    /// `job` as a dry run under another name. `claim` holds what a claimTemplate's earlier runs wrote.
    pub fn new(job: &AnalysisJob, suffix: &str, timeout: u32, claim: Option<String>) -> Result<Self, PluginError> {
        let mut spec = job.spec.clone();
        if spec.workers.queue.as_ref().is_some_and(|queue| queue.role == QueueRole::Consumer) {
            return Err(PluginError::Unfit {
                message: "a Consumer takes its movies from the stream: there is nothing to plan".to_owned(),
                mend: "plan the AnalysisJob that fills the stream; --check tells whether this one is admitted"
                    .to_owned(),
            });
        }
        // The plan is the same, and a stream that others drain is never touched.
        (spec.workers.strategy, spec.workers.queue) = (Strategy::Indexed, None);
        if let Some(claim_name) = claim {
            let existing = OutputClaim { claim_name, sub_path: None };
            spec.output = Output { claim_template: None, persistent_volume_claim: Some(existing), ..spec.output };
        }
        (spec.dry_run, spec.suspend, spec.rescan) = (true, false, None);
        spec.ttl_seconds_after_finished = Some(TTL_SECONDS);
        spec.active_deadline_seconds = Some(timeout);
        let stem = job.metadata.name.as_deref().unwrap_or_default();
        let stem = stem.get(..STEM).unwrap_or(stem).trim_end_matches('-');
        let name = format!("{stem}-plan-{suffix}");
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            namespace: job.metadata.namespace.clone(),
            labels: job.metadata.labels.clone(),
            ..ObjectMeta::default()
        };
        Ok(Self { job: AnalysisJob { metadata, spec, status: None }, name, timeout })
    }

    /// Makes it, waits for its plan, deletes it: also when `stop` comes first.
    pub async fn plan(
        &self,
        session: &Session,
        console: &mut Console<'_>,
        stop: impl Future<Output = ()>,
    ) -> Result<PlanStatus, PluginError> {
        let mut stop = pin!(stop);
        let (made, stopped) = uncut(self.make(session), stop.as_mut()).await;
        let planned = match made {
            Err(error) if error.is_refusal() => return Err(error),
            Err(error) => Err(error),
            Ok(()) if stopped => Err(PluginError::Interrupted),
            Ok(()) => tokio::select! {
                planned = self.wait(session, console) => planned,
                () = stop => Err(PluginError::Interrupted),
            },
        };
        if let Err(error) = self.delete(session).await {
            let mend = session.kubectl(&format!("delete analysisjob {}", self.name));
            console.note(&format!("failed to delete the temporary AnalysisJob ({error}); do it by hand: {mend}"));
        }
        planned
    }

    async fn make(&self, session: &Session) -> Result<(), PluginError> {
        let params = PostParams { field_manager: Some(managers::PLUGIN.to_owned()), ..PostParams::default() };
        let made = jobs::api(session).create(&params, &self.job).await;
        made.map(drop).map_err(failed_to(format!("create the temporary AnalysisJob {}", self.name)))
    }

    async fn wait(&self, session: &Session, console: &mut Console<'_>) -> Result<PlanStatus, PluginError> {
        let allowed = Duration::from_secs(self.timeout.into());
        let (start, mut said) = (Instant::now(), String::new());
        loop {
            let job = jobs::get_patiently(session, console, &self.name).await?;
            if let Some(planned) = planned(&job) {
                return planned;
            }
            let state = View::new(&job, console.now()).state;
            if start.elapsed() > allowed {
                return Err(self.too_late(&state, session));
            }
            self.say(&state, &mut said, start.elapsed(), console);
            tokio::time::sleep(console.every).await;
        }
    }

    /// Says what is waited for, whenever that changes.
    fn say(&self, state: &str, said: &mut String, elapsed: Duration, console: &mut Console<'_>) {
        let text = match state {
            "New" if elapsed < UNSEEN => return,
            "New" => "no operator has seen it yet; is one running (kubectl get pods -A | grep analysis-operator)?",
            state => state,
        };
        if said != text {
            text.clone_into(said);
            console.note(&format!("waiting for the plan of {}: {text}", self.name));
        }
    }

    fn too_late(&self, state: &str, session: &Session) -> PluginError {
        PluginError::TooLate {
            message: format!(
                "there is no plan after {}; the last state was {state}",
                duration(i64::from(self.timeout))
            ),
            mend: match state {
                "New" => "start the operator: no one has looked at the AnalysisJob".to_owned(),
                _ => format!("give it more with --timeout; {} shows what happened", session.kubectl("get events")),
            },
        }
    }

    /// Deletes the job, and the empty claim the operator made for it.
    async fn delete(&self, session: &Session) -> Result<(), PluginError> {
        let params = DeleteParams::background();
        let claim = results_claim(&self.name);
        let deleting = async {
            let deleted = jobs::api(session).delete(&self.name, &params).await.map(drop);
            gone(deleted).map_err(failed_to(format!("delete AnalysisJob {}", self.name)))?;
            if self.job.spec.output.claim_template.is_some() {
                let claims: Api<PersistentVolumeClaim> = Api::namespaced(session.client.clone(), &session.namespace);
                let deleted = claims.delete(&claim, &params).await.map(drop);
                gone(deleted).map_err(failed_to(format!("delete the claim {claim}")))?;
            }
            Ok(())
        };
        let late =
            |_| PluginError::TooLate { message: "the API server does not answer".to_owned(), mend: String::new() };
        tokio::time::timeout(DELETE, deleting).await.map_err(late)?
    }
}

/// What is not there need not be deleted.
pub fn gone(deleted: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match deleted {
        Err(error) if matches!(Refusal::of(&error), Refusal::Missing(_)) => Ok(()),
        other => other,
    }
}

/// The plan, or why there will be none; nothing while it is being made.
fn planned(job: &AnalysisJob) -> Option<Result<PlanStatus, PluginError>> {
    let status = job.status.as_ref()?;
    if let Some(plan) = &status.plan {
        return Some(Ok(plan.clone()));
    }
    match outcome(job) {
        Outcome::Failed | Outcome::Stalled => Some(Err(PluginError::Job { message: why(status) })),
        Outcome::UnderWay | Outcome::Complete => None,
    }
}

fn why(status: &AnalysisJobStatus) -> String {
    let condition = [conditions::STALLED, conditions::FAILED].iter().find_map(|kind| is_true(status, kind));
    let why = condition.map(|condition| format!("{}: {}", condition.reason, printable(&condition.message)));
    format!("the plan cannot be made: {}", why.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Desk, job, object, refusal, server};
    use serde_json::{Value, json};

    fn with_spec(change: impl FnOnce(&mut Value)) -> AnalysisJob {
        let mut object = object();
        change(&mut object["spec"]);
        serde_json::from_value(object).unwrap()
    }

    fn temporary(job: &AnalysisJob, claim: Option<&str>) -> Temporary {
        Temporary::new(job, "x7k2", 900, claim.map(ToOwned::to_owned)).unwrap()
    }

    #[test]
    fn a_standing_suspended_queued_job_becomes_a_single_dry_run() {
        let job = with_spec(|spec| {
            spec["rescan"] = json!({"schedule": "@daily"});
            spec["suspend"] = json!(true);
            spec["workers"] =
                json!({"strategy": "Queue", "queue": {"redis": {"url": "redis://redis"}, "stream": "camhd"}});
        });
        let made = temporary(&job, None).job;
        assert_eq!(
            made.metadata,
            ObjectMeta {
                name: Some("ashes-2018-plan-x7k2".to_owned()),
                namespace: Some("science".to_owned()),
                ..ObjectMeta::default()
            }
        );
        let mut expected = with_spec(|spec| {
            spec["dryRun"] = json!(true);
            spec["ttlSecondsAfterFinished"] = json!(300);
            spec["activeDeadlineSeconds"] = json!(900);
        });
        expected.spec.workers = made.spec.workers.clone();
        assert_eq!(made.spec, expected.spec);
        assert_eq!((made.spec.workers.strategy, made.spec.workers.queue), (Strategy::Indexed, None));
    }

    #[test]
    fn its_name_is_one_an_analysis_job_may_have() {
        let mut job = job();
        job.metadata.name = Some("a-name-of-forty-letters-that-ends-in-four".to_owned());
        assert_eq!(temporary(&job, None).name, "a-name-of-forty-letters-that-e-plan-x7k2");
        job.metadata.name = Some("a-name-cut-just-before-a-dash--and-more".to_owned());
        assert_eq!(temporary(&job, None).name, "a-name-cut-just-before-a-dash-plan-x7k2");
    }

    #[test]
    fn a_claim_of_earlier_runs_is_looked_at_instead_of_a_new_one() {
        let job =
            with_spec(|spec| spec["output"] = json!({"claimTemplate": {"size": "1Gi"}, "markerFile": "README.md"}));
        let output = temporary(&job, Some("ashes-2018-results")).job.spec.output;
        let claim = json!({"claimName": "ashes-2018-results"});
        let expected = json!({"persistentVolumeClaim": claim, "overwritePolicy": "IfStale", "markerFile": "README.md"});
        assert_eq!(serde_json::to_value(output).unwrap(), expected);
    }

    #[test]
    fn a_consumer_has_nothing_to_plan() {
        let job = with_spec(|spec| {
            let queue = json!({"redis": {"url": "redis://redis"}, "stream": "camhd", "role": "Consumer"});
            spec["workers"] = json!({"strategy": "Queue", "queue": queue});
        });
        assert_eq!(Temporary::new(&job, "x7k2", 900, None).err().unwrap().exit_code(), 2);
    }

    #[tokio::test]
    async fn the_claim_made_for_it_goes_with_it() {
        let job = with_spec(|spec| spec["output"] = json!({"claimTemplate": {"size": "1Gi"}}));
        let (session, calls) = server(|_| refusal(404, "NotFound", "persistentvolumeclaims \"x\" not found", "x"));
        temporary(&job, None).delete(&session).await.unwrap();
        let claim = "DELETE /api/v1/namespaces/science/persistentvolumeclaims/ashes-2018-plan-x7k2-results";
        assert_eq!(calls.lines()[1], claim);
        assert_eq!(calls.body("DELETE")["propagationPolicy"], "Background");
    }

    #[tokio::test]
    async fn what_could_not_be_deleted_is_said_and_the_plan_kept() {
        let (session, _) = server(|call| {
            if call.line.starts_with("DELETE") {
                return refusal(403, "Forbidden", "User \"ann\" cannot delete resource", "x");
            }
            let mut object = object();
            object["status"] = json!({"observedGeneration": 4, "plan": {"selected": 7}});
            (200, object)
        });
        let mut desk = Desk::default();
        let plan = temporary(&job(), None).plan(&session, &mut desk.console(), std::future::pending()).await.unwrap();
        assert_eq!(plan.selected, 7);
        assert!(desk.err().ends_with("do it by hand: kubectl delete analysisjob ashes-2018-plan-x7k2 -n science\n"));
    }
}
