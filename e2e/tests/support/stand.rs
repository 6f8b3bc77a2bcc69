//! The archive of one test, an S3 store, and a window onto the results: one pod, asked through the API server, so that
//! any cluster will do.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, SystemTime},
};

use archive::{Counts, Rule, layout};
use e2e::wait;
use http::{Method, Request, header};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Secret, Service},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    job::START,
    movies,
    results::{is_of_a_movie, timeless},
    space::Space,
};

/// Where the archive listens.
const ARCHIVE: u16 = 8000;
/// Where results and buckets can be read.
const SHELF: u16 = 8001;
/// Where the S3 store listens.
const BUCKET: u16 = 9000;
/// The store's one key; the Secret `results-keys` holds it.
const KEY: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKEYOFTHETESTS"), ("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests")];

/// The pod and its services.
pub struct Stand<'s> {
    space: &'s Space,
}

impl<'s> Stand<'s> {
    /// Starts one with so many movies.
    pub async fn with(space: &'s Space, movies: u32) -> Self {
        let keys = BTreeMap::from(KEY);
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "results-keys"}, "stringData": keys});
        space.apply::<Secret>("results-keys", &secret).await;
        space.apply::<Deployment>("stand", &deployment(&space.cluster().image("archive"))).await;
        let ports = [("archive", ARCHIVE), ("shelf", SHELF), ("bucket", BUCKET)]
            .map(|(name, port)| json!({"name": name, "port": port, "targetPort": port}));
        let spec = json!({"selector": {"app": "stand"}, "ports": ports});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stand"}, "spec": spec});
        space.apply::<Service>("stand", &service).await;
        let stand = Self { space };
        wait::until("the archive to answer", START, async || {
            stand.ask(Method::GET, ARCHIVE, "_control/counts", Vec::new()).await.map(drop)
        })
        .await
        .unwrap();
        for number in 0..movies {
            stand.put(number).await;
        }
        stand
    }

    /// The archive's root, as pods of the namespace see it.
    pub fn root_url(&self) -> String {
        format!("http://stand.{}.svc:{ARCHIVE}/files/", self.space.name())
    }

    /// An output in the S3 store.
    pub fn bucket(&self) -> Value {
        let endpoint = format!("http://stand.{}.svc:{BUCKET}", self.space.name());
        json!({"s3": {"bucket": "results", "prefix": "motion/", "endpoint": endpoint, "secretRef": {"name": "results-keys"}}})
    }

    /// Puts movie `number` into the archive.
    pub async fn put(&self, number: u32) {
        self.put_version(number, movies::modified()).await;
    }

    /// Puts it as another version, changed at that time.
    pub async fn put_version(&self, number: u32, modified: SystemTime) {
        self.put_bytes(number, fs::read(movies::file(number)).unwrap(), modified).await;
    }

    /// Puts what is no movie where movie `number` is.
    pub async fn ruin(&self, number: u32) {
        self.put_bytes(number, b"no movie at all".repeat(1000), movies::modified()).await;
    }

    async fn put_bytes(&self, number: u32, bytes: Vec<u8>, modified: SystemTime) {
        let path = self.uri(ARCHIVE, &format!("files/{}", layout::movie_path(number).display()));
        let modified = httpdate::fmt_http_date(modified);
        let request = Request::put(path).header(header::LAST_MODIFIED, modified).body(bytes).unwrap();
        self.space.client().request_text(request).await.unwrap();
    }

    /// Makes the archive sick.
    pub async fn inject(&self, rule: Rule) {
        self.control(Method::POST, "faults", &rule).await;
    }

    /// Makes it healthy.
    pub async fn heal(&self) {
        self.ask(Method::DELETE, ARCHIVE, "_control/faults", Vec::new()).await.unwrap();
    }

    /// Closes every connection for so long.
    pub async fn down_for(&self, time: Duration) {
        let milliseconds = u64::try_from(time.as_millis()).unwrap();
        self.control(Method::PUT, "down", &milliseconds).await;
    }

    /// How often a file of the archive was asked for, by its path.
    pub async fn requests(&self) -> BTreeMap<String, u64> {
        let text = self.ask(Method::GET, ARCHIVE, "_control/counts", Vec::new()).await.unwrap();
        serde_json::from_str::<Counts>(&text).unwrap().paths
    }

    async fn control(&self, method: Method, what: &str, body: &impl Serialize) {
        let body = serde_json::to_vec(body).unwrap();
        self.ask(method, ARCHIVE, &format!("_control/{what}"), body).await.unwrap();
    }

    /// Asks a server of the pod through the API server.
    async fn ask(&self, method: Method, port: u16, path: &str, body: Vec<u8>) -> Result<String, String> {
        let request = Request::builder().method(method).uri(self.uri(port, path));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap();
        self.space.client().request_text(request).await.map_err(|error| error.to_string())
    }

    fn uri(&self, port: u16, path: &str) -> String {
        format!("/api/v1/namespaces/{}/services/stand:{port}/proxy/{path}", self.space.name())
    }

    /// Files of the output (`results`, or `bucket/results/motion`) by their paths below it, with their sizes; papers of
    /// runs left out.
    pub async fn files(&self, output: &str) -> BTreeMap<String, u64> {
        let text = self.ask(Method::GET, SHELF, "_control/files", Vec::new()).await.unwrap();
        let all: BTreeMap<String, u64> = serde_json::from_str(&text).unwrap();
        let below = |path: &str| Some(path.strip_prefix(output)?.strip_prefix('/')?.to_owned());
        let ours = all.into_iter().filter_map(|(path, size)| Some((below(&path)?, size)));
        ours.filter(|(path, _)| !path.starts_with('.') && !path.contains("/.")).collect()
    }

    /// A file of the output.
    pub async fn read(&self, output: &str, path: &str) -> String {
        self.ask(Method::GET, SHELF, &format!("files/{output}/{path}"), Vec::new()).await.unwrap()
    }

    /// The results of an output by movie, without times, host and addresses.
    pub async fn results(&self, output: &str) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        for path in self.files(output).await.into_keys().filter(|path| is_of_a_movie(path)) {
            let value = serde_json::from_str(&self.read(output, &path).await).unwrap();
            found.insert(path, timeless(value));
        }
        found
    }
}

fn deployment(image: &str) -> Value {
    let container = |name: &str, what: Value, mounts: Value| {
        let mut container = json!({
            "name": name,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": mounts,
        });
        container.as_object_mut().unwrap().extend(what.as_object().cloned().unwrap());
        container
    };
    let serve = |root: &str, port: u16| json!({"args": ["serve", "--root", root, "--bind", format!("0.0.0.0:{port}"), "--writable"]});
    let key = |name: &str| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "results-keys", "key": name}}});
    let settings = [("BUCKET_ROOT", "/bucket"), ("BUCKET_NAME", "results"), ("BUCKET_BIND", "0.0.0.0:9000")];
    let mut env: Vec<Value> = settings.map(|(name, value)| json!({"name": name, "value": value})).into();
    env.extend(KEY.map(|(name, _)| key(name)));
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let containers = [
        container("archive", serve("/movies", ARCHIVE), json!([mount("movies", "/movies")])),
        container(
            "shelf",
            serve("/shelf", SHELF),
            json!([mount("shelf", "/shelf"), mount("results", "/shelf/results"), mount("bucket", "/shelf/bucket")]),
        ),
        container("bucket", json!({"command": ["bucket"], "env": env}), json!([mount("bucket", "/bucket")])),
    ];
    let empty = |name: &str| json!({"name": name, "emptyDir": {}});
    let spec = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": containers,
        "volumes": [
            empty("movies"), empty("shelf"), empty("bucket"),
            {"name": "results", "persistentVolumeClaim": {"claimName": "results"}},
        ],
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "stand"},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app": "stand"}},
            "template": {"metadata": {"labels": {"app": "stand"}}, "spec": spec},
        },
    })
}
