//! Findings from the outside.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: helpers fail the test that calls them"
)]

mod documents;
mod limits;
mod list;
mod news;
mod ocsf;
mod order;
mod storm;
mod support;
mod triage;
