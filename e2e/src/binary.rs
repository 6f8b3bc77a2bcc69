//! The binary with all of Kubernetes: `ANALYSIS_KUBE_BINARY`, or what `e2e/cluster/build.sh` builds.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The variable that names a binary built elsewhere.
pub const VARIABLE: &str = "ANALYSIS_KUBE_BINARY";

/// There is no binary.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// The variable names no file.
    #[error("failed to find {0}, which {VARIABLE} names")]
    Missing(PathBuf),
    /// The script could not be started.
    #[error("failed to start {0}")]
    Script(PathBuf, #[source] io::Error),
    /// The script gave up; it has said why.
    #[error("failed to build Kubernetes: {0} has said why")]
    Build(PathBuf),
}

/// The binary's path; builds it when it is not there, which takes minutes the first time.
pub fn kube() -> Result<PathBuf, BinaryError> {
    if let Some(path) = env::var_os(VARIABLE).map(PathBuf::from) {
        return if path.is_file() { Ok(path) } else { Err(BinaryError::Missing(path)) };
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/build.sh");
    let output = Command::new(&script).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| BinaryError::Script(script.clone(), error))?;
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && path.is_file() { Ok(path) } else { Err(BinaryError::Build(script)) }
}
