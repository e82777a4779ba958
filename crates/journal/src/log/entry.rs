//! Records and their frames: what one record is on disk.
//!
//! ```text
//! 0   4  "hrec"
//! 4   8  XXH3-64 of the bytes from 12 to the end, with the log's seed
//! 12  4  length of what follows
//! 16  8  position
//! 24  8  ingest time, milliseconds
//! 32  1  kind
//! 33  1  length of the tenant
//! 34  1  length of the source
//! 35     tenant, source, payload
//! ```
//!
//! Numbers are little-endian. The seed is random and kept in the heads of segments, so that no payload can imitate a frame.

use crate::bytes::{Take, short, wide};
use crate::{Error, Result};
use habitus_model::{IngestTime, TenantId, Text};
use std::fmt;
use twox_hash::XxHash3_64;

/// Bytes of a payload: one event is at most 1 MiB (RELIABILITY S-04), and its source may be wrapped around it.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;
/// Bytes of a tenant's or a source's name: their length is one byte.
pub const NAME_BYTES_MAX: usize = 255;
/// The kind that stands for records which did not survive the end of a process; see `recovery`.
pub(crate) const KIND_TORN: u8 = 255;

pub(crate) const FRAME_MAGIC: [u8; 4] = *b"hrec";
/// Bytes of a frame besides names and payload.
pub(crate) const FRAME_BYTES: usize = 35;
/// Bytes before those that the length counts.
const PREFIX_BYTES: usize = 16;

/// The place of a record in the log: 0 for the first, without gaps as records are appended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Position(pub u64);

/// What is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the payload is, as the caller numbers such things: 0 to 254.
    pub kind: u8,
    /// Whose data it is.
    pub tenant: TenantId,
    /// Who delivered it.
    pub source: Text,
    /// When it reached us.
    pub ingested: IngestTime,
    /// The raw record, at most [`PAYLOAD_BYTES_MAX`].
    pub payload: Vec<u8>,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// What was appended.
    pub entry: Entry,
}

impl Position {
    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Entry {
    /// Bytes it takes in the log.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        FRAME_BYTES + self.tenant.as_str().len() + self.source.len() + self.payload.len()
    }

    /// Whether the log takes it.
    pub(crate) fn check(&self) -> Result<()> {
        if self.kind == KIND_TORN {
            return Err(Error::ReservedKind(self.kind));
        }
        for (field, text) in [("tenant", self.tenant.as_str()), ("source", self.source.as_str())] {
            if text.len() > NAME_BYTES_MAX {
                return Err(Error::NameTooLong {
                    field,
                    bytes_max: NAME_BYTES_MAX,
                });
            }
        }
        if self.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Error::TooLarge {
                bytes: self.payload.len(),
                bytes_max: PAYLOAD_BYTES_MAX,
            });
        }
        Ok(())
    }

    /// Stands where a record was that did not survive, beside one that did.
    pub(crate) fn torn(ingested: IngestTime) -> Self {
        Self {
            kind: KIND_TORN,
            tenant: TenantId::new(""),
            source: Text::default(),
            ingested,
            payload: Vec::new(),
        }
    }
}

/// The checksum of everything in a log.
pub(crate) fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, bytes)
}

/// Writes the frame of an entry that [`Entry::check`] accepted.
pub(crate) fn write_frame(into: &mut Vec<u8>, seed: u64, position: Position, entry: &Entry) {
    let start = into.len();
    let (tenant, source) = (entry.tenant.as_str().as_bytes(), entry.source.as_bytes());
    let len = entry.frame_bytes() - PREFIX_BYTES;
    into.extend_from_slice(&FRAME_MAGIC);
    into.extend_from_slice(&[0; 8]);
    into.extend_from_slice(&short(len).to_le_bytes());
    into.extend_from_slice(&position.0.to_le_bytes());
    into.extend_from_slice(&entry.ingested.as_millis().to_le_bytes());
    into.push(entry.kind);
    for name in [tenant, source] {
        into.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    }
    into.extend_from_slice(tenant);
    into.extend_from_slice(source);
    into.extend_from_slice(&entry.payload);
    let sum = checksum(seed, into.get(start + 12..).unwrap_or_default());
    if let Some(place) = into.get_mut(start + 4..start + 12) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Reads the frame at the start of the bytes, and says how long it is. `None` if there is none or it is damaged.
pub(crate) fn read_frame(bytes: &[u8], seed: u64) -> Option<(Record, usize)> {
    let mut take = Take::new(bytes);
    if take.array()? != FRAME_MAGIC {
        return None;
    }
    let sum = take.u64()?;
    let len = usize::try_from(take.u32()?).ok()?;
    // Before the sum over a length that may be damaged: no frame is longer.
    if len > FRAME_BYTES + 2 * NAME_BYTES_MAX + PAYLOAD_BYTES_MAX {
        return None;
    }
    let body = take.bytes(len)?;
    if checksum(seed, bytes.get(12..PREFIX_BYTES + len)?) != sum {
        return None;
    }
    let mut take = Take::new(body);
    let position = Position(take.u64()?);
    let ingested = IngestTime::from_millis(take.i64()?)?;
    let kind = take.u8()?;
    let (tenant_len, source_len) = (take.u8()?, take.u8()?);
    let tenant = std::str::from_utf8(take.bytes(tenant_len.into())?).ok()?;
    let source = std::str::from_utf8(take.bytes(source_len.into())?).ok()?;
    let entry = Entry {
        kind,
        tenant: TenantId::new(tenant),
        source: source.into(),
        ingested,
        payload: take.rest().to_vec(),
    };
    Some((Record { position, entry }, PREFIX_BYTES + len))
}

/// Reads frames that stand one after another; `None` unless all bytes are frames.
pub(crate) fn read_frames(mut bytes: &[u8], seed: u64, count_max: u64) -> Option<Vec<Record>> {
    // As many as the head says, and no more than there is room for, whatever it says.
    let room = usize::try_from(count_max).unwrap_or(usize::MAX);
    let mut records = Vec::with_capacity(room.min(bytes.len() / FRAME_BYTES));
    while !bytes.is_empty() {
        let (record, len) = read_frame(bytes, seed)?;
        records.push(record);
        if wide(records.len()) > count_max {
            return None;
        }
        bytes = bytes.get(len..)?;
    }
    Some(records)
}

#[cfg(test)]
pub(crate) fn sample(number: u64) -> Entry {
    let len = usize::try_from(number * 37 % 700).unwrap();
    Entry {
        kind: u8::try_from(number % 5).unwrap(),
        tenant: TenantId::new("acme"),
        source: format!("source-{}", number % 3).into(),
        ingested: IngestTime::from_millis(1_700_000_000_000 + i64::try_from(number).unwrap()).unwrap(),
        payload: (0..len)
            .map(|i| u8::try_from((i as u64 * 31 + number) % 251).unwrap())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_and_every_flipped_bit_is_noticed() {
        let entry = sample(3);
        let mut bytes = Vec::new();
        write_frame(&mut bytes, 9, Position(7), &entry);
        let (record, len) = read_frame(&bytes, 9).unwrap();
        assert_eq!(
            (record.position, &record.entry, len),
            (Position(7), &entry, bytes.len())
        );
        assert_eq!(read_frame(&bytes, 10), None, "the seed matters");
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_frame(&bytes, 9), None, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for len in 0..bytes.len() {
            assert_eq!(read_frame(&bytes[..len], 9), None, "cut at {len}");
        }
    }

    #[test]
    fn limits_are_refused_by_name() {
        let mut entry = sample(1);
        entry.kind = KIND_TORN;
        assert_eq!(entry.check(), Err(Error::ReservedKind(255)));
        entry.kind = 1;
        entry.source = "s".repeat(256).into();
        assert!(matches!(
            entry.check(),
            Err(Error::NameTooLong { field: "source", .. })
        ));
        entry.source = "s".into();
        entry.payload = vec![0; PAYLOAD_BYTES_MAX + 1];
        assert!(matches!(entry.check(), Err(Error::TooLarge { .. })));
    }
}
