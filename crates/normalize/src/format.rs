//! What a log format must do: recognise a record, and read it.

use crate::json::Json;
use crate::limits::Limits;
use habitus_model::hash::content_digest;
use habitus_model::{Event, EventTime, EventUid, Rejection, Text, UtcOffset};

/// One record, as far as every format shares its reading.
#[derive(Debug, Clone, Copy)]
pub enum Record<'a> {
    /// A JSON object, parsed under the limits.
    Json(&'a Json<'a>),
    /// Anything else that is valid UTF-8: a syslog line, an XML event. Trimmed of surrounding white space.
    Text(&'a str),
}

/// How sure a format is that a record is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recognition {
    /// Not ours.
    No,
    /// It could be; another format that is surer wins.
    Likely,
    /// It bears our marks.
    Certain,
}

/// One log format: one file in `formats/`, one line in its list, fixtures in `fixtures/formats/<name>/`.
pub trait Format: Sync {
    /// The name that `--format`, metrics, configuration and fixtures use; snake case.
    fn name(&self) -> &'static str;

    /// Whether the record is of this format, by content alone. Cheap: looks at a few members or the first words.
    fn recognise(&self, record: &Record<'_>) -> Recognition;

    /// Reads a record into events, appended to `out`. No event and no error means: understood, and no business of
    /// identity.
    ///
    /// # Errors
    /// A [`Rejection`] that names the field and what it should be. `out` is then as it was before.
    fn read(&self, record: &Record<'_>, reading: &Reading<'_>, out: &mut Vec<Event>)
    -> Result<(), Rejection>;
}

/// What the edge tells the reader about its input: facts that are not in the records.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Limits on hostile records.
    pub limits: Limits,
    /// The latest time the records can be from, for stamps without a year and records without a stamp: a file's
    /// modification time, or the time of ingest. Absent: such records are rejected.
    pub reference_time: Option<EventTime>,
    /// Time zone of stamps that name none. UTC unless configured.
    pub utc_offset: UtcOffset,
    /// Keep attributes that have no place in [`Event`], for `habitus normalize`. Scoring does not need them.
    pub keep_unmapped: bool,
}

/// One record's surroundings while it is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The input's options.
    pub options: &'a Options,
    /// The record's bytes, for ids of records that have none.
    pub raw: &'a [u8],
    /// Line the record starts on, from 1; the record number for binary files.
    pub line: u64,
}

impl Reading<'_> {
    /// The event's id: the source's own where it has one, else one derived from the record's bytes and line, so that
    /// the same file gives the same ids and two equal lines are two events.
    #[must_use]
    pub fn uid(&self, own: Option<&str>) -> EventUid {
        match own {
            Some(own) => EventUid::new(own),
            None => {
                let digest = content_digest(self.raw);
                EventUid::new(Text::from(format!(
                    "{}-{}",
                    digest.get(..16).unwrap_or(&digest),
                    self.line
                )))
            }
        }
    }
}
