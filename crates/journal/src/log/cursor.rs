//! Walks the blocks of one segment, and past what is damaged in it.

use super::block::{BLOCK_MAGIC, BlockHead, HEAD_BYTES, Role, Sealing};
use super::entry::{FRAME_MAGIC, Position, Record, read_frame};
use super::segment::{self, DATA_START};
use crate::bytes::{narrow, wide};
use crate::storage::{File, read_up_to};
use crate::{Error, Result};

/// What the cursor came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// An intact block.
    Block {
        role: Role,
        first: Position,
        end: Position,
        records: Vec<Record>,
    },
    /// Damage, and the records that could be read within it. `end` is where the region's last head says that it ends, if one
    /// was readable.
    Damage {
        records: Vec<Record>,
        end: Option<Position>,
        /// Where in the file the last readable record ends.
        sound_until: u64,
    },
    /// Nothing more.
    End,
}

/// A place between two blocks of a segment.
pub(crate) struct Cursor {
    file: Box<dyn File>,
    sealing: Sealing,
    offset: u64,
    /// Where blocks end, in a sealed segment with an intact index.
    blocks_end: Option<u64>,
}

impl Cursor {
    /// At the first block.
    pub(crate) fn new(file: Box<dyn File>, sealing: Sealing) -> Self {
        Self {
            file,
            sealing,
            offset: DATA_START,
            blocks_end: None,
        }
    }

    /// Goes to the block that holds the position, over the index of a sealed segment or over the heads of blocks. Stops before
    /// damage, which may hold it.
    pub(crate) fn seek(&mut self, position: Position, until: Option<u64>) -> Result<()> {
        if let Some((blocks, end)) = segment::read_index(self.file.as_ref(), self.sealing.seed) {
            self.blocks_end = Some(end);
            let after = blocks.partition_point(|block| block.end <= position);
            self.offset = blocks.get(after).map_or(end, |block| block.offset);
            return Ok(());
        }
        let end = self.end(until)?;
        while let Some(head) = self.head_at(self.offset)? {
            if head.end > position || self.offset.saturating_add(head.total_bytes()) > end {
                break;
            }
            self.offset += head.total_bytes();
        }
        Ok(())
    }

    /// Where the next block starts.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next block or damaged region, not beyond the byte `until` (`None`: the end of the file).
    pub(crate) fn step(&mut self, until: Option<u64>) -> Result<Step> {
        let end = self.end(until)?;
        if self.offset >= end {
            return Ok(Step::End);
        }
        let Some(head) = self.head_at(self.offset)? else {
            return self.salvage(end, None);
        };
        if self.offset.saturating_add(head.total_bytes()) > end {
            return self.salvage(end, Some(&head));
        }
        let body_at = self.offset + wide(HEAD_BYTES);
        let body = self.read(body_at, narrow(u64::from(head.stored_bytes)))?;
        match self.sealing.records(&head, body) {
            Some(records) => {
                self.offset += head.total_bytes();
                Ok(Step::Block {
                    role: head.role(),
                    first: head.first,
                    end: head.end,
                    records,
                })
            }
            None => self.salvage(end, Some(&head)),
        }
    }

    fn end(&self, until: Option<u64>) -> Result<u64> {
        let len = self.file.length().map_err(Error::io("measure a segment"))?;
        let end = self.blocks_end.unwrap_or(len).min(len);
        Ok(until.map_or(end, |until| until.min(end)))
    }

    /// The head at the offset, if it is intact.
    fn head_at(&self, offset: u64) -> Result<Option<BlockHead>> {
        Ok(self.sealing.head(&self.read(offset, HEAD_BYTES)?))
    }

    fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        read_up_to(self.file.as_ref(), offset, len).map_err(Error::io("read a segment"))
    }

    /// Reads what frames are left up to the next intact head. Takes the rest of the segment into memory, which is bounded by the
    /// segment's size.
    fn salvage(&mut self, end: u64, head: Option<&BlockHead>) -> Result<Step> {
        let rest = self.read(self.offset, narrow(end.saturating_sub(self.offset)))?;
        let mut records = Vec::new();
        let mut sound = 0;
        // The damaged block's own head is no way out of it.
        let mut at = if head.is_some() { HEAD_BYTES } else { 0 };
        let mut next_block = None;
        while let Some(next) = find_magic(&rest, at) {
            let tail = rest.get(next..).unwrap_or_default();
            if self.sealing.head(tail).is_some() {
                next_block = Some(next);
                break;
            }
            at = match read_frame(tail, self.sealing.seed) {
                Some((record, len)) if self.sealing.cipher.is_plain() => {
                    records.push(record);
                    sound = next + len;
                    sound
                }
                _ => next + 1,
            };
        }
        let from = self.offset;
        self.offset = next_block.map_or(end, |next| from + wide(next));
        Ok(Step::Damage {
            records,
            end: head.map(|head| head.end),
            sound_until: from + wide(sound),
        })
    }
}

/// The next place from `at` on where a frame or a block may start.
fn find_magic(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let found = rest
        .windows(FRAME_MAGIC.len())
        .position(|window| window == FRAME_MAGIC || window == BLOCK_MAGIC)?;
    Some(at + found)
}
