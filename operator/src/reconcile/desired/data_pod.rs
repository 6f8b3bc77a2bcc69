//! The pods that plan, work, feed, drain and collect: one program, one template, a verb each.

use analysisjob::labels;
use k8s_openapi::{
    api::{
        batch::v1::{
            JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
            PodFailurePolicyRule,
        },
        core::v1::{
            ConfigMapVolumeSource, Container, EnvVar, EnvVarSource, PersistentVolumeClaimVolumeSource, PodTemplateSpec,
            SecretKeySelector, Volume, VolumeMount,
        },
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{
    child_labels, config,
    overlay::{OverlayError, lay_over},
    pod::{env, env_from, env_vars, hardened, locked, mount, pull_secrets, resources, scratch},
};
use crate::reconcile::{run::Run, validate::Analysis};

/// The container's name in data pods; the pod failure policy speaks of it.
pub(super) const CONTAINER: &str = "worker";
/// Where the output is mounted.
const RESULTS: &str = "/results";
/// Where the list of `itemsFrom` is mounted.
const ITEMS: &str = "/etc/analysis-items";

/// How long a worker may take to end the movie in hand when it is stopped, in seconds.
pub(super) const GRACE_SECONDS: i64 = 120;

/// The template of the pods of `role` (`plan`, `work`, `feed` or `collect`) that run the program's `verb`, the overlay of
/// the workers laid over it.
pub(super) fn template(
    analysis: &Analysis,
    run: &Run,
    role: &str,
    verb: &str,
    more: Vec<EnvVar>,
) -> Result<PodTemplateSpec, OverlayError> {
    let mut labels = child_labels(analysis, role);
    labels.insert(labels::RUN.to_owned(), run.id.clone());
    let workers = &analysis.spec.workers;
    let mut spec = hardened();
    spec.restart_policy = Some("Never".to_owned());
    spec.termination_grace_period_seconds = Some(GRACE_SECONDS);
    spec.image_pull_secrets = pull_secrets(&workers.image_pull_secrets);
    spec.priority_class_name.clone_from(&workers.priority_class_name);
    spec.volumes = Some(volumes(analysis, run));
    spec.containers = vec![container(analysis, run, verb, more)];
    let metadata = ObjectMeta { labels: Some(labels), ..ObjectMeta::default() };
    let mut template = PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) };
    lay_over(&mut template, workers.pod_template.as_ref(), "spec.workers.podTemplate")?;
    Ok(template)
}

fn container(analysis: &Analysis, run: &Run, verb: &str, more: Vec<EnvVar>) -> Container {
    let workers = &analysis.spec.workers;
    let mut variables = environment(analysis, run);
    variables.extend(more);
    variables.extend(credentials(analysis));
    // A person's variables come last: they win over ours.
    let own = env_vars(&workers.env);
    variables.retain(|variable| own.iter().all(|mine| mine.name != variable.name));
    variables.extend(own);
    Container {
        name: CONTAINER.to_owned(),
        image: Some(analysis.worker_image().to_owned()),
        command: Some(vec!["analysis-worker".to_owned(), verb.to_owned()]),
        env: Some(variables),
        env_from: (!workers.env_from.is_empty()).then(|| env_from(&workers.env_from)),
        resources: Some(resources(&workers.resources)),
        security_context: Some(locked()),
        volume_mounts: Some(mounts(analysis)),
        // The message is the contract with the operator; a crash without one still says its last lines.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn environment(analysis: &Analysis, run: &Run) -> Vec<EnvVar> {
    let output = if analysis.spec.output.s3.is_some() { "s3" } else { RESULTS };
    let mut variables = vec![
        env("ANALYSIS_JOB", format!("{}/{}", config::MOUNT, config::KEY)),
        env("ANALYSIS_RUN", &run.id),
        env("ANALYSIS_CACHE_URL", analysis.cache_url()),
        env("ANALYSIS_OUTPUT", output),
        env("ANALYSIS_THREADS", analysis.spec.workers.threads.to_string()),
        env("ANALYSIS_GRACE_SECONDS", GRACE_SECONDS.to_string()),
        env("ANALYSIS_TERMINATION_LOG", "/dev/termination-log"),
    ];
    if let Some(items) = &analysis.spec.source.items_from {
        variables.push(env("ANALYSIS_ITEMS_FILE", format!("{ITEMS}/{}", items.config_map_key_ref.key)));
    }
    variables
}

/// The keys of the bucket's Secret.
fn credentials(analysis: &Analysis) -> Vec<EnvVar> {
    let secret = analysis.spec.output.s3.as_ref().and_then(|s3| s3.secret_ref.as_ref());
    let from = |name: &str, key: &str| EnvVar {
        name: key.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector { name: name.to_owned(), key: key.to_owned(), optional: None }),
            ..EnvVarSource::default()
        }),
    };
    let keys = |name: &str| ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|key| from(name, key)).to_vec();
    secret.map(|secret| keys(&secret.name)).unwrap_or_default()
}

fn volumes(analysis: &Analysis, run: &Run) -> Vec<Volume> {
    let config_map = |volume: &str, name: &str| Volume {
        name: volume.to_owned(),
        config_map: Some(ConfigMapVolumeSource { name: name.to_owned(), ..ConfigMapVolumeSource::default() }),
        ..Volume::default()
    };
    let mut volumes = vec![config_map("job", &config::name(analysis, run)), scratch("tmp", "1Gi")];
    if let Some(claim_name) = claim_name(analysis) {
        let claim = PersistentVolumeClaimVolumeSource { claim_name, read_only: None };
        volumes.push(Volume { name: "results".to_owned(), persistent_volume_claim: Some(claim), ..Volume::default() });
    }
    if let Some(items) = &analysis.spec.source.items_from {
        volumes.push(config_map("items", &items.config_map_key_ref.name));
    }
    volumes
}

fn claim_name(analysis: &Analysis) -> Option<String> {
    let output = &analysis.spec.output;
    let given = output.persistent_volume_claim.as_ref().map(|claim| claim.claim_name.clone());
    given.or_else(|| output.claim_template.as_ref().map(|_| analysis.claim_name()))
}

fn mounts(analysis: &Analysis) -> Vec<VolumeMount> {
    let read_only = |mount: VolumeMount| VolumeMount { read_only: Some(true), ..mount };
    let mut mounts = vec![read_only(mount("job", config::MOUNT)), mount("tmp", "/tmp")];
    if claim_name(analysis).is_some() {
        let sub_path = analysis.spec.output.persistent_volume_claim.as_ref().and_then(|claim| claim.sub_path.clone());
        mounts.push(VolumeMount { sub_path, ..mount("results", RESULTS) });
    }
    if analysis.spec.source.items_from.is_some() {
        mounts.push(read_only(mount("items", ITEMS)));
    }
    mounts
}

/// What a Job of one pod has: its failures are retried a few times, but for those that a retry cannot mend.
pub(super) fn single(template: PodTemplateSpec, suspend: bool) -> JobSpec {
    JobSpec {
        backoff_limit: Some(6),
        pod_failure_policy: Some(PodFailurePolicy { rules: failure_rules(false) }),
        pod_replacement_policy: Some("Failed".to_owned()),
        suspend: Some(suspend),
        template,
        ..JobSpec::default()
    }
}

/// What an exit code means to a Job: see the exit codes of `analysis-worker`.
pub(super) fn failure_rules(indexed: bool) -> Vec<PodFailurePolicyRule> {
    let on_code = |action: &str, code: u8| PodFailurePolicyRule {
        action: action.to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: Some(CONTAINER.to_owned()),
            operator: "In".to_owned(),
            values: vec![code.into()],
        }),
        on_pod_conditions: None,
    };
    let evicted =
        PodFailurePolicyOnPodConditionsPattern { type_: "DisruptionTarget".to_owned(), status: "True".to_owned() };
    let mut rules = vec![
        PodFailurePolicyRule {
            action: "Ignore".to_owned(),
            on_exit_codes: None,
            on_pod_conditions: Some(vec![evicted]),
        },
        on_code("Ignore", plan::exit::INTERRUPTED),
        on_code("FailJob", plan::exit::CONFIGURATION),
    ];
    if indexed {
        rules.push(on_code("FailIndex", plan::exit::BAD_INPUT));
    }
    rules
}
