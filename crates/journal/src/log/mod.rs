//! The log: records in segments, appended in groups, never changed.
//!
//! A commit is one block: one write and one sync. A failed write or sync is final, because Linux may drop what it could not write
//! and report success the next time; only a full disk is no failure, since nothing is kept of what did not fit.
//!
//! # What opening does
//! The last block may stand in the page cache without having reached the disk (its sync failed, or never happened). It is
//! therefore written once more as a *repetition* and synced, before anything builds on it; a *mark* after it says that this need
//! not happen again. Bytes after the last readable record of the last segment are cut off.

mod block;
mod cursor;
pub(crate) mod entry;
mod maintain;
mod reader;
mod recovery;
mod reserve;
mod segment;
#[cfg(test)]
mod tests;

pub use entry::{Entry, NAME_BYTES_MAX, PAYLOAD_BYTES_MAX, Position, Record};
pub use maintain::{Maintained, Maintenance, Retention};
pub use reader::{Damage, Reader, Readers, newest};
pub use recovery::Recovery;
pub(crate) use reserve::Reserve;

use crate::bytes::wide;
use crate::crypto::{Key, Keyring};
use crate::storage::{Access, Dir, File, append_all, finish, steady, sync_file};
use crate::{Error, Result};
use block::{BLOCK_BYTES_MAX, Frames, Role, Sealing};
use reader::Tail;
use segment::{SegmentHead, SegmentName};
use std::ops::Range;
use std::sync::Arc;

/// How a log is kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes after which a new segment is begun. A reader that meets damage takes up to so much memory.
    pub segment_bytes: u64,
    /// Bytes set aside for opening and closing on a full disk; at least twice the longest block to be of use. 0 is none.
    pub reserve_bytes: usize,
    /// Keys of encryption at rest; empty for none. With a new first key a new segment is begun.
    pub keys: Keyring,
    /// The log is known to have come so far (the position of the newest snapshot): if it ends before, its end was lost, and
    /// positions are not given twice.
    pub floor: Position,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_bytes: 64 * 1024 * 1024,
            reserve_bytes: 2 * BLOCK_BYTES_MAX + 64 * 1024,
            keys: Keyring::default(),
            floor: Position(0),
        }
    }
}

impl Settings {
    /// The same with encryption.
    #[must_use]
    pub fn encrypted(mut self, key: Key) -> Self {
        self.keys = Keyring::of(key);
        self
    }
}

/// The log, open for appending: one owner, in one thread. [`Log::readers`] serve the others.
pub struct Log {
    dir: Arc<dyn Dir>,
    settings: Settings,
    active: Active,
    pending: Frames,
    reserve: Reserve,
    readers: Readers,
    is_stopped: bool,
}

/// The segment that is written to.
struct Active {
    file: Box<dyn File>,
    sealing: Sealing,
    /// Bytes written and synced.
    bytes: u64,
    /// The next commit begins a new segment, whatever this one's size.
    is_closing: bool,
}

impl Log {
    /// Opens the log in a directory, or begins one, and mends what a crash left.
    ///
    /// # Errors
    /// [`Error::KeyMissing`] or [`Error::KeyUnknown`] if the end of the log is encrypted with a key that is not given;
    /// [`Error::NewerFormat`]; [`Error::Full`] only if not even the reserve is there; [`Error::Io`]. Damage is no error: it is
    /// counted in the [`Recovery`].
    pub fn open(dir: Arc<dyn Dir>, settings: Settings) -> Result<(Self, Recovery)> {
        recovery::open(dir, settings)
    }

    /// Takes entries for the next [`Log::commit`], and tells the positions they will have if it succeeds.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NameTooLong`], [`Error::ReservedKind`]: none of them is taken. [`Error::BlockFull`] if they
    /// do not fit into this commit any more: none is taken, and they may fit into the next. [`Error::Stopped`].
    pub fn append(&mut self, entries: &[Entry]) -> Result<Range<Position>> {
        if self.is_stopped {
            return Err(Error::Stopped);
        }
        let mut bytes = self.pending.bytes.len();
        for entry in entries {
            entry.check()?;
            bytes += entry.frame_bytes();
        }
        if bytes > BLOCK_BYTES_MAX {
            return Err(Error::BlockFull);
        }
        let first = self.pending.end;
        for entry in entries {
            let position = self.pending.end;
            self.pending.push(self.active.sealing.seed, position, entry);
        }
        Ok(first..self.pending.end)
    }

    /// Bytes waiting for [`Log::commit`].
    #[must_use]
    pub const fn pending_bytes(&self) -> usize {
        self.pending.bytes.len()
    }

    /// Puts what was appended on stable storage. After an error none of it counts: its positions are given again.
    ///
    /// # Errors
    /// [`Error::Full`]: try again with the same entries once there is space. [`Error::Io`], and from then on
    /// [`Error::Stopped`]: nothing is accepted until the log is opened again.
    pub fn commit(&mut self) -> Result<()> {
        if self.is_stopped {
            return Err(Error::Stopped);
        }
        if self.pending.bytes.is_empty() {
            return Ok(());
        }
        let frames = std::mem::replace(&mut self.pending, Frames::at(self.readers.end()));
        let result = self.commit_frames(&frames);
        match &result {
            Ok(()) => self.pending = Frames::at(frames.end),
            // Nothing of it is on the disk, or it was cut off again.
            Err(Error::Full) => {}
            Err(_) => self.is_stopped = true,
        }
        result
    }

    /// Position after the last committed record.
    #[must_use]
    pub fn end(&self) -> Position {
        self.readers.end()
    }

    /// Readers for any thread.
    #[must_use]
    pub fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// Sealing and retention, for any one thread.
    #[must_use]
    pub fn maintenance(&self, retention: Retention) -> Maintenance {
        Maintenance::new(
            self.dir.clone(),
            self.settings.keys.clone(),
            (self.readers.clone(), retention),
        )
    }

    /// Lets the next commit begin a new segment.
    pub fn close_segment(&mut self) {
        self.active.is_closing = true;
    }

    /// Gives the reserve back to the disk, so that a last snapshot can be written when it is full. The next commit sets it aside
    /// again, and answers [`Error::Full`] until it can.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be removed.
    pub fn release_reserve(&mut self) -> Result<()> {
        self.reserve.release().map(|_| ())
    }

    fn commit_frames(&mut self, frames: &Frames) -> Result<()> {
        self.reserve.hold()?;
        if self.active.is_closing || self.active.bytes >= self.settings.segment_bytes {
            self.begin_segment(frames.first)?;
        }
        let block = self.active.sealing.block(frames, Role::Records, None)?;
        self.active.write(&block)?;
        self.publish(frames.end);
        Ok(())
    }

    fn begin_segment(&mut self, base: Position) -> Result<()> {
        let head = SegmentHead {
            base,
            seed: self.active.sealing.seed,
            key: self.settings.keys.current().id(),
        };
        if base == self.active.sealing.base {
            // It has no records; there is nothing to close.
            self.active.is_closing = head.key != self.active.sealing.cipher.id();
            if !self.active.is_closing {
                return Ok(());
            }
        }
        self.active = Active::begin(self.dir.as_ref(), head, &self.settings.keys)?;
        Ok(())
    }

    fn publish(&self, end: Position) {
        self.readers.set_tail(Tail {
            end,
            base: self.active.sealing.base,
            bytes: self.active.bytes,
        });
    }
}

impl Active {
    /// Makes a segment's file: under its name it is always whole.
    fn begin(dir: &dyn Dir, head: SegmentHead, keys: &Keyring) -> Result<Self> {
        let name = SegmentName {
            base: head.base,
            is_sealed: false,
        }
        .file();
        let unfinished = format!("{name}.tmp");
        let page = head.encode();
        let made = (|| {
            let mut file = steady(|| dir.open(&unfinished, Access::Create))?;
            append_all(file.as_mut(), &page)?;
            sync_file(file.as_mut())?;
            Ok(file)
        })();
        let file = match made {
            Ok(file) => file,
            Err(error) => {
                let _ = dir.remove(&unfinished);
                return Err(Error::io("begin a segment")(error));
            }
        };
        finish(dir, &unfinished, &name)?;
        Ok(Self {
            file,
            sealing: head.sealing(keys)?,
            bytes: wide(page.len()),
            is_closing: false,
        })
    }

    /// Writes and syncs a block. After [`Error::Full`] the file is as it was before; after other errors it is not known.
    fn write(&mut self, block: &[u8]) -> Result<()> {
        if let Err(error) = append_all(self.file.as_mut(), block) {
            let error = Error::io("write to the log")(error);
            if error == Error::Full {
                steady(|| self.file.truncate(self.bytes)).map_err(|error| Error::Io {
                    doing: "cut off what did not fit",
                    kind: error.kind(),
                })?;
            }
            return Err(error);
        }
        sync_file(self.file.as_mut()).map_err(|error| Error::Io {
            doing: "sync the log",
            kind: error.kind(),
        })?;
        self.bytes += wide(block.len());
        Ok(())
    }
}
