//! Runs: sorted, immutable files of what was seen, with a filter in front.
//!
//! ```text
//! blocks   128 entries of 28 bytes (fingerprint big-endian, body hash, minute), then XXH3-64 of them
//! fences   the first fingerprint of each block
//! filter   see `filter`
//! trailer  "habitusR", version, level, entries, bytes of fences and of the filter, positions, minutes, checksums
//! ```

use super::filter::Filter;
use crate::bytes::{Take, narrow, wide};
use crate::log::{Position, entry::checksum};
use crate::storage::{Access, Dir, File, append_all, finish, read_up_to, steady, sync_file};
use crate::{Error, Result};

const MAGIC: [u8; 8] = *b"habitusR";
const VERSION: u16 = 1;
const BLOCK_ENTRIES: usize = 128;
pub(super) const ENTRY_BYTES: usize = 28;
const SUM_BYTES: usize = 8;
const TRAILER_BYTES: usize = 84;
const SUFFIX: &str = ".run";
/// Filters and fences of more bytes than this are damage: 256 million entries have fewer.
const PART_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// One thing seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sight {
    pub(super) fingerprint: u128,
    pub(super) body: u64,
    /// Of its ingest time, since the epoch.
    pub(super) minute: u32,
}

/// What a run says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summary {
    /// 0 if written from memory; one more than its parts if merged.
    pub(super) level: u16,
    pub(super) entries: u64,
    /// All records of the log from here...
    pub(super) from: Position,
    /// ...up to here, exclusive, are in it.
    pub(super) through: Position,
    /// What was before is no longer remembered, on purpose.
    pub(super) floor: Position,
    pub(super) newest: u32,
}

/// An open run.
pub(super) struct Run {
    pub(super) name: String,
    pub(super) summary: Summary,
    file: Box<dyn File>,
    fences: Vec<u128>,
    /// `None` if it was damaged: then every question reads a block.
    filter: Option<Filter>,
}

/// What a run answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Found(Sight),
    /// No block was read.
    Absent,
    /// The filter took it for another: a block was read, and it is not there.
    Mistaken,
    /// The block it would be in is damaged.
    Unknown,
}

/// Writes a run from front to back.
pub(super) struct RunWriter<'a> {
    dir: &'a dyn Dir,
    name: String,
    file: Box<dyn File>,
    summary: Summary,
    block: Vec<u8>,
    blocks: Vec<u8>,
    fences: Vec<u8>,
    filter: Filter,
}

/// Bytes gathered before they are written.
const WRITE_BYTES: usize = 1024 * 1024;

/// The serial keeps apart what has the same range.
fn name(summary: &Summary, serial: u32) -> String {
    let (from, through) = (summary.from.0, summary.through.0);
    format!(
        "{from:020}-{through:020}-{:03}-{serial:010}{SUFFIX}",
        summary.level
    )
}

/// The serial of a run's name; `None` for other names.
pub(super) fn serial(name: &str) -> Option<u32> {
    let (_, serial) = name.strip_suffix(SUFFIX)?.rsplit_once('-')?;
    serial.parse().ok()
}

impl Sight {
    fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.fingerprint.to_be_bytes());
        into.extend_from_slice(&self.body.to_le_bytes());
        into.extend_from_slice(&self.minute.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut take = Take::new(bytes);
        Some(Self {
            fingerprint: u128::from_be_bytes(take.array()?),
            body: take.u64()?,
            minute: take.u32()?,
        })
    }
}

impl Run {
    /// Opens a run; [`Error::Damaged`] if it cannot be used at all.
    pub(super) fn open(dir: &dyn Dir, name: &str) -> Result<Self> {
        let file = steady(|| dir.open(name, Access::Read)).map_err(Error::io("open a run"))?;
        let len = file.length().map_err(Error::io("measure a run"))?;
        let at = len.saturating_sub(wide(TRAILER_BYTES));
        let trailer = read_up_to(file.as_ref(), at, TRAILER_BYTES).map_err(Error::io("read a run"))?;
        let damaged = Error::Damaged("a run");
        let (summary, parts) = decode_trailer(&trailer).ok_or(damaged.clone())?;
        if parts.fence_bytes > PART_BYTES_MAX || parts.filter_bytes > PART_BYTES_MAX {
            return Err(damaged);
        }
        let filter_at = at.checked_sub(parts.filter_bytes).ok_or(damaged.clone())?;
        let fences_at = filter_at.checked_sub(parts.fence_bytes).ok_or(damaged.clone())?;
        let read = |at, bytes| read_up_to(file.as_ref(), at, narrow(bytes)).map_err(Error::io("read a run"));
        let fences = read(fences_at, parts.fence_bytes)?;
        if checksum(0, &fences) != parts.fence_sum {
            return Err(damaged);
        }
        let filter = read(filter_at, parts.filter_bytes)?;
        let filter = (checksum(0, &filter) == parts.filter_sum).then_some(filter);
        let fences = fences.chunks_exact(16).filter_map(|fence| fence.try_into().ok());
        Ok(Self {
            name: name.to_owned(),
            summary,
            fences: fences.map(u128::from_be_bytes).collect(),
            filter: filter.and_then(Filter::from_bytes),
            file,
        })
    }

    /// Looks for a fingerprint: in the filter, then in one block.
    pub(super) fn find(&self, fingerprint: u128) -> Result<Answer> {
        if self
            .filter
            .as_ref()
            .is_some_and(|filter| !filter.may_have(fingerprint))
        {
            return Ok(Answer::Absent);
        }
        let after = self.fences.partition_point(|fence| *fence <= fingerprint);
        let Some(index) = after.checked_sub(1) else {
            return Ok(Answer::Absent);
        };
        let Some(entries) = self.block(index)? else {
            return Ok(Answer::Unknown);
        };
        let found = entries
            .binary_search_by_key(&fingerprint, |sight| sight.fingerprint)
            .ok();
        let sight = found.and_then(|index| entries.get(index)).copied();
        Ok(sight.map_or(Answer::Mistaken, Answer::Found))
    }

    /// The entries of a block; `None` if it is damaged.
    pub(super) fn block(&self, index: usize) -> Result<Option<Vec<Sight>>> {
        let block_bytes = wide(BLOCK_ENTRIES * ENTRY_BYTES + SUM_BYTES);
        let before = wide(index) * wide(BLOCK_ENTRIES);
        let entries = narrow(self.summary.entries.saturating_sub(before)).min(BLOCK_ENTRIES);
        let len = entries * ENTRY_BYTES + SUM_BYTES;
        let bytes = read_up_to(self.file.as_ref(), wide(index) * block_bytes, len)
            .map_err(Error::io("read a run"))?;
        let Some((content, sum)) = bytes.split_last_chunk::<SUM_BYTES>() else {
            return Ok(None);
        };
        if bytes.len() != len || checksum(wide(index), content) != u64::from_le_bytes(*sum) {
            return Ok(None);
        }
        Ok(content.chunks_exact(ENTRY_BYTES).map(Sight::decode).collect())
    }

    pub(super) fn blocks(&self) -> usize {
        self.fences.len()
    }
}

/// The variable parts that a trailer tells of.
struct Parts {
    fence_bytes: u64,
    filter_bytes: u64,
    fence_sum: u64,
    filter_sum: u64,
}

fn decode_trailer(bytes: &[u8]) -> Option<(Summary, Parts)> {
    let mut take = Take::new(bytes);
    if take.array()? != MAGIC || take.u16()? != VERSION {
        return None;
    }
    let level = take.u16()?;
    let summary = Summary {
        level,
        entries: take.u64()?,
        from: Position(take.u64()?),
        through: Position(take.u64()?),
        floor: Position(take.u64()?),
        newest: take.u32()?,
    };
    let parts = Parts {
        fence_bytes: take.u64()?,
        filter_bytes: take.u64()?,
        fence_sum: take.u64()?,
        filter_sum: take.u64()?,
    };
    // Of all that stands before; the sum itself is cut to 4 bytes.
    let expected = checksum(0, bytes.get(..TRAILER_BYTES - 4)?).to_le_bytes();
    let sum: [u8; 4] = take.array()?;
    expected.starts_with(&sum).then_some((summary, parts))
}

impl<'a> RunWriter<'a> {
    /// Begins a run of at most `entries_max` entries.
    pub(super) fn new(dir: &'a dyn Dir, (summary, serial): (Summary, u32), entries_max: u64) -> Result<Self> {
        let name = name(&summary, serial);
        let file =
            steady(|| dir.open(&format!("{name}.tmp"), Access::Create)).map_err(Error::io("write a run"))?;
        Ok(Self {
            dir,
            name,
            file,
            summary: Summary {
                entries: 0,
                newest: 0,
                ..summary
            },
            block: Vec::with_capacity(BLOCK_ENTRIES * ENTRY_BYTES),
            blocks: Vec::new(),
            fences: Vec::new(),
            filter: Filter::for_keys(entries_max),
        })
    }

    /// Adds an entry; they come in the order of fingerprints, each once.
    pub(super) fn push(&mut self, sight: &Sight) -> Result<()> {
        if self.block.is_empty() {
            self.fences.extend_from_slice(&sight.fingerprint.to_be_bytes());
        }
        sight.encode(&mut self.block);
        self.filter.add(sight.fingerprint);
        self.summary.entries += 1;
        self.summary.newest = self.summary.newest.max(sight.minute);
        if self.block.len() >= BLOCK_ENTRIES * ENTRY_BYTES {
            self.close_block();
        }
        if self.blocks.len() >= WRITE_BYTES {
            self.write()?;
        }
        Ok(())
    }

    /// Puts the run in place, on stable storage, and opens it.
    pub(super) fn finish(mut self) -> Result<Run> {
        if !self.block.is_empty() {
            self.close_block();
        }
        self.write()?;
        let mut tail = std::mem::take(&mut self.fences);
        let (fence_bytes, fence_sum) = (tail.len(), checksum(0, &tail));
        let filter = self.filter.bytes();
        let (filter_bytes, filter_sum) = (filter.len(), checksum(0, filter));
        tail.extend_from_slice(filter);
        let mut trailer = MAGIC.to_vec();
        trailer.extend_from_slice(&VERSION.to_le_bytes());
        trailer.extend_from_slice(&self.summary.level.to_le_bytes());
        trailer.extend_from_slice(&self.summary.entries.to_le_bytes());
        trailer.extend_from_slice(&self.summary.from.0.to_le_bytes());
        trailer.extend_from_slice(&self.summary.through.0.to_le_bytes());
        trailer.extend_from_slice(&self.summary.floor.0.to_le_bytes());
        trailer.extend_from_slice(&self.summary.newest.to_le_bytes());
        for number in [wide(fence_bytes), wide(filter_bytes), fence_sum, filter_sum] {
            trailer.extend_from_slice(&number.to_le_bytes());
        }
        let sum = checksum(0, &trailer).to_le_bytes();
        trailer.extend_from_slice(sum.get(..4).unwrap_or_default());
        tail.extend_from_slice(&trailer);
        append_all(self.file.as_mut(), &tail).map_err(Error::io("write a run"))?;
        sync_file(self.file.as_mut()).map_err(Error::io("sync a run"))?;
        finish(self.dir, &format!("{}.tmp", self.name), &self.name)?;
        Run::open(self.dir, &self.name)
    }

    fn close_block(&mut self) {
        let index = self.fences.len() / 16 - 1;
        let sum = checksum(wide(index), &self.block);
        self.blocks.append(&mut self.block);
        self.blocks.extend_from_slice(&sum.to_le_bytes());
    }

    fn write(&mut self) -> Result<()> {
        append_all(self.file.as_mut(), &self.blocks).map_err(Error::io("write a run"))?;
        self.blocks.clear();
        Ok(())
    }
}
