//! What the end of a pod means to its Job: podFailurePolicy, backoff limits.

use serde_json::Value;

use crate::object::{list, meta};

/// What a failed pod does to its Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It counts toward the limit.
    Count,
    /// It does not count.
    Ignore,
    /// Its index has failed.
    FailIndex,
    /// The Job has failed, with this message.
    FailJob(String),
}

/// The first rule of the policy that fits the pod decides.
pub(crate) fn verdict(job: &Value, pod: &Value) -> Verdict {
    let rules = list(&job["spec"]["podFailurePolicy"]["rules"]);
    for (at, rule) in rules.iter().enumerate() {
        let Some(what) = by_exit_code(rule, pod).or_else(|| by_condition(rule, pod)) else { continue };
        return match rule["action"].as_str() {
            Some("Ignore") => Verdict::Ignore,
            Some("FailIndex") => Verdict::FailIndex,
            Some("FailJob") => Verdict::FailJob(format!("{what} matching FailJob rule at index {at}")),
            _ => Verdict::Count,
        };
    }
    Verdict::Count
}

fn by_exit_code(rule: &Value, pod: &Value) -> Option<String> {
    let rule = rule["onExitCodes"].as_object()?;
    let statuses = list(&pod["status"]["containerStatuses"]).iter();
    let meant =
        |status: &&Value| rule.get("containerName").is_none_or(|name| name.is_null() || *name == status["name"]);
    let values = rule.get("values").map_or(&[][..], list);
    statuses.filter(meant).find_map(|status| {
        let code = &status["state"]["terminated"]["exitCode"];
        let failed = code.as_i64().is_some_and(|code| code != 0);
        let inside = values.contains(code);
        let fits = failed && (rule.get("operator").is_some_and(|operator| operator == "In") == inside);
        let name = status["name"].as_str().unwrap_or_default();
        let pod = format!("{}/{}", meta(pod, "namespace"), meta(pod, "name"));
        fits.then(|| format!("Container {name} for pod {pod} failed with exit code {code}"))
    })
}

fn by_condition(rule: &Value, pod: &Value) -> Option<String> {
    let wanted = list(&rule["onPodConditions"]);
    let conditions = list(&pod["status"]["conditions"]);
    wanted.iter().find_map(|wanted| {
        let status = if wanted["status"].is_null() { &Value::from("True") } else { &wanted["status"] };
        let found = conditions
            .iter()
            .find(|condition| condition["type"] == wanted["type"] && condition["status"] == *status)?;
        let pod = format!("{}/{}", meta(pod, "namespace"), meta(pod, "name"));
        Some(format!("Pod {pod} has condition {} ", found["type"].as_str().unwrap_or_default()))
    })
}
