//! What a real API server fills in and refuses, for the kinds the operator makes.

use serde_json::{Value, json};

use crate::{
    answer::Refusal,
    kinds::{CLAIM, CONFIG_MAP, DEPLOYMENT, JOB, KINDS, KindId, POD, SERVICE},
    object::{list, map_mut, meta},
};

/// Fills in defaults where nothing is said.
pub(crate) fn fill_in(kind: KindId, object: &mut Value) {
    match kind {
        JOB => fill_in_job(object),
        DEPLOYMENT => {
            default(object, "replicas", &json!(1));
            default(object, "revisionHistoryLimit", &json!(10));
            default(object, "progressDeadlineSeconds", &json!(600));
        }
        SERVICE => {
            default(object, "type", &json!("ClusterIP"));
            default(object, "clusterIP", &json!("10.96.0.1"));
        }
        CLAIM => default(object, "volumeMode", &json!("Filesystem")),
        POD => default(object, "restartPolicy", &json!("Always")),
        _ => {}
    }
}

fn default(object: &mut Value, field: &str, value: &Value) {
    let spec = map_mut(&mut object["spec"]);
    if spec.get(field).is_none_or(Value::is_null) {
        spec.insert(field.to_owned(), value.clone());
    }
}

fn fill_in_job(job: &mut Value) {
    if job["spec"]["completions"].is_null() && job["spec"]["parallelism"].is_null() {
        default(job, "completions", &json!(1));
    }
    default(job, "parallelism", &json!(1));
    let per_index = !job["spec"]["backoffLimitPerIndex"].is_null();
    default(job, "backoffLimit", &json!(if per_index { i32::MAX } else { 6 }));
    default(job, "completionMode", &json!("NonIndexed"));
    default(job, "suspend", &json!(false));
    let policy = !job["spec"]["podFailurePolicy"].is_null();
    default(job, "podReplacementPolicy", &json!(if policy { "Failed" } else { "TerminatingOrFailed" }));
    let uid = meta(job, "uid").to_owned();
    if uid.is_empty() {
        return;
    }
    default(job, "selector", &json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
    let name = meta(job, "name").to_owned();
    let labels = map_mut(&mut job["spec"]["template"]["metadata"]["labels"]);
    labels.insert("batch.kubernetes.io/controller-uid".to_owned(), json!(uid));
    labels.insert("batch.kubernetes.io/job-name".to_owned(), json!(name));
}

/// Refuses an object that breaks a rule of its kind.
pub(crate) fn check(kind: KindId, old: Option<&Value>, new: &Value) -> Result<(), Refusal> {
    let problem = match kind {
        JOB => job_problem(new).or_else(|| old.and_then(|old| job_change(old, new))),
        DEPLOYMENT => old.and_then(|old| frozen(old, new, &["selector"])).or_else(|| deployment_problem(new)),
        CLAIM => old.and_then(|old| frozen(old, new, &["accessModes", "storageClassName", "selector", "volumeMode"])),
        CONFIG_MAP => config_map_problem(new),
        _ => None,
    };
    let problem = problem.or_else(|| name_problem(kind, new));
    problem.map_or(Ok(()), |problem| Err(Refusal::invalid(KINDS[kind].kind, meta(new, "name"), &problem)))
}

fn name_problem(kind: KindId, object: &Value) -> Option<String> {
    let name = meta(object, "name");
    let limit = if matches!(kind, JOB | SERVICE) { 63 } else { 253 };
    let letters = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let sound = letters && name.len() <= limit && ends(name.bytes().next()) && ends(name.bytes().last());
    (!sound).then(|| format!("metadata.name: Invalid value: \"{name}\": must be a DNS name of at most {limit} letters"))
}

fn config_map_problem(object: &Value) -> Option<String> {
    let sizes = |field: &str| {
        let values = object[field].as_object().into_iter().flatten();
        values.map(|(_, value)| value.as_str().map_or(0, str::len)).sum::<usize>()
    };
    (sizes("data") + sizes("binaryData") > 1 << 20)
        .then(|| "data: Too long: may not be more than 1048576 bytes".to_owned())
}

fn deployment_problem(object: &Value) -> Option<String> {
    let wanted = object["spec"]["selector"]["matchLabels"].as_object()?;
    let labels = &object["spec"]["template"]["metadata"]["labels"];
    let fits = wanted.iter().all(|(key, value)| labels[key] == *value);
    (!fits)
        .then(|| "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`".to_owned())
}

fn job_problem(job: &Value) -> Option<String> {
    let spec = &job["spec"];
    let indexed = spec["completionMode"] == "Indexed";
    let restart = &spec["template"]["spec"]["restartPolicy"];
    let rules = list(&spec["podFailurePolicy"]["rules"]);
    let has = |field: &str| !spec[field].is_null();
    let say = |text: &str| Some(text.to_owned());
    if indexed && !has("completions") {
        return say("spec.completions: Required value: when completion mode is Indexed");
    }
    if !matches!(restart.as_str(), Some("Never" | "OnFailure")) {
        return say("spec.template.spec.restartPolicy: Unsupported value: supported values: \"OnFailure\", \"Never\"");
    }
    if has("podFailurePolicy") && restart != "Never" {
        return say("spec.template.spec.restartPolicy: only \"Never\" is supported when podFailurePolicy is specified");
    }
    if has("backoffLimitPerIndex") && !indexed {
        return say("spec.backoffLimitPerIndex: Invalid value: requires indexed completion mode");
    }
    if has("maxFailedIndexes") && !has("backoffLimitPerIndex") {
        return say("spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified");
    }
    if rules.iter().any(|rule| rule["action"] == "FailIndex") && !has("backoffLimitPerIndex") {
        return say("spec.podFailurePolicy.rules: FailIndex requires backoffLimitPerIndex");
    }
    negative(spec).or_else(|| rules.iter().find_map(rule_problem))
}

fn negative(spec: &Value) -> Option<String> {
    let fields = ["completions", "parallelism", "backoffLimitPerIndex", "maxFailedIndexes", "activeDeadlineSeconds"];
    let bad = fields.iter().find(|field| spec[**field].as_i64().is_some_and(|number| number < 0))?;
    Some(format!("spec.{bad}: Invalid value: must be greater than or equal to 0"))
}

fn rule_problem(rule: &Value) -> Option<String> {
    let codes = !rule["onExitCodes"].is_null();
    let conditions = !list(&rule["onPodConditions"]).is_empty();
    let zero =
        list(&rule["onExitCodes"]["values"]).iter().any(|code| code == 0) && rule["onExitCodes"]["operator"] == "In";
    match (codes, conditions) {
        (true, true) => {
            Some("spec.podFailurePolicy.rules: one of onExitCodes and onPodConditions, not both".to_owned())
        }
        (false, false) => {
            Some("spec.podFailurePolicy.rules: one of onExitCodes and onPodConditions is required".to_owned())
        }
        _ if zero => {
            Some("spec.podFailurePolicy.rules.onExitCodes.values: must not be 0 for the In operator".to_owned())
        }
        _ => None,
    }
}

fn job_change(old: &Value, new: &Value) -> Option<String> {
    let fixed =
        ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"];
    frozen(old, new, &fixed).or_else(|| completions_change(old, new)).or_else(|| template_change(old, new))
}

/// Completions follow parallelism in an elastic Indexed Job; else they are fixed.
fn completions_change(old: &Value, new: &Value) -> Option<String> {
    let elastic =
        new["spec"]["completionMode"] == "Indexed" && new["spec"]["completions"] == new["spec"]["parallelism"];
    if elastic { None } else { frozen(old, new, &["completions"]) }
}

/// The template is fixed; while a Job is suspended and has not started, where its pods may run is not.
fn template_change(old: &Value, new: &Value) -> Option<String> {
    let suspended = old["spec"]["suspend"] == true && old["status"]["startTime"].is_null();
    if !suspended {
        return frozen(old, new, &["template"]);
    }
    let mut template = new["spec"]["template"].clone();
    for part in ["labels", "annotations"] {
        replace(&mut template["metadata"], &old["spec"]["template"]["metadata"], part);
    }
    for part in ["nodeSelector", "affinity", "tolerations", "schedulingGates"] {
        replace(&mut template["spec"], &old["spec"]["template"]["spec"], part);
    }
    (template != old["spec"]["template"]).then(|| immutable("template"))
}

fn replace(target: &mut Value, source: &Value, field: &str) {
    match source.get(field) {
        Some(value) => map_mut(target).insert(field.to_owned(), value.clone()),
        None => map_mut(target).remove(field),
    };
}

fn frozen(old: &Value, new: &Value, fields: &[&str]) -> Option<String> {
    fields.iter().find(|field| old["spec"][**field] != new["spec"][**field]).map(|field| immutable(field))
}

fn immutable(field: &str) -> String {
    format!("spec.{field}: Invalid value: field is immutable")
}
