//! The policy crate from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "helpers of tests: what goes wrong fails them, and bombs are timed"
)]

mod docs;
mod events;
mod fixtures;
mod hostile;
mod promises;
mod rulings;
mod same_as_cel;
