//! Segment files: their names, their heads, and the index at the end of sealed ones.
//!
//! A segment starts with 1,024 bytes that hold its head twice, in different sectors, so that one bad sector does not cost it.
//! Blocks follow. A sealed segment ends with an index of its blocks, which only saves reading: without it the heads of blocks
//! are walked.

use super::block::Sealing;
use super::entry::{Position, checksum};
use crate::bytes::{Take, narrow, short, wide};
use crate::crypto::{KeyId, Keyring};
use crate::storage::{Access, Dir, File, read_up_to, steady};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

const MAGIC: [u8; 8] = *b"habitusL";
const VERSION: u16 = 1;
/// Where blocks start.
pub(crate) const DATA_START: u64 = 1_024;
const COPY_AT: usize = 512;
const HEAD_BYTES: usize = 42;
const INDEX_MAGIC: [u8; 8] = *b"habitusI";
const TRAILER_BYTES: u64 = 28;
/// Suffixes of segments that are written to, and of sealed ones.
const OPEN: &str = ".seg";
const SEALED: &str = ".segz";

/// A segment as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentName {
    pub(crate) base: Position,
    pub(crate) is_sealed: bool,
}

/// What the first bytes of a segment tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    pub(crate) base: Position,
    /// The seed of all checksums of the log; the same in each of its segments.
    pub(crate) seed: u64,
    pub(crate) key: KeyId,
}

/// Where a block of a sealed segment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockRef {
    pub(crate) offset: u64,
    pub(crate) first: Position,
    pub(crate) end: Position,
    pub(crate) oldest: i64,
    pub(crate) newest: i64,
}

impl SegmentName {
    pub(crate) fn file(&self) -> String {
        let suffix = if self.is_sealed { SEALED } else { OPEN };
        format!("{:020}{suffix}", self.base.0)
    }

    fn parse(name: &str) -> Option<Self> {
        let (digits, is_sealed) = match name.strip_suffix(SEALED) {
            Some(digits) => (digits, true),
            None => (name.strip_suffix(OPEN)?, false),
        };
        let is_padded = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let base = Position(digits.parse().ok()?);
        is_padded.then_some(Self { base, is_sealed })
    }
}

/// All segments by position; of two with one base only the sealed one, which replaces the other.
pub(crate) fn list(dir: &dyn Dir) -> Result<Vec<SegmentName>> {
    let names = steady(|| dir.list()).map_err(Error::io("list the log"))?;
    let mut segments: Vec<_> = names.iter().filter_map(|name| SegmentName::parse(name)).collect();
    // Sealed after open, so that it is the one kept below.
    segments.sort();
    segments.reverse();
    segments.dedup_by_key(|segment| segment.base);
    segments.reverse();
    Ok(segments)
}

impl SegmentHead {
    /// The first [`DATA_START`] bytes of a segment.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&self.base.0.to_le_bytes());
        head.extend_from_slice(&self.seed.to_le_bytes());
        head.extend_from_slice(&self.key);
        let sum = checksum(0, &head);
        head.extend_from_slice(&sum.to_le_bytes());
        let mut page = head.clone();
        page.resize(COPY_AT, 0);
        page.extend_from_slice(&head);
        page.resize(narrow(DATA_START), 0);
        page
    }

    /// From either copy.
    pub(crate) fn decode(page: &[u8]) -> Result<Self> {
        let damaged = Error::Damaged("both heads of a segment");
        let copies = [page.get(..HEAD_BYTES), page.get(COPY_AT..COPY_AT + HEAD_BYTES)];
        let mut heads = copies.into_iter().flatten().filter_map(Self::decode_copy);
        heads.next().unwrap_or(Err(damaged))
    }

    fn decode_copy(bytes: &[u8]) -> Option<Result<Self>> {
        let mut take = Take::new(bytes);
        if take.array()? != MAGIC {
            return None;
        }
        let version = take.u16()?;
        let head = Self {
            base: Position(take.u64()?),
            seed: take.u64()?,
            key: take.array()?,
        };
        if take.u64()? != checksum(0, bytes.get(..HEAD_BYTES - 8)?) {
            return None;
        }
        Some(if version == VERSION {
            Ok(head)
        } else {
            Err(Error::NewerFormat(version))
        })
    }

    /// What its blocks are opened with.
    pub(crate) fn sealing(&self, keys: &Keyring) -> Result<Sealing> {
        Ok(Sealing {
            seed: self.seed,
            base: self.base,
            cipher: keys.named(self.key)?,
        })
    }
}

/// Opens a segment's file and reads its head.
pub(crate) fn open(
    dir: &dyn Dir,
    name: &SegmentName,
    access: Access,
) -> Result<(Box<dyn File>, SegmentHead)> {
    let file = steady(|| dir.open(&name.file(), access)).map_err(Error::io("open a segment"))?;
    let page = read_up_to(file.as_ref(), 0, narrow(DATA_START)).map_err(Error::io("read a segment"))?;
    let head = SegmentHead::decode(&page)?;
    if page.len() < narrow(DATA_START) {
        return Err(Error::Damaged("a segment cut short within its head"));
    }
    if head.base != name.base {
        return Err(Error::Damaged("a segment under another one's name"));
    }
    Ok((file, head))
}

/// The index of a sealed segment with its trailer.
pub(crate) fn encode_index(blocks: &[BlockRef], offset: u64, seed: u64) -> Result<Vec<u8>> {
    let mut bytes = postcard::to_stdvec(blocks).map_err(|_| Error::Encoding("an index"))?;
    let len = short(bytes.len());
    let sum = checksum(seed, &bytes);
    bytes.extend_from_slice(&offset.to_le_bytes());
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(&INDEX_MAGIC);
    Ok(bytes)
}

/// The index of a sealed segment, and where its blocks end; `None` if there is none or it is damaged.
pub(crate) fn read_index(file: &dyn File, seed: u64) -> Option<(Vec<BlockRef>, u64)> {
    let len = file.length().ok()?;
    let trailer = read_up_to(file, len.checked_sub(TRAILER_BYTES)?, narrow(TRAILER_BYTES)).ok()?;
    let mut take = Take::new(&trailer);
    let (offset, index_len, sum) = (take.u64()?, take.u32()?, take.u64()?);
    if take.array()? != INDEX_MAGIC || offset.checked_add(u64::from(index_len))? != len - TRAILER_BYTES {
        return None;
    }
    let bytes = read_up_to(file, offset, narrow(u64::from(index_len))).ok()?;
    if wide(bytes.len()) != u64::from(index_len) || checksum(seed, &bytes) != sum {
        return None;
    }
    Some((postcard::from_bytes(&bytes).ok()?, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_position_and_foreign_ones_are_ignored() {
        let name = SegmentName {
            base: Position(42),
            is_sealed: true,
        };
        assert_eq!(name.file(), "00000000000000000042.segz");
        assert_eq!(SegmentName::parse(&name.file()), Some(name));
        for foreign in [
            "42.seg",
            "reserve",
            "0000000000000000004x.seg",
            "00000000000000000042.seg.tmp",
        ] {
            assert_eq!(SegmentName::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn either_head_is_enough() {
        let head = SegmentHead {
            base: Position(5),
            seed: 77,
            key: [3; 8],
        };
        for broken in [0, COPY_AT] {
            let mut page = head.encode();
            page[broken + 12] ^= 0xff;
            assert_eq!(SegmentHead::decode(&page), Ok(head));
        }
        let mut page = head.encode();
        page[12] ^= 1;
        page[COPY_AT + 12] ^= 1;
        assert!(matches!(SegmentHead::decode(&page), Err(Error::Damaged(_))));
    }
}
