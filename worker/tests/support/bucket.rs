//! A bucket on a real S3 server in this process: what is written is signed, and anybody may read, as of a static site.

use std::path::{Path, PathBuf};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::SimpleAuth,
    s3_error,
    service::S3ServiceBuilder,
};

/// The one key that may write.
pub const KEY: &str = "AKEYOFTHELAB";
/// Its secret.
pub const SECRET: &str = "a-secret-of-the-lab";

/// A bucket named `results`; its objects are files in a folder.
pub struct Bucket {
    pub endpoint: String,
    pub folder: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

impl Bucket {
    /// In `root`, which is made.
    pub fn in_folder(root: &Path) -> Self {
        let folder = root.join("results");
        std::fs::create_dir_all(&folder).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        service.set_access(PublicRead);
        let service = service.build();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service.clone();
                let builder = Builder::new(TokioExecutor::new());
                tokio::spawn(async move { drop(builder.serve_connection(TokioIo::new(stream), service).await) });
            }
        });
        Self { endpoint, folder, _runtime: runtime }
    }

    /// Where a browser finds an object.
    pub fn address(&self, name: &str) -> String {
        format!("{}/results/{name}", self.endpoint)
    }
}

/// Whole objects for everybody, all else for who signs.
struct PublicRead;

#[async_trait::async_trait]
impl S3Access for PublicRead {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = matches!(request.s3_op().name(), "GetObject" | "HeadObject");
        if reads || request.credentials().is_some() { Ok(()) } else { Err(s3_error!(AccessDenied, "not signed")) }
    }
}
