//! The `OpenAPI` document is what the server does: every path and parameter in it is answered, and every route is in it.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::collections::BTreeSet;

use archive::Movie;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use lazycache::{
    Lazycache,
    server::{Served, app, openapi::openapi, routes},
};
use serde_json::Value;
use tower::ServiceExt;

const MOVIE: &str = "RS03ASHS/PN03B/06-CAMHDA301/2018/07/24/CAMHDA301-20180724T030000Z.mov";
const MIRROR: &str = "org/oceanobservatories/rawdata/files";

/// A server on which the document's examples are right.
fn lab() -> (tempfile::TempDir, Router) {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 8, size: (64, 48), plume: 0.0, ..Movie::default() }.render(&folder.path().join(MOVIE)).unwrap();
    let cache = Lazycache::open(folder.path().to_str().unwrap()).unwrap();
    (folder, app(Served::new(&[], 2).unwrap().with_folder(MIRROR, cache).allow_raw_output(true)))
}

async fn get(app: &Router, path: &str) -> (StatusCode, String, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap()).to_owned();
    (parts.status, kind, to_bytes(body, 1 << 24).await.unwrap().to_vec())
}

/// What a `$ref` leads to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(address) => document.pointer(address.trim_start_matches('#')).unwrap_or_else(|| panic!("{address}")),
        None => value,
    }
}

fn example(parameter: &Value) -> String {
    match &parameter["example"] {
        Value::String(text) => text.clone(),
        Value::Null => panic!("{parameter} has no example"),
        other => other.to_string(),
    }
}

/// A path with its examples, and its query parameters.
fn filled(document: &Value, path: &str, operation: &Value) -> (String, Vec<Value>) {
    let (mut filled, mut queries) = (path.to_owned(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolved(document, parameter);
        let name = parameter["name"].as_str().unwrap();
        match parameter["in"].as_str().unwrap() {
            "path" => {
                assert!(filled.contains(&format!("{{{name}}}")), "{path} has no {name}");
                filled = filled.replace(&format!("{{{name}}}"), &example(parameter));
            }
            _ => queries.push(parameter.clone()),
        }
    }
    assert!(!filled.contains('{'), "{filled} has a part that is not described");
    (filled, queries)
}

/// The parameters without which there is no answer.
fn required(queries: &[Value]) -> String {
    let required = queries.iter().filter(|query| query["required"] == true);
    required
        .map(|query| format!("{}={}", query["name"].as_str().unwrap(), example(query)))
        .collect::<Vec<_>>()
        .join("&")
}

#[tokio::test]
async fn every_path_is_answered_as_described() {
    let (_folder, app) = lab();
    let document = openapi();
    for (path, item) in document["paths"].as_object().unwrap() {
        let operation = &item["get"];
        let (address, queries) = filled(&document, path, operation);
        let (status, kind, body) = get(&app, &format!("{address}?{}", required(&queries))).await;
        assert_eq!(status, StatusCode::OK, "{address}: {}", String::from_utf8_lossy(&body));
        let described = operation["responses"]["200"]["content"].as_object().unwrap();
        assert!(described.keys().any(|described| kind.starts_with(described.as_str())), "{address} is {kind}");
    }
}

#[tokio::test]
async fn every_query_parameter_is_read() {
    let (_folder, app) = lab();
    let document = openapi();
    for (path, item) in document["paths"].as_object().unwrap() {
        let (address, queries) = filled(&document, path, &item["get"]);
        for query in &queries {
            let name = query["name"].as_str().unwrap();
            let others: Vec<Value> = queries.iter().filter(|other| *other != query).cloned().collect();
            let asked = |value: &str| format!("{address}?{}&{name}={value}", required(&others));
            let (status, _, body) = get(&app, &asked(&example(query))).await;
            assert_eq!(status, StatusCode::OK, "{name} of {address}: {}", String::from_utf8_lossy(&body));
            if query["x-page-only"] == true {
                continue;
            }
            // Whoever reads it refuses what makes no sense.
            assert_eq!(get(&app, &asked("~nonsense~")).await.0, StatusCode::BAD_REQUEST, "{name} of {address}");
        }
    }
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let document = openapi();
    let below_a_mirror = |path: &str| path.starts_with("/v1/");
    let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let routed: BTreeSet<String> = routes().iter().map(|(path, _)| (*path).to_owned()).collect();
    let plain =
        |paths: &BTreeSet<String>| paths.iter().filter(|path| !below_a_mirror(path)).cloned().collect::<Vec<_>>();
    assert_eq!(plain(&described), plain(&routed));
    assert_eq!(routed.iter().filter(|path| below_a_mirror(path)).collect::<Vec<_>>(), ["/v1/{*path}"]);
    // What `route::split` knows, each kind once; `{path}` stands for folders, movies and other files.
    let kinds = [
        "/{movie}/frame/{frame}",
        "/{movie}/frames.npy",
        "/{movie}/frames/{frames}",
        "/{movie}/info",
        "/{movie}/storyboard.jpg",
        "/{movie}/time/{time}",
        "/{path}",
    ];
    let below: Vec<String> = described.iter().filter(|path| below_a_mirror(path)).cloned().collect();
    assert_eq!(below, kinds.map(|kind| format!("/v1/{{mirror}}{kind}")));
}

#[tokio::test]
async fn the_document_is_served_with_the_version_and_all_its_references_lead_somewhere() {
    let (_folder, app) = lab();
    let served: Value = serde_json::from_slice(&get(&app, "/openapi.json").await.2).unwrap();
    assert_eq!(served, openapi());
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut open = vec![&served];
    while let Some(value) = open.pop() {
        resolved(&served, value);
        match value {
            Value::Object(fields) => open.extend(fields.values()),
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}
