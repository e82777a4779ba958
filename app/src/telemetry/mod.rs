//! Logs on standard error, and logs and traces to a collector over OTLP (OpenTelemetry Protocol 1.x, `http/protobuf`).
//!
//! What is exported is what is logged, and spans of the server's work with counts and durations: the same rule holds for both, that
//! no name of a person, no address and no record stands in them. A collector that is slow or gone costs memory up to a limit,
//! then lines, and never makes the server wait.

mod export;
mod layer;
mod wire;

use crate::config::Loaded;
use crate::failure::{Failure, Trouble};
use export::Exporter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

/// What is exported goes out as long as this lives; dropping it sends the rest.
#[derive(Debug)]
pub struct Telemetry(#[expect(dead_code, reason = "held until the end")] Option<Exporter>);

/// Logs go to standard error; `HABITUS_LOG` sets how much, and `HABITUS_LOG_FORMAT=json` how. With `telemetry.otlp_endpoint` they
/// and traces go to a collector too.
///
/// # Errors
/// No thread or TLS to be had for the exporter.
pub fn start(loaded: &Loaded) -> Result<Telemetry, Failure> {
    let exporter = match &loaded.config.telemetry.otlp_endpoint {
        Some(endpoint) => Some(Exporter::start(endpoint).map_err(|error| {
            Failure::new(
                Trouble::Unavailable,
                format!("telemetry cannot be exported: {error}"),
            )
        })?),
        None => None,
    };
    let as_json = std::env::var("HABITUS_LOG_FORMAT").is_ok_and(|format| format == "json");
    let to_stderr = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let to_stderr = if as_json {
        to_stderr.json().boxed()
    } else {
        to_stderr.boxed()
    };
    let filter = EnvFilter::try_from_env("HABITUS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter).with(to_stderr);
    // A second call, in tests, changes nothing.
    let _ = registry.with(exporter.as_ref().map(Exporter::layer)).try_init();
    Ok(Telemetry(exporter))
}
