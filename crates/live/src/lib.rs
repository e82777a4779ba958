//! What a server knows, as a pure function of its log.
//!
//! [`Reducer`] takes what the log holds, in the log's order, and gives verdicts, findings and orders. No clock, no entropy,
//! no I/O: time comes with the entries. Applied again from the start, or from any snapshot, it reaches the same state byte
//! for byte, however the entries are batched; and whatever order events arrive in within the lateness, it settles the same.

mod clocks;
mod entry;
mod output;
pub mod people;
mod reducer;
mod room;
mod rules;
mod settings;
mod snapshot;

pub use entry::{Arrival, Entry, ModelOrder, Origin, Place};
pub use output::{Output, Stage};
pub use reducer::Reducer;
pub use rules::{List, Rules, Said};
pub use settings::Settings;
pub use snapshot::{Picture, SnapshotError};
