//! The table: replay and its peers on the same file, in turn, in one run.

use crate::line::Kind;
use crate::measure::{self, Taken, median};
use crate::peer::Deed;
use crate::world::{self, Generate};
use clap::Args;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is asked.
#[derive(Debug, Args)]
pub struct Table {
    /// The program that is measured
    #[arg(long, value_name = "FILE", default_value = "target/release/habitus")]
    habitus: PathBuf,
    /// Events of each file
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    events: u32,
    /// Accounts in each file
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    accounts: u32,
    /// Threads to measure with; may be given again
    #[arg(long, value_name = "N", default_values_t = [1, 2])]
    threads: Vec<usize>,
    /// Rounds: in each, every row runs once, so that what else the machine does hits all alike
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
    /// Directory for the generated files, which stay there
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    dir: PathBuf,
    /// Also write the table, as a page of documentation
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// What one row runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Peer(Deed),
    /// Replay that writes the verdicts of flagged events.
    Flagged,
    /// Replay that writes every verdict.
    All,
}

const ROWS: [Row; 5] = [
    Row::Peer(Deed::Memcpy),
    Row::Peer(Deed::Sonic),
    Row::Peer(Deed::Serde),
    Row::Flagged,
    Row::All,
];

impl Row {
    const fn caption(self) -> &'static str {
        match self {
            Row::Peer(Deed::Memcpy) => "read and copy the file",
            Row::Peer(Deed::Sonic) => "bare typed parse, sonic-rs",
            Row::Peer(Deed::Serde) => "bare typed parse, serde_json",
            Row::Flagged => "habitus replay, flagged verdicts",
            Row::All => "habitus replay, all verdicts",
        }
    }

    fn command(self, asked: &Table, file: &Path, threads: usize) -> io::Result<Command> {
        let threads = threads.to_string();
        if let Row::Peer(deed) = self {
            let mut command = Command::new(std::env::current_exe()?);
            command
                .arg("peer")
                .arg(deed.name())
                .arg(file)
                .args(["--threads", &threads]);
            return Ok(command);
        }
        let mut command = Command::new(&asked.habitus);
        command.args(["--quiet", "replay", "--threads", &threads, "--verdicts"]);
        command.arg(asked.dir.join("verdicts.ndjson"));
        if self == Row::Flagged {
            command.args(["--verdicts-from", "40"]);
        }
        command.arg(file);
        Ok(command)
    }
}

/// One row's runs.
struct Measured {
    row: Row,
    threads: usize,
    runs: Vec<Taken>,
}

impl Measured {
    fn wall(&self) -> f64 {
        median(self.runs.iter().map(|taken| taken.wall_seconds).collect())
    }

    fn cpu(&self) -> f64 {
        median(self.runs.iter().map(|taken| taken.cpu_seconds).collect())
    }

    fn peak(&self) -> f64 {
        self.runs.iter().map(|taken| taken.peak_mib).fold(0.0, f64::max)
    }
}

/// Measures, prints, and writes the page if one is wanted.
pub fn command(asked: &Table) -> io::Result<()> {
    fs::create_dir_all(&asked.dir)?;
    let mut text = String::new();
    for kind in [Kind::Login, Kind::Ocsf] {
        let file = world::kept(&Generate {
            kind,
            events: asked.events,
            accounts: asked.accounts,
            seed: 1,
            out: asked.dir.clone(),
        })?;
        let bytes = fs::metadata(&file)?.len() / u64::from(asked.events.max(1));
        let measured = measure_all(asked, &file)?;
        section(asked, (kind, bytes), &measured, &mut text).map_err(io::Error::other)?;
    }
    println!("{text}");
    match &asked.page {
        Some(page) => fs::write(page, format!("{HEAD}\n{text}")),
        None => Ok(()),
    }
}

fn measure_all(asked: &Table, file: &Path) -> io::Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for threads in &asked.threads {
        for row in ROWS {
            measured.push(Measured {
                row,
                threads: *threads,
                runs: Vec::new(),
            });
        }
    }
    for _ in 0..asked.rounds.max(1) {
        for one in &mut measured {
            let mut command = one.row.command(asked, file, one.threads)?;
            one.runs.push(measure::run(&mut command)?);
        }
    }
    Ok(measured)
}

fn section(
    asked: &Table,
    (kind, bytes): (Kind, u64),
    measured: &[Measured],
    out: &mut String,
) -> std::fmt::Result {
    let (events, accounts) = (asked.events, asked.accounts);
    writeln!(
        out,
        "\n## `{}`: {events} events of {bytes} bytes, {accounts} accounts\n",
        kind.name()
    )?;
    writeln!(
        out,
        "| threads | what | events/s | CPU s | CPU µs/event | peak MiB | time × bare parse | CPU × bare parse |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for one in measured {
        let bare = measured
            .iter()
            .find(|other| other.threads == one.threads && other.row == Row::Peer(Deed::Sonic))
            .unwrap_or(one);
        let events = f64::from(events);
        writeln!(
            out,
            "| {} | {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.2} | {:.2} |",
            one.threads,
            one.row.caption(),
            events / one.wall(),
            one.cpu(),
            one.cpu() * 1e6 / events,
            one.peak(),
            one.wall() / bare.wall(),
            one.cpu() / bare.cpu(),
        )?;
    }
    Ok(())
}

const HEAD: &str = "\
# Speed of replay

Written by `cargo xtask bench`: whole processes of the release build, each row in turn in every round, medians of the rounds. The bare
parse reads the same file, in one piece, into a struct of the fields that scoring reads, and does nothing with them; the last two columns
compare with the faster parser (`sonic-rs`) on as many threads. Replay reads, checks every byte, normalises, enriches, puts in order, scores
with all detectors, explains and learns. \"Flagged\" are verdicts from 40 on (`--verdicts-from 40`).

Absolute numbers are those of the machine it ran on and of what else ran there; the ratios are of one run.
";
