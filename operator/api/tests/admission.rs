//! What the API takes and what it refuses, rule by rule. The cases are in `cases`.

mod cases;

use std::collections::BTreeSet;

use analysisjob::{crd, reasons, yaml};
use cases::{allowed, broken_rules, mk_job, patched, queue};
use kube::core::cel::Validator;
use serde_json::{Value, json};

/// Path and message of every problem of the job with this spec laid over it.
fn problems(spec: Value) -> Vec<(String, String)> {
    let read = yaml::read(patched(spec).to_string());
    let found = read.err().map(|error| error.problems().to_vec()).unwrap_or_default();
    found.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

#[test]
fn refuse_what_a_rule_forbids() {
    for (spec, path, message) in broken_rules() {
        let found = problems(spec.clone());
        let said = found.iter().any(|(at, text)| at == path && text.starts_with(message));
        assert!(said, "{spec}\nexpected {path}: {message}…\nfound {found:?}");
        assert_eq!(found.len(), 1, "{spec}: {found:?}");
    }
}

#[test]
fn every_rule_has_a_case_that_breaks_it() {
    fn rules(schema: &Value, found: &mut BTreeSet<String>) {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            found.insert(rule["message"].as_str().unwrap().to_owned());
        }
        let properties = schema["properties"].as_object().into_iter().flat_map(serde_json::Map::values);
        properties.chain(schema.get("items")).for_each(|schema| rules(schema, found));
    }
    let mut untried = BTreeSet::new();
    rules(&crd::schema().unwrap()["properties"]["spec"], &mut untried);
    for (spec, _, _) in broken_rules() {
        let broken = problems(spec);
        untried.retain(|rule| broken.iter().all(|(_, message)| message != rule));
    }
    assert_eq!(untried, BTreeSet::new());
}

#[test]
fn admit_what_rules_allow() {
    for spec in allowed() {
        assert_eq!(problems(spec.clone()), [], "{spec}");
    }
}

#[test]
fn refuse_what_the_schema_forbids() {
    let cases = [
        (
            json!({"workers": {"parallelism": 3001}}),
            "spec.workers.parallelism",
            "expected a whole number of 0 to 3000, found 3001",
        ),
        (
            json!({"workers": {"parallelism": "ten"}}),
            "spec.workers.parallelism",
            "expected a whole number of 0 to 3000, found \"ten\"",
        ),
        (
            json!({"workers": {"parallelism": 1.5}}),
            "spec.workers.parallelism",
            "expected a whole number of 0 to 3000, found 1.5",
        ),
        (
            json!({"workers": {"itemsPerIndex": 0}}),
            "spec.workers.itemsPerIndex",
            "expected a whole number of 1 to 1000, or text that fits ^Auto$, found 0",
        ),
        (
            json!({"analysis": {"opticalFlow": {"stride": 0}}}),
            "spec.analysis.opticalFlow.stride",
            "expected a whole number of 1 to 100000, found 0",
        ),
        (
            json!({"analysis": {"opticalFlow": {"regions": "yes"}}}),
            "spec.analysis.opticalFlow.regions",
            "expected true or false, found \"yes\"",
        ),
        (
            json!({"analysis": {"opticalFlow": {"method": "dis"}}}),
            "spec.analysis.opticalFlow.method",
            "expected one of Auto, DIS, Corners, DualTVL1, found \"dis\"; did you mean DIS?",
        ),
        (
            json!({"source": {"http": {"rootURL": null}}}),
            "spec.source.http.rootURL",
            "is missing; expected text of 8 to 1024 characters",
        ),
        (
            json!({"source": {"prefixes": []}}),
            "spec.source.prefixes",
            "has 0 entries; expected a list of 1 to 100 entries",
        ),
        (json!({"source": {"prefixes": ["a/", "b/", "a/"]}}), "spec.source.prefixes[2]", "\"a/\" is in the list twice"),
        (
            json!({"workers": {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}}),
            "spec.workers.env[1]",
            "\"A\" is in the list twice",
        ),
        (
            json!({"output": []}),
            "spec.output",
            "expected an object with claimTemplate, markerFile, overwritePolicy, persistentVolumeClaim, s3, found a list of 0 entries",
        ),
        (
            json!({"source": {"dateRange": {"from": "7/1/2018 0"}}}),
            "spec.source.dateRange.from",
            "\"7/1/2018 0\" does not fit the pattern ^[0-9]{4}-[0-9]{2}-[0-9]{2}$. The first day, as yyyy-mm-dd.",
        ),
        (
            json!({"retry": {"maxFailedItems": "101%"}}),
            "spec.retry.maxFailedItems",
            "\"101%\" does not fit the pattern ^(100|[1-9]?[0-9])%$. How many movies may be given up before the run fails: a number, or a share of the selected movies such as \"1%\", rounded up. Default: \"1%\".",
        ),
        (
            json!({"workers": {"resources": {"limits": {"nvidia.com/gpu": true}}}}),
            "spec.workers.resources.limits[\"nvidia.com/gpu\"]",
            "expected a whole number, or text that fits ^[+]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$, found true",
        ),
    ];
    for (spec, path, message) in cases {
        assert_eq!(problems(spec), [(path.to_owned(), message.to_owned())]);
    }
}

#[test]
fn refuse_fields_that_do_not_exist() {
    let cases = [
        (
            json!({"analysis": {"opticalFlow": {"strid": 1}}}),
            "spec.analysis.opticalFlow.strid",
            "no such field; did you mean stride?",
        ),
        (json!({"sauce": 1}), "spec.sauce", "no such field; did you mean source?"),
        (
            json!({"retry": {"whatever": {"deep": 1}}}),
            "spec.retry.whatever",
            "no such field; possible are itemDeadlineSeconds, limitPerItem, maxFailedItems",
        ),
        (
            json!({"cache": {"managed": {"storage": {"none": {"size": 1}}}}}),
            "spec.cache.managed.storage.none.size",
            "no such field; no field is possible here",
        ),
    ];
    for (spec, path, message) in cases {
        assert_eq!(problems(spec), [(path.to_owned(), message.to_owned())]);
    }
}

#[test]
fn refuse_what_no_schema_can_check() {
    let cases = [
        (json!({"rescan": {"schedule": "61 4 * * *"}}), "spec.rescan.schedule", reasons::INVALID_SCHEDULE),
        (
            json!({"rescan": {"schedule": "@daily", "timeZone": "Mars/Base"}}),
            "spec.rescan.timeZone",
            reasons::UNKNOWN_TIME_ZONE,
        ),
        (json!({"source": {"include": ["**/*.mov", "["]}}), "spec.source.include[1]", reasons::INVALID_GLOB),
        (json!({"source": {"exclude": ["{a"]}}), "spec.source.exclude[0]", reasons::INVALID_GLOB),
        (json!({"source": {"http": {"rootURL": "http://u:p@a.b/"}}}), "spec.source.http.rootURL", reasons::INVALID_URL),
        (json!({"source": {"prefixes": ["a/../b/"]}}), "spec.source.prefixes[0]", reasons::INVALID_PATH),
        (json!({"source": {"dateRange": {"from": "2018-02-30"}}}), "spec.source.dateRange.from", reasons::INVALID_DATE),
        (
            json!({"source": {"dateRange": {"lastDays": 2}, "dateLayout": "{yyyy}/{month}/"}}),
            "spec.source.dateLayout",
            reasons::INVALID_DATE_LAYOUT,
        ),
        (json!({"cache": {"url": "http://:80"}}), "spec.cache.url", reasons::INVALID_URL),
        (json!({"output": {"markerFile": "../README.md"}}), "spec.output.markerFile", reasons::INVALID_PATH),
    ];
    for (spec, path, reason) in cases {
        let error = yaml::read(patched(spec).to_string()).unwrap_err();
        let found: Vec<(&str, &str)> = error.problems().iter().map(|p| (p.path.as_str(), p.reason)).collect();
        assert_eq!(found, [(path, reason)]);
    }
}

/// What the rules say to a change from `old` to `new`.
fn update(schema: &Value, old: &Value, new: &Value) -> Vec<String> {
    let errors = Validator::new().validate(schema, new, Some(old)).err();
    errors.into_iter().flatten().map(|error| error.field_path.trim_start_matches('.').to_owned()).collect()
}

fn with_status(mut job: Value, status: &Value) -> Value {
    job["status"] = status.clone();
    job
}

#[test]
fn refuse_another_output_or_strategy_while_a_run_is_under_way() {
    let other_output = patched(json!({"output": {"persistentVolumeClaim": {"claimName": "other"}}}));
    let other_strategy = patched(json!({"workers": queue("ProducerAndConsumer")}));
    let more_workers = patched(json!({"workers": {"parallelism": 99}, "suspend": true}));
    let under_way = json!({"run": {"id": "1-aaaa"}});
    let ended = json!({"run": {"id": "1-aaaa"}, "completionTime": "2026-01-01T00:00:00Z"});
    let schema = crd::schema().unwrap();
    let change =
        |to: &Value, status: &Value| update(&schema, &with_status(mk_job(), status), &with_status(to.clone(), status));

    assert_eq!(change(&other_output, &under_way), ["spec.output"]);
    assert_eq!(change(&other_strategy, &under_way), ["spec.workers.strategy"]);
    for status in [&ended, &json!({})] {
        assert_eq!(change(&other_output, status), [""; 0]);
        assert_eq!(change(&other_strategy, status), [""; 0]);
    }
    assert_eq!(change(&more_workers, &under_way), [""; 0]);
    assert_eq!(update(&schema, &mk_job(), &other_output), [""; 0]);
}
