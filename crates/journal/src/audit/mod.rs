//! The audit chain: who did what to what, in files that show any later change.
//!
//! Each entry carries a hash over its bytes and the entry before it. Every 1,000 entries or 60 s an entry is a checkpoint, signed
//! with a key that stands in a file of its own. Checkpoints are to be copied to another machine: they are what shows that the end
//! of the chain was cut off or an older copy put in its place. What was recorded after the last copied checkpoint can be cut off
//! unseen, and what was recorded after the last checkpoint can be replaced unseen by who can write the file: that is why they are
//! made so often.

mod checkpoint;
mod entry;
mod lines;
mod read;
mod recovery;
#[cfg(test)]
mod tests;
mod verify;

pub use checkpoint::{
    AuditKey, AuditPublicKey, CHECKPOINT_ACTION, CHECKPOINT_ENTRIES, CHECKPOINT_MS, Checkpoint,
};
pub use entry::{AuditEntry, Draft, Hash, LINE_BYTES_MAX};
pub use read::{AuditReader, Filter, Page};
pub use recovery::AuditRecovery;
pub use verify::{Broken, Report, verify, verify_encrypted};

use crate::bytes::wide;
use crate::log::Reserve;
use crate::storage::{Access, Dir, File, append_all, steady, sync_file, write_whole};
use crate::{Error, Result};
use habitus_model::IngestTime;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes after which a new file is begun. Opening after a crash writes the last one anew.
pub const FILE_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes that may wait while the disk is full; beyond, nothing more is accepted.
pub const PENDING_BYTES_MAX: usize = 4 * 1024 * 1024;
const SUFFIX: &str = ".audit.ndjson";
/// All checkpoints, for copying.
pub const CHECKPOINTS_FILE: &str = "checkpoints.ndjson";

/// The chain, open for appending: one owner.
pub struct Audit {
    dir: Arc<dyn Dir>,
    key: AuditKey,
    file: Box<dyn File>,
    /// Bytes of the file that are synced.
    bytes: u64,
    head: Head,
    pending: Vec<u8>,
    /// The end of the chain with what is pending.
    ahead: Head,
    reserve: Reserve,
    checkpoints: Vec<Checkpoint>,
    is_stopped: bool,
}

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    next: u64,
    hash: Hash,
    /// Entries since the last checkpoint, and its time.
    since: u64,
    checked: i64,
}

impl Audit {
    /// Opens the chain in a directory of its own, or begins one, and mends what a crash left.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`]. Damage is no error: it is told by [`AuditRecovery`] and by [`verify`].
    pub fn open(dir: Arc<dyn Dir>, key: AuditKey, now: IngestTime) -> Result<(Self, AuditRecovery)> {
        recovery::open(dir, key, now)
    }

    /// Records one entry: it is on stable storage after this. Gives its number.
    ///
    /// # Errors
    /// As [`Audit::append`] and [`Audit::commit`].
    pub fn record(&mut self, draft: Draft, now: IngestTime) -> Result<u64> {
        let seq = self.append(draft, now)?;
        self.commit(now)?;
        Ok(seq)
    }

    /// Takes an entry for the next [`Audit::commit`], and gives its number.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Overloaded`] when [`PENDING_BYTES_MAX`] wait for space; [`Error::Stopped`]. Also those of
    /// [`Audit::commit`], which every thousandth entry needs first. The entry is not taken.
    pub fn append(&mut self, draft: Draft, now: IngestTime) -> Result<u64> {
        if self.is_stopped {
            return Err(Error::Stopped);
        }
        if self.ahead.since >= CHECKPOINT_ENTRIES {
            self.commit(now)?;
        }
        if self.pending.len() >= PENDING_BYTES_MAX {
            return Err(Error::Overloaded);
        }
        let seq = self.ahead.next;
        let (line, hash) = AuditEntry::new(draft, seq, now.as_millis()).line(&self.ahead.hash)?;
        self.pending
            .extend_from_slice(self.key.lines.seal(line)?.as_bytes());
        self.ahead.advance(hash);
        Ok(seq)
    }

    /// Puts what was appended on stable storage, and makes a checkpoint if it is time.
    ///
    /// # Errors
    /// [`Error::Full`]: what was appended still waits, and the next call tries again. [`Error::Io`], and from then on
    /// [`Error::Stopped`] until the chain is opened again.
    pub fn commit(&mut self, now: IngestTime) -> Result<()> {
        if self.is_stopped {
            return Err(Error::Stopped);
        }
        let result = self.try_commit(now.as_millis());
        if !matches!(result, Ok(()) | Err(Error::Full)) {
            self.is_stopped = true;
        }
        result
    }

    /// Makes a checkpoint now, if there is anything since the last: for an orderly end.
    ///
    /// # Errors
    /// As [`Audit::commit`].
    pub fn checkpoint(&mut self, now: IngestTime) -> Result<()> {
        self.commit(now)?;
        if self.head.since == 0 {
            return Ok(());
        }
        let result = self.write_checkpoint(now.as_millis());
        if !matches!(result, Ok(()) | Err(Error::Full)) {
            self.is_stopped = true;
        }
        result
    }

    /// Checkpoints from the one on that covers `from`, for copying to another machine; oldest first.
    #[must_use]
    pub fn checkpoints(&self, from: u64) -> &[Checkpoint] {
        let before = self
            .checkpoints
            .partition_point(|checkpoint| checkpoint.through < from);
        self.checkpoints.get(before..).unwrap_or_default()
    }

    /// The number of the next entry.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.ahead.next
    }

    /// Readers for any thread.
    #[must_use]
    pub fn reader(&self) -> AuditReader {
        AuditReader::of(self.dir.clone(), self.key.lines.clone())
    }

    fn try_commit(&mut self, now: i64) -> Result<()> {
        if !self.pending.is_empty() {
            self.reserve.hold()?;
            let pending = std::mem::take(&mut self.pending);
            let result = self.write(&pending);
            if result.is_err() {
                self.pending = pending;
                return result;
            }
            self.head = self.ahead;
        }
        let is_time = now.saturating_sub(self.head.checked) >= CHECKPOINT_MS;
        // A checkpoint comes only after what it covers is on stable storage: recovery relies on this.
        if self.head.since >= CHECKPOINT_ENTRIES || (self.head.since > 0 && is_time) {
            self.write_checkpoint(now)?;
        }
        Ok(())
    }

    fn write_checkpoint(&mut self, now: i64) -> Result<()> {
        let through = self.head.next.saturating_sub(1);
        let checkpoint = self.key.sign(through, &self.head.hash, now);
        let entry = AuditEntry::new(checkpoint.draft(), self.head.next, now);
        let (line, hash) = entry.line(&self.head.hash)?;
        self.write(self.key.lines.seal(line)?.as_bytes())?;
        self.head.checkpoint(hash, now);
        self.ahead = self.head;
        self.checkpoints.push(checkpoint);
        self.export()
    }

    /// Appends to the file of all checkpoints. It can be made anew from the chain, so it is neither synced nor missed.
    fn export(&self) -> Result<()> {
        let Some(checkpoint) = self.checkpoints.last() else {
            return Ok(());
        };
        if let Ok(mut file) = steady(|| self.dir.open(CHECKPOINTS_FILE, Access::Append)) {
            let _ = append_all(file.as_mut(), checkpoint.to_line().as_bytes());
        }
        Ok(())
    }

    /// Writes and syncs bytes. After [`Error::Full`] the file is as it was.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.bytes >= FILE_BYTES {
            let name = file_name(self.head.next);
            write_whole(self.dir.as_ref(), &name, &[])?;
            self.file =
                steady(|| self.dir.open(&name, Access::Append)).map_err(Error::io("begin an audit file"))?;
            self.bytes = 0;
        }
        if let Err(error) = append_all(self.file.as_mut(), bytes) {
            let error = Error::io("write to the audit chain")(error);
            if error == Error::Full {
                steady(|| self.file.truncate(self.bytes)).map_err(|error| Error::Io {
                    doing: "cut off what did not fit",
                    kind: error.kind(),
                })?;
            }
            return Err(error);
        }
        sync_file(self.file.as_mut()).map_err(|error| Error::Io {
            doing: "sync the audit chain",
            kind: error.kind(),
        })?;
        self.bytes += wide(bytes.len());
        Ok(())
    }
}

impl Head {
    const START: Self = Self {
        next: 0,
        hash: entry::GENESIS,
        since: 0,
        checked: 0,
    };

    const fn advance(&mut self, hash: Hash) {
        self.next = self.next.saturating_add(1);
        self.hash = hash;
        self.since = self.since.saturating_add(1);
    }

    const fn checkpoint(&mut self, hash: Hash, time: i64) {
        self.advance(hash);
        self.since = 0;
        self.checked = time;
    }
}

fn file_name(first: u64) -> String {
    format!("{first:020}{SUFFIX}")
}

/// The files of a chain with the number of their first entries, in order.
fn files(dir: &dyn Dir) -> Result<Vec<(u64, String)>> {
    let names = steady(|| dir.list()).map_err(Error::io("list the audit chain"))?;
    let numbered = names.into_iter().filter_map(|name| {
        let digits = name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 20)?;
        Some((digits.parse().ok()?, name))
    });
    let mut files: Vec<_> = numbered.collect();
    files.sort();
    Ok(files)
}
