//! The command line of `analysis-operator`, and what each subcommand does.

// Doc comments are the text of `--help`, where backticks would be noise.
#![allow(clippy::doc_markdown)]

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use analysisjob::yaml::{PrintError, print_crd};
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    metrics::Metrics,
    reconcile::validate::Images,
    run::{LeaseOptions, Options, RunError},
    telemetry::{self, LogFormat},
    watches::Scope,
};

/// The configuration, or this build itself, is wrong: a retry cannot help (`EX_CONFIG` of sysexits.h).
pub const CONFIGURATION: u8 = 78;

/// Something could not be reached; trying again may help (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;

/// Every exit code and what it says.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "Done, or stopped by SIGTERM or Ctrl-C"),
    (2, "The command line was not understood"),
    (UNAVAILABLE, "The API server was not reached; trying again may help"),
    (CONFIGURATION, "The configuration or the cluster is wrong, as the message says; a retry cannot help"),
];

/// Turns AnalysisJobs into pods.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  analysis-operator crd | kubectl apply --server-side -f -
  analysis-operator run                                     # all namespaces
  analysis-operator run --namespaces science,teaching --leader-elect false
  analysis-operator completions bash > /etc/bash_completion.d/analysis-operator

Exit codes: 0 done or stopped, 2 command line not understood, 69 API server not reached, 78 configuration wrong";

#[derive(Debug, Subcommand)]
enum Command {
    /// Look after AnalysisJobs until SIGTERM or Ctrl-C
    Run(Box<RunArgs>),
    /// Print the CustomResourceDefinition of AnalysisJob as YAML
    Crd,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What `run` takes.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Namespaces whose AnalysisJobs are looked after, separated by commas [default: all]
    #[arg(long, env = "ANALYSIS_OPERATOR_NAMESPACES", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// The analysis-worker image for AnalysisJobs that name none
    #[arg(long, env = "ANALYSIS_OPERATOR_WORKER_IMAGE", default_value = concat!("analysis-worker:", env!("CARGO_PKG_VERSION")))]
    worker_image: String,
    /// The lazycache image for AnalysisJobs that name none
    #[arg(long, env = "ANALYSIS_OPERATOR_CACHE_IMAGE", default_value = concat!("lazycache:", env!("CARGO_PKG_VERSION")))]
    cache_image: String,
    /// Where /metrics, /healthz and /readyz are served
    #[arg(long, env = "ANALYSIS_OPERATOR_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// How logs are written
    #[arg(long, env = "ANALYSIS_OPERATOR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged, such as info or analysis_operator=debug
    #[arg(long, env = "ANALYSIS_OPERATOR_LOG", default_value = "info")]
    log: String,
    /// Lead by a Lease, so that several replicas can run and one writes
    #[arg(long, env = "ANALYSIS_OPERATOR_LEADER_ELECT", default_value_t = true, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// The Lease's name
    #[arg(long, env = "ANALYSIS_OPERATOR_LEASE_NAME", default_value = "analysis-operator")]
    lease_name: String,
    /// The Lease's namespace [default: $POD_NAMESPACE, else default]
    #[arg(long, env = "ANALYSIS_OPERATOR_LEASE_NAMESPACE")]
    lease_namespace: Option<String>,
    /// Reconciles at a time, at most
    #[arg(long, env = "ANALYSIS_OPERATOR_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Where spans are sent, such as http://collector:4318/v1/traces [default: nowhere]
    #[cfg(feature = "otlp")]
    #[arg(long, env = "ANALYSIS_OPERATOR_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
}

impl RunArgs {
    fn options(self) -> Options {
        let Self {
            namespaces,
            worker_image,
            cache_image,
            listen,
            leader_elect,
            lease_name,
            lease_namespace,
            concurrency,
            ..
        } = self;
        let named = namespaces.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let mut scopes: Vec<Scope> = named.map(Scope::Namespace).collect();
        if scopes.is_empty() {
            scopes.push(Scope::All);
        }
        let pod_namespace = || std::env::var("POD_NAMESPACE").unwrap_or_else(|_| "default".to_owned());
        let lease = LeaseOptions { namespace: lease_namespace.unwrap_or_else(pod_namespace), name: lease_name };
        Options {
            scopes,
            images: Images { worker: worker_image, cache: cache_image },
            listen,
            lease: leader_elect.then_some(lease),
            concurrency,
            identity: identity(),
        }
    }
}

/// The pod's name, or host and process: what tells this process from all others.
fn identity() -> String {
    let host = || format!("{}-{}", gethostname::gethostname().to_string_lossy(), std::process::id());
    std::env::var("POD_NAME").unwrap_or_else(|_| host())
}

/// What can go wrong in a subcommand.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The definition could not be made.
    #[error("failed to print the CustomResourceDefinition")]
    Crd(#[from] PrintError),
    /// Standard output could not be written.
    #[error("failed to write to standard output")]
    Output(#[from] io::Error),
    /// The operator does not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Spans cannot be sent.
    #[error(transparent)]
    Telemetry(#[from] telemetry::TelemetryError),
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Run(RunError::Unreachable { .. }) => UNAVAILABLE,
            Self::Crd(_) | Self::Output(_) | Self::Run(_) | Self::Telemetry(_) => CONFIGURATION,
        }
    }
}

/// Parses the process's arguments and does what they say.
pub fn main() -> ExitCode {
    match run(Args::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has gone (`… | head`): what it wanted it has.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Does what `args` say, writing to `out`.
pub fn run(args: Args, out: &mut impl Write) -> Result<(), CliError> {
    match args.command {
        Command::Run(args) => return operate(*args),
        Command::Crd => out.write_all(print_crd()?.as_bytes())?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "analysis-operator", &mut script);
            out.write_all(&script)?;
        }
    }
    Ok(out.flush()?)
}

fn operate(args: RunArgs) -> Result<(), CliError> {
    #[cfg(feature = "otlp")]
    let endpoint = args.otlp_endpoint.clone();
    #[cfg(not(feature = "otlp"))]
    let endpoint: Option<String> = None;
    // Until the process ends: then what is left of spans is sent.
    let _telemetry = telemetry::start(&args.log, args.log_format, endpoint.as_deref())?;
    // One provider of cryptography in the process; that another call was faster is no matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        crate::run::run(args.options(), Metrics::new(), stop).await
    })?;
    Ok(())
}

async fn stop_on_signal(stop: CancellationToken) {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
    tracing::info!("stopping: reconciles under way come to their end");
    stop.cancel();
}

fn report(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(args: &[&str]) -> String {
        let args = Args::try_parse_from(["analysis-operator"].iter().chain(args)).unwrap();
        let mut out = Vec::new();
        run(args, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn crd_prints_the_definition() {
        assert_eq!(output(&["crd"]), print_crd().unwrap());
    }

    #[test]
    fn completions_know_the_subcommands() {
        for shell in ["bash", "zsh", "fish"] {
            assert!(output(&["completions", shell]).contains("crd"), "{shell}");
        }
    }
}
