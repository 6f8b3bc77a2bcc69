//! The cache of a job: a Deployment of lazycache and its Service. It follows the workers, and has no pods without a run.

use std::collections::BTreeMap;

use analysisjob::{FrameCache, ManagedCache, labels};
use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec},
        core::v1::{
            Container, ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource, EphemeralVolumeSource, HTTPGetAction,
            PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate, PersistentVolumeClaimVolumeSource,
            PodTemplateSpec, Probe, SecretKeySelector, Service, ServicePort, ServiceSpec, Volume, VolumeMount,
            VolumeResourceRequirements,
        },
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};

use super::{
    child_labels, child_meta,
    overlay::{OverlayError, lay_over},
    pod::{env, hardened, locked, mount, pull_secrets, resources, scratch},
};
use crate::reconcile::{
    observe::Observed,
    policy::cache_size,
    run::{Phase, Situation},
    validate::Analysis,
};

/// The port lazycache answers on.
pub const PORT: u16 = 8080;

const CONTAINER: &str = "lazycache";
/// Where frames are kept.
const STORE: &str = "/cache";
/// Where local copies of movies are mounted.
const OVERLAY: &str = "/movies";

/// The cache's Deployment; none when the job uses a cache that exists, or none was ever needed.
pub fn deployment(
    analysis: &Analysis,
    observed: &Observed,
    situation: &Situation,
) -> Result<Option<Deployment>, OverlayError> {
    let FrameCache::Managed(cache) = &analysis.cache else { return Ok(None) };
    let replicas = replicas(cache, observed, situation);
    if replicas == 0 && observed.cache.is_none() {
        return Ok(None);
    }
    let mut metadata = child_meta(analysis, analysis.cache_name(), labels::CACHE);
    metadata.annotations = None;
    Ok(Some(Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: Some(i32::try_from(replicas).unwrap_or(i32::MAX)),
            selector: LabelSelector { match_labels: Some(selector(analysis)), match_expressions: None },
            revision_history_limit: Some(1),
            template: template(analysis, cache)?,
            ..DeploymentSpec::default()
        }),
        status: None,
    }))
}

/// How many cache pods are wanted.
pub fn replicas(cache: &ManagedCache, observed: &Observed, situation: &Situation) -> u32 {
    let present = observed.cache.as_ref().and_then(|cache| cache.spec.as_ref()?.replicas).unwrap_or(0);
    let present = u32::try_from(present).unwrap_or(0);
    match situation.phase {
        _ if situation.suspended => 0,
        Phase::Planning => cache.replicas.min,
        Phase::Working | Phase::Lending => cache_size::replicas(&cache.replicas, situation.progress.active, present),
        // Workers of the run before may still end the movies they hold.
        Phase::Draining(_) => present,
        Phase::Collecting(_) | Phase::Ended(_) => 0,
    }
}

/// The cache's Service.
pub fn service(analysis: &Analysis) -> Service {
    Service {
        metadata: child_meta(analysis, analysis.cache_name(), labels::CACHE),
        spec: Some(ServiceSpec {
            selector: Some(selector(analysis)),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: i32::from(PORT),
                target_port: Some(IntOrString::String("http".to_owned())),
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn selector(analysis: &Analysis) -> BTreeMap<String, String> {
    [(labels::JOB, analysis.name.as_str()), (labels::ROLE, labels::CACHE)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn template(analysis: &Analysis, cache: &ManagedCache) -> Result<PodTemplateSpec, OverlayError> {
    let mut spec = hardened();
    spec.image_pull_secrets = pull_secrets(&analysis.spec.workers.image_pull_secrets);
    // Longer than lazycache takes to let its requests end.
    spec.termination_grace_period_seconds = Some(60);
    spec.volumes = Some(volumes(cache));
    spec.containers = vec![container(analysis, cache)];
    let metadata = ObjectMeta { labels: Some(child_labels(analysis, labels::CACHE)), ..ObjectMeta::default() };
    let mut template = PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) };
    lay_over(&mut template, cache.pod_template.as_ref(), "spec.cache.managed.podTemplate")?;
    Ok(template)
}

fn container(analysis: &Analysis, cache: &ManagedCache) -> Container {
    let http = |path: &str| HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::String("http".to_owned()),
        ..HTTPGetAction::default()
    };
    let probe = |path: &str, period| Probe {
        http_get: Some(http(path)),
        period_seconds: Some(period),
        timeout_seconds: Some(3),
        ..Probe::default()
    };
    let port = ContainerPort { name: Some("http".to_owned()), container_port: PORT.into(), ..ContainerPort::default() };
    Container {
        name: CONTAINER.to_owned(),
        image: Some(cache.image.clone().unwrap_or_else(|| analysis.images.cache.clone())),
        command: Some(vec!["lazycache".to_owned(), "serve".to_owned(), analysis.spec.source.http.root_url.clone()]),
        env: Some(environment(analysis, cache)),
        ports: Some(vec![port]),
        resources: Some(resources(&cache.resources)),
        security_context: Some(locked()),
        readiness_probe: Some(probe("/readyz", 2)),
        liveness_probe: Some(Probe { failure_threshold: Some(6), ..probe("/healthz", 10) }),
        volume_mounts: Some(mounts(cache)),
        ..Container::default()
    }
}

fn environment(analysis: &Analysis, cache: &ManagedCache) -> Vec<EnvVar> {
    let mut variables = vec![
        env("LAZYCACHE_BIND", "0.0.0.0"),
        env("LAZYCACHE_PORT", PORT.to_string()),
        env("LAZYCACHE_ALLOW_RAW_OUTPUT", "true"),
        env("LAZYCACHE_MAX_CONCURRENT_REQUESTS", per_replica(analysis, cache).to_string()),
    ];
    if cache.storage.none.is_none() {
        variables.push(env("LAZYCACHE_DISK", STORE));
    }
    if cache.overlay.is_some() {
        variables.push(env("LAZYCACHE_FILE_OVERLAY", OVERLAY));
    }
    if let Some(secret) = &analysis.spec.source.http.auth_secret_ref {
        let keys = [
            ("LAZYCACHE_AUTH_TOKEN", "token"),
            ("LAZYCACHE_AUTH_USERNAME", "username"),
            ("LAZYCACHE_AUTH_PASSWORD", "password"),
        ];
        variables.extend(keys.map(|(name, key)| optional_secret(name, &secret.name, key)));
    }
    variables
}

/// Each pod's share of the job's polite ceiling, at the most pods there can be.
fn per_replica(analysis: &Analysis, cache: &ManagedCache) -> u32 {
    (analysis.spec.source.http.max_concurrent_requests / cache.replicas.max.max(1)).max(1)
}

/// A Secret has a token, or user name and password: what is not there is left out.
fn optional_secret(name: &str, secret: &str, key: &str) -> EnvVar {
    let selector = SecretKeySelector { name: secret.to_owned(), key: key.to_owned(), optional: Some(true) };
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() }),
    }
}

fn volumes(cache: &ManagedCache) -> Vec<Volume> {
    let mut volumes = vec![scratch("tmp", "1Gi")];
    if let Some(disk) = &cache.storage.empty_dir {
        let source = EmptyDirVolumeSource { size_limit: Some(disk.size_limit.clone().into()), medium: None };
        volumes.push(Volume { name: "cache".to_owned(), empty_dir: Some(source), ..Volume::default() });
    }
    if let Some(disk) = &cache.storage.ephemeral {
        let requests = [("storage".to_owned(), disk.size.clone().into())].into();
        let spec = PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: disk.storage_class_name.clone(),
            resources: Some(VolumeResourceRequirements { requests: Some(requests), limits: None }),
            ..PersistentVolumeClaimSpec::default()
        };
        let template = PersistentVolumeClaimTemplate { metadata: None, spec };
        let source = EphemeralVolumeSource { volume_claim_template: Some(template) };
        volumes.push(Volume { name: "cache".to_owned(), ephemeral: Some(source), ..Volume::default() });
    }
    if let Some(overlay) = &cache.overlay {
        let claim_name = overlay.persistent_volume_claim.claim_name.clone();
        let source = PersistentVolumeClaimVolumeSource { claim_name, read_only: Some(true) };
        volumes.push(Volume { name: "movies".to_owned(), persistent_volume_claim: Some(source), ..Volume::default() });
    }
    volumes
}

fn mounts(cache: &ManagedCache) -> Vec<VolumeMount> {
    let mut mounts = vec![mount("tmp", "/tmp")];
    if cache.storage.none.is_none() {
        mounts.push(mount("cache", STORE));
    }
    if let Some(overlay) = &cache.overlay {
        let sub_path = overlay.persistent_volume_claim.sub_path.clone();
        mounts.push(VolumeMount { sub_path, read_only: Some(true), ..mount("movies", OVERLAY) });
    }
    mounts
}
