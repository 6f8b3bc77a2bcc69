//! The committed CRD installs, over nothing, over itself, and over the one before it.

use analysisjob::crd as types;
use e2e::crd::{self, NAME, PATH};
use http::{Request, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::mk_job;

#[tokio::test]
async fn the_committed_crd_is_established_without_a_complaint() {
    let client = e2e::shared().await.unwrap().client().unwrap();
    let crd = crd::install(&client, &crd::committed().unwrap()).await.unwrap();
    let stored = &crd["spec"]["versions"][0];
    assert_eq!((&stored["name"], &stored["storage"]), (&json!("v1alpha1"), &json!(true)));
    // An API server drops what a structural schema cannot say: what it keeps is what the types say.
    assert_eq!(
        stored["schema"]["openAPIV3Schema"]["properties"]["spec"],
        types::schema().unwrap()["properties"]["spec"]
    );
}

#[tokio::test]
async fn the_crd_applied_again_changes_nothing() {
    let client = e2e::shared().await.unwrap().client().unwrap();
    let text = crd::committed().unwrap();
    let before = crd::install(&client, &text).await.unwrap();
    let after = crd::apply(&client, NAME, &text).await.unwrap();
    assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
    assert_eq!(after["metadata"]["generation"], before["metadata"]["generation"]);
}

/// The definition under another group, so that other tests keep theirs.
fn of_group(definition: &Value, group: &str) -> (String, Value) {
    let text = definition.to_string().replace("camhd.science", group);
    (format!("analysisjobs.{group}"), serde_json::from_str(&text).unwrap())
}

/// The definition as an older release would have had it: fields, rules and columns are missing, limits are narrower.
fn older(mut definition: Value) -> Value {
    let version = &mut definition["spec"]["versions"][0];
    version["additionalPrinterColumns"].as_array_mut().unwrap().truncate(5);
    let schema = &mut version["schema"]["openAPIV3Schema"];
    schema.as_object_mut().unwrap().remove("x-kubernetes-validations");
    let spec = &mut schema["properties"]["spec"];
    spec.as_object_mut().unwrap().remove("x-kubernetes-validations");
    let fields = spec["properties"].as_object_mut().unwrap();
    fields.remove("rescan");
    fields.remove("dryRun");
    fields["workers"]["properties"]["parallelism"]["maximum"] = json!(100);
    definition
}

#[tokio::test]
async fn the_crd_replaces_an_older_one_and_stored_jobs_stay() {
    let plane = e2e::shared().await.unwrap();
    let client = plane.client().unwrap();
    let space = plane.namespace("upgrade").await.unwrap();
    let definition = types::definition().unwrap();
    let (name, old) = of_group(&older(definition.clone()), "older.test");
    let (_, new) = of_group(&definition, "older.test");
    crd::install_as(&client, &name, &old.to_string()).await.unwrap();

    let jobs = space.jobs_path().replace("camhd.science", "older.test");
    let mut job = mk_job();
    job["apiVersion"] = json!("older.test/v1alpha1");
    let request = Request::post(&jobs).header(CONTENT_TYPE, "application/json");
    let _: Value = client.request(request.body(job.to_string().into_bytes()).unwrap()).await.unwrap();

    crd::install_as(&client, &name, &new.to_string()).await.unwrap();
    let patch = async |spec: Value| -> Result<Value, kube::Error> {
        let path = format!("{jobs}/a-job?fieldValidation=Strict");
        let request = Request::patch(path).header(CONTENT_TYPE, "application/merge-patch+json");
        client.request(request.body(json!({"spec": spec}).to_string().into_bytes()).unwrap()).await
    };
    // The handler of the new schema takes a moment.
    let job = e2e::wait::until("the new fields to be known", e2e::wait::SHORT, async || {
        let spec = json!({"workers": {"parallelism": 3000}, "rescan": {"schedule": "@daily"}});
        patch(spec).await.map_err(|error| error.to_string())
    });
    let job = job.await.unwrap();
    assert_eq!(job["spec"]["rescan"]["timeZone"], json!("Etc/UTC"));
    assert_eq!(job["spec"]["dryRun"], json!(false), "an old object gets the defaults of new fields");
    patch(json!({"ttlSecondsAfterFinished": 1})).await.unwrap_err();

    let crd: Value = client.request(Request::get(format!("{PATH}/{name}")).body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(crd["status"]["storedVersions"], json!(["v1alpha1"]));
}
