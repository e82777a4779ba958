//! `habitus token`: an API token without a browser, before the server runs.

use super::serve::Place;
use crate::failure::{Failure, Outcome};
use crate::serve::offline;
use crate::terminal::Talk;
use clap::{Args, Subcommand, ValueEnum};
use habitus_console::access::Scope;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  habitus token create shipper --scope ingest
  habitus token create soar --scope read --scope triage --days 90";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token and print its secret, this once; the server must not run, or else make it in the API
    #[command(before_help = EXAMPLES)]
    Create(Create),
}

#[derive(Debug, Args)]
struct Create {
    /// What it is for
    name: String,
    /// What it may be used for; may be given several times
    #[arg(
        long,
        required = true,
        value_name = "SCOPE",
        env = "HABITUS_SCOPE",
        value_delimiter = ','
    )]
    scope: Vec<Use>,
    /// Days until it expires; never if not given
    #[arg(long, value_name = "DAYS", env = "HABITUS_DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: Option<u16>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Use {
    /// Give events, to be kept or to be judged
    Ingest,
    /// See everything but the audit
    Read,
    /// Work on findings
    Triage,
    /// Approve, decline and retry actions
    Act,
    /// Manage users and tokens, and read the audit
    Admin,
}

/// Makes a token.
///
/// # Errors
/// A data directory that a server uses, or that cannot be written.
pub fn run(asked: &Token, _: Talk) -> Result<Outcome, Failure> {
    let What::Create(create) = &asked.what;
    let loaded = create.place.load()?;
    let layout = create.place.layout(&loaded);
    let scopes = create.scope.iter().map(|scope| match scope {
        Use::Ingest => Scope::Ingest,
        Use::Read => Scope::Read,
        Use::Triage => Scope::Triage,
        Use::Act => Scope::Act,
        Use::Admin => Scope::Admin,
    });
    let secret = offline::make_token(&layout, &create.name, scopes.collect(), create.days)?;
    writeln!(std::io::stdout().lock(), "{secret}")?;
    Ok(Outcome::Done)
}
