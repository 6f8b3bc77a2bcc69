//! Logs, as text or JSON, and (feature `otlp`) spans to an OpenTelemetry collector.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of text each
    Text,
    /// A JSON object each
    Json,
}

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The exporter cannot be made.
    #[error("failed to send spans to {endpoint}: correct --otlp-endpoint")]
    Exporter {
        /// The collector's address.
        endpoint: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

type Layers = Vec<Box<dyn Layer<Registry> + Send + Sync>>;

/// Ends what [`start`] began when it is dropped: spans that wait are sent.
#[derive(Debug, Default)]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    spans: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

/// Starts logs to standard error, filtered, and spans to `endpoint`.
pub fn start(filter: &str, format: LogFormat, endpoint: Option<&str>) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let mut layers: Layers = vec![match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    }];
    let telemetry = spans(endpoint, &mut layers)?;
    // A logger that is there already (tests) stays.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(telemetry)
}

#[cfg(not(feature = "otlp"))]
#[allow(clippy::unnecessary_wraps)] // with the feature there is an error
fn spans(_: Option<&str>, _: &mut Layers) -> Result<Telemetry, TelemetryError> {
    Ok(Telemetry::default())
}

#[cfg(feature = "otlp")]
fn spans(endpoint: Option<&str>, layers: &mut Layers) -> Result<Telemetry, TelemetryError> {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::{SpanExporter, WithExportConfig};
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};

    let Some(endpoint) = endpoint else { return Ok(Telemetry::default()) };
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build();
    let exporter =
        exporter.map_err(|error| TelemetryError::Exporter { endpoint: endpoint.to_owned(), source: error.into() })?;
    let resource = Resource::builder().with_service_name("analysis-operator").build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("analysis-operator"));
    layers.push(spans.with_filter(EnvFilter::new("info")).boxed());
    Ok(Telemetry { spans: Some(provider) })
}

#[cfg(feature = "otlp")]
impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(spans) = &self.spans {
            let _ = spans.shutdown();
        }
    }
}
