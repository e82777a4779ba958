//! What all parts of the server share.

use super::exports::Exports;
use super::gate::Gate;
use super::health::Health;
use super::load::{Load, Permit};
use super::memory::Memory;
use super::metrics::Metrics;
use super::orders::Orders;
use super::reading::{ReadRecord, Reader};
use super::records::Records;
use super::stream::Stream;
use super::turns::Turns;
use arc_swap::ArcSwap;
use habitus_engine::models::ModelRefused;
use habitus_findings::{Applied, Refused};
use habitus_journal::group::Committer;
use habitus_live::{Entry, Reducer};
use habitus_model::Disposition;
use parking_lot::RwLock;
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use tokio::sync::oneshot;

/// What all parts share. Lock order: `gate`, `reducer`, then all others, each alone.
pub struct Core {
    /// Reads records; replaced when tables are.
    pub reader: ArcSwap<Reader>,
    /// What came before.
    pub gate: Gate,
    /// Puts entries on stable storage.
    pub committer: OnceLock<Committer>,
    /// The reducer's thread.
    pub work: Sender<Work>,
    /// What is known. Written by the reducer's thread alone.
    pub reducer: RwLock<Reducer>,
    /// Memory under way.
    pub load: Load,
    /// Memory of the whole process, and how much it may be.
    pub memory: Memory,
    /// Who reads when.
    pub turns: Turns,
    /// Health of sources.
    pub health: Health,
    /// Live messages.
    pub stream: Stream,
    /// Orders on their way.
    pub orders: Arc<Orders>,
    /// Findings on their way to SIEMs.
    pub exports: Arc<Exports>,
    /// The audit chain.
    pub records: Records,
    /// Counts and times.
    pub metrics: Metrics,
    /// What inline decisions answer when none can be had.
    pub fallback: Disposition,
    /// Set when the end has begun.
    pub ending: std::sync::atomic::AtomicBool,
}

/// What the reducer's thread is given, in the order of the log.
pub enum Work {
    /// Records that are on stable storage.
    Records {
        /// Positions of what was appended: the records first, each at its own, then what is not judged.
        positions: std::ops::Range<u64>,
        /// The records.
        records: Vec<ReadRecord>,
        /// Given back when they are judged.
        permit: Permit,
    },
    /// Any other entry at its position.
    Entry {
        /// Its position.
        position: u64,
        /// The entry.
        entry: Box<Entry>,
        /// Who waits for what comes of a command.
        reply: Option<Reply>,
    },
    /// Take a snapshot, and tell when it is on stable storage.
    Snapshot(oneshot::Sender<()>),
    /// A snapshot is on stable storage, or could not be put there.
    SnapshotEnded,
    /// Go no further.
    Stop,
}

/// Who waits for what comes of an entry.
pub enum Reply {
    /// Of a command about a finding.
    Finding(oneshot::Sender<Result<Applied, Refused>>),
    /// Of what was asked of models.
    Models(oneshot::Sender<Result<(), ModelRefused>>),
}

/// A handle that is passed around.
pub type Shared = Arc<Core>;

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}
