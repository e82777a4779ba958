//! A moving window over the input: what is read and not yet framed.

use std::io::{self, ErrorKind, Read};

/// How much is asked of the reader at once. Measured: 64 KiB to 1 MiB make no difference beyond noise.
const BLOCK_BYTES: usize = 256 * 1024;

/// Unframed bytes, contiguous, growing at the end and shrinking at the front.
pub(super) struct Window<R> {
    reader: R,
    /// Always initialised to its full length; the window is `start..end`.
    data: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            data: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
        }
    }

    /// The bytes at hand.
    pub(super) fn bytes(&self) -> &[u8] {
        self.data.get(self.start..self.end).unwrap_or_default()
    }

    /// Gives up the first `n` bytes.
    pub(super) fn consume(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
    }

    /// Reads more; false at the end of input. Memory: the bytes at hand, doubled at most, plus one block.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.make_room();
        loop {
            let room = self.data.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(n) => {
                    self.end = self.end.saturating_add(n).min(self.data.len());
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether at least `n` bytes are at hand, reading as needed; false only near the end of input.
    pub(super) fn ensure(&mut self, n: usize) -> io::Result<bool> {
        while self.bytes().len() < n {
            if !self.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn make_room(&mut self) {
        if self.data.len().saturating_sub(self.end) >= BLOCK_BYTES / 2 {
            return;
        }
        if self.start >= BLOCK_BYTES / 2 || self.start == self.end {
            self.data.copy_within(self.start..self.end, 0);
            self.end = self.end.saturating_sub(self.start);
            self.start = 0;
        }
        if self.data.len().saturating_sub(self.end) < BLOCK_BYTES / 2 {
            let grown = self
                .data
                .len()
                .saturating_add(BLOCK_BYTES.max(self.data.len() / 2));
            self.data.resize(grown, 0);
        }
    }
}
