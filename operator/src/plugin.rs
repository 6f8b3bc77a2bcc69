//! `kubectl analysis`: what people ask of AnalysisJobs, from the command line.
//!
//! ```text
//!  args ─▶ connect ─▶ a command ─▶ objects of the API server ─▶ View: a job at a time ─▶ text or JSON
//!          kubeconfig  status top failures retry plan report     view.rs, pure           words.rs, table.rs
//! ```
//! In: the command line, a kubeconfig. Out: text for people, JSON for scripts, an exit code, and for everything that
//! goes wrong a sentence with its mend ([`error`], [`refusal`]).
//!
//! It reads AnalysisJobs, and writes three things only: the annotation that asks for a retry, a temporary AnalysisJob
//! that plans, a temporary pod that reads a file of the output. The temporary ones are deleted whatever happens,
//! Ctrl-C included. Absent on purpose: exec, secrets, watches (it asks every two seconds, and waits out a server that
//! is away). What is shown is made by pure functions from objects and a time. Read [`args`] first, then [`view`].

// Doc comments of the arguments are the text of `--help`, where backticks would be noise.
#![allow(clippy::doc_markdown)]
// Text for people is put together piece by piece; that costs an allocation, and reads well.
#![allow(clippy::format_push_string, clippy::format_collect)]

pub mod args;
pub mod connect;
pub mod console;
pub mod error;
pub mod refusal;

pub mod jobs;
pub mod view;

pub mod failures;
pub mod plan;
pub mod report;
pub mod retry;
pub mod status;
pub mod top;

pub mod complete;

pub mod table;
pub mod words;

#[cfg(test)]
pub(crate) mod testing;

use std::{
    io::{self, IsTerminal},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use ::plan::exit;
use clap::Parser;
use k8s_openapi::jiff::Timestamp;

use args::{Args, ClusterArgs, Command};
use connect::connect;
use console::{Console, signal};
use error::PluginError;

/// How often the API server is asked while something is waited for.
const EVERY: Duration = Duration::from_secs(2);

/// Parses the process's arguments and does what they say.
pub fn main() -> ExitCode {
    // The only provider in the tree; that one is set already is no fault.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args = Args::parse();
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let live = out.is_terminal();
    let mut console = Console { out: &mut out, err: &mut err, live, clock: Timestamp::now, every: EVERY };
    match run(&args, &mut console) {
        Ok(code) => ExitCode::from(code),
        // The reader has gone (`… | head`): what it wanted it has.
        Err(PluginError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error leaves the exit code to speak.
            let _ = write!(console.err, "{}", error.text());
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(args: &Args, console: &mut Console<'_>) -> Result<u8, PluginError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PluginError::Start)?;
    let code = runtime.block_on(dispatch(args, console));
    console.out.flush()?;
    code
}

/// Commands that leave something in the cluster handle interruption themselves; the others just end.
async fn dispatch(Args { cluster, command }: &Args, console: &mut Console<'_>) -> Result<u8, PluginError> {
    let mut stop = pin!(signal());
    match command {
        Command::Plan(args) => plan::run(args, cluster, console, stop.as_mut()).await,
        Command::Report(args) => report::run(args, &connect(cluster).await?, console, stop.as_mut()).await,
        Command::Failures(args) => failures::run(args, &connect(cluster).await?, console, stop.as_mut()).await,
        command => tokio::select! {
            code = plain(command, cluster, console) => code,
            () = stop => Err(PluginError::Interrupted),
        },
    }
}

async fn plain(command: &Command, cluster: &ClusterArgs, console: &mut Console<'_>) -> Result<u8, PluginError> {
    match command {
        Command::Status(args) => status::run(args, &connect(cluster).await?, console).await,
        Command::Retry(args) => retry::run(args, &connect(cluster).await?, console).await,
        Command::Top(args) => top::run(args, &connect(cluster).await?, console).await,
        Command::Completions(args) => complete::script(args, console),
        Command::Complete(args) => complete::run(args, cluster, console).await,
        Command::Plan(_) | Command::Report(_) | Command::Failures(_) => Ok(exit::DONE),
    }
}
