//! Reads entries back for showing, newest first.

use super::entry::{AuditEntry, Parsed};
use super::files;
use super::lines::Lines;
use super::recovery::READ_BYTES_MAX;
use crate::Result;
use crate::crypto::Keyring;
use crate::storage::{Dir, read_whole};
use std::sync::Arc;

/// Reads a chain while it is written, in any thread.
#[derive(Clone)]
pub struct AuditReader {
    dir: Arc<dyn Dir>,
    lines: Lines,
}

/// Which entries are wanted. What is absent does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Not before this time, in milliseconds since the epoch.
    pub from: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
    /// Exactly this actor.
    pub actor: Option<String>,
    /// Exactly this action.
    pub action: Option<String>,
    /// Exactly this subject.
    pub subject: Option<String>,
}

/// Some entries, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// What to give as `before` for the next page; absent on the last.
    pub next: Option<u64>,
}

impl AuditReader {
    /// Reads the chain of a directory, with the keys that it may be encrypted with.
    #[must_use]
    pub fn new(dir: Arc<dyn Dir>, keys: Keyring) -> Self {
        Self::of(dir, Lines::new(keys))
    }

    pub(super) const fn of(dir: Arc<dyn Dir>, lines: Lines) -> Self {
        Self { dir, lines }
    }

    /// At most `limit` entries with numbers below `before` (`None`: from the newest). Cost: reads the files it passes, of 8 MiB
    /// each; lines that are no entries are left out.
    ///
    /// # Errors
    /// [`crate::Error::Io`]; [`crate::Error::KeyMissing`] and [`crate::Error::KeyUnknown`] for what is encrypted otherwise.
    pub fn page(&self, filter: &Filter, before: Option<u64>, limit: usize) -> Result<Page> {
        let mut page = Page::default();
        let before = before.unwrap_or(u64::MAX);
        for (first, name) in files(self.dir.as_ref())?.into_iter().rev() {
            if first >= before {
                continue;
            }
            let content = read_whole(self.dir.as_ref(), &name, READ_BYTES_MAX)?.unwrap_or_default();
            for line in content.split(|byte| *byte == b'\n').rev() {
                let line = self.lines.open_or_empty(line)?;
                let entry = Parsed::new(&line).and_then(|parsed| parsed.entry());
                let Some(entry) = entry.filter(|entry| entry.seq < before && filter.wants(entry)) else {
                    continue;
                };
                if page.entries.len() >= limit {
                    page.next = page.entries.last().map(|last| last.seq);
                    return Ok(page);
                }
                page.entries.push(entry);
            }
        }
        Ok(page)
    }
}

impl Filter {
    fn wants(&self, entry: &AuditEntry) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        self.from.is_none_or(|from| entry.time >= from)
            && self.until.is_none_or(|until| entry.time < until)
            && is(&self.actor, &entry.actor)
            && is(&self.action, &entry.action)
            && is(&self.subject, entry.subject.as_deref().unwrap_or_default())
    }
}
