//! A folder as an S3 store, for tests on a cluster: signatures are checked, listings paged, XML is somebody else's. The
//! buckets are the folders in it, their objects are files. Everything is told by the environment:
//!
//! | variable | |
//! |---|---|
//! | `BUCKET_ROOT` | the folder |
//! | `BUCKET_BIND` | where to listen, such as 0.0.0.0:9000 |
//! | `BUCKET_NAME` | a bucket that is made when it is missing |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | the one key that is let in |

use std::{env, fs, io, path::PathBuf, process::ExitCode};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bucket: {error}");
            ExitCode::FAILURE
        }
    }
}

fn told(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}

async fn serve() -> io::Result<()> {
    let root = PathBuf::from(told("BUCKET_ROOT")?);
    fs::create_dir_all(root.join(told("BUCKET_NAME")?))?;
    let files = s3s_fs::FileSystem::new(&root).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(told("AWS_ACCESS_KEY_ID")?, told("AWS_SECRET_ACCESS_KEY")?));
    let service = service.build();
    let listener = TcpListener::bind(told("BUCKET_BIND")?).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let stream = tokio::select! {
            taken = listener.accept() => taken?.0,
            _ = terminate.recv() => return Ok(()),
        };
        let service = service.clone();
        // A connection that ends badly is its client's to tell.
        tokio::spawn(async move {
            drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
