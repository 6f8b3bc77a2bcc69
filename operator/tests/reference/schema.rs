//! Every field of AnalysisJob, from the schema of its definition.

use analysisjob::crd;
use serde_json::Value;

use crate::page::{Page, code};

/// One field, in words.
pub struct Field {
    pub path: String,
    kind: String,
    default: String,
    bounds: String,
    pub about: String,
}

/// A rule the schema alone cannot say.
struct Rule {
    path: String,
    message: String,
    expression: String,
}

/// All fields of spec and status, in the order of their paths.
pub fn fields() -> Vec<Field> {
    let schema = crd::schema().unwrap();
    let mut found = Vec::new();
    for part in ["spec", "status"] {
        walk(&schema["properties"][part], part, false, &mut |path, schema, required| {
            found.push(field(path, schema, required));
        });
    }
    found
}

/// The page.
pub fn analysisjob() -> String {
    let schema = crd::schema().unwrap();
    let about = format!(
        "`apiVersion: {}`, `kind: {}`, short name `aj`. {}.\n\n`[]` stands for each entry of a list, `.*` for each key of a map. \
         A field without a default is absent when it is not given; what that means, its description says. \
         `kubectl explain aj.spec` tells the same.",
        analysisjob::yaml::API_VERSION,
        analysisjob::yaml::KIND,
        schema["description"].as_str().unwrap_or_default().trim_end_matches('.'),
    );
    let mut page = Page::new("AnalysisJob", &about);
    let fields = fields();
    for (part, title) in [("spec", "What is asked for: spec"), ("status", "What has become of it: status")] {
        page.section(title, schema["properties"][part]["description"].as_str().unwrap_or_default());
        let rows =
            fields.iter().filter(|field| field.path.split(['.', '[']).next() == Some(part) && field.path != part);
        page.table(["field", "type", "default", "bounds", "description"], rows.map(row));
    }
    page.section(
        "Rules",
        "What must hold between fields, checked by the API server (CEL) and by `analysis-worker` before anything starts. The \
         message is what a refused object is told.",
    );
    let rules = rules(&schema);
    page.table(
        ["field", "message", "rule"],
        rules.into_iter().map(|rule| [code(&rule.path), rule.message, code(&rule.expression)]),
    );
    page.section(
        "What no schema can say",
        "A bad schedule, time zone, glob, date or address is admitted, and then said by the condition Stalled: its reasons \
         are in [conditions.md](conditions.md).",
    );
    page.text()
}

fn row(field: &Field) -> [String; 5] {
    let Field { path, kind, default, bounds, about } = field;
    [code(path), kind.clone(), code(default), bounds.clone(), about.clone()]
}

fn walk(schema: &Value, path: &str, required: bool, visit: &mut impl FnMut(&str, &Value, bool)) {
    visit(path, schema, required);
    below(schema, path, visit);
}

/// What an entry of a list is, its list says: entries get a row only for their fields.
fn below(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value, bool)) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
        walk(field, &format!("{path}.{name}"), required, visit);
    }
    if schema["items"].is_object() {
        below(&schema["items"], &format!("{path}[]"), visit);
    }
    if schema["additionalProperties"].is_object() {
        below(&schema["additionalProperties"], &format!("{path}.*"), visit);
    }
}

fn field(path: &str, schema: &Value, required: bool) -> Field {
    let default = schema.get("default").map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let mut bounds = bounds(schema);
    if schema["items"].is_object() {
        bounds.extend(self::bounds(&schema["items"]).into_iter().map(|bound| format!("each {bound}")));
    }
    if required {
        bounds.insert(0, "required".to_owned());
    }
    Field {
        path: path.to_owned(),
        kind: kind(schema),
        default: default.unwrap_or_default(),
        bounds: bounds.join("; "),
        about: schema["description"].as_str().unwrap_or_default().to_owned(),
    }
}

fn kind(schema: &Value) -> String {
    if schema["x-kubernetes-int-or-string"] == true {
        return "integer or string".to_owned();
    }
    match (schema["type"].as_str().unwrap_or("any"), schema["format"].as_str()) {
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        ("object", _) if schema["x-kubernetes-preserve-unknown-fields"] == true => "object of any fields".to_owned(),
        ("object", _) if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind(&schema["additionalProperties"]))
        }
        ("string", Some("date-time")) => "time".to_owned(),
        (kind, _) => kind.to_owned(),
    }
}

fn bounds(schema: &Value) -> Vec<String> {
    let range = |least: &str, most: &str, of: &str| match (number(schema, least), number(schema, most)) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}{of}")),
        (Some(least), None) => Some(format!("at least {least}{of}")),
        (None, Some(most)) => Some(format!("at most {most}{of}")),
        (None, None) => None,
    };
    let words = schema["enum"].as_array().map(|words| {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(code).collect();
        words.join(", ")
    });
    let pattern = schema["pattern"].as_str().map(|pattern| format!("matches {}", code(pattern)));
    let all = [
        words,
        range("minimum", "maximum", ""),
        range("minLength", "maxLength", " characters"),
        range("minItems", "maxItems", " entries"),
        range("minProperties", "maxProperties", " keys"),
        pattern,
    ];
    all.into_iter().flatten().collect()
}

fn number(schema: &Value, key: &str) -> Option<String> {
    schema.get(key).map(Value::to_string)
}

fn rules(schema: &Value) -> Vec<Rule> {
    let mut found = own_rules(schema, "");
    for part in ["spec", "status"] {
        all_rules(&schema["properties"][part], part, &mut found);
    }
    found
}

fn all_rules(schema: &Value, path: &str, found: &mut Vec<Rule>) {
    found.extend(own_rules(schema, path));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        all_rules(field, &format!("{path}.{name}"), found);
    }
    for (part, suffix) in [("items", "[]"), ("additionalProperties", ".*")] {
        if schema[part].is_object() {
            all_rules(&schema[part], &format!("{path}{suffix}"), found);
        }
    }
}

fn own_rules(schema: &Value, path: &str) -> Vec<Rule> {
    let own = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_owned();
    own.map(|rule| Rule {
        path: format!("{path}{}", text(rule, "fieldPath")).trim_start_matches('.').to_owned(),
        message: text(rule, "message"),
        expression: text(rule, "rule"),
    })
    .collect()
}
