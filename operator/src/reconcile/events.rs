//! Events on an AnalysisJob: once per transition, never per movie; and the one question the operator asks of events.
//!
//! What is told follows from two statuses (pure); telling is best effort, because an event that is lost is also in the
//! conditions.

use analysisjob::{AnalysisJob, AnalysisJobStatus, conditions, managers, reasons};
use k8s_openapi::api::core::v1::Event as CoreEvent;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::ListParams,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

/// Tells and asks. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    client: Client,
    recorder: Recorder,
}

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether it is something to look at.
    pub warning: bool,
    /// In one word.
    pub reason: String,
    /// In a sentence.
    pub note: String,
}

impl Events {
    /// Events of the process `instance`.
    pub fn new(client: Client, instance: String) -> Self {
        let reporter = Reporter { controller: managers::CHILDREN.to_owned(), instance: Some(instance) };
        Self { recorder: Recorder::new(client.clone(), reporter), client }
    }

    /// Tells what has changed from `before` to `after`.
    pub async fn tell(&self, job: &AnalysisJob, before: &AnalysisJobStatus, after: &AnalysisJobStatus) {
        for Told { warning, reason, note } in transitions(before, after) {
            let event = Event {
                type_: if warning { EventType::Warning } else { EventType::Normal },
                reason,
                note: Some(note),
                action: "Reconcile".to_owned(),
                secondary: None,
            };
            if let Err(error) = self.recorder.publish(&event, &job.object_ref(&())).await {
                tracing::debug!(job = %job.name_any(), %error, "failed to publish an event");
            }
        }
    }

    /// Why the Job `name` has no pods, as its newest event says.
    pub async fn last_refusal(&self, job: &AnalysisJob, name: &str) -> Option<String> {
        let events: Api<CoreEvent> = Api::namespaced(self.client.clone(), &job.namespace()?);
        let of_job = format!("involvedObject.kind=Job,involvedObject.name={name},reason=FailedCreate");
        let found = events.list(&ListParams::default().fields(&of_job)).await.ok()?;
        let newest = found.items.into_iter().max_by_key(|event| event.last_timestamp.clone())?;
        newest.message
    }
}

/// What has changed, as events.
pub fn transitions(before: &AnalysisJobStatus, after: &AnalysisJobStatus) -> Vec<Told> {
    let find = |status: &AnalysisJobStatus, kind: &str| status.conditions.iter().find(|one| one.type_ == kind).cloned();
    let changed = |kind: &str| {
        let now = find(after, kind)?;
        let was = find(before, kind);
        let same = was.is_some_and(|was| was.status == now.status && was.reason == now.reason);
        (!same).then_some(now)
    };
    let mut told = Vec::new();
    if let Some(ready) = changed(conditions::READY) {
        let warning =
            ready.status == "False" && !matches!(ready.reason.as_str(), reasons::DRAINING | reasons::RETRYING);
        told.push(Told { warning, reason: ready.reason, note: note(&ready.message, after) });
    }
    // What Ready does not say already.
    if let Some(planned) = changed(conditions::PLANNED).filter(|planned| planned.status == "True") {
        let plan = after.plan.clone().unwrap_or_default();
        let note = format!(
            "{} movies found, {} up to date, {} to analyse in {} indexes",
            plan.discovered, plan.up_to_date, plan.selected, plan.indexes
        );
        told.push(Told { warning: false, reason: "Planned".to_owned(), note: note_or(&planned.message, note) });
    }
    if let Some(cache) =
        changed(conditions::CACHE_READY).filter(|cache| cache.status == "True" && cache.reason == reasons::AS_EXPECTED)
    {
        told.push(Told {
            warning: false,
            reason: "CacheReady".to_owned(),
            note: note_or(&cache.message, "the frame cache answers".to_owned()),
        });
    }
    told
}

fn note(message: &str, status: &AnalysisJobStatus) -> String {
    let run = status.run.as_ref().map(|run| format!("run {}", run.id)).unwrap_or_default();
    if message.is_empty() { run } else { message.to_owned() }
}

fn note_or(message: &str, other: String) -> String {
    if message.is_empty() { other } else { message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(ready: &str, reason: &str) -> AnalysisJobStatus {
        let condition = json!({"type": "Ready", "status": ready, "reason": reason, "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"});
        serde_json::from_value(json!({"conditions": [condition]})).unwrap()
    }

    #[test]
    fn a_transition_is_told_once() {
        let (planning, running) = (status("True", "Planning"), status("True", "Running"));
        let told = transitions(&planning, &running);
        assert_eq!(told, [Told { warning: false, reason: "Running".into(), note: "m".into() }]);
        assert_eq!(transitions(&running, &running), []);
    }

    #[test]
    fn what_needs_someone_is_a_warning() {
        assert!(transitions(&status("True", "Running"), &status("False", "ImagePullFailed"))[0].warning);
        assert!(!transitions(&status("True", "Running"), &status("False", "Draining"))[0].warning);
    }
}
