//! The durable side of habitus: what is acknowledged is on stable storage, and what is damaged is found, contained and counted.
//!
//! Everything here is synchronous and works in directories of its own, through the small [`storage::Dir`]; no thread is started
//! but the committer's. Time is a parameter. Random bytes are drawn for nonces, for checksum seeds and for the signing key.
//!
//! | module | holds |
//! |---|---|
//! | [`log`] | the segmented log: append, commit, readers, sealing, retention, recovery |
//! | [`group`] | the committer: one sync for many who append; the [`group::Journal`] trait |
//! | [`snapshot`] | state + positions + versions in one file |
//! | [`outbox`] | orders to responders: schedule, leases, dead letters, breakers |
//! | [`audit`] | the hash chain with signed checkpoints, and its verifier |
//! | [`seen`] | exact deduplication over a window of days |
//! | [`archive`] | raw telemetry to Parquet, by day |
//! | [`storage`] | real files, and with the feature `faults` a file system that fails as disks do |
//!
//! # A life
//! ```
//! use habitus_journal::group::{Committer, GroupSettings, Journal};
//! use habitus_journal::log::{Entry, Log, Settings};
//! use habitus_journal::storage::RealFs;
//! use habitus_model::{IngestTime, TenantId};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let dir = Arc::new(RealFs::own(&folder.path().join("log"))?);
//! let (log, recovery) = Log::open(dir, Settings::default())?;
//! assert_eq!(recovery.records_lost, 0);
//! let committer = Committer::start(log, GroupSettings::default(), Box::new(|records| drop(records)))?;
//! let entry = Entry {
//!     kind: 1,
//!     tenant: TenantId::default(),
//!     source: "okta".into(),
//!     ingested: IngestTime::from_millis(1_700_000_000_000).ok_or("not a time")?,
//!     payload: b"{}".to_vec(),
//! };
//! // Answer the sender only after this.
//! let positions = committer.append(vec![entry])?.wait()?;
//! assert_eq!(committer.read_from(positions.start).count(), 1);
//! # Ok(())
//! # }
//! ```

pub mod archive;
pub mod audit;
mod bytes;
mod crypto;
mod error;
pub mod group;
pub mod log;
pub mod outbox;
pub mod seen;
pub mod snapshot;
pub mod storage;
#[cfg(test)]
mod testing;

pub use crypto::{Key, KeyId, Keyring};
pub use error::{Error, Result};
pub use log::{Damage, Entry, Log, Position, Reader, Readers, Record, Recovery};
