//! The real binary over real files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test code: helpers fail the test that calls them"
)]

mod audit;
mod backup;
mod check;
mod dedup;
mod determinism;
mod doctor;
mod documents;
mod evaluation;
mod explain;
mod known_errors;
mod normalize;
mod outputs;
mod real_logs;
mod replay;
mod serve;
mod server;
mod support;
mod telemetry;
