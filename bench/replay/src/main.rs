//! Speed of `habitus replay`: `generate` writes a seeded log, `peer` does to it the least that any reader must, `table`
//! times whole processes beside one another and writes down what came of it.
//!
//! A tool for people at a terminal and for CI; nothing of the product depends on it. `cargo xtask bench` calls it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer command talks on the terminal"
)]

mod peer;
mod stages;
mod table;

use clap::{Parser, Subcommand};
use habitus_bench::{line, measure, world};
use std::process::ExitCode;

/// Speed of `habitus replay` beside its peers.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a seeded log of logins
    Generate(world::Generate),
    /// Read a file as barely as can be: what any reader pays
    Peer(peer::Peer),
    /// Put a small log through each stage, for callgrind to count instructions
    Stages(stages::Stages),
    /// Time replay beside its peers, and print the table
    Table(table::Table),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Generate(asked) => world::command(&asked),
        Command::Peer(asked) => peer::command(&asked),
        Command::Stages(asked) => stages::command(&asked),
        Command::Table(asked) => table::command(&asked),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("habitus-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
