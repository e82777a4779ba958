//! `habitus export`: raw telemetry as Parquet, for one's own tools.

use super::serve::Place;
use crate::failure::{Failure, Outcome, Trouble};
use crate::serve::offline;
use crate::terminal::Talk;
use clap::Args;
use habitus_model::IngestTime;
use jiff::civil::Date;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus export --to lake                    everything that is kept
  habitus export --to lake --from 2026-11-01 --until 2026-11-07
  duckdb -c \"select source, count(*) from 'lake/*/*.parquet' group by 1\"";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// Directory to write to: one directory a day below it
    #[arg(long, value_name = "DIR", env = "HABITUS_TO")]
    to: PathBuf,
    /// First day, UTC, by arrival; the oldest kept if not given
    #[arg(long, value_name = "DATE", env = "HABITUS_FROM")]
    from: Option<Date>,
    /// Last day, UTC
    #[arg(long, value_name = "DATE", env = "HABITUS_UNTIL")]
    until: Option<Date>,
}

/// Exports.
///
/// # Errors
/// A data directory that a server uses, or a target that cannot be written.
pub fn run(asked: &Export, talk: Talk) -> Result<Outcome, Failure> {
    let loaded = asked.place.load()?;
    let layout = asked.place.layout(&loaded);
    let from = asked.from.map_or(Ok(IngestTime::EPOCH), start_of)?;
    let far = IngestTime::from_millis(253_402_300_799_999).unwrap_or(IngestTime::EPOCH);
    let until = match asked.until.map(Date::tomorrow) {
        Some(day) => start_of(day.map_err(|error| Failure::new(Trouble::Usage, error.to_string()))?)?,
        None => far,
    };
    let exported = offline::export_telemetry(&loaded, &layout, (from, until), &asked.to)?;
    talk.line(format_args!(
        "{} records in {} files below {}",
        exported.records,
        exported.files.len(),
        asked.to.display()
    ));
    if exported.damage.records_lost > 0 {
        talk.line(format_args!(
            "{} records were lost to damage",
            exported.damage.records_lost
        ));
    }
    Ok(Outcome::Done)
}

fn start_of(day: Date) -> Result<IngestTime, Failure> {
    let zoned = day.to_zoned(jiff::tz::TimeZone::UTC);
    let millis = zoned.map(|zoned| zoned.timestamp().as_millisecond());
    let millis = millis.map_err(|error| Failure::new(Trouble::Usage, error.to_string()))?;
    IngestTime::from_millis(millis).ok_or_else(|| Failure::new(Trouble::Usage, "the day is out of range"))
}
