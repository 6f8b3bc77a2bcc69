//! What `kubectl get aj` shows.

use analysisjob::AnalysisJob;
use http::{Request, header::ACCEPT};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{create, printed};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

async fn mk_running_job(space: &e2e::Namespace<'_>) {
    create(space).await;
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Running", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let other = json!({
        "type": "Planned", "status": "True", "reason": "Planned", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let status = json!({
        "conditions": [other, ready],
        "progress": "155/248",
        "items": {"failed": 1},
        "workers": {"active": 60},
        "cache": {"desired": 3, "ready": 3, "summary": "3/3"},
        "nextScanTime": "2026-01-02T04:15:00Z",
        "output": "pvc/results/motion",
    });
    let patch = Patch::Merge(json!({"status": status}));
    space.api::<AnalysisJob>().patch_status("a-job", &PatchParams::default(), &patch).await.unwrap();
}

#[tokio::test]
async fn columns_come_in_the_order_of_the_manual() {
    let space = e2e::shared().await.unwrap().namespace("columns").await.unwrap();
    mk_running_job(&space).await;
    let request = Request::get(space.jobs_path()).header(ACCEPT, TABLE).body(Vec::new()).unwrap();
    let table: Value = space.client().request(request).await.unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap();
    let named: Vec<(&str, i64)> =
        columns.iter().map(|it| (it["name"].as_str().unwrap(), it["priority"].as_i64().unwrap())).collect();
    let expected = [
        ("Name", 0),
        ("Progress", 0),
        ("Failed", 0),
        ("Active", 0),
        ("Cache", 0),
        ("Status", 0),
        ("Age", 0),
        ("Strategy", 1),
        ("Next scan", 1),
        ("Output", 1),
    ];
    assert_eq!(named, expected);
    let mut cells = table["rows"][0]["cells"].clone();
    cells[6] = json!("age");
    let expected = json!([
        "a-job",
        "155/248",
        1,
        60,
        "3/3",
        "Running",
        "age",
        "Indexed",
        "2026-01-02T04:15:00Z",
        "pvc/results/motion",
    ]);
    assert_eq!(cells, expected);
}

#[tokio::test]
async fn kubectl_get_shows_them_by_the_short_name_and_the_category() {
    let space = e2e::shared().await.unwrap().namespace("get").await.unwrap();
    mk_running_job(&space).await;
    for kind in ["aj", "analysisjob", "analysisjobs", "analysis"] {
        let text = printed(space.kubectl(&["get", kind]).unwrap());
        let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[0], ["NAME", "PROGRESS", "FAILED", "ACTIVE", "CACHE", "STATUS", "AGE"]);
        assert_eq!(words[1][..6], ["a-job", "155/248", "1", "60", "3/3", "Running"]);
    }
    let wide = printed(space.kubectl(&["get", "aj", "--output=wide"]).unwrap());
    assert!(wide.lines().next().unwrap().ends_with("OUTPUT"), "{wide}");
}

#[tokio::test]
async fn a_job_without_status_shows_empty_columns() {
    let space = e2e::shared().await.unwrap().namespace("fresh").await.unwrap();
    create(&space).await;
    let text = printed(space.kubectl(&["get", "aj", "--no-headers"]).unwrap());
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!((words[0], words.len()), ("a-job", 2), "name and age: {text}");
}
