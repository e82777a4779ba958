//! What to read, how, and with what: made once from flags and configuration.

use crate::cli::{Ordering, Reading};
use crate::config::{Config, Depth, Loaded, load};
use crate::failure::{Failure, Trouble};
use crate::terminal::Talk;
use habitus_engine::Learning;
use habitus_enrich::Tables;
use habitus_model::EventTime;
use habitus_normalize::{FormatChoice, Normalizer, Options};
use habitus_sources::{Batches, Limits, Location, Progress, Settings, input};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything reading needs to know.
pub struct Plan {
    /// The configuration.
    pub loaded: Loaded,
    /// Tables of addresses and clients.
    pub tables: Arc<Tables>,
    /// The inputs in the order of the command line: events, then probes.
    pub inputs: Vec<Location>,
    /// How many of the inputs are events.
    events: usize,
    /// Threads, at least 1.
    pub threads: usize,
    /// Memory for putting events in order.
    pub memory_bytes: usize,
    /// Directory of temporary files.
    pub temp_dir: PathBuf,
    /// How far reading has come.
    pub progress: Progress,
    /// Where talk goes.
    pub talk: Talk,
    choice: FormatChoice,
    keep_unmapped: bool,
}

impl Plan {
    /// From what was asked.
    ///
    /// # Errors
    /// A configuration that does not hold, a format that does not exist, an input that is not there.
    pub fn new(reading: &Reading, ordering: Option<&Ordering>, talk: Talk) -> Result<Self, Failure> {
        let mut loaded = load(reading.config.as_deref())?;
        let tables = loaded.tables(Depth::Usable)?;
        let config = &mut loaded.config;
        merge(config, reading, ordering);
        let choice = config.formats.default.parse::<FormatChoice>();
        let choice = choice.map_err(|error| Failure::new(Trouble::Usage, error.to_string()))?;
        let threads = config.replay.threads.map_or_else(cores, usize::from);
        let memory_bytes = config.replay.memory.0.as_usize();
        let temp_dir = config.replay.temp_dir.clone().unwrap_or_else(std::env::temp_dir);
        Ok(Self {
            loaded,
            tables: Arc::new(tables),
            inputs: Vec::new(),
            events: 0,
            threads,
            memory_bytes,
            temp_dir,
            progress: Progress::new(),
            talk,
            choice,
            keep_unmapped: false,
        })
    }

    /// With inputs: events, and probes beside them.
    ///
    /// # Errors
    /// A path that is not there, `-` twice.
    pub fn inputs(mut self, events: &[PathBuf], probes: &[PathBuf]) -> Result<Self, Failure> {
        if events
            .iter()
            .chain(probes)
            .filter(|path| *path == Path::new("-"))
            .count()
            > 1
        {
            return Err(habitus_sources::Error::StdinTwice.into());
        }
        self.inputs = input::resolve(events)?;
        self.events = self.inputs.len();
        self.inputs.extend(input::resolve(probes)?);
        Ok(self)
    }

    /// Attributes without a place in an event are kept.
    pub fn keeping_unmapped(mut self) -> Self {
        self.keep_unmapped = true;
        self
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.loaded.config
    }

    /// Whether events of an input may be learned.
    pub fn learning(&self, input: u32) -> Learning {
        let index = usize::try_from(input).unwrap_or(usize::MAX);
        if index < self.events {
            Learning::Learn
        } else {
            Learning::Probe
        }
    }

    /// The records of all inputs.
    pub fn batches(&self) -> Batches {
        let record_bytes_max = self.config().limits.record_bytes_max;
        let settings = Settings {
            limits: Limits {
                record_bytes_max,
                ..Limits::local()
            },
            temp_dir: self.temp_dir.clone(),
            progress: self.progress.clone(),
        };
        Batches::new(self.inputs.clone(), settings)
    }

    /// One normalizer for each input: they differ in the time that stamps without a year refer to.
    pub fn normalizers(&self) -> Vec<Normalizer> {
        let formats = &self.config().formats;
        let year_end = formats.assume_year.and_then(end_of_year);
        let normalizer = |location: &Location| {
            let options = Options {
                limits: self.config().limits,
                reference_time: year_end.or_else(|| written_at(location)),
                utc_offset: formats.utc_offset,
                keep_unmapped: self.keep_unmapped,
            };
            Normalizer::new(self.choice, options)
        };
        self.inputs.iter().map(normalizer).collect()
    }

    /// The name of an input, for people.
    pub fn input_name(&self, input: u32) -> String {
        let location = usize::try_from(input)
            .ok()
            .and_then(|index| self.inputs.get(index));
        location.map_or_else(|| "input".to_owned(), Location::name)
    }

    /// Bytes of all inputs, if known.
    pub fn total_bytes(&self) -> Option<u64> {
        input::total_bytes(&self.inputs)
    }
}

/// Flags over file.
fn merge(config: &mut Config, reading: &Reading, ordering: Option<&Ordering>) {
    if let Some(format) = &reading.format {
        config.formats.default.clone_from(format);
    }
    config.formats.assume_year = reading.assume_year.or(config.formats.assume_year);
    config.replay.threads = reading.threads.or(config.replay.threads);
    if let Some(ordering) = ordering {
        if let Some(memory) = ordering.memory {
            config.replay.memory.0 = memory;
        }
        if ordering.temp_dir.is_some() {
            config.replay.temp_dir.clone_from(&ordering.temp_dir);
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The last millisecond of a year.
fn end_of_year(year: i16) -> Option<EventTime> {
    let last = jiff::civil::date(year, 12, 31).at(23, 59, 59, 999_000_000);
    let instant = last.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    EventTime::from_millis(instant.timestamp().as_millisecond())
}

/// When a file was last written; for standard input, now.
fn written_at(location: &Location) -> Option<EventTime> {
    let written = match location {
        Location::Stdin => now(),
        Location::File { path, .. } => fs::metadata(path).and_then(|meta| meta.modified()).ok()?,
    };
    let since = written.duration_since(UNIX_EPOCH).ok()?;
    EventTime::from_millis(i64::try_from(since.as_millis()).ok()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what comes through a pipe was written just now, and nothing else tells the year of its stamps"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_ends_with_its_last_millisecond() {
        assert_eq!(end_of_year(1970).unwrap().as_millis(), 365 * 86_400_000 - 1);
    }
}
