//! The only place that writes to Kubernetes: children, status, and the deletion of an AnalysisJob whose time is over.
//!
//! Children are written by server-side apply under a field manager of our own, with a digest of what was applied in an
//! annotation: what has not changed is not written again. A Job that is there is only patched, in the fields that may
//! change. Every write asks first whether this process still leads; a process that does not writes nothing.
//!
//! Deletions come first, then children in the order in which they need each other. Every step can be the last: the next
//! reconcile finds what is missing.

use analysisjob::{AnalysisJob, AnalysisJobStatus, labels, managers};
use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{ConfigMap, Pod},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions},
    core::NamespaceResourceScope,
};
use plan::ledger::sha256;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    desired::{JobChange, JobDeletion, Resources},
    facts::DeploymentFacts,
    observe::{Observed, run_of},
    validate::Analysis,
};
use crate::lease::Leadership;

/// Why a write did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another process leads.
    #[error("this process does not lead; nothing is written")]
    NotLeader,
    /// The name belongs to someone else.
    #[error("{kind} {name} exists and is not of this AnalysisJob: rename one of them, or delete it")]
    NameTaken {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The API server does not take the object; a retry alone does not mend it.
    #[error("the API server refuses {kind} {name}: {message}")]
    Refused {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// The API server's words.
        message: String,
        /// Whether it is the namespace's quota.
        quota: bool,
    },
    /// The write failed otherwise.
    #[error("failed to write {kind} {name}")]
    Write {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
}

/// The door: a client, the namespace's lease, and nothing else. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    client: Client,
    leadership: Leadership,
}

/// Children are as they should be; only [`Writer::apply`] makes one, and a status speaks of nothing else.
#[derive(Debug)]
pub struct Applied {
    /// Cache pods wanted.
    pub cache_replicas: u32,
    /// Whether anything was written.
    pub changed: bool,
    /// The AnalysisJob was deleted.
    pub expired: bool,
}

impl Writer {
    /// A writer that writes while `leadership` is held.
    pub fn new(client: Client, leadership: Leadership) -> Self {
        Self { client, leadership }
    }

    /// Makes the children what `wanted` says.
    pub async fn apply(
        &self,
        analysis: &Analysis,
        observed: &Observed,
        wanted: &Resources,
    ) -> Result<Applied, ApplyError> {
        let Resources {
            config,
            claim,
            service,
            cache,
            workers,
            jobs,
            rehearsal,
            changes,
            deletions,
            stale_configs,
            expired,
        } = wanted;
        if *expired {
            self.delete_job_object(observed).await?;
            return Ok(Applied { cache_replicas: 0, changed: true, expired: true });
        }
        let mut changed = false;
        for deletion in deletions {
            self.delete_job(analysis, observed, deletion).await?;
            changed = true;
        }
        for name in stale_configs {
            self.delete::<ConfigMap>(&analysis.namespace, name, &DeleteParams::background()).await?;
            changed = true;
        }
        if let Some(config) = config {
            let present = config.metadata.name.as_ref().and_then(|name| observed.configs.get(name));
            changed |= self.child(analysis, config, present.map(|present| &present.metadata)).await?;
        }
        if let Some(claim) = claim {
            // A claim's spec cannot change: it is made, and then left alone.
            if observed.claim.is_none() {
                changed |= self.child(analysis, claim, None).await?;
            }
        }
        if let Some(service) = service {
            changed |=
                self.child(analysis, service, observed.service.as_ref().map(|present| &present.metadata)).await?;
        }
        for (wanted, present) in [(cache, &observed.cache), (workers, &observed.workers)] {
            let Some(wanted) = wanted else { continue };
            // Its size is ours: a person's is put back.
            let size = wanted.spec.as_ref().and_then(|spec| spec.replicas);
            let replicas = |present: &DeploymentFacts| present.spec.and_then(|spec| spec.replicas);
            let same = present.as_ref().filter(|present| replicas(present) == size);
            changed |= self.child(analysis, wanted, same.map(|present| &present.metadata)).await?;
        }
        if let Some(job) = rehearsal {
            self.rehearse(analysis, job).await?;
        }
        for job in jobs {
            changed |= self.child(analysis, job, None).await?;
        }
        for change in changes {
            self.change(analysis, change).await?;
            changed = true;
        }
        let replicas = cache.as_ref().and_then(|cache| cache.spec.as_ref()?.replicas).unwrap_or(0);
        Ok(Applied { cache_replicas: u32::try_from(replicas).unwrap_or(0), changed, expired: false })
    }

    /// A Job of another run, asked of the API server itself; by name.
    pub async fn job_of_other_run(&self, analysis: &Analysis, run: &str) -> Result<Option<String>, ApplyError> {
        self.may_write()?;
        let others = format!("{}={},{}!={run}", labels::JOB, analysis.name, labels::RUN);
        let found =
            self.api::<Job>(&analysis.namespace).list_metadata(&ListParams::default().labels(&others).limit(1)).await;
        let found = found.map_err(|source| failed::<Job>(&format!("of {}", analysis.name), source))?;
        Ok(found.items.first().map(|job| format!("Job {}", job.name_any())))
    }

    /// Writes the status of `job`.
    pub async fn status(&self, job: &AnalysisJob, status: &AnalysisJobStatus) -> Result<(), ApplyError> {
        self.may_write()?;
        let (namespace, name) = (job.namespace().unwrap_or_default(), job.name_any());
        let body = json!({
            "apiVersion": AnalysisJob::api_version(&()), "kind": AnalysisJob::kind(&()),
            "metadata": {"name": name, "namespace": namespace, "uid": job.uid()},
            "status": status,
        });
        let params = PatchParams::apply(managers::STATUS).force();
        let written = self.api::<AnalysisJob>(&namespace).patch_status(&name, &params, &Patch::Apply(&body)).await;
        written.map(drop).map_err(|source| failed::<AnalysisJob>(&name, source))
    }

    /// Applies a child unless it is there as it was applied last; whether it was written.
    async fn child<K>(&self, analysis: &Analysis, child: &K, present: Option<&ObjectMeta>) -> Result<bool, ApplyError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Serialize
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let name = child.name_any();
        let mut child = child.clone();
        let digest = sha256(serde_json::to_string(&child).unwrap_or_default().as_bytes());
        child.annotations_mut().insert(labels::APPLIED.to_owned(), digest.clone());
        if present.is_some_and(|present| {
            present.annotations.as_ref().and_then(|all| all.get(labels::APPLIED)) == Some(&digest)
        }) {
            return Ok(false);
        }
        self.may_write()?;
        let api = self.api::<K>(&analysis.namespace);
        if present.is_none() {
            // Not in the store: it is not there, or the store is behind, or it is someone else's.
            let found = api.get_metadata_opt(&name).await.map_err(|source| failed::<K>(&name, source))?;
            match found {
                Some(found) if !is_own(&found, analysis) => {
                    return Err(ApplyError::NameTaken { kind: K::kind(&()).into_owned(), name });
                }
                // A Job's template cannot change: what is there stays.
                Some(_) if K::kind(&()) == "Job" => return Ok(false),
                _ => {}
            }
            self.may_write()?;
        }
        let params = PatchParams::apply(managers::CHILDREN).force();
        api.patch(&name, &params, &Patch::Apply(&child)).await.map_err(|source| failed::<K>(&name, source))?;
        Ok(true)
    }

    /// Asks the API server whether it would take `job`, without making it.
    async fn rehearse(&self, analysis: &Analysis, job: &Job) -> Result<(), ApplyError> {
        self.may_write()?;
        let name = job.name_any();
        let params = PatchParams::apply(managers::CHILDREN).force().dry_run();
        let asked = self.api::<Job>(&analysis.namespace).patch(&name, &params, &Patch::Apply(job)).await;
        asked.map(drop).map_err(|source| failed::<Job>(&name, source))
    }

    async fn change(&self, analysis: &Analysis, change: &JobChange) -> Result<(), ApplyError> {
        self.may_write()?;
        let JobChange { name, parallelism, suspend } = change;
        let mut spec = serde_json::Map::new();
        spec.extend(parallelism.map(|count| ("parallelism".to_owned(), json!(count))));
        spec.extend(suspend.map(|suspend| ("suspend".to_owned(), json!(suspend))));
        let params = PatchParams { field_manager: Some(managers::CHILDREN.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({ "spec": spec }));
        match self.api::<Job>(&analysis.namespace).patch(name, &params, &patch).await {
            Ok(_) => Ok(()),
            Err(error) if is_code(&error, 404) => Ok(()),
            Err(source) => Err(failed::<Job>(name, source)),
        }
    }

    /// Deletes a Job. It stays in sight until its pods are gone, so that never two runs go on at once.
    async fn delete_job(
        &self,
        analysis: &Analysis,
        observed: &Observed,
        deletion: &JobDeletion,
    ) -> Result<(), ApplyError> {
        let JobDeletion { name, at_once } = deletion;
        self.delete::<Job>(&analysis.namespace, name, &DeleteParams::foreground()).await?;
        let run = observed.jobs.get(name).map(|job| run_of(&**job).to_owned());
        if let (true, Some(run)) = (*at_once, run) {
            self.may_write()?;
            let pods =
                ListParams::default().labels(&format!("{}={},{}={run}", labels::JOB, analysis.name, labels::RUN));
            let params = DeleteParams { grace_period_seconds: Some(AT_ONCE_SECONDS), ..DeleteParams::default() };
            let deleted = self.api::<Pod>(&analysis.namespace).delete_collection(&params, &pods).await;
            deleted.map(drop).map_err(|source| failed::<Pod>(&format!("of run {run}"), source))?;
        }
        Ok(())
    }

    async fn delete_job_object(&self, observed: &Observed) -> Result<(), ApplyError> {
        let job = &observed.job;
        let preconditions = Preconditions { uid: job.uid(), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        self.delete::<AnalysisJob>(&job.namespace().unwrap_or_default(), &job.name_any(), &params).await
    }

    /// Deletes an object; that it is gone already is well.
    async fn delete<K>(&self, namespace: &str, name: &str, params: &DeleteParams) -> Result<(), ApplyError>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        self.may_write()?;
        match self.api::<K>(namespace).delete(name, params).await {
            Ok(_) => Ok(()),
            Err(error) if is_code(&error, 404) || is_code(&error, 409) => Ok(()),
            Err(source) => Err(failed::<K>(name, source)),
        }
    }

    fn may_write(&self) -> Result<(), ApplyError> {
        if self.leadership.is_held() { Ok(()) } else { Err(ApplyError::NotLeader) }
    }

    fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// How long pods have that are to stop at once, in seconds: enough to save a checkpoint.
const AT_ONCE_SECONDS: u32 = 10;

fn is_own<K: ResourceExt>(found: &K, analysis: &Analysis) -> bool {
    let owners = found.owner_references();
    let labelled = found.labels().get(labels::JOB) == Some(&analysis.name);
    // A claim has no owner, it outlives the AnalysisJob: it is told by its labels.
    if owners.is_empty() { labelled } else { owners.iter().any(|owner| owner.uid == analysis.owner.uid) }
}

fn is_code(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

fn failed<K: Resource<DynamicType = ()>>(name: &str, source: kube::Error) -> ApplyError {
    let (kind, name) = (K::kind(&()).into_owned(), name.to_owned());
    match source {
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422) => {
            let quota = status.code == 403 && status.message.contains("exceeded quota");
            ApplyError::Refused { kind, name, message: status.message.clone(), quota }
        }
        source => ApplyError::Write { kind, name, source: Box::new(source) },
    }
}
