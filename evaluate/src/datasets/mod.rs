//! Public data sets in their documented layouts, so that anyone who has the files reproduces the published protocols.
//!
//! Adding one: a file here with an `open`, and a line in [`DATASETS`]. Files are read row by row; what is not understood is
//! an error that names line and field, because a data set that is only partly read measures nothing.

mod cert;
mod clue;
mod date;
mod lanl;
mod rba;

use habitus_model::{Activity, Event};
use habitus_model::{EventTime, EventUid, SourceName};
use habitus_sim::{Label, Labelled, Planted, ScenarioKind};
use std::io::Read;
use thiserror::Error;

/// Why a data set cannot be read.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// A file is missing that the data set cannot do without.
    #[error("`{0}` is missing: {1}")]
    Missing(&'static str, &'static str),
    /// A line is not as documented.
    #[error("line {line} of `{file}`: `{field}` is not as documented")]
    Row {
        /// The file's name.
        file: String,
        /// Counted from 1, the heading included.
        line: u64,
        /// The column.
        field: &'static str,
    },
    /// A file cannot be read.
    #[error("`{file}`: {error}")]
    Io {
        /// The file's name.
        file: String,
        /// What the system said.
        error: std::io::Error,
    },
}

/// One file of a data set.
pub struct Input {
    /// Its name without directories; tells what it is.
    pub name: String,
    /// Its bytes, decompressed.
    pub bytes: Box<dyn Read>,
}

/// Rows as events with the truth, in order of time.
pub type Rows = Box<dyn Iterator<Item = Result<Labelled, DatasetError>>>;

/// A data set.
#[derive(Debug, Clone, Copy)]
pub struct Dataset {
    /// Its name on the command line.
    pub name: &'static str,
    /// Which files it takes.
    pub files: &'static str,
    /// Opens its files.
    pub open: fn(Vec<Input>) -> Result<Rows, DatasetError>,
}

/// Every data set.
pub const DATASETS: [Dataset; 4] = [
    Dataset {
        name: "cert",
        files: "logon.csv device.csv file.csv http.csv insiders.csv (r4.2)",
        open: cert::open,
    },
    Dataset {
        name: "clue",
        files: "clue.json",
        open: clue::open,
    },
    Dataset {
        name: "lanl",
        files: "auth.txt redteam.txt (2015)",
        open: lanl::open,
    },
    Dataset {
        name: "rba",
        files: "rba-dataset.csv",
        open: rba::open,
    },
];

/// The fields of a line, with the place for errors.
struct Line<'a> {
    file: &'a str,
    line: u64,
    fields: &'a [&'a str],
}

impl<'a> Line<'a> {
    /// A field that must be there.
    fn get(&self, at: usize, field: &'static str) -> Result<&'a str, DatasetError> {
        self.fields.get(at).copied().ok_or_else(|| self.wrong(field))
    }

    fn wrong(&self, field: &'static str) -> DatasetError {
        DatasetError::Row {
            file: self.file.to_owned(),
            line: self.line,
            field,
        }
    }

    /// An event at a time, numbered by its line.
    fn event(
        &self,
        ms: Option<i64>,
        (source, activity, action): (&str, Activity, &str),
    ) -> Result<Event, DatasetError> {
        let time = ms
            .and_then(EventTime::from_millis)
            .ok_or_else(|| self.wrong("time"))?;
        let uid = format!("{}:{}", self.file, self.line);
        Ok(Event::new(
            EventUid::new(uid),
            time,
            SourceName::new(source),
            activity,
            action,
        ))
    }
}

/// The attacks of a data set: one number each.
fn attack(kind: ScenarioKind, campaign: usize) -> Label {
    Label::Scenario(Planted {
        kind,
        campaign: u32::try_from(campaign).unwrap_or(u32::MAX),
    })
}

/// The file whose name begins so.
fn take(inputs: &mut Vec<Input>, name: &'static str, why: &'static str) -> Result<Input, DatasetError> {
    let found = inputs.iter().position(|input| input.name.starts_with(name));
    found
        .map(|at| inputs.swap_remove(at))
        .ok_or(DatasetError::Missing(name, why))
}

/// The rows of a CSV file with a heading, each given to `read` with the file's name and the line.
fn csv_rows(input: Input, read: impl Fn(&Line<'_>) -> Result<Labelled, DatasetError> + 'static) -> Rows {
    let Input { name, bytes } = input;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    Box::new(std::iter::from_fn(move || {
        match reader.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let fields: Vec<&str> = record.iter().collect();
                let line = record.position().map_or(0, csv::Position::line);
                Some(read(&Line {
                    file: &name,
                    line,
                    fields: &fields,
                }))
            }
            Err(error) => Some(Err(DatasetError::Io {
                file: name.clone(),
                error: std::io::Error::other(error.to_string()),
            })),
        }
    }))
}

/// Several files that are each in order of time, as one.
fn merged(files: Vec<Rows>) -> Rows {
    let mut files: Vec<_> = files.into_iter().map(Iterator::peekable).collect();
    Box::new(std::iter::from_fn(move || {
        let time = |row: &Result<Labelled, DatasetError>| {
            row.as_ref().map_or(i64::MIN, |row| row.event.time.as_millis())
        };
        let heads = files
            .iter_mut()
            .enumerate()
            .filter_map(|(at, rows)| Some((rows.peek().map(time)?, at)));
        let (_, first) = heads.min()?;
        files.get_mut(first)?.next()
    }))
}
