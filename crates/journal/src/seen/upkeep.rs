//! Writing what is in memory to files, and merging files, beside the questions.

use super::merge::{Merge, Merged};
use super::run::{Run, RunWriter, Sight, Summary, serial};
use super::{Mark, Seen, remove};
use crate::Result;
use crate::bytes::wide;
use crate::storage::Dir;
use habitus_model::IngestTime;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is to be done, by any thread; its outcome goes to [`Seen::finish`].
pub struct Work(Kind);

enum Kind {
    Write(Write),
    Merge(Merge),
}

/// Writes what was in memory.
struct Write {
    dir: Arc<dyn Dir>,
    summary: Summary,
    serial: u32,
    entries: Arc<BTreeMap<u128, Mark>>,
}

/// What was done.
pub struct Done(Outcome);

enum Outcome {
    Written(Run),
    Merged(Merged),
}

impl Work {
    /// Does it: reads and writes files, and takes as long as the disk does.
    ///
    /// # Errors
    /// [`crate::Error::Full`] or [`crate::Error::Io`]; [`crate::Error::Damaged`] if a file to be merged cannot be opened any more.
    pub fn run(self) -> Result<Done> {
        match self.0 {
            Kind::Write(write) => write.run().map(Outcome::Written),
            Kind::Merge(merge) => merge.run().map(Outcome::Merged),
        }
        .map(Done)
    }
}

impl Write {
    fn run(self) -> Result<Run> {
        let entries = wide(self.entries.len());
        let mut writer = RunWriter::new(self.dir.as_ref(), (self.summary, self.serial), entries)?;
        for (fingerprint, mark) in self.entries.as_ref() {
            writer.push(&Sight {
                fingerprint: *fingerprint,
                body: mark.body,
                minute: mark.minute,
            })?;
        }
        writer.finish()
    }
}

impl Seen {
    /// Work that is due: writing when memory is full, merging when there are many files. One at a time: none while one is done.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if a file of which nothing is within the window any more cannot be removed.
    pub fn due(&mut self, now: IngestTime) -> Result<Option<Work>> {
        if self.settled_entries >= self.settings.memory_entries_max {
            return self.write_out(now);
        }
        if self.is_working {
            return Ok(None);
        }
        let place = (Arc::clone(&self.dir), self.next_serial());
        let merge = Merge::due(place, &self.runs, self.oldest_minute(now));
        self.is_working = merge.is_some();
        Ok(merge.map(|merge| Work(Kind::Merge(merge))))
    }

    /// Work that writes what is settled to a file, so that less is to be put in again after a restart; absent if nothing is, or
    /// while other work is done.
    ///
    /// # Errors
    /// As [`Seen::due`].
    pub fn write_out(&mut self, now: IngestTime) -> Result<Option<Work>> {
        if self.is_working || self.settled_entries == 0 {
            return Ok(None);
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
        let pending = self.memory.extract_if(.., |_, mark| !mark.is_settled).collect();
        let settled = std::mem::replace(&mut self.memory, pending);
        self.writing = Arc::new(settled);
        self.settled_entries = 0;
        self.is_working = true;
        Ok(Some(Work(Kind::Write(Write {
            dir: Arc::clone(&self.dir),
            summary,
            serial: self.next_serial(),
            entries: Arc::clone(&self.writing),
        }))))
    }

    /// Takes what came of work. After an error everything is known as before, and the work is due again.
    ///
    /// # Errors
    /// The work's own, and [`crate::Error::Io`] if a merged file cannot be removed; it is removed when opened again.
    pub fn finish(&mut self, outcome: Result<Done>) -> Result<()> {
        self.is_working = false;
        match outcome {
            Ok(Done(Outcome::Written(run))) => {
                self.written = run.summary.through;
                self.runs.push(run);
                self.writing = Arc::default();
                Ok(())
            }
            Ok(Done(Outcome::Merged(merged))) => self.adopt(merged),
            Err(error) => {
                self.take_back();
                Err(error)
            }
        }
    }

    /// Writes what is settled to a file here and now.
    ///
    /// # Errors
    /// [`crate::Error::Full`] or [`crate::Error::Io`]: everything is still known.
    pub fn flush(&mut self, now: IngestTime) -> Result<()> {
        match self.write_out(now)? {
            Some(work) => self.finish(work.run()),
            None => Ok(()),
        }
    }

    /// What could not be written is in memory again; what came since is newer.
    fn take_back(&mut self) {
        let mut entries = Arc::unwrap_or_clone(std::mem::take(&mut self.writing));
        let newer = std::mem::take(&mut self.memory);
        entries.extend(newer);
        self.settled_entries = entries.values().filter(|mark| mark.is_settled).count();
        self.memory = entries;
    }

    fn adopt(&mut self, merged: Merged) -> Result<()> {
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
        let serials = self.runs.iter().filter_map(|run| serial(&run.name));
        serials.max().map_or(0, |last| last.saturating_add(1))
    }
}
