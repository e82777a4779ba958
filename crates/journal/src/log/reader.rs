//! Reads the log from a position, over all segments, checking every checksum and counting what is lost.

use super::block::Role;
use super::cursor::{Cursor, Step};
use super::entry::{KIND_TORN, Position, Record};
use super::segment::{self, SegmentName};
use crate::crypto::Keyring;
use crate::storage::{Access, Dir, steady};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, PoisonError};

/// What could not be read, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Damaged regions come past.
    pub regions: u64,
    /// Records that were committed and cannot be read any more.
    pub records_lost: u64,
    /// Records of commits that were under way when the process or the machine stopped. Unless the disk is at fault, nobody was
    /// told that they are kept.
    pub records_torn: u64,
    /// Records before the oldest segment: retention has removed them.
    pub records_removed: u64,
}

/// Where the log ends for readers: what is committed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tail {
    /// Position after the last committed record.
    pub(crate) end: Position,
    /// The segment that is written to, and its committed bytes.
    pub(crate) base: Position,
    pub(crate) bytes: u64,
}

/// Makes readers, in any thread, while the log is written.
#[derive(Clone)]
pub struct Readers {
    dir: Arc<dyn Dir>,
    keys: Keyring,
    tail: Arc<Mutex<Tail>>,
}

/// Reads committed records in order of position. `None` from the iterator means that it has come to the end of what is committed
/// *now*; asked again later it goes on with what was committed since.
pub struct Reader {
    readers: Readers,
    expected: Position,
    segment: Option<Current>,
    queue: VecDeque<Record>,
    /// A step that was looked at and belongs after the queue.
    ahead: Option<Step>,
    damage: Damage,
    /// Also gives the stand-ins of records that did not survive, for sealing.
    gives_torn: bool,
}

/// The segment that is read.
struct Current {
    base: Position,
    /// `None` if its head is unreadable.
    cursor: Option<Cursor>,
}

impl Readers {
    pub(crate) fn new(dir: Arc<dyn Dir>, keys: Keyring, tail: Tail) -> Self {
        Self {
            dir,
            keys,
            tail: Arc::new(Mutex::new(tail)),
        }
    }

    /// Position after the last committed record.
    #[must_use]
    pub fn end(&self) -> Position {
        self.tail().end
    }

    /// A reader whose first record is the one at the position, or the next one there is.
    #[must_use]
    pub fn from(&self, position: Position) -> Reader {
        Reader {
            readers: self.clone(),
            expected: position,
            segment: None,
            queue: VecDeque::new(),
            ahead: None,
            damage: Damage::default(),
            gives_torn: false,
        }
    }

    /// A reader that also gives stand-ins.
    pub(crate) fn verbatim(&self, position: Position) -> Reader {
        let mut reader = self.from(position);
        reader.gives_torn = true;
        reader
    }

    pub(crate) fn tail(&self) -> Tail {
        *self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_tail(&self, tail: Tail) {
        *self.tail.lock().unwrap_or_else(PoisonError::into_inner) = tail;
    }
}

/// Reads the newest segment that holds anything, of a log that another process may be writing; `None` if there is none. The last
/// commit may be missing or look damaged, if it is being written.
///
/// # Errors
/// [`Error::Io`].
pub fn newest(dir: Arc<dyn Dir>, keys: Keyring) -> Result<Option<Reader>> {
    let segments = segment::list(dir.as_ref())?;
    for name in segments.iter().rev() {
        let file = match steady(|| dir.open(&name.file(), Access::Read)) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(Error::io("open a segment"))?,
        };
        let bytes = file.length().map_err(Error::io("measure a segment"))?;
        if bytes > segment::DATA_START {
            let tail = Tail {
                end: Position(u64::MAX),
                base: name.base,
                bytes,
            };
            return Ok(Some(Readers::new(dir, keys, tail).from(name.base)));
        }
    }
    Ok(None)
}

impl Reader {
    /// What could not be read so far.
    #[must_use]
    pub const fn damage(&self) -> Damage {
        self.damage
    }

    /// The position of the next record, if none is lost.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.expected
    }

    fn advance(&mut self) -> Result<Option<Record>> {
        loop {
            while let Some(record) = self.queue.pop_front() {
                if let Some(record) = self.accept(record) {
                    return Ok(Some(record));
                }
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Counts the gap before a record, and lets through what is neither read already nor a stand-in.
    fn accept(&mut self, record: Record) -> Option<Record> {
        if record.position < self.expected {
            return None;
        }
        self.damage.records_lost += record.position.0 - self.expected.0;
        self.expected = record.position.next();
        if record.entry.kind == KIND_TORN {
            self.damage.records_torn += 1;
            return self.gives_torn.then_some(record);
        }
        Some(record)
    }

    /// Reads more into the queue; `false` at the end of what is committed.
    fn fill(&mut self) -> Result<bool> {
        let tail = self.readers.tail();
        if self.expected >= tail.end {
            return Ok(false);
        }
        let Some((base, step)) = self.next_step(tail)? else {
            return self.next_segment(tail);
        };
        match step {
            Step::Block { records, .. } => self.queue.extend(records),
            Step::Damage { mut records, .. } => {
                self.damage.regions += 1;
                let next = self.step_in(base, tail)?;
                if let Step::Block {
                    role: Role::Repetition,
                    first,
                    ..
                } = &next
                {
                    // The repetition tells what was known of these records when the log was opened after it.
                    records.retain(|record| record.position < *first);
                    self.damage.regions -= 1;
                }
                self.queue.extend(records);
                self.ahead = Some(next);
            }
            Step::End => return self.next_segment(tail),
        }
        Ok(true)
    }

    /// The step looked at before, or the next of the open segment; `None` without one.
    fn next_step(&mut self, tail: Tail) -> Result<Option<(Position, Step)>> {
        let Some(base) = self.segment.as_ref().map(|current| current.base) else {
            return Ok(None);
        };
        let step = match self.ahead.take() {
            Some(step) => step,
            None => self.step_in(base, tail)?,
        };
        Ok(Some((base, step)))
    }

    fn step_in(&mut self, base: Position, tail: Tail) -> Result<Step> {
        let until = (base == tail.base).then_some(tail.bytes);
        match self.segment.as_mut().and_then(|current| current.cursor.as_mut()) {
            Some(cursor) => cursor.step(until),
            None => Ok(Step::End),
        }
    }

    /// Opens the segment with the expected position, or the first one after what was read; `false` if there is none.
    fn next_segment(&mut self, tail: Tail) -> Result<bool> {
        let segments = segment::list(self.readers.dir.as_ref())?;
        let Some(next) = self.choose(&segments) else {
            if tail.end == Position(u64::MAX) {
                // Nobody has said where it ends.
                return Ok(false);
            }
            // All segments are read, and yet records are missing at the end.
            self.damage.records_lost += tail.end.0.saturating_sub(self.expected.0);
            self.expected = self.expected.max(tail.end);
            return Ok(false);
        };
        if next.base > self.expected {
            let missing = next.base.0 - self.expected.0;
            let is_oldest = segments.first() == Some(&next) && self.segment.is_none();
            if is_oldest {
                self.damage.records_removed += missing;
            } else {
                self.damage.records_lost += missing;
            }
            self.expected = next.base;
        }
        self.open(&next, tail)
    }

    fn choose(&self, segments: &[SegmentName]) -> Option<SegmentName> {
        let chosen = match &self.segment {
            Some(current) => segments.iter().find(|segment| segment.base > current.base),
            None => {
                let holding = segments.iter().rfind(|segment| segment.base <= self.expected);
                holding.or(segments.first())
            }
        };
        chosen.cloned()
    }

    fn open(&mut self, name: &SegmentName, tail: Tail) -> Result<bool> {
        let until = (name.base == tail.base).then_some(tail.bytes);
        match segment::open(self.readers.dir.as_ref(), name, Access::Read) {
            Ok((file, head)) => {
                let mut cursor = Cursor::new(file, head.sealing(&self.readers.keys)?);
                cursor.seek(self.expected, until)?;
                self.segment = Some(Current {
                    base: name.base,
                    cursor: Some(cursor),
                });
            }
            // Its records are counted when the next segment tells where they ended.
            Err(Error::Damaged(_)) => {
                self.damage.regions += 1;
                self.segment = Some(Current {
                    base: name.base,
                    cursor: None,
                });
            }
            // Sealed or removed since the directory was listed: look again.
            Err(Error::Io {
                kind: ErrorKind::NotFound,
                ..
            }) => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

impl Iterator for Reader {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
