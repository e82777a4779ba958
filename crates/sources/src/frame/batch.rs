//! Many records in one buffer: what goes from thread to thread.

/// Records per batch at most: with the small ones, enough to make a hand-over between threads cheap.
pub(super) const BATCH_RECORDS_MAX: usize = 1024;

/// A batch takes records until it holds this many bytes; so it is at most this and one record large. 256 KiB is about
/// the half of a core's second-level cache, and 400 records of 700 bytes.
pub(super) const BATCH_BYTES: usize = 256 * 1024;

/// The bytes of one record, and where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    /// Line on which the record starts, from 1; for `.evtx` files the event record number.
    pub line: u64,
    /// The record without white space around it. Not necessarily UTF-8, not necessarily well-formed.
    pub bytes: &'a [u8],
}

/// One item of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framed<'a> {
    /// A record.
    Record(RawRecord<'a>),
    /// A record above the size limit was passed over.
    Oversized {
        /// Line on which it starts.
        line: u64,
        /// Its size is at least this.
        bytes: u64,
    },
    /// A record of a binary file could not be read.
    Broken {
        /// Its number, 0 if that is not known.
        line: u64,
        /// What is wrong with it; no content of the record.
        reason: &'a str,
    },
}

/// Records of one input, in its order.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    /// Which input they are of, counted from 0 in the order of the command line.
    pub input: u32,
    data: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    line: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Its bytes are `data[start..end]`.
    Record {
        start: usize,
        end: usize,
    },
    Oversized(u64),
    Broken(Box<str>),
}

impl Batch {
    /// An empty batch of the first input.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch with room for all that it will hold, so that nothing is copied as it grows.
    pub(crate) fn roomy() -> Self {
        Self {
            input: 0,
            data: Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 16),
            entries: Vec::with_capacity(BATCH_RECORDS_MAX),
        }
    }

    /// Forgets the items, keeps the memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.entries.clear();
    }

    /// How many items it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of all its records.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.data.len()
    }

    /// The items in the order of the input.
    pub fn iter(&self) -> impl Iterator<Item = Framed<'_>> {
        self.entries.iter().map(|entry| match &entry.kind {
            Kind::Record { start, end } => Framed::Record(RawRecord {
                line: entry.line,
                bytes: self.data.get(*start..*end).unwrap_or_default(),
            }),
            Kind::Oversized(bytes) => Framed::Oversized {
                line: entry.line,
                bytes: *bytes,
            },
            Kind::Broken(reason) => Framed::Broken {
                line: entry.line,
                reason,
            },
        })
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.data.len() >= BATCH_BYTES || self.entries.len() >= BATCH_RECORDS_MAX
    }

    pub(crate) fn push_record(&mut self, line: u64, bytes: &[u8]) {
        let start = self.data.len();
        self.data.extend_from_slice(bytes);
        let end = self.data.len();
        self.push(line, Kind::Record { start, end });
    }

    pub(crate) fn push_oversized(&mut self, line: u64, bytes: u64) {
        self.push(line, Kind::Oversized(bytes));
    }

    pub(crate) fn push_broken(&mut self, line: u64, reason: String) {
        self.push(line, Kind::Broken(reason.into_boxed_str()));
    }

    fn push(&mut self, line: u64, kind: Kind) {
        self.entries.push(Entry { line, kind });
    }
}
