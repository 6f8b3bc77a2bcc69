//! What goes wrong, and what the log says of it.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod make;

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, api::ListParams};
use make::{api, apply, code, config_map, config_maps};
use mockapi::{Fault, MockApi, Process, Verb, When};
use serde_json::json;

async fn write(maps: &Api<ConfigMap>, name: &str) -> kube::Result<ConfigMap> {
    apply(maps, "op", &config_map(name, json!({"k": "v"}))).await
}

#[tokio::test]
async fn a_crash_before_a_write_leaves_nothing_of_it() {
    let (api, client) = api();
    let maps = config_maps(&client);
    api.operator().crash_before(2);
    write(&maps, "a").await.unwrap();
    assert!(write(&maps, "b").await.is_err());
    assert_eq!(api.count::<ConfigMap>(), 1);
    assert!(maps.get("a").await.is_err(), "the dead ask for nothing");
    assert!(api.operator().is_dead());
    api.operator().restart();
    write(&maps, "b").await.unwrap();
    assert_eq!(api.count::<ConfigMap>(), 2);
}

#[tokio::test]
async fn a_crash_after_a_write_loses_only_the_answer() {
    let (api, client) = api();
    let maps = config_maps(&client);
    api.operator().crash_after(1);
    assert!(maps.list(&ListParams::default()).await.is_ok(), "reads do not count");
    assert!(write(&maps, "a").await.is_err());
    assert_eq!(api.count::<ConfigMap>(), 1);
    assert!(write(&maps, "b").await.is_err());
    assert_eq!(api.count::<ConfigMap>(), 1);
}

#[tokio::test]
async fn the_death_of_one_process_does_not_touch_another() {
    let (api, client) = api();
    let standby = Process::default();
    let other = api.client_of(&standby);
    api.operator().kill();
    assert!(config_maps(&client).list(&ListParams::default()).await.is_err());
    assert!(config_maps(&other).list(&ListParams::default()).await.is_ok());
    assert_eq!((api.operator().log().len(), standby.log().len()), (1, 1));
}

#[tokio::test]
async fn faults_strike_the_requests_they_are_meant_for() {
    let (api, client) = api();
    let maps = config_maps(&client);
    let of = |name: &'static str| move |call: &mockapi::Call| call.verb == Verb::Apply && call.name == name;
    api.operator().fault(Fault::internal(), When::Before, 1, of("a"));
    api.operator().fault(Fault::conflict(), When::Before, 1, of("b"));
    api.operator().fault(Fault::too_many(7), When::Before, 1, of("c"));
    api.operator().fault(Fault::Lost, When::After, 1, of("d"));
    assert_eq!(code(write(&maps, "a").await), 500);
    assert_eq!(code(write(&maps, "b").await), 409);
    let Err(kube::Error::Api(status)) = write(&maps, "c").await else { panic!("no refusal") };
    assert_eq!((status.code, status.details.unwrap().retry_after_seconds), (429, 7));
    assert!(matches!(write(&maps, "d").await, Err(kube::Error::Service(_))));
    assert_eq!(api.count::<ConfigMap>(), 1, "d took effect");
    write(&maps, "a").await.unwrap();
}

#[tokio::test]
async fn an_answer_that_never_comes_can_be_waited_out() {
    let (api, client) = api();
    let maps = config_maps(&client);
    api.operator().fault(Fault::Hang, When::Before, 1, |_| true);
    let waited = tokio::time::timeout(Duration::from_millis(10), write(&maps, "a")).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn the_log_knows_every_request() {
    let (api, client) = api();
    write(&config_maps(&client), "a").await.unwrap();
    config_maps(&client).get("b").await.unwrap_err();
    let log = api.operator().take_log();
    let said: Vec<_> =
        log.iter().map(|e| (e.verb, e.kind, e.name.as_str(), e.manager.as_str(), e.write, e.code)).collect();
    assert_eq!(
        said,
        [(Verb::Apply, "ConfigMap", "a", "op", true, 201), (Verb::Get, "ConfigMap", "b", "", false, 404),]
    );
    assert_eq!((api.operator().writes(), api.operator().count(Verb::Get, "ConfigMap")), (1, 1));
    assert!(api.operator().log().is_empty());
}

#[tokio::test]
async fn a_tests_own_hand_meets_no_faults_and_leaves_no_trace() {
    let (api, _client): (MockApi, _) = api();
    api.operator().kill();
    api.put_raw(config_map("a", json!({}))).unwrap();
    assert!(api.get::<ConfigMap>("science", "a").is_some());
    assert!(api.operator().log().is_empty());
}
