//! The workers of strategy Queue: a Deployment whose pods drain the list. It has no pods but while there is something on
//! the list for them to do.

use analysisjob::{labels, workers::Redis};
use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::{EnvVar, EnvVarSource, SecretKeySelector},
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::{child_meta, data_pod, overlay::OverlayError, pod::env};
use crate::reconcile::{
    observe::Observed,
    run::{Phase, Situation},
    validate::Analysis,
};

/// The workers' Deployment; none with strategy Indexed, and none before it is needed.
pub fn deployment(
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
) -> Result<Option<Deployment>, OverlayError> {
    if analysis.queue().is_none() {
        return Ok(None);
    }
    let present = observed.workers.as_ref().map(|workers| workers.spec.and_then(|spec| spec.replicas).unwrap_or(1));
    let replicas = replicas(analysis, situation, present.unwrap_or(0));
    // Workers of the run before end what they hold: their template stays as long as they do.
    if present.is_none() && replicas == 0 || matches!(situation.phase, Phase::Draining(_)) {
        return Ok(None);
    }
    let mut template = data_pod::template(analysis, &situation.run, labels::WORK, "drain", environment(analysis))?;
    if let Some(spec) = &mut template.spec {
        // The only policy a Deployment's pods may have.
        spec.restart_policy = None;
    }
    let mut metadata = child_meta(analysis, analysis.workers_name(), labels::WORK);
    metadata.annotations = None;
    let selector = [(labels::JOB, analysis.name.as_str()), (labels::ROLE, labels::WORK)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let rolling = RollingUpdateDeployment {
        max_surge: Some(IntOrString::Int(0)),
        max_unavailable: Some(IntOrString::String("100%".to_owned())),
    };
    Ok(Some(Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: Some(replicas),
            selector: LabelSelector { match_labels: Some(selector.into()), match_expressions: None },
            revision_history_limit: Some(1),
            // Workers of two versions are no trouble, more of them than wanted may be.
            strategy: Some(DeploymentStrategy {
                rolling_update: Some(rolling),
                type_: Some("RollingUpdate".to_owned()),
            }),
            template,
            ..DeploymentSpec::default()
        }),
        status: None,
    }))
}

/// How many workers are wanted. More than there are movies left are of no use, but others may fill the list, too.
fn replicas(analysis: &Analysis, situation: &Situation, present: i32) -> i32 {
    let all = i32::try_from(analysis.spec.workers.parallelism).unwrap_or(i32::MAX);
    match situation.phase {
        _ if situation.suspended => 0,
        Phase::Working | Phase::Lending => all,
        Phase::Draining(_) => present,
        Phase::Planning | Phase::Collecting(_) | Phase::Ended(_) => 0,
    }
}

/// Where the list is: what the feed and the workers are told besides.
pub(super) fn environment(analysis: &Analysis) -> Vec<EnvVar> {
    let Some(queue) = analysis.queue() else { return Vec::new() };
    vec![address(&queue.redis), env("ANALYSIS_STREAM", &queue.stream)]
}

fn address(redis: &Redis) -> EnvVar {
    let name = "ANALYSIS_REDIS";
    let Some(from) = &redis.url_secret_ref else { return env(name, redis.url.as_deref().unwrap_or_default()) };
    let key = SecretKeySelector { name: from.name.clone(), key: from.key.clone(), optional: None };
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() }),
    }
}
