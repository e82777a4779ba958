//! Live sources: what goes on sending while habitus runs. Syslog over TCP, TLS and UDP, files that are appended to,
//! standard input.
//!
//! ```text
//! socket, file ─▶ source ─LiveBatch─▶ Sink::submit ─▶ stable storage
//!                   ▲                      │ Accepted: the source forgets the batch, a file's checkpoint moves
//!                   └──────────────────────┘ Refused: the source keeps it and tries again later
//! ```
//!
//! What a source has read and the sink has not taken yet stays with the source, within limits that have names. So a
//! sink that refuses slows the senders down: TCP stops reading, a file waits, UDP drops and counts. Delivery is at
//! least once; duplicates are found downstream by [`Checkpoint::record_id`].

mod contract;
mod deliver;
mod error;
mod health;
mod lines;
mod run;
pub mod settings;
pub mod skew;
mod stdin;
mod syslog;
mod tail;
pub mod tls;

pub use contract::{Accepted, Checkpoint, Label, LiveBatch, Refused, Sink};
pub use error::LiveError;
pub use health::{Fault, Health, HealthReport};
pub use run::{Clock, Running, RunningSource, Wiring, spawn};
pub use settings::{SourceKind, SourceSettings, Start};
pub use syslog::{CONNECTION_BATCH_BYTES, MESSAGE_BYTES_MAX, UDP_QUEUE_BATCHES_MAX};
pub use tail::{FILES_MAX, OPEN_FILES_MAX, RECORD_BYTES_MAX};

use std::time::Duration;

/// A batch that is not full is handed over this long after its first record: below what a person notices, and long
/// enough that a busy sender fills a batch.
pub const FLUSH_AFTER: Duration = Duration::from_millis(50);
