//! The commands, one file each.

pub mod backup;
pub mod check;
pub mod completions;
pub mod doctor;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod models;
pub mod normalize;
pub mod replay;
pub mod restore;
pub mod serve;
pub mod simulate;
pub mod token;
pub mod try_it;
pub mod verify;

use crate::cli::{Cli, Command};
use crate::failure::{Failure, Outcome};
use crate::terminal::Talk;

/// Runs the command that was asked for.
///
/// # Errors
/// Whatever ends it early.
pub fn run(cli: Cli) -> Result<Outcome, Failure> {
    let talk = Talk::unless(cli.common.quiet);
    match cli.command {
        Command::Try(try_it) => try_it::run(&try_it, talk),
        Command::Simulate(simulate) => simulate::run(&simulate, talk),
        Command::Evaluate(evaluate) => evaluate::run(&evaluate, talk),
        Command::Serve(serve) => serve::run(&serve, talk),
        Command::Token(token) => token::run(&token, talk),
        Command::Models(models) => models::run(&models, talk),
        Command::Verify(verify) => verify::run(&verify, talk),
        Command::Doctor(doctor) => doctor::run(&doctor, talk),
        Command::Backup(backup) => backup::run(&backup, talk),
        Command::Restore(restore) => restore::run(&restore, talk),
        Command::Export(export) => export::run(&export, talk),
        Command::Replay(replay) => replay::run(&replay, talk),
        Command::Normalize(normalize) => normalize::run(&normalize, talk),
        Command::Explain(explain) => explain::run(&explain, talk),
        Command::Check(check) => check::run(&check, talk),
        Command::Completions(completions) => completions::run(&completions),
    }
}
