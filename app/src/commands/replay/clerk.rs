//! The clerk of a shard: writes its verdicts, and keeps what findings, summary and report will want to see.

use crate::failure::Failure;
use crate::findings::Grouping;
use crate::verdict;
use habitus_engine::{Clerk, Judged, Learning, Record, Words};
use habitus_model::{Assessment, RiskLevel, RiskScore};

/// Which verdicts are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Written {
    /// None.
    None,
    /// Those of at least this score, and those on probes.
    From(f64),
    /// All.
    All,
}

/// Takes note for one shard.
pub struct ShardClerk {
    number: usize,
    written: Written,
    grouping: Grouping,
    writer: verdict::Writer,
    /// Lines of the batch that runs.
    lines: Vec<u8>,
    /// The score below which no event is among the highest; absent while there is room.
    outdone_below: Option<f64>,
}

/// What is noted of one event.
#[derive(Debug)]
pub struct Note {
    /// Number of the clerk.
    pub clerk: usize,
    /// Bytes of its verdict's line, line feed included; 0 if none is written.
    pub line_bytes: usize,
    /// Its level.
    pub level: RiskLevel,
    /// The whole assessment, if it may be of a finding or among the highest.
    pub kept: Option<Box<Assessment>>,
}

impl ShardClerk {
    /// The clerk of a shard; `grouping` tells what belongs to findings.
    pub fn new(number: usize, written: Written, grouping: Grouping) -> Self {
        Self {
            number,
            written,
            grouping,
            writer: verdict::Writer::default(),
            lines: Vec::new(),
            outdone_below: None,
        }
    }

    /// Says below which score no event can be among the highest any more.
    pub fn raise(&mut self, outdone_below: Option<f64>) {
        self.outdone_below = outdone_below;
    }

    /// Lines written since they were cleared.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// Forgets the lines, keeps their memory.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    fn writes(&self, record: &Record, score: RiskScore) -> bool {
        match self.written {
            Written::None => false,
            Written::From(from) => score.get() >= from || record.learning == Learning::Probe,
            Written::All => true,
        }
    }

    fn keeps(&self, record: &Record, score: RiskScore) -> bool {
        let highest = self.outdone_below.is_none_or(|below| score.get() >= below);
        let shown = highest && record.learning == Learning::Learn && record.context.account.is_some();
        shown || self.grouping.wants(record.learning, score)
    }
}

impl Clerk for ShardClerk {
    type Note = Note;

    fn reads_all(&self) -> Words {
        match self.written {
            Written::All => Words::Wanted,
            Written::None | Written::From(_) => Words::Spared,
        }
    }

    fn reads(&self, record: &Record, score: RiskScore) -> bool {
        self.writes(record, score) || self.keeps(record, score)
    }

    fn note(&mut self, record: &Record, judged: Judged) -> Note {
        let before = self.lines.len();
        if self.writes(record, judged.score) {
            self.writer.line(record, (&judged).into(), &mut self.lines);
        }
        Note {
            clerk: self.number,
            line_bytes: self.lines.len() - before,
            level: judged.level,
            kept: self
                .keeps(record, judged.score)
                .then(|| Box::new(judged.assessment(record))),
        }
    }
}

/// The lines of all clerks in the order of the events.
///
/// # Errors
/// What `write` gives.
pub fn in_order(
    notes: &[Note],
    clerks: &[ShardClerk],
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let [clerk] = clerks {
        return write(clerk.lines());
    }
    let mut rest: Vec<&[u8]> = clerks.iter().map(ShardClerk::lines).collect();
    for note in notes.iter().filter(|note| note.line_bytes > 0) {
        let Some(lines) = rest.get_mut(note.clerk) else {
            continue;
        };
        let Some((line, later)) = lines.split_at_checked(note.line_bytes) else {
            continue;
        };
        write(line)?;
        *lines = later;
    }
    Ok(())
}
