//! Watches, snapshots and stores that are behind.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod make;

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    ResourceExt,
    api::{WatchEvent, WatchParams},
    runtime::watcher::{self, Event, watcher},
};
use make::{api, config_map, config_maps};
use serde_json::json;

fn said(event: &Event<ConfigMap>) -> String {
    match event {
        Event::Init => "init".into(),
        Event::InitApply(map) => format!("list {}", map.name_any()),
        Event::InitDone => "done".into(),
        Event::Apply(map) => format!("apply {}", map.name_any()),
        Event::Delete(map) => format!("delete {}", map.name_any()),
    }
}

#[tokio::test]
async fn a_watcher_lists_and_then_follows() {
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let (api, client) = api();
        api.put_raw(config_map("a", json!({}))).unwrap();
        let mut events = pin!(watcher(config_maps(&client), config));
        let mut next = async || said(&events.next().await.unwrap().unwrap());
        assert_eq!([next().await, next().await, next().await], ["init", "list a", "done"]);
        api.put_raw(config_map("b", json!({}))).unwrap();
        assert_eq!(next().await, "apply b");
        api.delete::<ConfigMap>("science", "a");
        assert_eq!(next().await, "delete a");
    }
}

#[tokio::test]
async fn an_object_that_leaves_a_selection_is_deleted_for_its_watch() {
    let (api, client) = api();
    let mut events = config_maps(&client).watch(&WatchParams::default().labels("run=1"), "1").await.unwrap().boxed();
    let mut labelled = config_map("a", json!({}));
    labelled["metadata"]["labels"] = json!({"run": "1"});
    api.put_raw(labelled.clone()).unwrap();
    labelled["metadata"]["labels"] = json!({"run": "2"});
    api.put_raw(labelled).unwrap();
    assert!(matches!(events.try_next().await.unwrap().unwrap(), WatchEvent::Added(_)));
    let Some(WatchEvent::Deleted(last)) = events.try_next().await.unwrap() else { panic!("not deleted") };
    assert_eq!(last.resource_version().unwrap(), api.revision().to_string());
}

#[tokio::test]
async fn a_forgotten_revision_is_expired() {
    let (api, client) = api();
    for n in 0..5 {
        api.put_raw(config_map("a", json!({"n": n.to_string()}))).unwrap();
    }
    api.remember(2);
    let mut events = config_maps(&client).watch(&WatchParams::default(), "2").await.unwrap().boxed();
    let Some(WatchEvent::Error(status)) = events.try_next().await.unwrap() else { panic!("no error") };
    assert_eq!(status.code, 410);
    assert!(api.snapshot_at(2).is_none());
}

#[tokio::test]
async fn the_death_of_a_process_ends_its_watches() {
    let (api, client) = api();
    let mut events = config_maps(&client).watch(&WatchParams::default(), "1").await.unwrap().boxed();
    api.operator().kill();
    assert!(events.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn held_watches_are_behind_until_let_go() {
    let (api, client) = api();
    let mut events = config_maps(&client).watch(&WatchParams::default(), "1").await.unwrap().boxed();
    api.operator().hold_watches(true);
    api.put_raw(config_map("a", json!({}))).unwrap();
    let quiet = tokio::time::timeout(std::time::Duration::from_millis(10), events.try_next()).await;
    assert!(quiet.is_err());
    api.operator().hold_watches(false);
    assert!(matches!(events.try_next().await.unwrap().unwrap(), WatchEvent::Added(_)));
}

#[tokio::test]
async fn a_snapshot_is_the_past() {
    let (api, _client) = api();
    api.put_raw(config_map("a", json!({"k": "1"}))).unwrap();
    let then = api.revision();
    api.put_raw(config_map("a", json!({"k": "2"}))).unwrap();
    api.put_raw(config_map("b", json!({}))).unwrap();
    api.delete::<ConfigMap>("science", "a");
    let past = api.snapshot_at(then).unwrap().store::<ConfigMap>();
    assert_eq!(past.state().iter().map(|map| map.data.clone().unwrap()["k"].clone()).collect::<Vec<_>>(), ["1"]);
    let now = api.snapshot().store::<ConfigMap>();
    assert_eq!(now.state().iter().map(|map| map.name_any()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(api.view(1).unwrap().list::<ConfigMap>().len(), 2);
}
