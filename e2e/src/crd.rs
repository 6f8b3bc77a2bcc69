//! The committed CRD, put into an API server as `kubectl apply --server-side` does.

use std::{fs, io, path::Path};

use http::{Method, Request, header::CONTENT_TYPE};
use kube::Client;
use serde_json::Value;

use crate::wait::{self, WaitError};

/// The name of the CRD.
pub const NAME: &str = "analysisjobs.camhd.science";
/// Where CRDs are.
pub const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// The CRD is not there, or not taken.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// The file cannot be read.
    #[error("failed to read the committed CRD")]
    Read(#[from] io::Error),
    /// The API server refused it.
    #[error("failed to apply the CRD: {0}")]
    Apply(#[from] kube::Error),
    /// It took it, but does not serve it.
    #[error(transparent)]
    NotServed(#[from] WaitError),
}

/// A file of the repository, by its path from the root.
pub fn repository_file(path: &str) -> io::Result<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path))
}

/// The text of the committed CRD.
pub fn committed() -> Result<String, CrdError> {
    Ok(repository_file("crds/analysisjobs.camhd.science.yaml")?)
}

/// Applies a CRD (YAML or JSON) of the name [`NAME`] and waits until it is served.
pub async fn install(client: &Client, text: &str) -> Result<Value, CrdError> {
    install_as(client, NAME, text).await
}

/// Applies a CRD of any name and waits until it is served.
pub async fn install_as(client: &Client, name: &str, text: &str) -> Result<Value, CrdError> {
    apply(client, name, text).await?;
    let what = format!("the CRD {name} to be established");
    Ok(wait::until(&what, wait::SHORT, async || established(client, name).await).await?)
}

/// Applies a CRD; gives what the API server made of it.
pub async fn apply(client: &Client, name: &str, text: &str) -> Result<Value, kube::Error> {
    let request = Request::builder()
        .method(Method::PATCH)
        .uri(format!("{PATH}/{name}?fieldManager=e2e&force=true&fieldValidation=Strict"))
        .header(CONTENT_TYPE, "application/apply-patch+yaml")
        .body(text.as_bytes().to_vec());
    client.request(request.map_err(kube::Error::HttpError)?).await
}

/// The CRD, when every condition is as it should be.
async fn established(client: &Client, name: &str) -> Result<Value, String> {
    let request = Request::get(format!("{PATH}/{name}")).body(Vec::new()).map_err(|error| error.to_string())?;
    let crd: Value = client.request(request).await.map_err(|error| error.to_string())?;
    let conditions = crd["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let holds = |wanted: &str| conditions.iter().any(|it| it["type"] == wanted && it["status"] == "True");
    // The other way round with this one: it is there only when something is wrong.
    let structural = !holds("NonStructuralSchema");
    if holds("Established") && holds("NamesAccepted") && structural {
        return Ok(crd);
    }
    Err(format!("{conditions:?}"))
}
