//! Every CEL rule: who breaks it is told so, at its field, by the API server as by the file reader.

use std::collections::BTreeSet;

use analysisjob::{crd, yaml};
use serde_json::Value;

use super::{
    admit,
    cases::{allowed, broken_rules, patched},
    says,
};

#[tokio::test]
async fn refuse_what_a_rule_forbids() {
    let space = e2e::shared().await.unwrap().namespace("refuse").await.unwrap();
    for (spec, path, message) in broken_rules() {
        let found = admit(&space, &patched(spec.clone())).await.unwrap_err();
        assert!(says(&found, path, message), "{spec}\nexpected {path}: {message}…\nfound {found:?}");
        assert_eq!(found.len(), 1, "{spec}: {found:?}");
    }
}

#[tokio::test]
async fn admit_what_rules_allow() {
    let space = e2e::shared().await.unwrap().namespace("admit").await.unwrap();
    for spec in allowed() {
        let found = admit(&space, &patched(spec.clone())).await;
        assert!(found.is_ok(), "{spec}: {found:?}");
    }
}

#[tokio::test]
async fn every_rule_of_the_spec_has_a_case_that_breaks_it() {
    let space = e2e::shared().await.unwrap().namespace("every").await.unwrap();
    let mut untried = BTreeSet::new();
    rules(&crd::schema().unwrap()["properties"]["spec"], &mut untried);
    assert!(untried.len() > 20, "{untried:?}");
    for (spec, ..) in broken_rules() {
        let found = admit(&space, &patched(spec)).await.unwrap_err();
        untried.retain(|rule| found.iter().all(|(_, message)| !message.ends_with(rule)));
    }
    assert_eq!(untried, BTreeSet::new());
}

#[tokio::test]
async fn the_file_reader_says_the_same_about_rules() {
    let space = e2e::shared().await.unwrap().namespace("same").await.unwrap();
    for (spec, ..) in broken_rules() {
        let job = patched(spec);
        let server = admit(&space, &job).await.unwrap_err();
        let reader = yaml::read(job.to_string()).unwrap_err();
        for problem in reader.problems() {
            assert!(says(&server, &problem.path, &problem.message), "{problem}\nthe API server: {server:?}");
        }
    }
}

fn rules(schema: &Value, found: &mut BTreeSet<String>) {
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        found.insert(rule["message"].as_str().unwrap().to_owned());
    }
    let properties = schema["properties"].as_object().into_iter().flat_map(serde_json::Map::values);
    let below = [schema.get("items"), schema.get("additionalProperties")].into_iter().flatten();
    properties.chain(below).for_each(|schema| rules(schema, found));
}
