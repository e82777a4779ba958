//! Snapshots of the whole state; `recovery` comes back from them.

use super::clock;
use super::core::Core;
use crate::failure::Failure;
use habitus_engine::MODEL;
use habitus_journal::Position;
use habitus_journal::snapshot::{Snapshot, Snapshots};
use habitus_model::IngestTime;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The part that holds the reducer's state.
pub const STATE: &str = "state";
/// The part that holds what is shown of people.
pub const VIEW: &str = "view";
/// The part that holds orders that wait for a person.
pub const HELD: &str = "held";

/// When snapshots are taken.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// After so many entries.
    pub entries: u64,
    /// After so many milliseconds in which any came.
    pub millis: i64,
}

/// Takes snapshots.
pub struct Keeper {
    snapshots: Arc<Snapshots>,
    rhythm: Rhythm,
    /// The next entry to be judged.
    position: u64,
    saved: u64,
    saved_at: IngestTime,
}

impl Keeper {
    /// For a state that is at a position.
    pub fn new(snapshots: Arc<Snapshots>, rhythm: Rhythm, position: u64) -> Self {
        Self {
            snapshots,
            rhythm,
            position,
            saved: position,
            saved_at: clock::now(),
        }
    }

    /// The state is at a position; takes a snapshot if it is time.
    pub fn reached(&mut self, position: u64, core: &Core) {
        self.position = position;
        let entries = position.saturating_sub(self.saved);
        let millis = clock::now().as_millis() - self.saved_at.as_millis();
        if entries >= self.rhythm.entries || (entries > 0 && millis >= self.rhythm.millis) {
            self.save(core);
        }
    }

    /// Takes a snapshot, unless nothing happened since the last.
    pub fn save(&mut self, core: &Core) {
        if self.position == self.saved {
            return;
        }
        let _span = tracing::info_span!("snapshot", position = self.position).entered();
        self.saved_at = clock::now();
        // What is before a snapshot need not be read again to know what was seen.
        core.gate.write_out();
        match self.snapshot(core) {
            Ok(snapshot) => match self.snapshots.save(&snapshot) {
                Ok(saved) => {
                    self.saved = self.position;
                    let millis = clock::now().as_millis() - self.saved_at.as_millis();
                    tracing::info!(
                        position = self.position,
                        bytes = saved.bytes,
                        millis,
                        "snapshot taken"
                    );
                }
                Err(error) => {
                    tracing::error!(%error, "a snapshot cannot be written; the log keeps all since the last")
                }
            },
            Err(error) => tracing::error!(%error, "a snapshot cannot be made"),
        }
    }

    fn snapshot(&self, core: &Core) -> Result<Snapshot, Failure> {
        let reducer = core.reducer.read();
        let (state, view) = (reducer.snapshot()?, reducer.view()?);
        let policy = reducer.rules().policy().version().to_owned();
        drop(reducer);
        let held = postcard::to_stdvec(&core.orders.held())?;
        Ok(Snapshot {
            position: Position(self.position),
            outbox: Position(0),
            versions: BTreeMap::from([
                ("model".to_owned(), MODEL.to_owned()),
                ("policy".to_owned(), policy),
            ]),
            sections: BTreeMap::from([
                (STATE.to_owned(), state),
                (VIEW.to_owned(), view),
                (HELD.to_owned(), held),
            ]),
        })
    }
}
