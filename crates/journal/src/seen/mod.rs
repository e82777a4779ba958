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

mod filter;
mod merge;
mod run;
#[cfg(test)]
mod tests;

pub use merge::{Merge, Merged};

use crate::bytes::{Take, wide};
use crate::log::Position;
use crate::storage::{Dir, remove_unfinished, steady};
use crate::{Error, Result};
use habitus_model::{IngestTime, Millis, TenantId};
use run::{Answer, ENTRY_BYTES, Run, RunWriter, Sight, Summary};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How what was seen is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenSettings {
    /// How long an event is remembered, by ingest time.
    pub window: Millis,
    /// Events in memory; about 60 bytes each. Writing them out stops everything for the time of one sync.
    pub memory_entries_max: usize,
    /// Events in files; about 1.5 bytes of memory and 30 of disk each. Beyond, the oldest are forgotten early and counted.
    pub file_entries_max: u64,
    /// What fingerprints are keyed with, so that nobody outside can make two of them collide, or tell an id by its fingerprint. A
    /// new key forgets everything.
    pub key: [u8; 32],
}

/// An event as it is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKey<'a> {
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// Who delivered it.
    pub source: &'a str,
    /// The source's id of it.
    pub id: &'a str,
}

/// An event's fingerprint: 128 bits of keyed BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u128);

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
    is_settled: bool,
}

/// What was seen: one owner.
pub struct Seen {
    dir: Arc<dyn Dir>,
    settings: SeenSettings,
    memory: BTreeMap<u128, Mark>,
    /// Oldest first.
    runs: Vec<Run>,
    /// Everything before is in files...
    written: Position,
    /// ...and everything before is settled.
    settled: Position,
    stats: SeenStats,
}

impl SeenSettings {
    /// Seven days, as RELIABILITY section 4 asks, within 15 MB for what is recent and 100 MB for 64 million others.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self {
            window: Millis(7 * 86_400_000),
            memory_entries_max: 250_000,
            file_entries_max: 64_000_000,
            key,
        }
    }
}

impl Seen {
    /// Opens what was seen in a directory of its own.
    ///
    /// # Errors
    /// [`Error::Io`]. Damage is no error: what is lost by it is put in again from the log.
    pub fn open(dir: Arc<dyn Dir>, settings: SeenSettings) -> Result<(Self, SeenRecovery)> {
        remove_unfinished(dir.as_ref())?;
        let mut recovery = SeenRecovery::default();
        let mut runs = Vec::new();
        for name in steady(|| dir.list()).map_err(Error::io("list runs"))? {
            if run::serial(&name).is_none() {
                continue;
            }
            match Run::open(dir.as_ref(), &name) {
                Ok(run) => runs.push(run),
                Err(Error::Damaged(_)) => {
                    recovery.files_damaged += 1;
                    steady(|| dir.remove(&name)).map_err(Error::io("remove a run"))?;
                }
                Err(error) => return Err(error),
            }
        }
        let runs = without_merged(dir.as_ref(), runs)?;
        recovery.restore_from = runs.iter().map(|run| run.summary.floor).max().unwrap_or_default();
        for run in &runs {
            // A gap is a file that is lost: what it held must come from the log.
            if run.summary.from > recovery.restore_from {
                break;
            }
            recovery.restore_from = recovery.restore_from.max(run.summary.through);
        }
        let seen = Self {
            dir,
            settings,
            memory: BTreeMap::new(),
            runs,
            written: recovery.restore_from,
            settled: recovery.restore_from,
            stats: SeenStats::default(),
        };
        Ok((seen, recovery))
    }

    /// Says whether an event was seen, and remembers it if not. The body is what two events with one id must share.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when memory is full of events that are neither settled nor forgotten; [`Error::Full`] and
    /// [`Error::Io`] of the files. Nothing is remembered then.
    pub fn check(
        &mut self,
        key: EventKey<'_>,
        body: &[u8],
        ingested: IngestTime,
    ) -> Result<(Sighting, Fingerprint)> {
        let fingerprint = self.fingerprint(key);
        let body = self.body_hash(body);
        let minute = minute(ingested);
        let sighting = match self.find(fingerprint.0, minute)? {
            Some(mark) if mark.body != body => Sighting::Conflict,
            Some(mark) if mark.is_settled => Sighting::Duplicate,
            Some(_) => Sighting::Pending,
            None => Sighting::New,
        };
        match sighting {
            Sighting::New => {
                self.make_room(ingested)?;
                let mark = Mark {
                    body,
                    minute,
                    is_settled: false,
                };
                self.memory.insert(fingerprint.0, mark);
                self.stats.new += 1;
            }
            Sighting::Duplicate => self.stats.duplicates += 1,
            Sighting::Conflict => self.stats.conflicts += 1,
            Sighting::Pending => {}
        }
        Ok((sighting, fingerprint))
    }

    /// These events are on stable storage, and with them everything in the log before `through`.
    pub fn settle(&mut self, events: &[Fingerprint], through: Position) {
        for event in events {
            if let Some(mark) = self.memory.get_mut(&event.0) {
                mark.is_settled = true;
            }
        }
        self.settled = self.settled.max(through);
    }

    /// These events are not kept, as far as is known: they are new when they come again.
    pub fn forget(&mut self, events: &[Fingerprint]) {
        for event in events {
            if self.memory.get(&event.0).is_some_and(|mark| !mark.is_settled) {
                self.memory.remove(&event.0);
            }
        }
    }

    /// Puts an event of the log in again; to be called for all from [`SeenRecovery::restore_from`] on, in order. `through` is the
    /// position after it.
    ///
    /// # Errors
    /// As [`Seen::check`].
    pub fn restore(
        &mut self,
        key: EventKey<'_>,
        body: &[u8],
        (ingested, through): (IngestTime, Position),
    ) -> Result<()> {
        let fingerprint = self.fingerprint(key).0;
        let minute = minute(ingested);
        let body = self.body_hash(body);
        // What came first stays, as it did then.
        if self.find(fingerprint, minute)?.is_none() {
            self.make_room(ingested)?;
            let mark = Mark {
                body,
                minute,
                is_settled: true,
            };
            self.memory.insert(fingerprint, mark);
        }
        self.settled = self.settled.max(through);
        Ok(())
    }

    /// Writes what is settled to a file, so that less is to be put in again after a restart. Happens by itself when memory is full.
    ///
    /// # Errors
    /// [`Error::Full`] or [`Error::Io`]: everything is still in memory.
    pub fn flush(&mut self, now: IngestTime) -> Result<()> {
        let settled = self.memory.iter().filter(|(_, mark)| mark.is_settled);
        let sights: Vec<Sight> = settled
            .map(|(fingerprint, mark)| Sight {
                fingerprint: *fingerprint,
                body: mark.body,
                minute: mark.minute,
            })
            .collect();
        if sights.is_empty() {
            return Ok(());
        }
        self.expire(now)?;
        let summary = Summary {
            level: 0,
            entries: 0,
            from: self.written,
            through: self.settled,
            floor: self.runs.first().map_or(self.written, |run| run.summary.from),
            newest: 0,
        };
        let dir = self.dir.clone();
        let mut writer = RunWriter::new(dir.as_ref(), (summary, self.next_serial()), wide(sights.len()))?;
        for sight in &sights {
            writer.push(sight)?;
        }
        let run = writer.finish()?;
        self.runs.push(run);
        self.written = self.settled;
        self.memory.retain(|_, mark| !mark.is_settled);
        Ok(())
    }

    /// Files that are due to be merged into one, as work for any thread; give the result to [`Seen::adopt`].
    #[must_use]
    pub fn merge_due(&self, now: IngestTime) -> Option<Merge> {
        Merge::due(
            (self.dir.clone(), self.next_serial()),
            &self.runs,
            self.oldest_minute(now),
        )
    }

    /// Uses a merged file in place of its parts.
    ///
    /// # Errors
    /// [`Error::Io`] if a part cannot be removed; it is removed when opened again.
    pub fn adopt(&mut self, merged: Merged) -> Result<()> {
        let Merged { run, parts, lost } = merged;
        self.stats.forgotten += lost;
        let place = self.runs.iter().position(|run| parts.contains(&run.name));
        self.runs.retain(|run| !parts.contains(&run.name));
        self.runs.insert(place.unwrap_or(0).min(self.runs.len()), run);
        for name in parts {
            remove(self.dir.as_ref(), &name)?;
        }
        Ok(())
    }

    /// What was counted since opening.
    #[must_use]
    pub fn stats(&self) -> SeenStats {
        SeenStats {
            in_memory: wide(self.memory.len()),
            in_files: self.runs.iter().map(|run| run.summary.entries).sum(),
            files: wide(self.runs.len()),
            ..self.stats
        }
    }

    fn fingerprint(&self, key: EventKey<'_>) -> Fingerprint {
        let mut hasher = blake3::Hasher::new_keyed(&self.settings.key);
        for part in [key.tenant.as_str(), key.source, key.id] {
            // The length, so that no two keys are one text.
            hasher
                .update(&wide(part.len()).to_le_bytes())
                .update(part.as_bytes());
        }
        let wide = Take::new(hasher.finalize().as_bytes())
            .array()
            .unwrap_or_default();
        Fingerprint(u128::from_be_bytes(wide))
    }

    fn body_hash(&self, body: &[u8]) -> u64 {
        let hash = blake3::keyed_hash(&self.settings.key, body);
        Take::new(hash.as_bytes()).u64().unwrap_or_default()
    }

    /// What is known of a fingerprint, if it is within the window of an event at this minute.
    fn find(&mut self, fingerprint: u128, minute: u32) -> Result<Option<Mark>> {
        let oldest = minute.saturating_sub(self.window_minutes());
        if let Some(mark) = self.memory.get(&fingerprint) {
            return Ok(Some(*mark).filter(|mark| mark.minute >= oldest || !mark.is_settled));
        }
        for run in self.runs.iter().rev().filter(|run| run.summary.newest >= oldest) {
            match run.find(fingerprint)? {
                Answer::Found(sight) if sight.minute >= oldest => {
                    return Ok(Some(Mark {
                        body: sight.body,
                        minute: sight.minute,
                        is_settled: true,
                    }));
                }
                Answer::Found(_) | Answer::Absent => {}
                Answer::Unknown => self.stats.unknown += 1,
            }
        }
        Ok(None)
    }

    fn make_room(&mut self, now: IngestTime) -> Result<()> {
        if self.memory.len() < self.settings.memory_entries_max {
            return Ok(());
        }
        self.flush(now)?;
        if self.memory.len() < self.settings.memory_entries_max {
            Ok(())
        } else {
            Err(Error::Overloaded)
        }
    }

    /// Removes files of which nothing is within the window any more, and the oldest above the limit.
    fn expire(&mut self, now: IngestTime) -> Result<()> {
        let oldest = self.oldest_minute(now);
        let mut entries: u64 = self.runs.iter().map(|run| run.summary.entries).sum();
        let mut names = Vec::new();
        let limit = self.settings.file_entries_max;
        // The newest stays: it tells how far the log is known.
        let candidates = self.runs.len().saturating_sub(1);
        for run in self.runs.iter().take(candidates) {
            let is_old = run.summary.newest < oldest;
            if !is_old && entries <= limit {
                continue;
            }
            if !is_old {
                self.stats.forgotten += run.summary.entries;
            }
            entries -= run.summary.entries;
            names.push(run.name.clone());
        }
        self.runs.retain(|run| !names.contains(&run.name));
        for name in names {
            remove(self.dir.as_ref(), &name)?;
        }
        Ok(())
    }

    fn next_serial(&self) -> u32 {
        let serials = self.runs.iter().filter_map(|run| run::serial(&run.name));
        serials.max().map_or(0, |last| last.saturating_add(1))
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
