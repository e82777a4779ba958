//! Writing what is in memory to files, and merging files, beside the questions.

use super::merge::{Merge, Merged};
use super::run::{Run, RunWriter, Sight, Summary, serial};
use super::{Marks, Seen, remove};
use crate::Result;
use crate::bytes::wide;
use crate::storage::Dir;
use habitus_model::IngestTime;
use std::sync::Arc;

/// What is to be done, by any thread; its outcome goes to [`Seen::finish`] or [`Seen::adopt`].
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
    entries: Arc<Marks>,
    /// Files of which nothing is remembered any more.
    expired: Vec<Run>,
}

/// What is no longer used once work is taken over: memory, and files to be removed. Neither is done in the time of those who ask.
#[must_use = "files are left over"]
pub struct Spent {
    dir: Arc<dyn Dir>,
    memory: Arc<Marks>,
    /// Files that are replaced.
    runs: Vec<Run>,
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
        for run in self.expired {
            remove(self.dir.as_ref(), &run.name)?;
        }
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

impl Spent {
    /// Removes the files and gives the memory back.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if a file cannot be removed; it is removed when opened again.
    pub fn clear(self) -> Result<()> {
        drop(self.memory);
        let mut runs = self.runs.into_iter();
        runs.try_for_each(|run| remove(self.dir.as_ref(), &run.name))
    }
}

impl Seen {
    /// Work that is due: writing when memory is full, merging when there are many files. One at a time: none while one is done.
    /// Cost: that of the number of files.
    pub fn due(&mut self, now: IngestTime) -> Option<Work> {
        if self.memory.len() >= self.settings.memory_entries_max {
            return self.write_out(now);
        }
        if self.is_working {
            return None;
        }
        let place = (Arc::clone(&self.dir), self.next_serial());
        let merge = Merge::due(place, &self.runs, self.oldest_minute(now))?;
        self.is_working = true;
        Some(Work(Kind::Merge(merge)))
    }

    /// Work that writes what is settled to a file, so that less is to be put in again after a restart, and removes files of which
    /// nothing is within the window any more; absent if nothing is settled, or while other work is done. Cost: as
    /// [`Seen::due`].
    pub fn write_out(&mut self, now: IngestTime) -> Option<Work> {
        if self.is_working || self.memory.is_empty() {
            return None;
        }
        let expired = self.expire(now);
        let summary = Summary {
            level: 0,
            entries: 0,
            from: self.written,
            through: self.settled,
            floor: self.runs.first().map_or(self.written, |run| run.summary.from),
            newest: 0,
        };
        self.writing = Arc::new(std::mem::take(&mut self.memory));
        self.is_working = true;
        Some(Work(Kind::Write(Write {
            dir: Arc::clone(&self.dir),
            summary,
            serial: self.next_serial(),
            entries: Arc::clone(&self.writing),
            expired,
        })))
    }

    /// Takes what came of work. After an error everything is known as before, and the work is due again.
    ///
    /// # Errors
    /// The work's own, and as [`Spent::clear`].
    pub fn finish(&mut self, outcome: Result<Done>) -> Result<()> {
        self.adopt(outcome)?.clear()
    }

    /// The same, and leaves what is no longer used to the caller, who need not hold up those who ask meanwhile. Cost: that of the
    /// number of files; after an error, of what could not be written.
    ///
    /// # Errors
    /// The work's own.
    pub fn adopt(&mut self, outcome: Result<Done>) -> Result<Spent> {
        self.is_working = false;
        let outcome = outcome.inspect_err(|_| self.take_back())?;
        let mut spent = Spent {
            dir: Arc::clone(&self.dir),
            memory: Arc::default(),
            runs: Vec::new(),
        };
        match outcome {
            Done(Outcome::Written(run)) => {
                self.written = run.summary.through;
                self.runs.push(run);
                spent.memory = std::mem::take(&mut self.writing);
            }
            Done(Outcome::Merged(merged)) => spent.runs = self.replace(merged),
        }
        Ok(spent)
    }

    /// Writes what is settled to a file here and now.
    ///
    /// # Errors
    /// [`crate::Error::Full`] or [`crate::Error::Io`]: everything is still known.
    pub fn flush(&mut self, now: IngestTime) -> Result<()> {
        match self.write_out(now) {
            Some(work) => self.finish(work.run()),
            None => Ok(()),
        }
    }

    /// What could not be written is in memory again; what came since is newer.
    fn take_back(&mut self) {
        let mut entries = Arc::unwrap_or_clone(std::mem::take(&mut self.writing));
        entries.extend(std::mem::take(&mut self.memory));
        self.memory = entries;
    }

    /// Puts a merged file in the place of its parts, and gives these.
    fn replace(&mut self, merged: Merged) -> Vec<Run> {
        let Merged { run, parts, lost } = merged;
        self.stats.forgotten += lost;
        let place = self.runs.iter().position(|run| parts.contains(&run.name));
        let of_it = |run: &mut Run| parts.contains(&run.name);
        let replaced = self.runs.extract_if(.., of_it).collect();
        self.runs.insert(place.unwrap_or(0).min(self.runs.len()), run);
        replaced
    }

    /// Takes out files of which nothing is within the window any more, and the oldest above the limit.
    fn expire(&mut self, now: IngestTime) -> Vec<Run> {
        let oldest = self.oldest_minute(now);
        let mut entries: u64 = self.runs.iter().map(|run| run.summary.entries).sum();
        let limit = self.settings.file_entries_max;
        // The newest stays: it tells how far the log is known.
        let candidates = self.runs.len().saturating_sub(1);
        let forgotten = &mut self.stats.forgotten;
        let goes = |run: &mut Run| {
            let is_old = run.summary.newest < oldest;
            if !is_old && entries <= limit {
                return false;
            }
            if !is_old {
                *forgotten += run.summary.entries;
            }
            entries -= run.summary.entries;
            true
        };
        self.runs.extract_if(..candidates, goes).collect()
    }

    fn next_serial(&self) -> u32 {
        let serials = self.runs.iter().filter_map(|run| serial(&run.name));
        serials.max().map_or(0, |last| last.saturating_add(1))
    }
}
