//! What can be asked on the command line. Every flag has an environment variable of the same name.

use crate::commands;
use clap::{Args, Parser, Subcommand, ValueEnum};
use habitus_model::RiskLevel;
use std::path::PathBuf;
use std::str::FromStr;

/// Learns what is normal for each account, and says of every login and access how far it is from that, and why.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  habitus replay okta.json                        score a log, show what stands out
  habitus replay logs/ --html report.html         the same as a page to read and hand on
  habitus replay auth.log.gz --verdicts out.ndjson --fail-on high
  habitus explain e-1042 --in okta.json           why one event got its score
  habitus normalize auth.log | jq .user.name      any known log as OCSF 1.8";

/// The commands. A new command is one file in `commands/`, one line here, and one in `commands::run`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it work: the whole product on an invented organisation with takeovers in its log
    Try(commands::try_it::Try),
    /// Serve: take events in, decide inline, show findings
    Serve(commands::serve::Serve),
    /// Make an API token before the server runs
    Token(commands::token::Token),
    /// Champion and challenger at a running server: look, promote, go back
    Models(commands::models::Models),
    /// Check that what is kept is as it was written, and gives the same state again
    Verify(commands::verify::Verify),
    /// Look at configuration, machine and data: what is wrong, or soon will be, and how to mend it
    Doctor(commands::doctor::Doctor),
    /// Copy the data directory, also while a server runs
    Backup(commands::backup::Backup),
    /// Make a data directory of a copy, if all of it is as it was written
    Restore(commands::restore::Restore),
    /// Write raw telemetry as Parquet, for your own tools
    Export(commands::export::Export),
    /// Score and learn every event of a log in time order
    Replay(Box<commands::replay::Replay>),
    /// Print each event of a log as OCSF 1.8, one JSON object a line
    Normalize(commands::normalize::Normalize),
    /// Say why one event got its score
    Explain(commands::explain::Explain),
    /// Check a configuration without starting anything
    Check(commands::check::Check),
    /// Print completions for a shell
    Completions(commands::completions::Completions),
    /// Write the log of an invented organisation, with takeovers apart
    Simulate(commands::simulate::Simulate),
    /// Measure how well takeovers are found, beside published baselines
    Evaluate(commands::evaluate::Evaluate),
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Say nothing but errors
    #[arg(
        long,
        short,
        global = true,
        env = "HABITUS_QUIET",
        help_heading = "Everywhere"
    )]
    pub quiet: bool,
    /// When to use colours; NO_COLOR and TERM=dumb count for auto
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        env = "HABITUS_COLOR",
        help_heading = "Everywhere"
    )]
    pub color: Color,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// If the output is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to read and how: shared by the commands that read logs.
#[derive(Debug, Clone, Args)]
pub struct Reading {
    /// Format of the records: auto recognises each one
    #[arg(long, value_name = "FORMAT", env = "HABITUS_FORMAT")]
    pub format: Option<String>,
    /// Configuration file (TOML); see `habitus check config`
    #[arg(long, value_name = "FILE", env = "HABITUS_CONFIG")]
    pub config: Option<PathBuf>,
    /// Threads; the number of cores if not given. Changes no result
    #[arg(long, value_name = "N", env = "HABITUS_THREADS", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Year of stamps that have none; else the file's modification time tells
    #[arg(long, value_name = "YEAR", env = "HABITUS_ASSUME_YEAR", value_parser = clap::value_parser!(i16).range(1970..=9999))]
    pub assume_year: Option<i16>,
}

/// How much may be kept in memory: shared by the commands that put events in order.
#[derive(Debug, Clone, Args)]
pub struct Ordering {
    /// Memory for putting events in order, such as 256M or 2G; the rest goes to temporary files
    #[arg(long, value_name = "SIZE", env = "HABITUS_MEMORY")]
    pub memory: Option<Bytes>,
    /// Directory for temporary files; the system's own if not given
    #[arg(long, value_name = "DIR", env = "HABITUS_TEMP_DIR")]
    pub temp_dir: Option<PathBuf>,
}

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a whole number of bytes, or one with a unit: 64K, 256M, 2G".to_owned();
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let shift = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            "t" | "tb" | "tib" => 40,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(1 << shift).map(Self).ok_or_else(wrong)
    }
}

impl Bytes {
    /// As a size in memory; what does not fit saturates.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A level by its name, for `--fail-on`.
pub fn level(name: &str) -> Result<RiskLevel, String> {
    RiskLevel::from_name(name).ok_or_else(|| "choose info, low, medium, high or critical".to_owned())
}

/// A score, for `--verdicts-from`.
pub fn score(text: &str) -> Result<f64, String> {
    let score = text.parse::<f64>().ok();
    score
        .filter(|score| (0.0..=100.0).contains(score))
        .ok_or_else(|| "write a number from 0 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1024", 1024),
            ("64K", 65_536),
            ("256 MiB", 256 << 20),
            ("2g", 2 << 30),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for bad in ["", "K", "-1", "1.5G", "1X", "99999999999T"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_flag_has_its_variable() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            for argument in command.get_arguments() {
                let named = argument
                    .get_long()
                    .filter(|long| !["help", "version"].contains(long));
                let Some(long) = named else { continue };
                let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                let expected = format!("HABITUS_{}", long.to_uppercase().replace('-', "_"));
                assert_eq!(variable.as_deref(), Some(expected.as_str()), "--{long}");
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
