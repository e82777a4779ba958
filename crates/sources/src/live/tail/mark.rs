//! By what a file's content is known again.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes from the start that a mark covers at most: several log lines, of which the first holds a time.
const HEAD_BYTES_MAX: usize = 1_024;

/// Bytes before the place reached that a mark covers at most. They tell apart files that begin with the same header.
const TAIL_BYTES_MAX: usize = 256;

/// A mark of the content up to a place in a file: hashes of its first bytes and of those right before the place. No
/// content itself, since log lines hold personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    head_bytes: u32,
    #[serde(with = "hex")]
    head: [u8; 16],
    tail_bytes: u32,
    #[serde(with = "hex")]
    tail: [u8; 16],
}

impl Mark {
    /// The mark of `file` up to `offset`. The mark of nothing, at 0, fits every file.
    pub(super) fn of(file: &File, offset: u64) -> io::Result<Self> {
        let within = usize::try_from(offset).unwrap_or(usize::MAX);
        let (head_bytes, tail_bytes) = (within.min(HEAD_BYTES_MAX), within.min(TAIL_BYTES_MAX));
        let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let head = hash_at(file, 0, head_bytes)?.ok_or_else(short)?;
        let tail_at = offset.saturating_sub(u64::try_from(tail_bytes).unwrap_or(0));
        let tail = hash_at(file, tail_at, tail_bytes)?.ok_or_else(short)?;
        Ok(Self {
            head_bytes: u32::try_from(head_bytes).unwrap_or(0),
            head,
            tail_bytes: u32::try_from(tail_bytes).unwrap_or(0),
            tail,
        })
    }

    /// Whether `file` has up to `offset` the content of which this is the mark. Cost: two small reads.
    pub(super) fn fits(&self, file: &File, offset: u64) -> io::Result<bool> {
        let widen = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let tail_at = offset.saturating_sub(u64::from(self.tail_bytes));
        Ok(hash_at(file, 0, widen(self.head_bytes))? == Some(self.head)
            && hash_at(file, tail_at, widen(self.tail_bytes))? == Some(self.tail))
    }
}

/// The hash of `bytes` bytes; absent if the file is shorter. At most [`HEAD_BYTES_MAX`] are read, whatever a damaged
/// checkpoint asks for.
fn hash_at(file: &File, at: u64, bytes: usize) -> io::Result<Option<[u8; 16]>> {
    if bytes == 0 {
        return Ok(Some([0; 16]));
    }
    let mut buffer = vec![0; bytes.min(HEAD_BYTES_MAX)];
    match file.read_exact_at(&mut buffer, at) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut hash = [0; 16];
    blake3::Hasher::new()
        .update(&buffer)
        .finalize_xof()
        .fill(&mut hash);
    Ok(Some(hash))
}

/// Whether the shorter of two files is a beginning of the longer one, as far as its first and last bytes tell.
pub(super) fn is_copy(one: &File, other: &File) -> io::Result<bool> {
    let shorter = one.metadata()?.len().min(other.metadata()?.len());
    match Mark::of(one, shorter) {
        Ok(mark) => mark.fits(other, shorter),
        // Truncated just now: the next poll tells.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
        Err(error) => Err(error),
    }
}

/// Hashes as text.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(hash: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:032x}", u128::from_be_bytes(*hash)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u128::from_str_radix(&text, 16).map_err(|_| D::Error::custom("no hash"))?;
        Ok(number.to_be_bytes())
    }
}
