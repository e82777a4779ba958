//! The stages in order, as one deterministic state machine.
//!
//! The only crate that knows the order: recall, detect, fuse, calibrate, decide, then learn. Accounts live in shards;
//! what accounts of a tenant have in common is read as of the last epoch and changed only at its end, in the order of the
//! log. So any number of shards and threads gives the same verdicts, and a snapshot the same bytes.

mod accounts;
mod ahead;
pub mod changes;
mod clerk;
mod engine;
pub mod epoch;
mod executor;
mod footprint;
mod hashed;
mod hindsight;
pub mod models;
mod network;
mod snapshot;
mod stage;
mod tenant;

mod together;
mod total;

pub use ahead::Ahead;
pub use clerk::{Clerk, Judged, Scribe};
pub use engine::{Config, Engine, Learning, Record};
pub use executor::{Executor, Sequential};
pub use habitus_detect::Words;
pub use habitus_profile::Adjudication;
pub use hashed::Hashed;
pub use snapshot::{Picture, SnapshotError};
pub use stage::Shard;

/// Name and version of the scoring model, as verdicts carry it. Changes whenever verdicts may.
pub const MODEL: &str = concat!("habitus-", env!("CARGO_PKG_VERSION"), "/logins-7");
