//! Blocks: the frames of one commit, or about 1 MiB of a sealed segment, under one head.
//!
//! ```text
//! 0   4  "hblk"
//! 4   1  flags: 1 compressed with zstd, 2 encrypted, 4 a repetition, 8 a mark
//! 5   3  zero
//! 8   4  stored bytes after this head
//! 12  4  bytes of the frames they give
//! 16  8  first position
//! 24  8  position after the last
//! 32  8  oldest ingest time
//! 40  8  newest ingest time
//! 48 24  nonce
//! 72  8  XXH3-64 of the stored bytes, with the log's seed
//! 80  8  XXH3-64 of the bytes before, with the log's seed
//! ```
//!
//! Authenticated with an encrypted block are the base of its segment and the bytes 0 to 47.

use super::entry::{Position, Record, checksum, read_frames};
use crate::bytes::{Take, short, wide};
use crate::crypto::{Cipher, NONCE_BYTES, TAG_BYTES};
use crate::{Error, Result};

/// Bytes of frames in one block: a full group and one more record of the longest kind fit, and decoding takes no more memory.
pub(crate) const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;
pub(crate) const BLOCK_MAGIC: [u8; 4] = *b"hblk";
/// Bytes of a block's head.
pub(crate) const HEAD_BYTES: usize = 88;
/// Bytes of the head that encryption authenticates.
const CONTEXT_BYTES: usize = 48;

const COMPRESSED: u8 = 1;
const ENCRYPTED: u8 = 2;
const REPETITION: u8 = 4;
const MARK: u8 = 8;

/// What a block is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Records, for the first time.
    Records,
    /// The last block before the process ended, again: what stands directly before may not have reached the disk.
    Repetition,
    /// No records: everything before has reached the disk.
    Mark,
}

/// The head of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockHead {
    flags: u8,
    pub(crate) stored_bytes: u32,
    raw_bytes: u32,
    pub(crate) first: Position,
    pub(crate) end: Position,
    pub(crate) oldest: i64,
    pub(crate) newest: i64,
    nonce: [u8; NONCE_BYTES],
    body_sum: u64,
}

/// What all blocks of one segment share.
#[derive(Clone)]
pub(crate) struct Sealing {
    pub(crate) seed: u64,
    pub(crate) base: Position,
    pub(crate) cipher: Cipher,
}

/// Frames waiting to become a block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frames {
    pub(crate) bytes: Vec<u8>,
    pub(crate) first: Position,
    pub(crate) end: Position,
    pub(crate) oldest: i64,
    pub(crate) newest: i64,
}

impl Frames {
    /// No frames; the first one will have this position.
    pub(crate) fn at(first: Position) -> Self {
        Self {
            bytes: Vec::new(),
            first,
            end: first,
            oldest: i64::MAX,
            newest: i64::MIN,
        }
    }

    /// Adds the frame of a record whose position is not before those already here.
    pub(crate) fn push(&mut self, seed: u64, position: Position, entry: &super::Entry) {
        if self.bytes.is_empty() {
            self.first = position;
        }
        super::entry::write_frame(&mut self.bytes, seed, position, entry);
        self.end = position.next();
        let at = entry.ingested.as_millis();
        self.oldest = self.oldest.min(at);
        self.newest = self.newest.max(at);
    }
}

impl Sealing {
    /// The bytes of a block. `level` asks for compression, which is left off where it does not help.
    pub(crate) fn block(&self, frames: &Frames, role: Role, level: Option<i32>) -> Result<Vec<u8>> {
        let (mut flags, packed) = pack(&frames.bytes, level)?;
        flags |= match role {
            Role::Records => 0,
            Role::Repetition => REPETITION,
            Role::Mark => MARK,
        };
        let mut stored_bytes = packed.len();
        if !self.cipher.is_plain() {
            flags |= ENCRYPTED;
            stored_bytes += TAG_BYTES;
        }
        let mut head = BlockHead {
            flags,
            stored_bytes: short(stored_bytes),
            raw_bytes: short(frames.bytes.len()),
            first: frames.first,
            end: frames.end,
            oldest: frames.oldest,
            newest: frames.newest,
            nonce: self.cipher.nonce()?,
            body_sum: 0,
        };
        let body = self.cipher.seal(&head.nonce, &self.context(&head), packed)?;
        head.body_sum = checksum(self.seed, &body);
        let mut block = head.encode(self.seed);
        block.extend_from_slice(&body);
        Ok(block)
    }

    /// The head at the start of the bytes; `None` if there is none or it is damaged.
    pub(crate) fn head(&self, bytes: &[u8]) -> Option<BlockHead> {
        let summed = bytes.get(..HEAD_BYTES - 8)?;
        let mut take = Take::new(bytes);
        if take.array()? != BLOCK_MAGIC {
            return None;
        }
        let [flags, ..] = take.array::<4>()?;
        let head = BlockHead {
            flags,
            stored_bytes: take.u32()?,
            raw_bytes: take.u32()?,
            first: Position(take.u64()?),
            end: Position(take.u64()?),
            oldest: take.i64()?,
            newest: take.i64()?,
            nonce: take.array()?,
            body_sum: take.u64()?,
        };
        let intact = take.u64()? == checksum(self.seed, summed);
        let sane = usize::try_from(head.raw_bytes).ok()? <= BLOCK_BYTES_MAX && head.first <= head.end;
        (intact && sane).then_some(head)
    }

    /// The records of a block's stored bytes; `None` if anything of them is damaged.
    pub(crate) fn records(&self, head: &BlockHead, body: Vec<u8>) -> Option<Vec<Record>> {
        if checksum(self.seed, &body) != head.body_sum {
            return None;
        }
        let packed = match head.flags & ENCRYPTED {
            0 => body,
            _ => self.cipher.open(&head.nonce, &self.context(head), body)?,
        };
        let raw_bytes = usize::try_from(head.raw_bytes).ok()?;
        let raw = match head.flags & COMPRESSED {
            0 => packed,
            _ => zstd::bulk::decompress(&packed, raw_bytes).ok()?,
        };
        if raw.len() != raw_bytes {
            return None;
        }
        read_frames(&raw, self.seed, head.end.0.saturating_sub(head.first.0))
    }

    fn context(&self, head: &BlockHead) -> Vec<u8> {
        let mut context = self.base.0.to_le_bytes().to_vec();
        let head = head.encode(self.seed);
        context.extend_from_slice(head.get(..CONTEXT_BYTES).unwrap_or_default());
        context
    }
}

impl BlockHead {
    /// What the block is there for.
    pub(crate) const fn role(&self) -> Role {
        if self.flags & MARK != 0 {
            Role::Mark
        } else if self.flags & REPETITION != 0 {
            Role::Repetition
        } else {
            Role::Records
        }
    }

    /// Head and stored bytes.
    pub(crate) fn total_bytes(&self) -> u64 {
        u64::from(self.stored_bytes) + wide(HEAD_BYTES)
    }

    fn encode(&self, seed: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend_from_slice(&BLOCK_MAGIC);
        bytes.extend_from_slice(&[self.flags, 0, 0, 0]);
        bytes.extend_from_slice(&self.stored_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.raw_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.first.0.to_le_bytes());
        bytes.extend_from_slice(&self.end.0.to_le_bytes());
        bytes.extend_from_slice(&self.oldest.to_le_bytes());
        bytes.extend_from_slice(&self.newest.to_le_bytes());
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.body_sum.to_le_bytes());
        let sum = checksum(seed, &bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }
}

fn pack(frames: &[u8], level: Option<i32>) -> Result<(u8, Vec<u8>)> {
    if let Some(level) = level {
        let packed = zstd::bulk::compress(frames, level).map_err(|_| Error::Encoding("a block"))?;
        if packed.len() < frames.len() {
            return Ok((COMPRESSED, packed));
        }
    }
    Ok((0, frames.to_vec()))
}
