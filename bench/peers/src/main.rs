//! Replay beside what others would score the same log with: DuckDB's window functions and Python's anomaly detectors, each a whole
//! process over the same generated file, in one run. `cargo xtask bench --peers` calls it and writes `docs/peers.md`.
//!
//! A tool for people at a terminal: nothing of the product depends on it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer command talks on the terminal"
)]

mod centres;
mod page;
mod row;
mod run;

use clap::Parser;
use habitus_bench::line::Kind;
use habitus_bench::world::{self, Generate};
use run::Place;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{fs, path};

/// Replay beside its peers
#[derive(Debug, Parser)]
struct Asked {
    /// The program that is measured
    #[arg(long, value_name = "FILE", default_value = "target/release/habitus")]
    habitus: PathBuf,
    /// The Python that has the packages of `bench/peers/requirements.txt`
    #[arg(long, value_name = "FILE", default_value = "target/peers/bin/python")]
    python: PathBuf,
    /// Where the peers are
    #[arg(long, value_name = "DIR", default_value = "bench/peers")]
    scripts: PathBuf,
    /// Number of logins
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    events: u32,
    /// Number of accounts
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    accounts: u32,
    /// Rounds: in each, every row runs once, so that what else the machine does hits all alike; rows of more than 30
    /// seconds run in the first only
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
    /// Directory for what is generated, which stays there
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    dir: PathBuf,
    /// Write the page of the documentation
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

fn main() -> ExitCode {
    match command(&Asked::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("habitus-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command(asked: &Asked) -> io::Result<()> {
    fs::create_dir_all(&asked.dir)?;
    let log = world::kept(&Generate {
        kind: Kind::Login,
        events: asked.events,
        accounts: asked.accounts,
        seed: 1,
        out: asked.dir.clone(),
    })?;
    let bytes = fs::metadata(&log)?.len() / u64::from(asked.events.max(1));
    let place = Place {
        // Not resolved: the Python of a virtual environment is a link.
        python: path::absolute(&asked.python)?,
        habitus: path::absolute(&asked.habitus)?,
        scripts: asked.scripts.clone(),
        countries: centres::write(&asked.dir)?,
        dir: asked.dir.clone(),
        log,
    };
    let measured = run::all(&place, asked.rounds)?;
    run::check(&measured, asked.events).map_err(io::Error::other)?;
    let text = page::text(&measured, (asked.events, asked.accounts, bytes));
    println!("{text}");
    match &asked.page {
        Some(path) => fs::write(path, page::page(&text)),
        None => Ok(()),
    }
}
