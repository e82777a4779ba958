//! `[serve]`: how the server runs.

use super::values::Size;
use crate::cli::Bytes;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// How the server runs. See `docs/configuration.md` for what each option means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// Address of the API and the console.
    pub listen: SocketAddr,
    /// Names by which it is called, beside the address.
    pub names: Vec<String>,
    /// Directory of everything that is kept.
    pub data_dir: PathBuf,
    /// Certificate chain.
    pub tls_cert: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
    /// Listen beyond this machine without TLS.
    pub dangerously_allow_plain_http: bool,
    /// Networks of proxies.
    pub trusted_proxies: Vec<String>,
    /// Policy file.
    pub policy: Option<PathBuf>,
    /// Key of encryption at rest.
    pub encryption_key: Option<String>,
    /// File outside the data directory for signed checkpoints of the audit.
    pub audit_checkpoints: Option<PathBuf>,
    /// How long events wait for earlier ones, seconds.
    pub lateness_seconds: u32,
    /// Most events that wait.
    pub waiting_max: usize,
    /// How long an inline decision may take, milliseconds.
    pub assess_deadline_ms: u32,
    /// What is answered where no decision can be had.
    pub assess_default: Fallback,
    /// Most memory of the whole process.
    pub memory: Option<Size>,
    /// Most memory for requests that are being taken in.
    pub intake_memory: Size,
    /// Threads that take events in and judge them.
    pub threads: Option<u16>,
    /// Raw telemetry is kept so long, days.
    pub retention_days: u32,
    /// Raw telemetry is kept up to this size.
    pub retention_size: Size,
    /// A snapshot is taken after so many events.
    pub snapshot_events: u64,
    /// And after so many minutes in which any came.
    pub snapshot_minutes: u32,
    /// Routes of forward authentication, beside `default`.
    pub authorize: Vec<Authorize>,
}

/// One route of forward authentication: nginx `auth_request`, Traefik, oauth2-proxy, Envoy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// Its name, as `?route=` gives it.
    pub name: String,
    /// Whether access is given when no decision can be made.
    #[serde(default)]
    pub fail_open: bool,
    /// Headers that may name the account, the first present counts; those of common proxies if empty.
    #[serde(default)]
    pub account_headers: Vec<String>,
    /// The source under which its events are judged.
    #[serde(default)]
    pub source: Option<String>,
}

/// What is answered where no decision can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// Let it pass.
    Allow,
    /// Let it pass; a person should look.
    #[default]
    Review,
    /// Ask for another factor.
    Challenge,
    /// Refuse.
    Deny,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7171)),
            names: Vec::new(),
            data_dir: PathBuf::from("habitus-data"),
            tls_cert: None,
            tls_key: None,
            dangerously_allow_plain_http: false,
            trusted_proxies: Vec::new(),
            policy: None,
            encryption_key: None,
            audit_checkpoints: None,
            lateness_seconds: 120,
            waiting_max: 100_000,
            assess_deadline_ms: 50,
            assess_default: Fallback::Review,
            memory: None,
            intake_memory: Size(Bytes(256 << 20)),
            threads: None,
            retention_days: 180,
            retention_size: Size(Bytes(100 << 30)),
            snapshot_events: 1_000_000,
            snapshot_minutes: 10,
            authorize: Vec::new(),
        }
    }
}
