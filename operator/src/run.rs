//! `analysis-operator run`: joins client, watches, lease, reconciles and the web page of health and metrics.
//!
//! A standby runs the same watches and reconciles, and every reconcile ends at once because it does not lead: when it
//! comes to lead, its stores are warm and all AnalysisJobs are looked at.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, stream};
use kube::{
    Api, Client, Config, ResourceExt,
    runtime::{
        Controller,
        controller::{self, Action},
        reflector::Store,
    },
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    health::{Health, serve},
    lease::{Candidate, Leadership},
    metrics::Metrics,
    reconcile::{ReconcileError, chain, name_of, reconcile, validate::Images},
    requests,
    stores::Stores,
    watches::{Guarded, Scope, analysis_jobs, at_intervals, children},
};

/// The oldest Kubernetes whose Jobs have per-index backoff and pod failure policies for good.
const OLDEST_MINOR: u32 = 33;

/// What `run` is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where AnalysisJobs are looked after.
    pub scopes: Vec<Scope>,
    /// Images for pods whose spec names none.
    pub images: Images,
    /// Where health and metrics are served.
    pub listen: std::net::SocketAddr,
    /// The lease; none: this process leads by itself.
    pub lease: Option<LeaseOptions>,
    /// Reconciles at a time.
    pub concurrency: u16,
    /// What tells this process from all others.
    pub identity: String,
}

/// Which lease is held.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why the operator does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no configuration of a client.
    #[error("failed to find a cluster: run inside one, or set KUBECONFIG")]
    Config(#[from] kube::config::InferConfigError),
    /// The client cannot be made.
    #[error("failed to make a client for the cluster")]
    Client(#[source] kube::Error),
    /// The API server cannot be reached.
    #[error("failed to reach the API server at {url}")]
    Unreachable {
        /// Its address.
        url: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// The cluster is too old.
    #[error(
        "the cluster runs Kubernetes 1.{found}; 1.{OLDEST_MINOR} or newer is needed (per-index backoff of Jobs): upgrade it"
    )]
    TooOld {
        /// Its minor version.
        found: u32,
    },
    /// There is no AnalysisJob kind.
    #[error(
        "the cluster does not know AnalysisJobs: `analysis-operator crd | kubectl apply --server-side -f -`, or the operator may not list them ({scope:?})"
    )]
    NoDefinition {
        /// Where they were looked for.
        scope: Scope,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// The port cannot be taken.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Runs until `stop`. Reconciles under way come to their end, then the lease is given up.
pub async fn run(options: Options, metrics: Metrics, stop: CancellationToken) -> Result<(), RunError> {
    let config = Config::infer().await?;
    let url = config.cluster_url.to_string();
    let client = requests::counted(config, metrics.clone()).map_err(RunError::Client)?;
    run_with(client, &url, options, metrics, stop).await
}

/// The same over a client that is there.
pub async fn run_with(
    client: Client,
    url: &str,
    options: Options,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<(), RunError> {
    check_cluster(&client, url, &options.scopes).await?;
    let leadership = if options.lease.is_some() { Leadership::standby() } else { Leadership::always() };
    let listener = tokio::net::TcpListener::bind(options.listen).await;
    let listener = listener.map_err(|source| RunError::Listen { address: options.listen, source })?;
    let address = listener.local_addr().map_err(|source| RunError::Listen { address: options.listen, source })?;
    tracing::info!(%address, scopes = ?options.scopes, identity = %options.identity, "operator started");
    let health = Health::default();
    let server = tokio::spawn(serve(listener, health.clone(), metrics.clone(), stop.clone()));
    let candidate = options.lease.as_ref().map(|lease| {
        let candidate = Candidate::new(
            client.clone(),
            &lease.namespace,
            lease.name.clone(),
            options.identity.clone(),
            leadership.clone(),
        );
        // The lease is renewed until the last reconcile has ended.
        let until = CancellationToken::new();
        (tokio::spawn(candidate.run(until.clone())), until)
    });
    let tell = tokio::spawn(tell_leadership(leadership.clone(), metrics.clone()));
    let controllers = options.scopes.iter().map(|scope| {
        controller(
            client.clone(),
            scope.clone(),
            &options,
            leadership.clone(),
            metrics.clone(),
            health.clone(),
            stop.clone(),
        )
    });
    futures::future::join_all(controllers).await;
    tell.abort();
    if let (Some((task, until)), Some(lease)) = (candidate, &options.lease) {
        until.cancel();
        let _ = task.await;
        Candidate::release(client, &lease.namespace, &lease.name, &options.identity).await;
    }
    let _ = server.await;
    tracing::info!("operator stopped");
    Ok(())
}

/// A cluster that is too old or does not know AnalysisJobs is said at once, not in a watch's log.
async fn check_cluster(client: &Client, url: &str, scopes: &[Scope]) -> Result<(), RunError> {
    let version = client.apiserver_version().await;
    let version = version.map_err(|source| RunError::Unreachable { url: url.to_owned(), source: Box::new(source) })?;
    let digits: String = version.minor.chars().take_while(char::is_ascii_digit).collect();
    let found = digits.parse().unwrap_or(OLDEST_MINOR);
    if found < OLDEST_MINOR {
        return Err(RunError::TooOld { found });
    }
    for scope in scopes {
        let jobs: Api<analysisjob::AnalysisJob> = scope.api(client);
        let listed = jobs.list_metadata(&kube::api::ListParams::default().limit(1)).await;
        listed.map_err(|source| RunError::NoDefinition { scope: scope.clone(), source: Box::new(source) })?;
    }
    Ok(())
}

async fn tell_leadership(leadership: Leadership, metrics: Metrics) {
    let mut changes = leadership.subscribe();
    loop {
        metrics.leads(leadership.is_held());
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Watches and reconciles one scope.
async fn controller(
    client: Client,
    scope: Scope,
    options: &Options,
    leadership: Leadership,
    metrics: Metrics,
    health: Health,
    stop: CancellationToken,
) {
    let stores = Stores::default();
    let (tell_listed, listed) = watch::channel(false);
    let (jobs, changed) = analysis_jobs(&client, &scope, tell_listed);
    let (images, identity) = (options.images.clone(), options.identity.clone());
    let context = Arc::new(Context::new(client.clone(), stores.clone(), leadership.clone(), images, metrics, identity));
    let gained = stream::unfold(leadership.subscribe(), |mut changes| async {
        loop {
            changes.changed().await.ok()?;
            if *changes.borrow_and_update() {
                return Some(((), changes));
            }
        }
    });
    let of_children = stream::select_all([
        children(&client, &scope, stores.jobs.clone()).boxed(),
        children(&client, &scope, stores.configs.clone()).boxed(),
        children(&client, &scope, stores.deployments.clone()).boxed(),
        children(&client, &scope, stores.services.clone()).boxed(),
        children(&client, &scope, stores.claims.clone()).boxed(),
        children(&client, &scope, stores.pods.clone()).boxed(),
    ]);
    let of_children = at_intervals(of_children, GATHERED_FOR);
    let housekeeping = tokio::spawn(keep_house(Arc::clone(&context), jobs.clone(), listed, health));
    let config = controller::Config::default().concurrency(options.concurrency);
    Controller::for_stream(changed, jobs)
        .with_config(config)
        .reconcile_on(of_children)
        .reconcile_all_on(gained)
        .graceful_shutdown_on(async move { stop.cancelled().await })
        .run(reconcile_counted, error_policy, context)
        .for_each(|_| std::future::ready(()))
        .await;
    housekeeping.abort();
}

/// A burst of pods' changes is one reconcile.
const GATHERED_FOR: Duration = Duration::from_millis(250);

/// A reconcile, counted; stores that have never been filled are waited for, because children that are not seen yet must
/// not be taken for absent.
async fn reconcile_counted(job: Arc<Guarded>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    if !context.stores.are_ready() {
        return Ok(Action::requeue(Duration::from_millis(200)));
    }
    let start = Instant::now();
    context.metrics.begin();
    let name = name_of(&job);
    // A panic costs this reconcile only.
    let ended = std::panic::AssertUnwindSafe(Box::pin(reconcile(job, Arc::clone(&context)))).catch_unwind().await;
    let Ok(ended) = ended else {
        tracing::error!(job = %name, "a reconcile panicked; it is tried again");
        context.metrics.end(Some("Panic"), start.elapsed().as_secs_f64());
        return Ok(Action::requeue(PANIC_PAUSE));
    };
    let error = ended.as_ref().err().map(ReconcileError::label);
    context.metrics.end(error, start.elapsed().as_secs_f64());
    if ended.is_ok() {
        context.attempts.forget(&name);
    }
    ended
}

const PANIC_PAUSE: Duration = Duration::from_mins(1);

#[allow(clippy::needless_pass_by_value)] // the controller hands it so
/// How long to wait before a failed reconcile is tried again: by the kind of error, doubled with every failure.
fn error_policy(job: Arc<Guarded>, error: &ReconcileError, context: Arc<Context>) -> Action {
    let name = name_of(&job);
    match error {
        // Leadership comes back with a reconcile of all.
        ReconcileError::Apply(crate::reconcile::apply::ApplyError::NotLeader) => return Action::await_change(),
        // Only another object mends what cannot be decoded.
        ReconcileError::Undecodable { .. } | ReconcileError::Observe(_) => {
            tracing::warn!(job = %name, error = %chain(error), "an object cannot be decoded");
            return Action::requeue(Duration::from_mins(5));
        }
        ReconcileError::Apply(_) => {}
    }
    let wait = context.attempts.next(&name);
    tracing::warn!(job = %name, error = %chain(error), wait_seconds = wait.as_secs_f64(), "a reconcile failed; it is tried again");
    Action::requeue(wait)
}

/// Keeps metrics and memory free of what is gone, and says when the stores are filled.
async fn keep_house(context: Arc<Context>, jobs: Store<Guarded>, mut listed: watch::Receiver<bool>, health: Health) {
    if listed.wait_for(|listed| *listed).await.is_err() {
        return;
    }
    loop {
        if context.stores.are_ready() {
            health.is_ready();
        }
        for (kind, count) in context.stores.undecodable() {
            context.metrics.undecodable(kind, count);
        }
        let there = jobs.state();
        let names: HashSet<String> = there.iter().map(|job| name_of(job)).collect();
        let uids: HashSet<String> = there.iter().filter_map(|job| job.uid()).collect();
        context.metrics.keep(|namespace, name| names.contains(&format!("{namespace}/{name}")));
        context.pace.keep(|uid| uids.contains(uid));
        let broken = there.iter().filter(|job| job.0.is_err()).count();
        context.metrics.undecodable("AnalysisJob", broken);
        tokio::time::sleep(if context.stores.are_ready() { HOUSEKEEPING } else { GATHERED_FOR }).await;
    }
}

const HOUSEKEEPING: Duration = Duration::from_secs(15);
