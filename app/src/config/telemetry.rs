//! `[telemetry]`: what the server tells of itself beyond its log.

use serde::{Deserialize, Serialize};

/// What the server tells of itself. See `docs/configuration.md` for what each option means.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Collector for traces and logs.
    pub otlp_endpoint: Option<String>,
}

impl Telemetry {
    /// Whether the address can be one of a collector over HTTP.
    pub fn is_sound(&self) -> bool {
        self.otlp_endpoint.as_ref().is_none_or(|endpoint| {
            endpoint.parse::<http::Uri>().is_ok_and(|uri| {
                let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
                let is_bare = uri.query().is_none() && !endpoint.contains('@');
                is_http && is_bare && uri.host().is_some_and(|host| !host.is_empty())
            })
        })
    }
}
