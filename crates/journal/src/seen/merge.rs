//! Merging of runs, so that a question asks few of them.

use super::run::{Run, RunWriter, Sight, Summary};
use crate::Result;
use crate::storage::Dir;
use std::sync::Arc;

/// Runs of one level that become one of the next: a question then meets at most seven of each level.
pub(super) const MERGED_RUNS: usize = 8;

/// Runs that are to become one.
pub struct Merge {
    dir: Arc<dyn Dir>,
    names: Vec<String>,
    summary: Summary,
    serial: u32,
    oldest_minute: u32,
}

/// A merged run, and the names of those it replaces.
pub struct Merged {
    pub(super) run: Run,
    pub(super) parts: Vec<String>,
    /// Entries of damaged blocks.
    pub(super) lost: u64,
}

/// Reads the entries of one run in order.
struct Entries {
    run: Run,
    block: usize,
    waiting: std::vec::IntoIter<Sight>,
    next: Option<Sight>,
    read: u64,
}

impl Merge {
    pub(super) fn due((dir, serial): (Arc<dyn Dir>, u32), runs: &[Run], oldest_minute: u32) -> Option<Self> {
        let of_level = |level| runs.iter().filter(move |run| run.summary.level == level);
        let highest = runs.iter().map(|run| run.summary.level).max()?;
        let level = (0..=highest).find(|level| of_level(*level).count() >= MERGED_RUNS)?;
        let parts: Vec<&Run> = of_level(level).collect();
        let last = parts.last()?.summary;
        Some(Self {
            dir,
            names: parts.iter().map(|run| run.name.clone()).collect(),
            summary: Summary {
                level: level.saturating_add(1),
                entries: parts.iter().map(|run| run.summary.entries).sum(),
                from: parts.iter().map(|run| run.summary.from).min()?,
                through: parts.iter().map(|run| run.summary.through).max()?,
                floor: last.floor,
                newest: 0,
            },
            serial,
            oldest_minute,
        })
    }

    /// Does the work: reads all, writes one.
    ///
    /// # Errors
    /// [`crate::Error::Full`] or [`crate::Error::Io`]; [`crate::Error::Damaged`] if a part cannot be opened any more.
    pub fn run(self) -> Result<Merged> {
        let mut parts = Vec::new();
        for name in &self.names {
            parts.push(Entries::new(Run::open(self.dir.as_ref(), name)?)?);
        }
        let mut writer = RunWriter::new(
            self.dir.as_ref(),
            (self.summary, self.serial),
            self.summary.entries,
        )?;
        while let Some(fingerprint) = parts
            .iter()
            .filter_map(|part| part.next)
            .map(|next| next.fingerprint)
            .min()
        {
            let mut newest: Option<Sight> = None;
            for part in &mut parts {
                if let Some(sight) = part.next.filter(|next| next.fingerprint == fingerprint) {
                    newest = newest.max_by_minute(sight);
                    part.advance()?;
                }
            }
            if let Some(sight) = newest.filter(|sight| sight.minute >= self.oldest_minute) {
                writer.push(&sight)?;
            }
        }
        let read: u64 = parts.iter().map(|part| part.read).sum();
        Ok(Merged {
            run: writer.finish()?,
            parts: self.names,
            lost: self.summary.entries.saturating_sub(read),
        })
    }
}

/// The later of two sightings of one event: the earlier one had left the window.
trait Later {
    fn max_by_minute(self, other: Sight) -> Self;
}

impl Later for Option<Sight> {
    fn max_by_minute(self, other: Sight) -> Self {
        match self {
            Some(sight) if sight.minute > other.minute => Some(sight),
            _ => Some(other),
        }
    }
}

impl Entries {
    fn new(run: Run) -> Result<Self> {
        let mut entries = Self {
            run,
            block: 0,
            waiting: Vec::new().into_iter(),
            next: None,
            read: 0,
        };
        entries.advance()?;
        Ok(entries)
    }

    fn advance(&mut self) -> Result<()> {
        self.next = self.waiting.next();
        while self.next.is_none() && self.block < self.run.blocks() {
            // A damaged block is left out, and its entries counted as lost.
            let entries = self.run.block(self.block)?.unwrap_or_default();
            self.block += 1;
            self.read += crate::bytes::wide(entries.len());
            self.waiting = entries.into_iter();
            self.next = self.waiting.next();
        }
        Ok(())
    }
}
