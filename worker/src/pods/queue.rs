//! What the pods of strategy Queue share: which list, and how its trouble is met.

use std::time::Duration;

use plan::{Analysis, ledger::sha256};
use queue::{List, ListName, NameError, QueueError, Server};

use crate::{item_error::chain, job::Job, progress::Progress};

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// No server is named.
    #[error("no Redis server is named: set --redis (ANALYSIS_REDIS), or spec.workers.queue.redis.url")]
    NoServer,
    /// No stream is named.
    #[error("no stream is named: set --stream (ANALYSIS_STREAM), or spec.workers.queue.stream")]
    NoStream,
    /// The stream's name is none.
    #[error("the stream cannot be used")]
    Stream(#[from] NameError),
    /// The server's address is none, or it refused a command for good.
    #[error("the list cannot be used")]
    Queue(#[from] QueueError),
}

/// Which list.
#[derive(Debug, Clone, clap::Args)]
pub struct ListArguments {
    /// The Redis server, version 7 or newer: `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS
    /// [default: spec.workers.queue.redis.url].
    #[arg(long, env = "ANALYSIS_REDIS", value_name = "URL", hide_env_values = true)]
    pub redis: Option<String>,
    /// The stream's name [default: spec.workers.queue.stream].
    #[arg(long, env = "ANALYSIS_STREAM", value_name = "NAME")]
    pub stream: Option<String>,
    /// Seconds after which a movie whose worker says nothing is taken over; the same for all workers of a stream.
    #[arg(long, env = "ANALYSIS_SILENCE_SECONDS", default_value_t = 60, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub silence_seconds: u64,
}

/// Opens the list of `job`. Nothing is asked of the server yet.
pub fn open(arguments: &ListArguments, job: &Job) -> Result<List, ListError> {
    lazycache::tls::use_ring();
    let named = job.queue.as_ref();
    let address = arguments.redis.as_deref().or(named.and_then(|queue| queue.redis.url.as_deref()));
    let stream = arguments.stream.as_deref().or(named.map(|queue| queue.stream.as_str()));
    let server = Server::open(address.ok_or(ListError::NoServer)?)?;
    let name = ListName::new(stream.ok_or(ListError::NoStream)?, &work_of(job))?;
    Ok(List::new(server, name, Duration::from_secs(arguments.silence_seconds)))
}

/// What is computed from which archive, in 16 hex digits: workers of other work share no list.
fn work_of(job: &Job) -> String {
    let regions = matches!(&job.analysis, Analysis::OpticalFlow(flow) if flow.regions);
    let (analysis, parameters) = (&job.analysis, job.analysis.parameters());
    let document = serde_json::json!([job.root, analysis.name(), analysis.revision(), parameters, regions]);
    sha256(document.to_string().as_bytes()).get(7..23).unwrap_or_default().to_owned()
}

/// Asks until the server answers: a list that is away is waited for, however long it takes.
pub async fn patiently<T>(
    progress: &Progress,
    mut ask: impl AsyncFnMut() -> Result<T, QueueError>,
) -> Result<T, QueueError> {
    let mut wait = FIRST_WAIT;
    loop {
        match ask().await {
            Err(error) if error.is_outage() => {
                progress.say(&format!("waiting {:.1} s for the list: {}", wait.as_secs_f64(), chain(&error)));
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            other => return other,
        }
    }
}
