//! `habitus completions SHELL`: what a shell needs to complete our command lines.

use crate::cli::Cli;
use crate::failure::{Failure, Outcome};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  habitus completions bash > ~/.local/share/bash-completion/completions/habitus
  habitus completions fish > ~/.config/fish/completions/habitus.fish";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub fn run(asked: &Completions) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut Cli::command(), "habitus", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Outcome::Done)
}
