//! A run: sorted items in an unlinked temporary file, in blocks with length and checksum.
//!
//! ```text
//! block: payload length u32 | CRC-32 of payload u32 | payload
//! payload, one or more items: time i64 | file u32 | line u64 | length u32 | bytes
//! ```
//!
//! All little-endian. The file has no name while it is open (`O_TMPFILE`, or unlinked at once; deleted on close on
//! Windows), so nothing is left behind by a killed process.

use super::{ITEM_BYTES_MAX, SortKey};
use crate::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A block is written once its payload has this many bytes.
const BLOCK_BYTES: usize = 64 * 1024;

const HEADER_BYTES: usize = 8;
const ITEM_HEADER_BYTES: usize = 24;

/// A finished run.
pub(super) struct Run {
    file: File,
    blocks: u64,
}

/// Writes a run.
pub(super) struct RunWriter {
    file: File,
    dir: PathBuf,
    /// Header and payload of the block being filled.
    block: Vec<u8>,
    blocks: u64,
}

impl RunWriter {
    pub(super) fn create(dir: &Path) -> Result<Self, Error> {
        let file = tempfile::tempfile_in(dir).map_err(|source| Error::temporary(dir, source))?;
        Ok(Self::over(file, dir))
    }

    pub(super) fn over(file: File, dir: &Path) -> Self {
        Self {
            file,
            dir: dir.to_owned(),
            block: vec![0; HEADER_BYTES],
            blocks: 0,
        }
    }

    pub(super) fn push(&mut self, key: SortKey, bytes: &[u8]) -> Result<(), Error> {
        self.block.extend_from_slice(&key.time.to_le_bytes());
        self.block.extend_from_slice(&key.file.to_le_bytes());
        self.block.extend_from_slice(&key.line.to_le_bytes());
        // The sorter refuses items that do not fit.
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.block.extend_from_slice(&len.to_le_bytes());
        self.block.extend_from_slice(bytes);
        if self.block.len() >= HEADER_BYTES + BLOCK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Run, Error> {
        if self.block.len() > HEADER_BYTES {
            self.flush()?;
        }
        self.file
            .seek(SeekFrom::Start(0))
            .map_err(|source| Error::temporary(&self.dir, source))?;
        Ok(Run {
            file: self.file,
            blocks: self.blocks,
        })
    }

    fn flush(&mut self) -> Result<(), Error> {
        let payload = self.block.get(HEADER_BYTES..).unwrap_or_default();
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        let sum = crc32fast::hash(payload).to_le_bytes();
        for (to, from) in self.block.iter_mut().zip(len.into_iter().chain(sum)) {
            *to = from;
        }
        self.file
            .write_all(&self.block)
            .map_err(|source| Error::temporary(&self.dir, source))?;
        self.block.truncate(HEADER_BYTES);
        self.blocks += 1;
        Ok(())
    }
}

/// Reads a run, one block in memory.
pub(super) struct RunReader {
    file: File,
    dir: PathBuf,
    blocks_left: u64,
    payload: Vec<u8>,
    /// Where the item after the current one starts.
    next: usize,
    /// The current item: its key and where its bytes are.
    head: Option<(SortKey, usize, usize)>,
}

impl RunReader {
    pub(super) fn new(run: Run, dir: &Path) -> Self {
        Self {
            file: run.file,
            dir: dir.to_owned(),
            blocks_left: run.blocks,
            payload: Vec::new(),
            next: 0,
            head: None,
        }
    }

    pub(super) fn key(&self) -> Option<SortKey> {
        self.head.map(|(key, ..)| key)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.head
            .and_then(|(_, start, end)| self.payload.get(start..end))
            .unwrap_or_default()
    }

    /// Moves to the next item; afterwards `key` is absent if there was none.
    pub(super) fn advance(&mut self) -> Result<(), Error> {
        self.head = None;
        if self.next >= self.payload.len() {
            if self.blocks_left == 0 {
                return Ok(());
            }
            self.read_block()?;
        }
        let item = self.payload.get(self.next..).unwrap_or_default();
        let (key, len) = item_header(item).ok_or_else(|| self.damaged("an item is cut off"))?;
        let start = self.next.saturating_add(ITEM_HEADER_BYTES);
        let end = start.saturating_add(len);
        if end > self.payload.len() {
            return Err(self.damaged("an item is longer than its block"));
        }
        self.next = end;
        self.head = Some((key, start, end));
        Ok(())
    }

    fn read_block(&mut self) -> Result<(), Error> {
        let mut header = [0; HEADER_BYTES];
        self.read_exact(&mut header)?;
        let [l0, l1, l2, l3, s0, s1, s2, s3] = header;
        let len = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if len > ITEM_BYTES_MAX + ITEM_HEADER_BYTES + BLOCK_BYTES {
            return Err(self.damaged("a block's length is impossible"));
        }
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(len, 0);
        self.read_exact(&mut payload)?;
        if crc32fast::hash(&payload) != u32::from_le_bytes([s0, s1, s2, s3]) {
            return Err(self.damaged("a checksum does not fit"));
        }
        self.payload = payload;
        self.next = 0;
        self.blocks_left -= 1;
        Ok(())
    }

    fn read_exact(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.file
            .read_exact(into)
            .map_err(|source| Error::temporary(&self.dir, source))
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::TemporaryDamaged {
            dir: self.dir.clone(),
            what,
        }
    }
}

/// Key and length of the item at the start of `item`.
fn item_header(item: &[u8]) -> Option<(SortKey, usize)> {
    let (time, rest) = item.split_first_chunk()?;
    let (file, rest) = rest.split_first_chunk()?;
    let (line, rest) = rest.split_first_chunk()?;
    let (len, _) = rest.split_first_chunk()?;
    let key = SortKey {
        time: i64::from_le_bytes(*time),
        file: u32::from_le_bytes(*file),
        line: u64::from_le_bytes(*line),
    };
    Some((key, usize::try_from(u32::from_le_bytes(*len)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: SortKey = SortKey {
        time: -5,
        file: 1,
        line: 2,
    };

    fn run(items: usize) -> Run {
        let mut writer = RunWriter::create(&std::env::temp_dir()).unwrap();
        for i in 0..items {
            writer.push(KEY, &vec![7; i]).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(run: Run) -> Result<usize, Error> {
        let mut reader = RunReader::new(run, Path::new("/dir"));
        let mut items = 0;
        loop {
            reader.advance()?;
            if reader.key().is_none() {
                return Ok(items);
            }
            assert_eq!(reader.bytes(), vec![7; items]);
            items += 1;
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for items in [0, 1, 1000] {
            assert_eq!(read(run(items)).unwrap(), items);
        }
    }

    #[test]
    fn damage_is_noticed() {
        let mut damaged = run(100);
        damaged.file.seek(SeekFrom::Start(500)).unwrap();
        damaged.file.write_all(b"!").unwrap();
        damaged.file.seek(SeekFrom::Start(0)).unwrap();
        assert!(matches!(read(damaged), Err(Error::TemporaryDamaged { .. })));
        let cut = run(100);
        cut.file.set_len(1000).unwrap();
        assert!(matches!(read(cut), Err(Error::Temporary { .. })));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_a_typed_error() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut writer = RunWriter::over(full, Path::new("/some/dir"));
        let error = writer.push(KEY, &[0; BLOCK_BYTES]).unwrap_err();
        assert!(matches!(error, Error::Temporary { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("/some/dir") && text.contains("--temp-dir"),
            "{text}"
        );
    }
}
