//! Puts items in order of time in bounded memory: an external merge sort.
//!
//! Items are collected until the memory limit is met, sorted and written to an unlinked temporary file as a run; 64 runs
//! of one tier are merged into one of the next, so that the number of open files stays below `64 × tiers` and each item
//! is written once per tier. At the end all runs are merged while they are read. What fits in memory never touches the disk.
//! Equal keys keep the order in which they were pushed.

mod merge;
mod run;

use crate::Error;
use merge::Merge;
use run::{Run, RunReader, RunWriter};
use std::path::{Path, PathBuf};

/// Runs merged at once. Each holds one block in memory: 64 × 64 KiB = 4 MiB with ordinary records.
const FAN_IN_MAX: usize = 64;

/// Largest item; bounded so that a damaged length in a temporary file cannot ask for more.
pub const ITEM_BYTES_MAX: usize = 64 << 20;

/// Item bytes are kept in pieces of this size, so that growing copies nothing.
const PIECE_BYTES: usize = 1 << 20;

/// What items are ordered by: time, then input, then place in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey {
    /// Event time in milliseconds since the Unix epoch; may be negative.
    pub time: i64,
    /// The input's number, in the order of the command line.
    pub file: u32,
    /// Line, or record number, in the input.
    pub line: u64,
}

/// Collects items, then gives them in order.
pub struct Sorter {
    memory_bytes_max: usize,
    dir: PathBuf,
    pieces: Vec<Vec<u8>>,
    /// Capacity of all pieces.
    piece_bytes: usize,
    entries: Vec<Entry>,
    /// Runs on disk, in the order of their pushing; tiers never grow from front to back.
    runs: Vec<(u32, Run)>,
    items: u64,
}

/// An item in memory. Place in memory is order of pushing, so it breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: SortKey,
    piece: u32,
    start: u32,
    len: u32,
}

impl Sorter {
    /// A sorter that uses about `memory_bytes_max` bytes for items before it writes to `temp_dir`. Merging adds one block
    /// for each run, at most 64.
    #[must_use]
    pub fn new(memory_bytes_max: usize, temp_dir: &Path) -> Self {
        Self {
            memory_bytes_max,
            dir: temp_dir.to_owned(),
            pieces: Vec::new(),
            piece_bytes: 0,
            entries: Vec::new(),
            runs: Vec::new(),
            items: 0,
        }
    }

    /// Adds an item. Amortised O(log n), with the writing.
    ///
    /// # Errors
    /// The temporary directory cannot be used ([`Error::Temporary`]); an item above [`ITEM_BYTES_MAX`].
    pub fn push(&mut self, key: SortKey, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > ITEM_BYTES_MAX {
            return Err(Error::TooLargeToSort {
                bytes: bytes.len(),
                bytes_max: ITEM_BYTES_MAX,
            });
        }
        if !self.entries.is_empty() && self.memory_with(bytes.len()) > self.memory_bytes_max {
            self.spill()?;
        }
        self.keep(key, bytes);
        self.items = self.items.saturating_add(1);
        Ok(())
    }

    /// How many items were pushed.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.items
    }

    /// Whether none was.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// Whether anything was written to disk.
    #[must_use]
    pub const fn spilled(&self) -> bool {
        !self.runs.is_empty()
    }

    /// The items in order.
    ///
    /// # Errors
    /// The temporary directory cannot be used, or its files come back damaged.
    pub fn finish(mut self) -> Result<Sorted, Error> {
        self.entries.sort_unstable();
        // Runs later in the list are the smaller ones: merging from the end moves the fewest bytes.
        while self.runs.len() >= FAN_IN_MAX {
            let excess = self.runs.len() - FAN_IN_MAX + 2;
            self.merge_last(excess.min(FAN_IN_MAX))?;
        }
        let runs = self.runs.into_iter().map(|(_, run)| run);
        let merge = Merge::new(runs.map(|run| RunReader::new(run, &self.dir)))?;
        Ok(Sorted {
            merge,
            memory: Memory {
                pieces: self.pieces,
                entries: self.entries,
                next: 0,
            },
        })
    }

    /// Memory in use if an item of `bytes` more came; what the vectors really hold, not only what is used of it.
    fn memory_with(&self, bytes: usize) -> usize {
        let room = self
            .pieces
            .last()
            .map_or(0, |piece| piece.capacity() - piece.len());
        let grown = if bytes > room { bytes.max(PIECE_BYTES) } else { 0 };
        let entries = if self.entries.len() == self.entries.capacity() {
            self.entries.capacity().saturating_mul(2)
        } else {
            self.entries.capacity()
        };
        self.piece_bytes
            .saturating_add(grown)
            .saturating_add(entries.saturating_mul(size_of::<Entry>()))
    }

    fn keep(&mut self, key: SortKey, bytes: &[u8]) {
        let fits = |piece: &Vec<u8>| piece.capacity() - piece.len() >= bytes.len();
        if !self.pieces.last().is_some_and(fits) {
            // Small limits get small pieces, so that the limit means something.
            let size = PIECE_BYTES.min(self.memory_bytes_max).max(bytes.len());
            let piece = Vec::with_capacity(size);
            self.piece_bytes = self.piece_bytes.saturating_add(piece.capacity());
            self.pieces.push(piece);
        }
        let piece = self.pieces.len().saturating_sub(1);
        let Some(last) = self.pieces.last_mut() else {
            return;
        };
        let start = last.len();
        last.extend_from_slice(bytes);
        // Pieces hold at most ITEM_BYTES_MAX bytes each, and 2^32 of them do not fit in memory.
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            key,
            piece: narrow(piece),
            start: narrow(start),
            len: narrow(bytes.len()),
        });
    }

    /// Writes what is in memory as a run of the lowest tier, and merges full tiers.
    fn spill(&mut self) -> Result<(), Error> {
        self.entries.sort_unstable();
        let mut writer = RunWriter::create(&self.dir)?;
        for entry in &self.entries {
            writer.push(entry.key, bytes_of(&self.pieces, *entry))?;
        }
        self.entries.clear();
        self.pieces.clear();
        self.piece_bytes = 0;
        self.runs.push((0, writer.finish()?));
        while let Some((tier, _)) = self.runs.last() {
            let same = self.runs.iter().rev().take_while(|(t, _)| t == tier).count();
            if same < FAN_IN_MAX {
                break;
            }
            self.merge_last(same)?;
        }
        Ok(())
    }

    /// Replaces the last `n` runs by one of the next tier.
    fn merge_last(&mut self, n: usize) -> Result<(), Error> {
        let last = self.runs.split_off(self.runs.len().saturating_sub(n));
        let tier = last
            .iter()
            .map(|(tier, _)| *tier)
            .max()
            .unwrap_or(0)
            .saturating_add(1);
        let mut merge = Merge::new(last.into_iter().map(|(_, run)| RunReader::new(run, &self.dir)))?;
        let mut writer = RunWriter::create(&self.dir)?;
        while let Some((key, bytes)) = merge.head() {
            writer.push(key, bytes)?;
            merge.advance()?;
        }
        self.runs.push((tier, writer.finish()?));
        Ok(())
    }
}

/// The items of a [`Sorter`], in order. As an iterator it gives each item its own vector;
/// [`Sorted::next_into`] does without.
pub struct Sorted {
    merge: Merge,
    memory: Memory,
}

/// The run that never left memory: pushed last, so it comes after runs on disk with equal keys.
struct Memory {
    pieces: Vec<Vec<u8>>,
    entries: Vec<Entry>,
    next: usize,
}

impl Sorted {
    /// Puts the next item's bytes into `bytes`, replacing what is there, and gives its key; absent at the end.
    ///
    /// # Errors
    /// A temporary file cannot be read or comes back damaged.
    pub fn next_into(&mut self, bytes: &mut Vec<u8>) -> Result<Option<SortKey>, Error> {
        let entry = self.memory.entries.get(self.memory.next).copied();
        bytes.clear();
        match (self.merge.head(), entry) {
            (Some((key, head)), entry) if entry.is_none_or(|entry| key <= entry.key) => {
                bytes.extend_from_slice(head);
                self.merge.advance()?;
                Ok(Some(key))
            }
            (_, Some(entry)) => {
                bytes.extend_from_slice(bytes_of(&self.memory.pieces, entry));
                self.memory.next += 1;
                Ok(Some(entry.key))
            }
            (_, None) => Ok(None),
        }
    }
}

impl Iterator for Sorted {
    type Item = Result<(SortKey, Vec<u8>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        match self.next_into(&mut bytes) {
            Ok(key) => key.map(|key| Ok((key, bytes))),
            Err(error) => Some(Err(error)),
        }
    }
}

fn bytes_of(pieces: &[Vec<u8>], entry: Entry) -> &[u8] {
    let widen = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let start = widen(entry.start);
    pieces
        .get(widen(entry.piece))
        .and_then(|piece| piece.get(start..start.saturating_add(widen(entry.len))))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
