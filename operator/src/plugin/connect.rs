//! From the command line to a client and a namespace, as kubectl finds them: --kubeconfig, else KUBECONFIG, else
//! `~/.kube/config`, else the service account of the pod this runs in.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{args::ClusterArgs, words::quoted};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may be silent; nothing here is a watch.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// A client, the namespace commands act in, and how to name both to kubectl.
#[derive(Clone)]
pub struct Session {
    /// Talks to the API server.
    pub client: Client,
    /// The namespace of -n, of the context, or `default`.
    pub namespace: String,
    /// --context and --kubeconfig as given, each with a space before it, for commands a person is shown.
    pub flags: String,
}

impl Session {
    /// A kubectl command line for this cluster and namespace.
    pub fn kubectl(&self, words: &str) -> String {
        format!("kubectl {words} -n {}{}", self.namespace, self.flags)
    }
}

/// Why there is no cluster to talk to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No kubeconfig anywhere, and not in a pod.
    #[error("there is no kubeconfig: none given with --kubeconfig, none in KUBECONFIG, none at ~/.kube/config")]
    NoKubeconfig,
    /// The file named does not exist.
    #[error("the kubeconfig {} does not exist", .0.display())]
    NoSuchFile(PathBuf),
    /// There is no such context.
    #[error("the kubeconfig has no context {name}; it has {}", listed(known))]
    NoSuchContext {
        /// The context asked for.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// No context is current.
    #[error("the kubeconfig has no current context")]
    NoContext,
    /// It cannot be used.
    #[error("the kubeconfig cannot be used")]
    Unusable(#[source] KubeconfigError),
    /// A client cannot be made from it.
    #[error("no client can be made from the kubeconfig")]
    Client(#[source] Box<kube::Error>),
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl ConnectError {
    /// What mends it.
    pub fn mend(&self) -> String {
        let mend = match self {
            Self::NoKubeconfig => {
                "get a kubeconfig from whoever runs the cluster, and point --kubeconfig or KUBECONFIG at it"
            }
            Self::NoSuchFile(_) => "name a file that exists with --kubeconfig, or unset KUBECONFIG",
            Self::NoSuchContext { .. } => "name one of them with --context",
            Self::NoContext => "name one with --context, or choose it: kubectl config use-context NAME",
            Self::Unusable(_) | Self::Client(_) => "see what `kubectl config view` says of it",
        };
        mend.to_owned()
    }
}

/// Connects as `args` say. Nothing is asked of the server yet.
pub async fn connect(args: &ClusterArgs) -> Result<Session, ConnectError> {
    let mut config = config(args).await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let client = Client::try_from(config).map_err(|error| ConnectError::Client(Box::new(error)))?;
    Ok(Session { client, namespace, flags: flags(args) })
}

async fn config(args: &ClusterArgs) -> Result<Config, ConnectError> {
    let kubeconfig = match kubeconfig(args.kubeconfig.as_deref()) {
        Err(ConnectError::NoKubeconfig) if args.context.is_none() => {
            return Config::incluster().map_err(|_| ConnectError::NoKubeconfig);
        }
        other => other?,
    };
    let known = contexts(&kubeconfig);
    let options = KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| match error {
        KubeconfigError::CurrentContextNotSet => ConnectError::NoContext,
        KubeconfigError::LoadContext(name) => ConnectError::NoSuchContext { name, known },
        other => ConnectError::Unusable(other),
    })
}

/// The kubeconfig of these arguments or of the environment, read.
pub fn kubeconfig(path: Option<&Path>) -> Result<Kubeconfig, ConnectError> {
    let read = match path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let set = path.is_some() || std::env::var_os("KUBECONFIG").is_some_and(|value| !value.is_empty());
    read.map_err(|error| match error {
        KubeconfigError::FindPath => ConnectError::NoKubeconfig,
        KubeconfigError::ReadConfig(cause, path) if cause.kind() == io::ErrorKind::NotFound => {
            if set {
                ConnectError::NoSuchFile(path)
            } else {
                ConnectError::NoKubeconfig
            }
        }
        other => ConnectError::Unusable(other),
    })
}

/// The names of its contexts.
pub fn contexts(kubeconfig: &Kubeconfig) -> Vec<String> {
    kubeconfig.contexts.iter().map(|context| context.name.clone()).collect()
}

fn flags(args: &ClusterArgs) -> String {
    let context = args.context.as_ref().map(|context| format!(" --context {}", quoted(context)));
    let file = args.kubeconfig.as_ref().map(|path| format!(" --kubeconfig {}", quoted(&path.to_string_lossy())));
    [context, file].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::error::PluginError;
    use std::io::Write;

    const CONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: u, user: {}}]
contexts:
- {name: test, context: {cluster: c, user: u, namespace: science}}
- {name: prod, context: {cluster: c, user: u}}
";

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn args(kubeconfig: &Path, context: Option<&str>) -> ClusterArgs {
        let context = context.map(ToOwned::to_owned);
        ClusterArgs { namespace: None, context, kubeconfig: Some(kubeconfig.to_owned()) }
    }

    async fn refused(args: &ClusterArgs) -> String {
        PluginError::from(connect(args).await.err().unwrap()).text()
    }

    #[tokio::test]
    async fn the_namespace_is_that_of_the_context_unless_one_is_given() {
        let file = file(CONFIG);
        let mut args = args(file.path(), None);
        assert_eq!(connect(&args).await.unwrap().namespace, "science");
        args.namespace = Some("other".to_owned());
        assert_eq!(connect(&args).await.unwrap().namespace, "other");
        args = ClusterArgs { namespace: None, context: Some("prod".to_owned()), ..args };
        assert_eq!(connect(&args).await.unwrap().namespace, "default");
    }

    #[tokio::test]
    async fn a_context_that_is_not_there_is_named_with_those_that_are() {
        let file = file(CONFIG);
        assert_eq!(
            refused(&args(file.path(), Some("tset"))).await,
            "kubectl-analysis: failed to connect to a cluster\n  \
             because: the kubeconfig has no context tset; it has test, prod\n  \
             to mend it: name one of them with --context\n"
        );
    }

    #[tokio::test]
    async fn a_kubeconfig_that_is_not_there_is_named() {
        assert_eq!(
            refused(&args(Path::new("/nonexistent/config"), None)).await,
            "kubectl-analysis: failed to connect to a cluster\n  \
             because: the kubeconfig /nonexistent/config does not exist\n  \
             to mend it: name a file that exists with --kubeconfig, or unset KUBECONFIG\n"
        );
    }

    #[tokio::test]
    async fn a_kubeconfig_that_cannot_be_read_keeps_its_cause() {
        let file = file("contexts: 7");
        assert!(
            refused(&args(file.path(), None)).await.contains("because: the kubeconfig cannot be used\n  because: ")
        );
    }

    #[test]
    fn commands_shown_name_the_cluster_they_were_asked_for() {
        let args = args(Path::new("/a b/config"), Some("prod"));
        assert_eq!(flags(&args), " --context prod --kubeconfig '/a b/config'");
    }
}
