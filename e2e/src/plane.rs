//! A control plane: etcd, kube-apiserver and, when asked for, kube-controller-manager.

mod flags;

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use http::Request;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use serde_json::json;

use crate::{
    binary::{self, BinaryError},
    crd::CrdError,
    daemon::Daemon,
    namespace::Namespace,
    state::State,
    wait::{self, WaitError},
};

/// Who completes Jobs, replaces pods, collects garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controllers {
    /// The test. Pods need no service account.
    None,
    /// A real kube-controller-manager.
    Real,
}

/// The control plane did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no binary to start.
    #[error(transparent)]
    Binary(#[from] BinaryError),
    /// Its folder, keys or processes could not be made.
    #[error("failed to make the control plane's folder, keys and processes")]
    Io(#[from] io::Error),
    /// A component ended instead of starting.
    #[error("{name} ended ({status}) while the control plane started; its last words:\n{last_words}")]
    Ended {
        /// Which one.
        name: &'static str,
        /// How.
        status: String,
        /// The end of its log.
        last_words: String,
    },
    /// It was not ready in time.
    #[error(transparent)]
    NotReady(#[from] WaitError),
    /// The kubeconfig cannot be read.
    #[error("failed to read the kubeconfig")]
    Kubeconfig(#[from] KubeconfigError),
    /// No client can be made of it, or the API server refused something.
    #[error("failed to talk to the API server")]
    Client(#[from] kube::Error),
    /// The CRD could not be installed.
    #[error(transparent)]
    Crd(#[from] CrdError),
}

/// How often a start is tried when another process takes a port that was free just before.
const ATTEMPTS: u32 = 3;

/// A running control plane; dropping it ends it.
#[derive(Debug)]
pub struct ControlPlane {
    // The processes end before their folder goes.
    daemons: Vec<Daemon>,
    config: Config,
    kube: PathBuf,
    state: State,
}

impl ControlPlane {
    /// Starts one and waits until it is ready, about three seconds.
    pub async fn start(controllers: Controllers) -> Result<Self, StartError> {
        let kube = binary::kube()?;
        let mut attempt = 1;
        loop {
            let state = State::new()?;
            match Self::start_in(&kube, &state, controllers).await {
                Ok((daemons, config)) => return Ok(Self { daemons, config, kube, state }),
                Err(StartError::Ended { last_words, .. })
                    if attempt < ATTEMPTS && last_words.contains("address already in use") =>
                {
                    attempt += 1;
                }
                Err(error) => {
                    state.keep();
                    eprintln!("the control plane did not start; its logs are in {}", state.path().display());
                    return Err(error);
                }
            }
        }
    }

    async fn start_in(
        kube: &Path,
        state: &State,
        controllers: Controllers,
    ) -> Result<(Vec<Daemon>, Config), StartError> {
        let folder = state.path();
        run(Command::new(kube).arg("keys").arg(folder))?;
        let ports = free_ports()?;
        let mut daemons = vec![
            Daemon::start(kube, folder, "etcd", flags::etcd(ports))?,
            Daemon::start(kube, folder, "kube-apiserver", flags::apiserver(ports, controllers))?,
        ];
        let token = fs::read_to_string(folder.join("admin.token"))?;
        let file = folder.join("kubeconfig");
        fs::write(&file, kubeconfig(folder, ports, &token).to_string())?;
        let config = until_ready(&file, &mut daemons).await?;
        if controllers == Controllers::Real {
            daemons.push(Daemon::start(kube, folder, "kube-controller-manager", flags::controllers(ports))?);
            until_controlled(&config, &mut daemons).await?;
        }
        Ok((daemons, config))
    }

    /// The folder with data, logs and kubeconfig.
    pub fn folder(&self) -> &Path {
        self.state.path()
    }

    /// The file programs under test take as KUBECONFIG; it makes them administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    /// The processes, by the component's name.
    pub fn processes(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.daemons.iter().map(|daemon| (daemon.name(), daemon.id()))
    }

    /// The folder in which `kubectl` is, for PATH.
    pub fn bin(&self) -> &Path {
        self.kube.parent().unwrap_or(Path::new("/"))
    }

    /// The administrator's configuration. Set `auth_info.impersonate` to try what RBAC gives someone else.
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// A client of its own: clients belong to the runtime of the test that made them.
    pub fn client(&self) -> Result<Client, StartError> {
        Ok(Client::try_from(self.config())?)
    }

    /// A fresh namespace, named after `hint`.
    pub async fn namespace(&self, hint: &str) -> Result<Namespace<'_>, StartError> {
        Namespace::make(self, hint).await
    }

    /// Runs kubectl as administrator.
    pub fn kubectl<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> io::Result<Output> {
        let mut command = Command::new(&self.kube);
        command.arg("kubectl").args(arguments).env("KUBECONFIG", self.kubeconfig()).env("HOME", self.folder());
        command.output()
    }

    /// Keeps the folder after the end, because a test has failed.
    pub(crate) fn keep(&self) {
        self.state.keep();
    }
}

/// The ports of one control plane.
#[derive(Clone, Copy, Debug)]
struct Ports {
    etcd: u16,
    etcd_peers: u16,
    apiserver: u16,
    controllers: u16,
}

/// Ports nobody listens on; all four are held until the last is found.
fn free_ports() -> io::Result<Ports> {
    let listeners: Vec<TcpListener> =
        (0..4).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<io::Result<_>>()?;
    let port = |index: usize| listeners[index].local_addr().map(|address| address.port());
    Ok(Ports { etcd: port(0)?, etcd_peers: port(1)?, apiserver: port(2)?, controllers: port(3)? })
}

/// A kubeconfig as JSON, which is YAML too.
fn kubeconfig(folder: &Path, ports: Ports, token: &str) -> serde_json::Value {
    let server = format!("https://127.0.0.1:{}", ports.apiserver);
    // The API server signs a certificate for itself when it starts.
    let authority = folder.join("apiserver.crt");
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "e2e", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "admin"}}],
        "current-context": "e2e",
    })
}

/// The configuration, as soon as the API server says it is ready.
async fn until_ready(file: &Path, daemons: &mut [Daemon]) -> Result<Config, StartError> {
    let look = async || ready(file).await.map_err(|error| error.to_string());
    until_alive("the API server to be ready", daemons, look).await
}

async fn ready(file: &Path) -> Result<Config, StartError> {
    let config = Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config.clone())?;
    client.request_text(get("/readyz")).await?;
    Ok(config)
}

/// Waits for the controllers' first deed: every namespace gets a service account, without which it has no pods.
async fn until_controlled(config: &Config, daemons: &mut [Daemon]) -> Result<(), StartError> {
    let client = Client::try_from(config.clone())?;
    let look = async || {
        let account = client.request_text(get("/api/v1/namespaces/default/serviceaccounts/default")).await;
        account.map(drop).map_err(|error| error.to_string())
    };
    until_alive("the controllers to be at work", daemons, look).await
}

/// Waits like [`wait::until`], but not for the dead.
async fn until_alive<T>(
    what: &str,
    daemons: &mut [Daemon],
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, StartError> {
    let look = async || match daemons.iter_mut().find_map(ended) {
        Some(error) => Ok(Err(error)),
        None => look().await.map(Ok),
    };
    wait::until(what, wait::LONG, look).await?
}

fn ended(daemon: &mut Daemon) -> Option<StartError> {
    let status = daemon.ended()?.to_string();
    Some(StartError::Ended { name: daemon.name(), status, last_words: daemon.last_words() })
}

fn get(path: &str) -> Request<Vec<u8>> {
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = path.parse().unwrap_or_default();
    request
}

fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}
