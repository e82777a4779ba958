//! Windows event log files (`.evtx`), each record rendered as the XML that Windows itself shows.
//!
//! XML and not JSON: the crate's XML follows Windows' own rendering, which is a documented format with other writers
//! (`wevtutil`, event forwarding), so the Windows reader needs one more reader less; its JSON is an invention of the
//! crate (attributes in `#attributes`, repeated `Data` folded) that changed between versions.
//!
//! A record's number is the one in its header, the file's own numbering; in exported logs `EventRecordID` inside the XML
//! is that of the log it was exported from.
//!
//! Chunks are read one by one in record order; a damaged chunk or record becomes [`Framed::Broken`](crate::Framed) and
//! the rest goes on. The crate limits depth and output per record (16 MiB) and chunk (64 MiB); the limits here are lower.
//! It runs on the calling thread. A panic in it is caught and costs the chunk: none is known, but the file comes from
//! outside and the format is a maze of offsets.

use crate::input::Progress;
use crate::{Batch, Error, Limits};
use evtx::err::EvtxError;
use evtx::{EvtxChunkData, EvtxParser, IntoIterChunks, ParserSettings};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// Size of a chunk on disk.
const CHUNK_BYTES: u64 = 64 * 1024;

/// Rendered bytes kept of one chunk. The crate's authors measured 234 KB at most in real files; a crafted chunk can
/// render to hundreds of times its size, and loses the records above this.
const CHUNK_RENDERED_BYTES_MAX: usize = 8 << 20;

/// How much of the crate's explanation of an error is kept.
const REASON_CHARS_MAX: usize = 300;

/// Reads the records of one file.
pub struct EvtxRecords {
    input: String,
    chunks: IntoIterChunks<BufReader<File>>,
    settings: Arc<ParserSettings>,
    record_bytes_max: usize,
    progress: Option<Progress>,
    /// What was rendered of the current chunk and is not yet given out.
    pending: VecDeque<Rendered>,
    ended: bool,
}

enum Rendered {
    Record { number: u64, bytes: Vec<u8> },
    Oversized { number: u64, bytes: usize },
    Broken { number: u64, reason: String },
}

impl EvtxRecords {
    /// Reads an `.evtx` file; `input` names it in errors.
    ///
    /// # Errors
    /// The file header is unreadable.
    pub fn new(input: &str, file: File, limits: &Limits) -> Result<Self, Error> {
        let broken = |reason: String| Error::Evtx {
            input: input.to_owned(),
            reason,
        };
        let opened = catch_unwind(AssertUnwindSafe(|| {
            EvtxParser::from_read_seek(BufReader::new(file)).map(EvtxParser::into_chunks)
        }));
        let chunks = opened
            .map_err(|_| broken("its header makes the parser panic".to_owned()))?
            .map_err(|error| broken(explain(&error)))?;
        Ok(Self {
            input: input.to_owned(),
            chunks,
            settings: Arc::new(ParserSettings::new().indent(false).validate_checksums(false)),
            record_bytes_max: limits.record_bytes_max,
            progress: None,
            pending: VecDeque::new(),
            ended: false,
        })
    }

    /// Reads `.evtx` data that cannot be sought in (compressed, from a pipe), by way of an unlinked temporary file in
    /// `temp_dir`.
    ///
    /// # Errors
    /// Reading, the temporary file, or an unreadable header.
    pub fn spooled(
        input: &str,
        mut reader: impl Read,
        temp_dir: &Path,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let temporary = |source| Error::temporary(temp_dir, source);
        let mut file = tempfile::tempfile_in(temp_dir).map_err(temporary)?;
        copy(input, &mut reader, (&mut file, temp_dir))?;
        file.seek(SeekFrom::Start(0)).map_err(temporary)?;
        Self::new(input, file, limits)
    }

    /// Counts the bytes read from the file in `progress`.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The file's name, as errors show it.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Replaces the items of `batch` by the next ones; false at the end. Damage is an item, never an error.
    pub fn fill(&mut self, batch: &mut Batch) -> bool {
        batch.clear();
        while !batch.is_full() {
            if self.pending.is_empty() {
                if self.ended {
                    break;
                }
                self.next_chunk();
            }
            match self.pending.pop_front() {
                Some(Rendered::Record { number, bytes }) => batch.push_record(number, &bytes),
                Some(Rendered::Oversized { number, bytes }) => {
                    batch.push_oversized(number, u64::try_from(bytes).unwrap_or(u64::MAX));
                }
                Some(Rendered::Broken { number, reason }) => batch.push_broken(number, reason),
                None => {}
            }
        }
        !batch.is_empty()
    }

    /// Renders the next chunk, or notes the end of the file.
    fn next_chunk(&mut self) {
        let next = catch_unwind(AssertUnwindSafe(|| self.chunks.next()));
        if let Some(progress) = &self.progress {
            progress.add(CHUNK_BYTES);
        }
        match next {
            Ok(None) => self.ended = true,
            Ok(Some(Ok(mut chunk))) => self.render(&mut chunk),
            Ok(Some(Err(error))) => self.broken(0, explain(&error)),
            Err(_) => {
                // Whether the walk over chunks moved on is not known; going on could loop for ever.
                self.broken(
                    0,
                    "the parser panicked between chunks; the rest of the file is lost".to_owned(),
                );
                self.ended = true;
            }
        }
    }

    fn render(&mut self, chunk: &mut EvtxChunkData) {
        let settings = Arc::clone(&self.settings);
        let limit = self.record_bytes_max;
        let pending = &mut self.pending;
        let rendered = catch_unwind(AssertUnwindSafe(|| render_chunk(chunk, settings, limit, pending)));
        match rendered {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => self.broken(0, reason),
            Err(_) => self.broken(0, "the parser panicked; the rest of a chunk is lost".to_owned()),
        }
    }

    fn broken(&mut self, number: u64, reason: String) {
        self.pending.push_back(Rendered::Broken { number, reason });
    }
}

/// Renders the records of `chunk` into `pending`; the error is about the chunk.
fn render_chunk(
    chunk: &mut EvtxChunkData,
    settings: Arc<ParserSettings>,
    record_bytes_max: usize,
    pending: &mut VecDeque<Rendered>,
) -> Result<(), String> {
    let mut parsed = chunk.parse(settings).map_err(|error| explain(&error))?;
    let mut kept = 0_usize;
    for record in parsed.iter() {
        let rendered = match record.and_then(evtx::EvtxRecord::into_xml_bytes) {
            Ok(record) if record.data.len() > record_bytes_max => Rendered::Oversized {
                number: record.event_record_id,
                bytes: record.data.len(),
            },
            Ok(record) => Rendered::Record {
                number: record.event_record_id,
                bytes: element(record.data),
            },
            Err(error) => Rendered::Broken {
                number: number(&error),
                reason: explain(&error),
            },
        };
        if let Rendered::Record { bytes, .. } = &rendered {
            kept = kept.saturating_add(bytes.len());
            if kept > CHUNK_RENDERED_BYTES_MAX {
                return Err(format!(
                    "a chunk renders to more than {CHUNK_RENDERED_BYTES_MAX} bytes; its further records are lost"
                ));
            }
        }
        pending.push_back(rendered);
    }
    Ok(())
}

/// The `<Event>` element without the XML declaration that the crate puts in front of it.
fn element(mut xml: Vec<u8>) -> Vec<u8> {
    if xml.starts_with(b"<?xml")
        && let Some(end) = memchr::memmem::find(&xml, b"?>")
    {
        xml.drain(..end + 2);
    }
    let ink = xml.trim_ascii().len();
    let blank = xml.len().saturating_sub(xml.trim_ascii_start().len());
    xml.drain(..blank);
    xml.truncate(ink);
    xml
}

fn number(error: &EvtxError) -> u64 {
    match error {
        EvtxError::FailedToParseRecord { record_id, .. } => *record_id,
        _ => 0,
    }
}

/// The error and its causes on one line, without line breaks and cut to a bounded length. The crate's messages speak of
/// offsets and tokens, not of what records say.
fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(REASON_CHARS_MAX)
        .collect()
}

/// Copies all of `reader`, telling trouble on either side apart.
fn copy(input: &str, reader: &mut impl Read, to: (&mut File, &Path)) -> Result<(), Error> {
    let (file, dir) = to;
    let mut block = vec![0; 64 * 1024];
    loop {
        let n = match reader.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(Error::from_read(input, source)),
        };
        io::Write::write_all(file, block.get(..n).unwrap_or_default())
            .map_err(|source| Error::temporary(dir, source))?;
    }
}

#[cfg(test)]
mod tests;
