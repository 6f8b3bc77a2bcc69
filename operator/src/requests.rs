//! A client whose requests are counted: verb, kind and answer of each.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Method, Request, Response};
use kube::{Client, Config, client::ClientBuilder};
use tower::{Layer, Service};

use crate::metrics::Metrics;

/// A client for `config` whose requests `metrics` counts.
pub fn counted(config: Config, metrics: Metrics) -> Result<Client, kube::Error> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&Counting { metrics }).build())
}

/// Puts a [`Counted`] around a service.
#[derive(Clone)]
pub struct Counting {
    /// Where requests are counted.
    pub metrics: Metrics,
}

/// A service whose requests are counted.
#[derive(Clone)]
pub struct Counted<S> {
    inner: S,
    metrics: Metrics,
}

impl<S> Layer<S> for Counting {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Counted { inner, metrics: self.metrics.clone() }
    }
}

impl<S, A, B> Service<Request<A>> for Counted<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (verb, kind) = (verb(request.method(), request.uri().query()), kind(request.uri().path()));
        let metrics = self.metrics.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            // 0: there was no answer.
            metrics.request(verb, &kind, answer.as_ref().map_or(0, |answer| answer.status().as_u16()));
            answer
        })
    }
}

fn verb(method: &Method, query: Option<&str>) -> &'static str {
    let watches = query.is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
    match *method {
        Method::GET if watches => "watch",
        Method::GET => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "other",
    }
}

/// The plural of the kind a path is about, with its subresource; never a name, so that there are few.
fn kind(path: &str) -> String {
    let mut parts = path.trim_matches('/').split('/').skip_while(|part| !matches!(*part, "api" | "apis"));
    let skip = if parts.next() == Some("apis") { 2 } else { 1 };
    let parts: Vec<&str> = parts.skip(skip).collect();
    let parts = if parts.len() > 2 && parts[0] == "namespaces" { &parts[2..] } else { &parts[..] };
    match parts {
        [plural, _, subresource, ..] => format!("{plural}/{subresource}"),
        [plural, ..] => (*plural).to_owned(),
        [] => "other".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_about_a_kind() {
        let kinds = [
            "/apis/batch/v1/namespaces/science/jobs/a-plan-1-ab",
            "/apis/camhd.science/v1alpha1/namespaces/science/analysisjobs/a/status",
            "/api/v1/pods",
            "/version",
        ]
        .map(kind);
        assert_eq!(kinds, ["jobs", "analysisjobs/status", "pods", "other"]);
    }

    #[test]
    fn a_watch_is_no_get() {
        assert_eq!(verb(&Method::GET, Some("labelSelector=x&watch=true")), "watch");
        assert_eq!(verb(&Method::GET, Some("limit=500")), "get");
    }
}
