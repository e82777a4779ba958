//! Sealing of segments that are no longer written to, and retention.
//!
//! Both only touch segments before the one that is written to, so they may run in a thread of their own.

use super::block::{Frames, Role, Sealing};
use super::entry::{Position, Record};
use super::reader::Readers;
use super::segment::{self, BlockRef, SegmentHead, SegmentName};
use crate::bytes::wide;
use crate::crypto::Keyring;
use crate::storage::{Access, Dir, File, append_all, finish, steady, sync_file};
use crate::{Error, Result};
use habitus_model::{IngestTime, Millis};
use std::io::ErrorKind;
use std::sync::Arc;

/// Bytes of frames per block of a sealed segment: seeking decodes one block, and larger ones compress little better.
const SEALED_BLOCK_BYTES: usize = 1024 * 1024;
/// zstd's own default: three times faster than reading needs, and within 10 % of the size of level 9 on log lines.
const ZSTD_LEVEL: i32 = 3;

/// How long records are kept. What either limit says goes is removed, in whole segments, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Age by ingest time; `None` is for ever.
    pub age: Option<Millis>,
    /// Size of all segments together; `None` is without limit.
    pub bytes_max: Option<u64>,
}

/// What one run of maintenance did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Maintained {
    /// Segments sealed, and their bytes before and after.
    pub sealed: u64,
    /// Bytes of these segments before.
    pub bytes_before: u64,
    /// Bytes of these segments after.
    pub bytes_after: u64,
    /// Segments removed.
    pub removed: u64,
    /// Position of the oldest record that is left.
    pub oldest: Position,
    /// Bytes of all segments that are left.
    pub bytes: u64,
}

/// Seals and removes segments.
pub struct Maintenance {
    dir: Arc<dyn Dir>,
    keys: Keyring,
    readers: Readers,
    retention: Retention,
}

/// A closed segment with what retention asks of it.
struct Closed {
    name: SegmentName,
    end: Position,
    bytes: u64,
    /// `None` if it is not known.
    newest: Option<i64>,
}

impl Maintenance {
    pub(crate) fn new(dir: Arc<dyn Dir>, keys: Keyring, (readers, retention): (Readers, Retention)) -> Self {
        Self {
            dir,
            keys,
            readers,
            retention,
        }
    }

    /// Seals what is closed and removes what is too old or too much, but no record from `keep_from` on: the position of the oldest
    /// snapshot that is kept.
    ///
    /// # Errors
    /// [`Error::Full`] or [`Error::Io`]; what was done until then holds, and the next run goes on from there.
    pub fn run(&self, now: IngestTime, keep_from: Position) -> Result<Maintained> {
        let mut done = Maintained::default();
        self.remove_replaced()?;
        let segments = segment::list(self.dir.as_ref())?;
        let active = self.readers.tail().base;
        for pair in segments.windows(2) {
            let [name, next] = pair else { continue };
            if !name.is_sealed && name.base < active {
                self.seal(name, next.base, &mut done)?;
            }
        }
        self.retain(now, keep_from, &mut done)?;
        Ok(done)
    }

    /// Removes all closed segments whose records are all before a position.
    pub(crate) fn remove_before(&self, position: Position) -> Result<()> {
        let segments = segment::list(self.dir.as_ref())?;
        for pair in segments.windows(2) {
            let [name, next] = pair else { continue };
            if next.base <= position {
                self.remove_if_there(name)?;
            }
        }
        steady(|| self.dir.sync()).map_err(Error::io("sync the log"))
    }

    /// Removes segments whose sealed form is in place: the process ended between the two steps.
    fn remove_replaced(&self) -> Result<()> {
        for name in segment::list(self.dir.as_ref())? {
            if name.is_sealed {
                self.remove_if_there(&SegmentName {
                    is_sealed: false,
                    ..name
                })?;
            }
        }
        Ok(())
    }

    fn remove_if_there(&self, name: &SegmentName) -> Result<()> {
        match steady(|| self.dir.remove(&name.file())) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove a segment")(error)),
            _ => Ok(()),
        }
    }

    /// Writes the compressed form of a segment and puts it in the segment's place.
    fn seal(&self, name: &SegmentName, end: Position, done: &mut Maintained) -> Result<()> {
        let (file, head) = match segment::open(self.dir.as_ref(), name, Access::Read) {
            Ok(opened) => opened,
            // It stays as it is, for whoever can read it.
            Err(Error::Damaged(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let bytes_before = file.length().map_err(Error::io("measure a segment"))?;
        let sealed = SegmentName {
            is_sealed: true,
            base: name.base,
        };
        let unfinished = format!("{}.tmp", sealed.file());
        let head = SegmentHead {
            key: self.keys.current().id(),
            ..head
        };
        let written = self.write_sealed(&unfinished, head, end);
        if written.is_err() {
            let _ = self.dir.remove(&unfinished);
        }
        let bytes_after = written?;
        finish(self.dir.as_ref(), &unfinished, &sealed.file())?;
        self.remove_if_there(name)?;
        done.sealed += 1;
        done.bytes_before += bytes_before;
        done.bytes_after += bytes_after;
        Ok(())
    }

    fn write_sealed(&self, unfinished: &str, head: SegmentHead, end: Position) -> Result<u64> {
        let file =
            steady(|| self.dir.open(unfinished, Access::Create)).map_err(Error::io("seal a segment"))?;
        let mut writer = SealedWriter {
            file,
            sealing: head.sealing(&self.keys)?,
            frames: Frames::at(head.base),
            blocks: Vec::new(),
            bytes: 0,
        };
        writer.append(&head.encode())?;
        for record in self.readers.verbatim(head.base) {
            let record = record?;
            if record.position >= end {
                break;
            }
            writer.push(&record)?;
        }
        writer.finish()
    }

    fn retain(&self, now: IngestTime, keep_from: Position, done: &mut Maintained) -> Result<()> {
        let segments = segment::list(self.dir.as_ref())?;
        let active = self.readers.tail().base;
        let mut closed = Vec::new();
        for pair in segments.windows(2) {
            let [name, next] = pair else { continue };
            if name.base < active {
                closed.push(self.measure(name, next.base)?);
            }
        }
        let active_bytes = self.readers.tail().bytes;
        done.bytes = closed.iter().map(|segment| segment.bytes).sum::<u64>() + active_bytes;
        done.oldest = active;
        for segment in &closed {
            let is_old = match (self.retention.age, segment.newest) {
                (Some(age), Some(newest)) => newest < now.as_millis().saturating_sub(age.0),
                _ => false,
            };
            let is_much = self
                .retention
                .bytes_max
                .is_some_and(|bytes_max| done.bytes > bytes_max);
            if !(is_old || is_much) || segment.end > keep_from {
                done.oldest = segment.name.base;
                break;
            }
            self.remove_if_there(&segment.name)?;
            done.removed += 1;
            done.bytes -= segment.bytes;
        }
        steady(|| self.dir.sync()).map_err(Error::io("sync the log"))
    }

    fn measure(&self, name: &SegmentName, end: Position) -> Result<Closed> {
        let file =
            steady(|| self.dir.open(&name.file(), Access::Read)).map_err(Error::io("open a segment"))?;
        let bytes = file.length().map_err(Error::io("measure a segment"))?;
        let newest = match segment::open(self.dir.as_ref(), name, Access::Read) {
            Ok((file, head)) => segment::read_index(file.as_ref(), head.seed).map(|(blocks, _)| {
                let newest = blocks.iter().map(|block| block.newest).max();
                newest.unwrap_or(i64::MIN)
            }),
            Err(_) => None,
        };
        Ok(Closed {
            name: name.clone(),
            end,
            bytes,
            newest,
        })
    }
}

/// Writes a sealed segment from front to back.
struct SealedWriter {
    file: Box<dyn File>,
    sealing: Sealing,
    frames: Frames,
    blocks: Vec<BlockRef>,
    bytes: u64,
}

impl SealedWriter {
    fn push(&mut self, record: &Record) -> Result<()> {
        self.frames
            .push(self.sealing.seed, record.position, &record.entry);
        if self.frames.bytes.len() >= SEALED_BLOCK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.frames.bytes.is_empty() {
            return Ok(());
        }
        let frames = std::mem::replace(&mut self.frames, Frames::at(Position(0)));
        let block = self.sealing.block(&frames, Role::Records, Some(ZSTD_LEVEL))?;
        self.blocks.push(BlockRef {
            offset: self.bytes,
            first: frames.first,
            end: frames.end,
            oldest: frames.oldest,
            newest: frames.newest,
        });
        self.append(&block)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        append_all(self.file.as_mut(), bytes).map_err(Error::io("seal a segment"))?;
        self.bytes += wide(bytes.len());
        Ok(())
    }

    fn finish(mut self) -> Result<u64> {
        self.flush()?;
        let index = segment::encode_index(&self.blocks, self.bytes, self.sealing.seed)?;
        self.append(&index)?;
        sync_file(self.file.as_mut()).map_err(Error::io("seal a segment"))?;
        Ok(self.bytes)
    }
}
