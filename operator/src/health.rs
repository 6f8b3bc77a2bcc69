//! `/healthz`, `/readyz`, `/metrics`.
//!
//! Live: the process answers. Ready: the stores have been filled once, so that a rollout waits for a standby that can take
//! over at once; a standby is as ready as the leader.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Whether this process can do its work. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Health {
    ready: Arc<AtomicBool>,
}

impl Health {
    /// The stores are filled.
    pub fn is_ready(&self) {
        self.ready.store(true, Relaxed);
    }
}

/// The page.
pub fn app(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(text))
        .with_state((health, metrics))
}

/// Serves the page until `stop`.
pub async fn serve(listener: TcpListener, health: Health, metrics: Metrics, stop: CancellationToken) {
    let served = axum::serve(listener, app(health, metrics)).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "health and metrics are no longer served");
    }
}

async fn readyz(State((health, _)): State<(Health, Metrics)>) -> impl IntoResponse {
    if health.ready.load(Relaxed) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the watches have not listed everything yet\n")
    }
}

async fn text(State((_, metrics)): State<(Health, Metrics)>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    async fn status(health: &Health, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        app(health.clone(), Metrics::new()).oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_process_is_ready_when_its_stores_are_filled() {
        let health = Health::default();
        assert_eq!(status(&health, "/healthz").await, StatusCode::OK);
        assert_eq!(status(&health, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        health.is_ready();
        assert_eq!(status(&health, "/readyz").await, StatusCode::OK);
        assert_eq!(status(&health, "/metrics").await, StatusCode::OK);
    }
}
