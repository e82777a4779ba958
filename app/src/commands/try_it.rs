//! `habitus try`: a small organisation with takeovers hidden in its log, scored before one's eyes.

use super::simulate::{truth, write_events};
use crate::cli::{Cli, Command};
use crate::commands::replay;
use crate::failure::{Failure, Outcome, Trouble};
use crate::terminal::{BOLD, FAINT, GREEN, RED, RESET, Talk};
use clap::{Args, Parser};
use habitus_model::{RiskLevel, RiskScore};
use habitus_sim::{Labelled, Regime, WorldConfig, generate};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  habitus try                 two months of an invented organisation, with takeovers in it
  habitus try --seed 9        another organisation
  habitus try --dir demo      keep the log, the verdicts and the report in ./demo";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Try {
    /// Decides the organisation and the attacks
    #[arg(long, value_name = "N", default_value_t = 7, env = "HABITUS_SEED")]
    seed: u64,
    /// Number of accounts
    #[arg(long, value_name = "N", default_value_t = 200, env = "HABITUS_ACCOUNTS", value_parser = clap::value_parser!(u32).range(10..=5_000))]
    accounts: u32,
    /// Where to leave the log, the verdicts and the report; a new temporary directory if not given
    #[arg(long, value_name = "DIR", env = "HABITUS_DIR")]
    dir: Option<PathBuf>,
}

/// Length of the invented past, days: two months, as an enterprise keeps its logs close at hand.
const DAYS: u32 = 60;
/// Takeovers of each kind: enough to see the easy and the hard ones, few enough to read.
const ATTACKS_PER_KIND: u32 = 6;
/// Takeovers are planted once the accounts have a past: in the last two thirds of the period.
const QUIET_SHARE: i64 = 3;

/// What is read of a verdict.
#[derive(Debug, Deserialize)]
struct Verdict {
    uid: String,
    account: Option<String>,
    risk_score: f64,
    contributions: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    signal: String,
    log_odds: f64,
    text: String,
}

/// Simulates, replays as a user would, and compares with the truth.
pub fn run(asked: &Try, talk: Talk) -> Result<Outcome, Failure> {
    let dir = directory(asked)?;
    let planted = plant(asked, &dir)?;
    let file = |name: &str| dir.join(name).display().to_string();
    let (log, verdicts, html) = (
        file("events.ndjson"),
        file("verdicts.ndjson"),
        file("report.html"),
    );
    let said = format!("habitus replay {log} --verdicts {verdicts} --html {html}");
    talk.line(format_args!("{FAINT}$ {said}{RESET}"));
    let cli = Cli::try_parse_from(
        said.split(' ')
            .take(2)
            .chain([&log, "--verdicts", &verdicts, "--html", &html].map(AsRef::as_ref)),
    );
    let Ok(Cli {
        command: Command::Replay(replay),
        ..
    }) = cli
    else {
        return Err(Failure::new(
            Trouble::Bug,
            "the demonstration does not know its own command",
        ));
    };
    replay::run(&replay, talk)?;
    let all = read(&dir.join("verdicts.ndjson"))?;
    show(&planted, &all)?;
    let mut out = anstream::stdout().lock();
    let uid = planted
        .keys()
        .find(|uid| all.contains_key(*uid))
        .map_or("UID", String::as_str);
    writeln!(out, "\nThe report:    {}", dir.join("report.html").display())?;
    writeln!(out, "One event:     habitus explain {uid} --in {log}")?;
    writeln!(out, "Your own log:  habitus replay FILE --html report.html")?;
    Ok(Outcome::Done)
}

fn directory(asked: &Try) -> Result<PathBuf, Failure> {
    let unavailable = |error: std::io::Error| {
        Failure::new(
            Trouble::Unavailable,
            format!("cannot make a directory for the demonstration: {error}"),
        )
        .help("name one with --dir")
    };
    match &asked.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(unavailable)?;
            Ok(dir.clone())
        }
        None => Ok(tempfile::Builder::new()
            .prefix("habitus-try-")
            .tempdir()
            .map_err(unavailable)?
            .keep()),
    }
}

/// Writes the log with takeovers in it; gives their kinds by uid.
fn plant(asked: &Try, dir: &Path) -> Result<BTreeMap<String, &'static str>, Failure> {
    let config = WorldConfig {
        accounts: asked.accounts,
        days: DAYS,
        attacks_per_kind: ATTACKS_PER_KIND,
        ..WorldConfig::new(asked.seed, Regime::Enterprise)
    };
    let world = generate(&config);
    let (start, end) = world.period_ms();
    let from = start + (end - start) / QUIET_SHARE;
    let attacks: Vec<Labelled> = world
        .attacks()
        .filter(|attack| attack.event.time.as_millis() >= from)
        .collect();
    let planted = attacks
        .iter()
        .map(|attack| (attack.event.uid.to_string(), truth(&attack.label)))
        .collect();
    let mut log: Vec<Labelled> = world.legitimate().chain(attacks).collect();
    log.sort_by(|a, b| (a.event.time, &a.event.uid).cmp(&(b.event.time, &b.event.uid)));
    write_events(&dir.join("events.ndjson"), log.into_iter())?;
    Ok(planted)
}

fn read(path: &Path) -> Result<BTreeMap<String, Verdict>, Failure> {
    let mut all = BTreeMap::new();
    for line in BufReader::new(File::open(path)?).lines() {
        let verdict: Verdict = serde_json::from_str(&line?)?;
        all.insert(verdict.uid.clone(), verdict);
    }
    Ok(all)
}

/// The planted takeovers beside what was said of them, and what else was flagged.
fn show(planted: &BTreeMap<String, &'static str>, all: &BTreeMap<String, Verdict>) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let is_high = |verdict: &Verdict| RiskScore::new(verdict.risk_score).level() >= RiskLevel::High;
    let mut taken: Vec<(&str, &Verdict)> = planted
        .iter()
        .filter_map(|(uid, kind)| all.get(uid).map(|verdict| (*kind, verdict)))
        .collect();
    taken.sort_by(|a, b| b.1.risk_score.total_cmp(&a.1.risk_score));
    let found = taken.iter().filter(|(_, verdict)| is_high(verdict)).count();
    let others = all
        .values()
        .filter(|verdict| is_high(verdict) && !planted.contains_key(&verdict.uid))
        .count();
    let owners = all.len().saturating_sub(planted.len());
    writeln!(
        out,
        "\n{BOLD}{found} of {} planted takeovers{RESET} score 60 or more, and so do {others} of {owners} other events.\n",
        taken.len()
    )?;
    for (kind, verdict) in taken {
        let mark = if is_high(verdict) {
            format!("{RED}{:5.1}{RESET}", verdict.risk_score)
        } else {
            format!("{GREEN}{:5.1}{RESET}", verdict.risk_score)
        };
        let account = verdict.account.as_deref().unwrap_or("-");
        let top = verdict
            .contributions
            .iter()
            .filter(|line| line.signal != "prior" && line.signal != "mixture");
        let top = top
            .max_by(|a, b| a.log_odds.total_cmp(&b.log_odds))
            .map_or("", |line| line.text.as_str());
        writeln!(
            out,
            "{mark}  {account}  {FAINT}{}{RESET}\n       {top}",
            kind.replace('_', " ")
        )?;
    }
    Ok(())
}
