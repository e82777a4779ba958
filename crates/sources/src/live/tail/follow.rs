//! One file that is followed.

use super::RECORD_BYTES_MAX;
use super::candidates::{key_of, open};
use super::checkpoints::{Entry, FileKey};
use super::mark::Mark;
use bytes::Bytes;
use memchr::{memchr, memchr_iter, memrchr};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use tokio::time::Instant;

/// How much is read at once. A line that is longer is read with [`RECORD_BYTES_MAX`].
const READ_BYTES: usize = 512 * 1024;

/// Reads in a row while a line is passed over, before other files get their turn: 64 MiB.
const SKIPS_IN_A_ROW_MAX: usize = 64;

/// A file and how far it was read.
#[derive(Debug)]
pub(super) struct Follow {
    pub(super) key: FileKey,
    /// Where it was last seen.
    pub(super) path: PathBuf,
    /// Bytes accepted by the sink, or passed over.
    pub(super) offset: u64,
    /// The mark of those bytes.
    pub(super) mark: Mark,
    /// Open or not; the most recently read ones are.
    pub(super) file: Option<File>,
    /// Whether a path means it now. If not, it was renamed or deleted.
    pub(super) is_listed: bool,
    /// The round in which it was last read.
    pub(super) read_in: u64,
    /// Since when it is not listed and has nothing new.
    pub(super) quiet_since: Option<Instant>,
    /// Whether the rest of a line is being passed over: it was too long, or reading began in it.
    pub(super) is_skipping: bool,
    /// Length and time of change when it was last looked at and had no whole line. Equal ones are not read again.
    pub(super) looked_at: Option<(u64, i64, i64)>,
}

/// Whole lines of a file, on their way to the sink.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) key: FileKey,
    /// Where they start.
    pub(super) start: u64,
    /// Where they end.
    pub(super) end: u64,
    /// The mark of the file up to their end.
    pub(super) mark: Mark,
    /// The lines, each with its line feed.
    pub(super) records: Bytes,
    /// Line feeds in them.
    pub(super) lines: u32,
}

/// What reading a file gave.
#[derive(Debug)]
pub(super) enum Read {
    /// Whole lines.
    Lines(Chunk),
    /// Nothing new.
    Nothing,
    /// Its content is not what it was: it is shorter or begins otherwise.
    Replaced,
}

impl Follow {
    /// A file that is read from `entry`'s place on.
    pub(super) fn new(entry: Entry) -> Self {
        Self {
            key: entry.key,
            path: entry.path,
            offset: entry.offset,
            mark: entry.mark,
            file: None,
            is_listed: true,
            read_in: 0,
            quiet_since: None,
            is_skipping: false,
            looked_at: None,
        }
    }

    /// Its checkpoint.
    pub(super) fn entry(&self) -> Entry {
        Entry {
            path: self.path.clone(),
            key: self.key,
            offset: self.offset,
            mark: self.mark,
        }
    }

    /// Starts over: the content is another one.
    pub(super) fn restart(&mut self) {
        self.offset = 0;
        self.mark = Mark::default();
        self.is_skipping = false;
        self.looked_at = None;
    }

    /// Opens it by its path, unless it is open. False if the path is another file's now, or nobody's.
    pub(super) fn ensure_open(&mut self) -> io::Result<bool> {
        if self.file.is_some() {
            return Ok(true);
        }
        match open(&self.path) {
            Ok((file, meta)) if key_of(&meta) == self.key => {
                self.file = Some(file);
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads what is new; lines above the limit are counted in `oversized`. With `to_end`, a last line that has no line
    /// feed counts as one: nobody will write on.
    pub(super) fn read(&mut self, oversized: &mut u64, to_end: bool) -> io::Result<Read> {
        let Some(file) = self.file.take() else {
            return Ok(Read::Nothing);
        };
        let result = self.read_from(&file, oversized, to_end);
        self.file = Some(file);
        match result {
            // Truncated while it was read.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Read::Replaced),
            result => result,
        }
    }

    fn read_from(&mut self, file: &File, oversized: &mut u64, to_end: bool) -> io::Result<Read> {
        let meta = file.metadata()?;
        let seen = (meta.len(), meta.mtime(), meta.mtime_nsec());
        if meta.len() < self.offset {
            return Ok(Read::Replaced);
        }
        if self.looked_at == Some(seen) && !to_end {
            return Ok(Read::Nothing);
        }
        for _ in 0..SKIPS_IN_A_ROW_MAX {
            let data = self.window(file, meta.len())?;
            // After the read, so that a truncation in between is seen: what was read is then thrown away.
            if !self.mark.fits(file, self.offset)? {
                return Ok(Read::Replaced);
            }
            if self.is_skipping {
                self.pass_over(file, &data)?;
                if data.is_empty() {
                    self.looked_at = Some(seen);
                    return Ok(Read::Nothing);
                }
                continue;
            }
            match memrchr(b'\n', &data) {
                Some(end) => return self.lines(file, data, end + 1),
                None if data.len() >= RECORD_BYTES_MAX => {
                    *oversized += 1;
                    self.is_skipping = true;
                }
                None if to_end && !data.is_empty() => return self.last_line(file, data),
                None => {
                    self.looked_at = Some(seen);
                    return Ok(Read::Nothing);
                }
            }
        }
        Ok(Read::Nothing)
    }

    /// What follows the place reached in a file that had `len` bytes a moment ago: enough to hold a whole line, if there
    /// is one within the limit.
    fn window(&self, file: &File, len: u64) -> io::Result<Vec<u8>> {
        let left = usize::try_from(len.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let mut data = vec![0; left.min(READ_BYTES)];
        let mut filled = 0;
        loop {
            let at = self
                .offset
                .saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            match file.read_at(data.get_mut(filled..).unwrap_or_default(), at) {
                Ok(0) => break,
                Ok(n) => filled = filled.saturating_add(n).min(data.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if filled == data.len() {
                let is_enough = filled >= RECORD_BYTES_MAX || filled >= left;
                if is_enough || memchr(b'\n', &data).is_some() {
                    break;
                }
                data.resize(RECORD_BYTES_MAX, 0);
            }
        }
        data.truncate(filled);
        Ok(data)
    }

    /// Goes on to the end of the line that is passed over.
    fn pass_over(&mut self, file: &File, data: &[u8]) -> io::Result<()> {
        let end = memchr(b'\n', data);
        self.is_skipping = end.is_none();
        let passed = end.map_or(data.len(), |end| end + 1);
        self.offset = self
            .offset
            .saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
        self.mark = Mark::of(file, self.offset)?;
        Ok(())
    }

    fn lines(&self, file: &File, mut data: Vec<u8>, bytes: usize) -> io::Result<Read> {
        data.truncate(bytes);
        let end = self
            .offset
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let mark = Mark::of(file, end)?;
        let lines = memchr_iter(b'\n', &data).count();
        Ok(Read::Lines(Chunk {
            key: self.key,
            start: self.offset,
            end,
            mark,
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            records: Bytes::from(data),
        }))
    }

    fn last_line(&self, file: &File, mut data: Vec<u8>) -> io::Result<Read> {
        let bytes = data.len();
        data.push(b'\n');
        let end = self
            .offset
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        let mark = Mark::of(file, end)?;
        Ok(Read::Lines(Chunk {
            key: self.key,
            start: self.offset,
            end,
            mark,
            lines: 1,
            records: Bytes::from(data),
        }))
    }
}
