//! Which events were seen before: exactly, over a window, with memory that does not grow with it.
//!
//! An event is known by its tenant, source and id. What was seen lately is in memory; the rest is in sorted files, each behind a
//! filter, so that a new event costs a few cache lines and an old one the reading of 3.5 KiB. A known id with another body is a
//! *conflict*: it is told, and never merged.
//!
//! # The way of an event
//! [`Seen::check`] says [`Sighting::New`] once. The caller then appends it to the log and calls [`Seen::settle`] when it is on
//! stable storage, in the order of the log, or [`Seen::forget`] if it is not. Until then the same event is
//! [`Sighting::Pending`]: its fate is not known, so nobody may be told that it is kept. Only what is settled is written to
//! files; the rest is put in again after a restart, from the log.
//!
//! # Upkeep
//! Files are written and merged by [`Work`], which any thread may do while questions go on being answered: to hand it out and to
//! take what came of it ([`Seen::adopt`]) moves pointers, whatever there is. Without such a thread a question writes the file
//! itself once twice as much is in memory as should be.

mod filter;
mod identity;
mod merge;
mod run;
#[cfg(test)]
mod tests;
mod upkeep;

pub use identity::{Fingerprint, Hasher, Identity};
pub use upkeep::{Done, Spent, Work};

use crate::bytes::wide;
use crate::crypto::Keyring;
use crate::log::Position;
use crate::storage::{Dir, remove_unfinished, steady};
use crate::{Error, Result};
use habitus_model::{IngestTime, Millis};
use run::{Answer, ENTRY_BYTES, Run, Sight, Summary};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How what was seen is kept.
#[derive(Debug, Clone)]
pub struct SeenSettings {
    /// How long an event is remembered, by ingest time.
    pub window: Millis,
    /// Settled events in memory, about 60 bytes each, before a file is due; twice as many are the most there are.
    pub memory_entries_max: usize,
    /// Events in files; about 2.2 bytes of memory and 31 of disk each. Beyond, the oldest are forgotten early and counted.
    pub file_entries_max: u64,
    /// What the key of fingerprints is encrypted with, if with anything.
    pub keys: Keyring,
}

/// Whether an event was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// Not within the window. It is remembered from now on; settle or forget it.
    New,
    /// The same is under way, and it is not known yet whether it is kept: wait for it, or refuse and let the sender try again.
    Pending,
    /// Seen, with the same body.
    Duplicate,
    /// Its id was seen, with another body.
    Conflict,
}

/// What was counted since opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeenStats {
    /// New events.
    pub new: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Known ids with other bodies.
    pub conflicts: u64,
    /// Events in memory now.
    pub in_memory: u64,
    /// Events in files now.
    pub in_files: u64,
    /// Files now.
    pub files: u64,
    /// Blocks of files that were read for questions: about one for each duplicate that is not in memory, and one for some hundred
    /// new events.
    pub blocks_read: u64,
    /// Events forgotten before the window ended, because there were too many.
    pub forgotten: u64,
    /// Questions that met a damaged block: their events were taken for new, if nothing else knew them.
    pub unknown: u64,
}

/// What opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeenRecovery {
    /// Records of the log from here on must be put in again by [`Seen::restore`].
    pub restore_from: Position,
    /// Files that were damaged as a whole and have been removed; the log has what they held.
    pub files_damaged: u64,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    body: u64,
    minute: u32,
}

/// Events by fingerprint.
type Marks = BTreeMap<u128, Mark>;

/// What is known of an event.
enum Known {
    /// It is on stable storage.
    Settled(Mark),
    /// That is not known yet.
    Pending(Mark),
}

/// What was seen: one owner.
pub struct Seen {
    dir: Arc<dyn Dir>,
    settings: SeenSettings,
    hasher: Hasher,
    /// Neither settled nor forgotten. Apart from the others, so that these can be handed out as they are.
    pending: Marks,
    /// Settled, and in no file yet.
    memory: Marks,
    /// What is being written to a file: settled, and no longer in the memory above.
    writing: Arc<Marks>,
    /// A file is being written or merged.
    is_working: bool,
    /// Oldest first.
    runs: Vec<Run>,
    /// Everything before is in files...
    written: Position,
    /// ...and everything before is settled.
    settled: Position,
    stats: SeenStats,
}

impl SeenSettings {
    /// Seven days, as RELIABILITY section 4 asks, within 30 MB for what is recent and 140 MB for 64 million others.
    #[must_use]
    pub const fn new(keys: Keyring) -> Self {
        Self {
            window: Millis(7 * 86_400_000),
            memory_entries_max: 250_000,
            file_entries_max: 64_000_000,
            keys,
        }
    }
}

impl Seen {
    /// Opens what was seen in a directory of its own.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NoEntropy`]; [`Error::KeyMissing`] or [`Error::KeyUnknown`] if it was kept with an encryption key
    /// that is not given. Damage is no error: what is lost by it is put in again from the log.
    pub fn open(dir: Arc<dyn Dir>, settings: SeenSettings) -> Result<(Self, SeenRecovery)> {
        remove_unfinished(dir.as_ref())?;
        let (hasher, is_new) = Hasher::load_or_create(dir.as_ref(), &settings.keys)?;
        let mut recovery = SeenRecovery::default();
        let mut runs = Vec::new();
        for name in steady(|| dir.list()).map_err(Error::io("list runs"))? {
            if run::serial(&name).is_none() {
                continue;
            }
            // Fingerprints of another key say nothing.
            let opened = if is_new {
                Err(Error::Damaged("a run"))
            } else {
                Run::open(dir.as_ref(), &name)
            };
            match opened {
                Ok(run) => runs.push(run),
                Err(Error::Damaged(_)) => {
                    recovery.files_damaged += 1;
                    steady(|| dir.remove(&name)).map_err(Error::io("remove a run"))?;
                }
                Err(error) => return Err(error),
            }
        }
        let runs = without_merged(dir.as_ref(), runs)?;
        recovery.restore_from = restore_from(&runs);
        let seen = Self {
            dir,
            settings,
            hasher,
            pending: Marks::new(),
            memory: Marks::new(),
            writing: Arc::default(),
            is_working: false,
            runs,
            written: recovery.restore_from,
            settled: recovery.restore_from,
            stats: SeenStats::default(),
        };
        Ok((seen, recovery))
    }

    /// What makes identities, for any thread: hashing is the dear part, and needs nothing else.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        self.hasher.clone()
    }

    /// Whether an event is under way: seen, and neither settled nor forgotten.
    #[must_use]
    pub fn is_pending(&self, event: Fingerprint) -> bool {
        self.pending.contains_key(&event.0)
    }

    /// Says whether an event was seen, and remembers it if not.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when twice as many as should be are in memory because no file can be finished; [`Error::Full`] and
    /// [`Error::Io`] of the files. Nothing is remembered then.
    pub fn check(&mut self, event: Identity, ingested: IngestTime) -> Result<Sighting> {
        let minute = minute(ingested);
        let sighting = match self.find(event.fingerprint.0, minute)? {
            Some(Known::Settled(mark) | Known::Pending(mark)) if mark.body != event.body => {
                Sighting::Conflict
            }
            Some(Known::Settled(_)) => Sighting::Duplicate,
            Some(Known::Pending(_)) => Sighting::Pending,
            None => Sighting::New,
        };
        match sighting {
            Sighting::New => {
                self.make_room(ingested)?;
                let body = event.body;
                self.pending.insert(event.fingerprint.0, Mark { body, minute });
                self.stats.new += 1;
            }
            Sighting::Duplicate => self.stats.duplicates += 1,
            Sighting::Conflict => self.stats.conflicts += 1,
            Sighting::Pending => {}
        }
        Ok(sighting)
    }

    /// These events are on stable storage, and with them everything in the log before `through`.
    pub fn settle(&mut self, events: impl IntoIterator<Item = Fingerprint>, through: Position) {
        for event in events {
            if let Some(mark) = self.pending.remove(&event.0) {
                // One that stood there has left the window.
                self.memory.insert(event.0, mark);
            }
        }
        self.settled = self.settled.max(through);
    }

    /// These events are not kept, as far as is known: they are new when they come again.
    pub fn forget(&mut self, events: impl IntoIterator<Item = Fingerprint>) {
        for event in events {
            self.pending.remove(&event.0);
        }
    }

    /// Puts an event of the log in again; to be called for all from [`SeenRecovery::restore_from`] on, in order. `through` is the
    /// position after it.
    ///
    /// # Errors
    /// As [`Seen::check`].
    pub fn restore(&mut self, event: Identity, (ingested, through): (IngestTime, Position)) -> Result<()> {
        let minute = minute(ingested);
        // What came first stays, as it did then.
        if self.find(event.fingerprint.0, minute)?.is_none() {
            self.make_room(ingested)?;
            let body = event.body;
            self.memory.insert(event.fingerprint.0, Mark { body, minute });
        }
        self.settled = self.settled.max(through);
        Ok(())
    }

    /// The log must be kept from here on: what was before is in files.
    #[must_use]
    pub const fn keep_from(&self) -> Position {
        self.written
    }

    /// What was counted since opening.
    #[must_use]
    pub fn stats(&self) -> SeenStats {
        SeenStats {
            in_memory: wide(self.pending.len() + self.memory.len() + self.writing.len()),
            in_files: self.runs.iter().map(|run| run.summary.entries).sum(),
            files: wide(self.runs.len()),
            ..self.stats
        }
    }

    /// What is known of a fingerprint, if it is within the window of an event at this minute.
    fn find(&mut self, fingerprint: u128, minute: u32) -> Result<Option<Known>> {
        let oldest = minute.saturating_sub(self.window_minutes());
        if let Some(mark) = self.pending.get(&fingerprint) {
            return Ok(Some(Known::Pending(*mark)));
        }
        for recent in [&self.memory, self.writing.as_ref()] {
            let mark = recent.get(&fingerprint);
            if let Some(mark) = mark.filter(|mark| mark.minute >= oldest) {
                return Ok(Some(Known::Settled(*mark)));
            }
        }
        for run in self.runs.iter().rev().filter(|run| run.summary.newest >= oldest) {
            let answer = run.find(fingerprint)?;
            self.stats.blocks_read += u64::from(answer != Answer::Absent);
            match answer {
                Answer::Found(sight) if sight.minute >= oldest => {
                    let Sight { body, minute, .. } = sight;
                    return Ok(Some(Known::Settled(Mark { body, minute })));
                }
                Answer::Found(_) | Answer::Absent | Answer::Mistaken => {}
                Answer::Unknown => self.stats.unknown += 1,
            }
        }
        Ok(None)
    }

    fn make_room(&mut self, now: IngestTime) -> Result<()> {
        if self.memory.len() < self.settings.memory_entries_max.saturating_mul(2) {
            return Ok(());
        }
        if self.is_working {
            return Err(Error::Overloaded);
        }
        self.flush(now)
    }

    fn window_minutes(&self) -> u32 {
        u32::try_from(self.settings.window.0.max(0) / 60_000).unwrap_or(u32::MAX)
    }

    fn oldest_minute(&self, now: IngestTime) -> u32 {
        minute(now).saturating_sub(self.window_minutes())
    }
}

fn minute(at: IngestTime) -> u32 {
    u32::try_from(at.as_millis().max(0) / 60_000).unwrap_or(u32::MAX)
}

fn remove(dir: &dyn Dir, name: &str) -> Result<()> {
    match steady(|| dir.remove(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove a run")(error)),
        _ => Ok(()),
    }
}

/// Everything before is in these runs, or was forgotten on purpose.
fn restore_from(runs: &[Run]) -> Position {
    let mut from = runs.iter().map(|run| run.summary.floor).max().unwrap_or_default();
    for run in runs {
        // A gap is a file that is lost: what it held must come from the log.
        if run.summary.from > from {
            break;
        }
        from = from.max(run.summary.through);
    }
    from
}

/// Runs in order, without those whose merged form is there too: the process ended before they were removed.
fn without_merged(dir: &dyn Dir, mut runs: Vec<Run>) -> Result<Vec<Run>> {
    runs.sort_by_key(|run| (run.summary.from, run.summary.through, run.summary.level));
    let merged: Vec<Summary> = runs
        .iter()
        .map(|run| run.summary)
        .filter(|run| run.level > 0)
        .collect();
    let is_in = |run: &Summary| {
        let holds =
            |all: &&Summary| all.level > run.level && all.from <= run.from && all.through >= run.through;
        merged.iter().any(|all| holds(&all))
    };
    let mut kept = Vec::new();
    for run in runs {
        if is_in(&run.summary) {
            remove(dir, &run.name)?;
        } else {
            kept.push(run);
        }
    }
    Ok(kept)
}

const _: () = assert!(ENTRY_BYTES == 28, "the documentation of limits counts on it");
