//! Responders and exporters against real servers on loopback: what they send, what they make of every fault, what they
//! refuse to reach, and that no text from a log leaves its place.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: what is missing fails the test, a skipped test says so"
)]

mod contract;
mod docs;
mod export;
mod faults;
mod injection;
mod mail;
mod reach;
mod settings;
mod syslog;
mod world;
