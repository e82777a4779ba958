//! Open-loop load on a real `habitus serve`, on this machine: capacity, then latency at 70 % of it, beside the limits.
//!
//! A tool for people at a terminal: nothing of the product depends on it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer command talks on the terminal"
)]
#![expect(clippy::disallowed_methods, reason = "measuring time is what it is for")]

mod disk;
mod findings;
mod http;
mod latency;
mod measure;
mod people;
mod report;
mod schedule;
mod server;

use clap::Parser;
use http::Failed;
use report::Report;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How the page in the documentation is made.
const COMMAND: &str =
    "cargo build --release && cargo run --release -p habitus-load -- --write docs/latency.md";

/// Measures latency under load.
#[derive(Debug, Parser)]
struct Asked {
    /// The program to measure
    #[arg(long, value_name = "FILE", default_value = "target/release/habitus")]
    habitus: PathBuf,
    /// Where its data is meanwhile; a temporary directory if not given. Its disk is the one that is measured
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Seconds of each measurement of capacity; latency is measured twice as long
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Write the figures as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the page of the documentation
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Asked::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failed) => {
            eprintln!("error: {failed}");
            ExitCode::from(2)
        }
    }
}

/// Whether every limit holds.
fn run(asked: &Asked) -> Result<bool, Failed> {
    let program = asked.habitus.canonicalize().map_err(|error| {
        Failed::new(format!(
            "`{}`: {error}; build it, or name it with --habitus",
            asked.habitus.display()
        ))
    })?;
    let home = match &asked.dir {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let measured = measure::all(&program, home.path(), Duration::from_secs(asked.seconds.max(1)))?;
    let report = Report::new(measured);
    println!("{}", report.table());
    if let Some(path) = &asked.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| Failed::new(error.to_string()))?;
        write(path, &(json + "\n"))?;
    }
    if let Some(path) = &asked.write {
        write(path, &report.page(COMMAND))?;
    }
    Ok(report.holds())
}

fn write(path: &Path, text: &str) -> Result<(), Failed> {
    std::fs::write(path, text).map_err(|error| Failed::new(format!("{}: {error}", path.display())))
}
