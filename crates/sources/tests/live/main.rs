//! Live sources on real sockets, real files and with real senders.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests: what fails here fails the test"
)]

mod crash;
mod senders;
mod support;
mod tail;
mod tcp;
mod tls;
mod udp;
