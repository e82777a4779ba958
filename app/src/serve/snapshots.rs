//! Snapshots of the whole state, and coming back from them.

use super::clock;
use super::core::Core;
use super::gate::{self, Gate};
use super::kept::{self, Kind};
use super::reading::Reader;
use super::reduce::placed;
use crate::failure::{Failure, Trouble};
use habitus_engine::{MODEL, Sequential};
use habitus_findings::News;
use habitus_journal::log::Readers;
use habitus_journal::snapshot::{Loaded, Snapshot, Snapshots};
use habitus_journal::{Position, Record};
use habitus_live::{Entry, Output, Reducer, Settings};
use habitus_model::IngestTime;
use habitus_policy::{Held, Ruling};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names of a snapshot's parts.
const STATE: &str = "state";
const VIEW: &str = "view";
const GATE: &str = "gate";
const HELD: &str = "held";
/// Entries applied at once when coming back.
const AT_ONCE: usize = 1_024;

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
        self.saved_at = clock::now();
        match self.snapshot(core) {
            Ok(snapshot) => match self.snapshots.save(&snapshot) {
                Ok(saved) => {
                    self.saved = self.position;
                    tracing::info!(position = self.position, bytes = saved.bytes, "snapshot taken");
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
        let gate = postcard::to_stdvec(&core.gate.lock().keep())?;
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
                (GATE.to_owned(), gate),
                (HELD.to_owned(), held),
            ]),
        })
    }
}

/// The state as it was left.
pub struct Restored {
    /// The reducer.
    pub reducer: Reducer,
    /// What came before.
    pub gate: Gate,
    /// Orders that wait for a person.
    pub held: Vec<Held>,
    /// The next entry to be judged.
    pub position: u64,
    /// Rulings made again on the way: their orders are put into the outbox, which knows those it had.
    pub rulings: Vec<Ruling>,
    /// What exporters are told again: their outbox knows what it had.
    pub news: Vec<News>,
    /// Entries judged again.
    pub replayed: u64,
    /// Records lost to damage on the way.
    pub lost: u64,
    /// What was judged again. The gate of a snapshot knows records that the state did not know yet, so it cannot tell.
    again: Gate,
}

/// The newest good snapshot, and everything in the log since.
///
/// # Errors
/// A state or log that cannot be read.
pub fn restore(
    loaded: Loaded,
    readers: &Readers,
    settings: Settings,
    reader: &Reader,
) -> Result<Restored, Failure> {
    for (name, error) in &loaded.skipped {
        tracing::error!(%name, %error, "a snapshot is damaged; the one before is taken");
    }
    let mut restored = match loaded.snapshot {
        Some(snapshot) => from_snapshot(&snapshot, settings)?,
        None => Restored {
            reducer: Reducer::new(settings),
            gate: Gate::default(),
            held: Vec::new(),
            position: 0,
            rulings: Vec::new(),
            news: Vec::new(),
            replayed: 0,
            lost: 0,
            again: Gate::default(),
        },
    };
    let mut records = readers.from(Position(restored.position));
    let mut entries = Vec::with_capacity(AT_ONCE);
    for record in records.by_ref() {
        let record = record.map_err(unreadable)?;
        restored.position = record.position.0 + 1;
        restored.replayed += 1;
        restored.read(&record, reader, &mut entries);
        if entries.len() >= AT_ONCE {
            restored.apply(std::mem::take(&mut entries));
        }
    }
    restored.apply(entries);
    restored.lost = records.damage().records_lost;
    Ok(restored)
}

fn from_snapshot(snapshot: &Snapshot, settings: Settings) -> Result<Restored, Failure> {
    let part = |name: &str| snapshot.sections.get(name).map(Vec::as_slice);
    let state = part(STATE).unwrap_or_default();
    let gate = part(GATE).map(postcard::from_bytes::<gate::Kept>).transpose()?;
    let held = part(HELD).map(postcard::from_bytes::<Vec<Held>>).transpose()?;
    Ok(Restored {
        reducer: Reducer::restore(settings, state, part(VIEW))?,
        gate: gate.map(Gate::restore).unwrap_or_default(),
        held: held.unwrap_or_default(),
        position: snapshot.position.0,
        rulings: Vec::new(),
        news: Vec::new(),
        replayed: 0,
        lost: 0,
        again: Gate::default(),
    })
}

impl Restored {
    /// What an entry of the log is to the reducer.
    fn read(&mut self, record: &Record, reader: &Reader, entries: &mut Vec<Entry>) {
        let entry = &record.entry;
        match Kind::of(entry.kind) {
            Some(Kind::Event) => self.event(record, reader, entries),
            Some(Kind::Tick) => entries.push(Entry::Tick(entry.ingested)),
            Some(Kind::Settle) => entries.push(Entry::Settle),
            Some(Kind::Command) => match serde_json::from_slice(&entry.payload) {
                Ok(command) => entries.push(Entry::Command(Box::new(command))),
                Err(error) => {
                    tracing::error!(position = record.position.0, %error, "a command cannot be read")
                }
            },
            Some(Kind::Policy) => {
                entries.push(Entry::Policy(
                    String::from_utf8_lossy(&entry.payload).into_owned(),
                ));
            }
            Some(Kind::Decide) => {
                if let Ok((id, _)) = serde_json::from_slice::<(String, bool)>(&entry.payload) {
                    self.apply(std::mem::take(entries));
                    self.held.retain(|held| held.order.id != id);
                }
            }
            Some(Kind::Conflict) => {}
            None => tracing::error!(
                position = record.position.0,
                kind = entry.kind,
                "an entry of a later version is left out"
            ),
        }
    }

    fn event(&mut self, record: &Record, reader: &Reader, entries: &mut Vec<Entry>) {
        let position = record.position.0;
        let Some((sent, occurrence, raw)) = kept::read(&record.entry) else {
            tracing::error!(position, "an entry of another layout is left out");
            return;
        };
        match reader.again(raw, occurrence, &sent) {
            Ok(events) => {
                let uids = events.iter().map(|arrival| arrival.record.uid.as_str());
                let id = gate::id_of(&sent.tenant, &sent.source, uids);
                // A request that was refused in part may have been sent again, and stand in the log twice.
                let body = gate::wide(raw);
                if self.again.pass(id, body, sent.ingest) == gate::Came::New {
                    self.gate.pass(id, body, sent.ingest);
                    self.gate.arrive(&[id]);
                    entries.extend(placed(position, events).map(|arrival| Entry::Event(Box::new(arrival))));
                }
            }
            Err(error) => tracing::error!(position, %error, "a record that was understood once is not now"),
        }
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        let mut out = Vec::new();
        self.reducer.apply(entries, &Sequential, &mut out);
        for output in out {
            match output {
                Output::Verdict {
                    ruling: Some(ruling), ..
                } => {
                    self.held.extend(ruling.held.iter().cloned());
                    if !ruling.orders.is_empty() {
                        self.rulings.push(*ruling);
                    }
                }
                Output::Findings { news, .. } => self.news.extend(news),
                Output::Verdict { ruling: None, .. } | Output::PolicyRefused(_) | Output::Command { .. } => {}
            }
        }
    }
}

fn unreadable(error: habitus_journal::Error) -> Failure {
    Failure::new(
        Trouble::Unavailable,
        format!("the data directory cannot be read: {error}"),
    )
}
