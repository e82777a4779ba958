//! Findings from the outside.

mod documents;
mod limits;
mod ocsf;
mod order;
mod storm;
mod support;
mod triage;
