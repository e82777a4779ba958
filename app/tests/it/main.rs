//! The real binary over real files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "test code: helpers fail the test that calls them"
)]

mod audit;
mod backup;
mod browser;
mod check;
mod crowdsec;
mod dedup;
mod determinism;
mod doctor;
mod documents;
mod evaluation;
mod explain;
mod exports;
mod files;
mod kills;
mod known_errors;
mod metrics;
mod models;
mod nginx;
mod normalize;
mod o365;
mod openssh;
mod outputs;
mod overload;
mod real_logs;
mod replay;
mod schemathesis;
mod serve;
mod server;
mod siem;
mod simulation;
mod support;
mod telemetry;
mod times;
mod triage;
mod webdriver;
