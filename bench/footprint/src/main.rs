//! What an event costs and an account takes, as accounts become many: the engine in this process, fed with lines of a log.
//! `cargo xtask bench --footprint` calls `table`, which runs each measurement as a process of its own, one after the other, and
//! writes `docs/footprint.md`.
//!
//! A tool for people at a terminal: nothing of the product depends on it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer command talks on the terminal"
)]

mod assess;
mod cost;
mod crowd;
mod memory;
mod page;
mod people;
mod system;
mod table;

use clap::{Parser, Subcommand};
use serde::Serialize;
use std::io;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What an event costs and an account takes
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What an event costs with so many accounts remembered
    Cost(cost::Asked),
    /// What accounts of one kind take
    Memory(memory::Asked),
    /// How long a decision takes
    Assess(assess::Asked),
    /// All of it, as tables
    Table(table::Asked),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Cost(asked) => cost::measured(&asked).and_then(|cost| said(&cost)),
        Command::Memory(asked) => memory::measured(&asked).and_then(|memory| said(&memory)),
        Command::Assess(asked) => assess::measured(&asked).and_then(|assess| said(&assess)),
        Command::Table(asked) => table::command(&asked),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("habitus-footprint: {error}");
            ExitCode::FAILURE
        }
    }
}

fn said(figures: &impl Serialize) -> io::Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
