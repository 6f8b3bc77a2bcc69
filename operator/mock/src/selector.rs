//! Label and field selectors: which objects a list, a watch or a deletecollection is about.

use serde_json::Value;

use crate::{
    answer::Refusal,
    kinds::{CORE_EVENT, JOB, KINDS, KindId, POD},
    object,
    route::Call,
};

/// What a request selects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Empty: all.
    pub namespace: String,
    labels: Vec<LabelRule>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LabelRule {
    key: String,
    /// `None`: any value.
    values: Option<Vec<String>>,
    /// Whether the rule wants the opposite.
    not: bool,
}

impl Selection {
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        Ok(Self {
            namespace: call.namespace.clone(),
            labels: labels(call.parameter("labelSelector").unwrap_or_default())?,
            fields: fields(call.id, call.parameter("fieldSelector").unwrap_or_default())?,
        })
    }

    /// All objects of a namespace; of an empty one, of all.
    pub(crate) fn all_of(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    /// Whether the object is meant. The namespace is not looked at.
    pub(crate) fn admits(&self, object: &Value) -> bool {
        self.labels.iter().all(|rule| rule.admits(object))
            && self.fields.iter().all(|(path, equal, value)| {
                (object::dotted(object, path).as_str().unwrap_or_default() == value) == *equal
            })
    }

    /// The name, when only one object can be meant.
    pub(crate) fn only_name(&self) -> Option<&str> {
        let named = self.fields.iter().find(|(path, equal, _)| *equal && path == "metadata.name");
        named.map(|(_, _, name)| name.as_str())
    }

    /// Label pairs every selected object has; an index may start from any of them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().filter_map(|rule| match (rule.not, rule.values.as_deref()) {
            (false, Some([value])) => Some((rule.key.as_str(), value.as_str())),
            _ => None,
        })
    }
}

impl LabelRule {
    fn admits(&self, object: &Value) -> bool {
        let value = object["metadata"]["labels"][&self.key].as_str();
        let holds = match (&self.values, value) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(values), Some(value)) => values.iter().any(|wanted| wanted == value),
        };
        holds != self.not
    }
}

fn labels(text: &str) -> Result<Vec<LabelRule>, Refusal> {
    let mut rules = Vec::new();
    for term in terms(text) {
        let rule = label_rule(term).ok_or_else(|| {
            Refusal::bad_request(format!("unable to parse requirement: found \"{term}\" in the label selector"))
        })?;
        rules.push(rule);
    }
    Ok(rules)
}

/// The parts between commas that are not inside parentheses.
fn terms(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let split = text.split(move |letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    split.map(str::trim).filter(|term| !term.is_empty())
}

fn label_rule(term: &str) -> Option<LabelRule> {
    let rule = |key: &str, values, not| {
        let key = key.trim().to_owned();
        (!key.is_empty() && !key.contains(char::is_whitespace)).then_some(LabelRule { key, values, not })
    };
    let one = |value: &str| Some(vec![value.trim().to_owned()]);
    if let Some((key, rest)) = term.split_once('(') {
        let values = rest.strip_suffix(')')?.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, word) = key.trim().rsplit_once(' ')?;
        return match word {
            "in" => rule(key, Some(values), false),
            "notin" => rule(key, Some(values), true),
            _ => None,
        };
    }
    if let Some((key, value)) = term.split_once("!=") {
        return rule(key, one(value), true);
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return rule(key, one(value), false);
    }
    term.strip_prefix('!').map_or_else(|| rule(term, None, false), |key| rule(key, None, true))
}

fn fields(kind: KindId, text: &str) -> Result<Vec<(String, bool, String)>, Refusal> {
    text.split(',').map(str::trim).filter(|term| !term.is_empty()).map(|term| field(kind, term)).collect()
}

fn field(kind: KindId, term: &str) -> Result<(String, bool, String), Refusal> {
    let (path, equal, value) = if let Some((path, value)) = term.split_once("!=") {
        (path, false, value)
    } else if let Some((path, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (path, true, value)
    } else {
        return Err(Refusal::bad_request(format!("invalid field selector: {term}")));
    };
    let supported = matches!(path, "metadata.name" | "metadata.namespace") || selectable(kind).contains(&path);
    if !supported {
        let message = format!("field label not supported: {path} (of {})", KINDS[kind].resource());
        return Err(Refusal::bad_request(message));
    }
    Ok((path.to_owned(), equal, value.to_owned()))
}

/// The fields a real API server lets one select by, beside name and namespace.
fn selectable(kind: KindId) -> &'static [&'static str] {
    match kind {
        POD => &["spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP"],
        JOB => &["status.successful"],
        _ if KINDS[kind].plural == "events" && kind != CORE_EVENT => {
            &["regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "reason", "type"]
        }
        CORE_EVENT => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn admits(selector: &str, object: &Value) -> bool {
        let labels = labels(selector).unwrap();
        Selection { labels, ..Selection::default() }.admits(object)
    }

    #[test]
    fn label_selectors_mean_what_they_mean_to_kubernetes() {
        let object = json!({"metadata": {"labels": {"role": "work", "run": "4-7c9f"}}});
        for yes in
            ["", "role=work", "role==work,run", "role in (plan, work)", "role!=plan", "!other", "x!=y", "x notin (a,b)"]
        {
            assert!(admits(yes, &object), "{yes}");
        }
        for no in ["role=plan", "run,other", "role notin (plan,work)", "!run", "role in (plan),run"] {
            assert!(!admits(no, &object), "{no}");
        }
        assert!(labels("a b=c").is_err());
    }

    #[test]
    fn fields_a_server_does_not_index_are_refused() {
        assert!(fields(POD, "status.phase=Running").is_ok());
        assert_eq!(fields(POD, "spec.hostname=x").unwrap_err().code, 400);
    }
}
