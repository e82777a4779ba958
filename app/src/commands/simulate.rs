//! `habitus simulate`: a seeded world of accounts as a log, with single takeovers apart and the truth beside them.

mod into;

use super::evaluate::{at_least_one, regime};
use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::Talk;
use clap::Args;
use habitus_model::Event;
use habitus_sim::formats::{LOG_FORMATS, LogFormat};
use habitus_sim::{Label, Labelled, Regime, Scope, WorldConfig, generate};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  habitus simulate --events events.ndjson --attacks attacks.ndjson --labels labels.ndjson
  habitus simulate --scope activity --events log.ndjson --labels labels.ndjson
  habitus simulate --regime consumer --seed 4 --events - | habitus replay -
  habitus simulate --scope activity --format okta --events okta.ndjson --labels labels.ndjson
  habitus simulate --into my-okta.json --events with-attacks.ndjson --labels labels.ndjson
  habitus replay events.ndjson --probes attacks.ndjson --verdicts verdicts.ndjson";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Simulate {
    /// Kind of tenant: consumer, b2b or enterprise
    #[arg(long, value_name = "REGIME", default_value = "enterprise", env = "HABITUS_REGIME", value_parser = regime)]
    regime: Regime,
    /// Decides everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 1, env = "HABITUS_SEED")]
    seed: u64,
    /// Number of accounts; the size that evaluations use if not given
    #[arg(long, value_name = "N", env = "HABITUS_ACCOUNTS")]
    accounts: Option<u32>,
    /// Length of the period in days
    #[arg(long, value_name = "N", env = "HABITUS_DAYS")]
    days: Option<u32>,
    /// logins: logins, and single takeovers as probes. activity: also sessions, prompts, requests, machines, upheavals,
    /// and attacks of several events that stand in the log
    #[arg(long, value_name = "SCOPE", default_value = "logins", env = "HABITUS_SCOPE", value_parser = scope)]
    scope: Scope,
    /// With --scope activity: multiple of the usual number of attacks in the log; 0 plants none
    #[arg(long, value_name = "N", env = "HABITUS_SCENARIOS")]
    scenarios: Option<u32>,
    /// Takeovers of each kind, as probes
    #[arg(long, value_name = "N", env = "HABITUS_ATTACKS_PER_KIND")]
    attacks_per_kind: Option<u32>,
    /// Plant attacks into this log of yours in place of an invented one; may be given again. --attacks-per-kind says how
    /// many, --labels names them
    #[arg(long, value_name = "FILE", env = "HABITUS_INTO", conflicts_with_all = ["accounts", "days", "scope", "scenarios", "regime"])]
    into: Vec<PathBuf>,
    /// Format of what is written; events that it cannot carry are left out and counted
    #[arg(long, value_name = "FORMAT", default_value = "ocsf", env = "HABITUS_FORMAT", value_parser = format)]
    format: LogFormat,
    /// Where the log goes; `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "-", env = "HABITUS_EVENTS")]
    events: PathBuf,
    /// Where the takeovers go, to be replayed as --probes
    #[arg(long, value_name = "FILE", env = "HABITUS_ATTACKS")]
    attacks: Option<PathBuf>,
    /// Where the truth goes: {"uid", "label", "attack"} of every event, and the "campaign" of what is planted in the
    /// log; one JSON object a line
    #[arg(long, value_name = "FILE", env = "HABITUS_LABELS")]
    labels: Option<PathBuf>,
}

/// Simulates, and writes the files.
pub fn run(asked: &Simulate, talk: Talk) -> Result<Outcome, Failure> {
    if !asked.into.is_empty() {
        return into::run(asked, &asked.into, talk);
    }
    let mut config = match asked.scope {
        Scope::Logins => WorldConfig::new(asked.seed, asked.regime),
        Scope::Activity => WorldConfig::activity(asked.seed, asked.regime),
    };
    if let Some(accounts) = asked.accounts {
        config.accounts = at_least_one("--accounts", accounts)?;
    }
    if let Some(days) = asked.days {
        config.days = at_least_one("--days", days)?;
    }
    config.attacks_per_kind = asked.attacks_per_kind.unwrap_or(config.attacks_per_kind);
    config.scenarios = asked.scenarios.unwrap_or(config.scenarios);
    let world = generate(&config);
    let (events, left_out) = write_events(&asked.events, asked.format, world.stream())?;
    let (attacks, _) = match &asked.attacks {
        Some(path) => write_events(path, asked.format, world.attacks())?,
        None => (0, 0),
    };
    if let Some(path) = &asked.labels {
        write_labels(path, world.stream().chain(world.attacks()))?;
    }
    talk.line(format_args!("{events} events, {attacks} takeovers"));
    say_left_out(asked.format, left_out, talk);
    Ok(Outcome::Done)
}

fn say_left_out(format: LogFormat, left_out: u64, talk: Talk) {
    if left_out > 0 {
        talk.line(format_args!(
            "{left_out} events are of a kind that `{}` does not log",
            format.name
        ));
    }
}

/// Writes events, one a line; gives the number of those written, and of those that the format cannot carry.
fn write_events(
    path: &Path,
    format: LogFormat,
    events: impl Iterator<Item = Labelled>,
) -> Result<(u64, u64), Failure> {
    let mut out = create(path)?;
    let (mut count, mut left_out) = (0, 0);
    for labelled in events {
        if write_one(&labelled.event, format, &mut *out)? {
            count += 1;
        } else {
            left_out += 1;
        }
    }
    out.flush()?;
    Ok((count, left_out))
}

/// Writes one event as a line; says whether the format carries it.
fn write_one(event: &Event, format: LogFormat, out: &mut dyn Write) -> Result<bool, Failure> {
    let Some(line) = (format.write)(event) else {
        return Ok(false);
    };
    writeln!(out, "{line}")?;
    Ok(true)
}

fn write_labels(path: &Path, events: impl Iterator<Item = Labelled>) -> Result<(), Failure> {
    let mut out = create(path)?;
    for labelled in events {
        write_label(&labelled, &mut *out)?;
    }
    Ok(out.flush()?)
}

/// Writes the truth about one event as a line of JSON.
fn write_label(Labelled { event, label }: &Labelled, out: &mut dyn Write) -> Result<(), Failure> {
    let mut line = serde_json::json!({
        "uid": event.uid.as_str(), "label": label.name(), "attack": label.is_attack(),
    });
    if let (Label::Scenario(planted), Some(members)) = (label, line.as_object_mut()) {
        members.insert("campaign".to_owned(), planted.campaign.into());
    }
    Ok(writeln!(out, "{line}")?)
}

fn create(path: &Path) -> Result<Box<dyn Write>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufWriter::new(std::io::stdout().lock())));
    }
    let file = File::create(path).map_err(|error| {
        let message = format!("cannot write `{}`: {error}", path.display());
        Failure::new(Trouble::Unavailable, message)
            .help("name a file in a directory that exists and can be written")
    })?;
    Ok(Box::new(BufWriter::new(file)))
}

fn scope(name: &str) -> Result<Scope, String> {
    match name {
        "logins" => Ok(Scope::Logins),
        "activity" => Ok(Scope::Activity),
        _ => Err("choose logins or activity".to_owned()),
    }
}

fn format(name: &str) -> Result<LogFormat, String> {
    let names = LOG_FORMATS.map(|format| format.name).join(", ");
    LogFormat::by_name(name).ok_or_else(|| format!("choose one of {names}"))
}
