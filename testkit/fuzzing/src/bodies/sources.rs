//! Bytes to records: decompression and framing.

use habitus_sources::decompress::Decompressed;
use habitus_sources::{Batch, Framed, Framer, Limits};
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The input cut into records: the same ones whether it comes at once or in small pieces.
pub fn framing(bytes: &[u8]) {
    let limits = Limits {
        // Small, so that mutations reach it.
        record_bytes_max: 64 * 1024,
        ..Limits::untrusted()
    };
    let whole = framed(bytes, &limits);
    let rest = bytes;
    let pieces = framed(Pieces { rest, size: 7 }, &limits);
    assert!(whole == pieces, "records depend on how the bytes arrive");
    let total: usize = whole.iter().map(|(_, record)| record.len()).sum();
    assert!(total <= bytes.len(), "framing made bytes up");
    assert!(
        whole
            .iter()
            .all(|(_, record)| record.len() <= limits.record_bytes_max)
    );
    let lines = whole.iter().map(|(line, _)| *line);
    assert!(
        lines.is_sorted(),
        "records come in another order than their lines"
    );
}

/// Line and bytes of each record; an oversized or broken one has no bytes.
fn framed(reader: impl Read, limits: &Limits) -> Vec<(u64, Vec<u8>)> {
    let mut framer = Framer::new("fuzz", reader, limits);
    let mut batch = Batch::new();
    let mut records = Vec::new();
    while framer.fill(&mut batch).unwrap_or(false) {
        records.extend(batch.iter().map(|item| match item {
            Framed::Record(record) => (record.line, record.bytes.to_vec()),
            Framed::Oversized { line, .. } | Framed::Broken { line, .. } => (line, Vec::new()),
        }));
    }
    records
}

/// A reader that gives a few bytes at a time.
struct Pieces<'a> {
    rest: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.size.min(into.len());
        let (mut piece, rest) = self.rest.split_at(most.min(self.rest.len()));
        self.rest = rest;
        piece.read(into)
    }
}

/// Compressed input under the limits for bodies from a network: what comes out is bounded.
pub fn decompress(bytes: &[u8]) {
    let limits = Limits::untrusted();
    let reader = Box::new(Cursor::new(bytes.to_vec()));
    let Ok(mut decoded) = Decompressed::new("fuzz", reader, &limits, Arc::new(AtomicU64::new(0))) else {
        return;
    };
    let mut block = vec![0; 64 * 1024];
    let mut total = 0_u64;
    loop {
        match decoded.read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(read) => total += u64::try_from(read).unwrap_or(u64::MAX),
        }
    }
    let output_bytes_max = limits.output_bytes_max.unwrap_or(u64::MAX);
    assert!(total <= output_bytes_max, "more came out than the limit allows");
}
