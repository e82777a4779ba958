//! `habitus verify`: is what is kept as it was written, and does it give the same state again?

use super::serve::Place;
use crate::failure::{Failure, Outcome, Trouble};
use crate::serve::offline;
use crate::terminal::{GREEN, RED, RESET, Talk};
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus verify --data-dir /var/lib/habitus
  habitus verify --checkpoints off-box.jsonl   against checkpoints kept elsewhere
  habitus verify --audit                       the audit chain only, while a server runs";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Verify {
    #[command(flatten)]
    place: Place,
    /// Signed checkpoints of the audit chain that were kept elsewhere, one a line
    #[arg(long, value_name = "FILE", env = "HABITUS_CHECKPOINTS")]
    checkpoints: Option<PathBuf>,
    /// Check the audit chain only; a server may run meanwhile
    #[arg(long, env = "HABITUS_AUDIT")]
    audit: bool,
    /// Print the result as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Checks the audit chain, and that snapshot and log give the state that the whole log gives.
///
/// # Errors
/// What cannot be read; exit code 65 if something is not as it was written.
pub fn run(asked: &Verify, _: Talk) -> Result<Outcome, Failure> {
    let loaded = asked.place.load()?;
    let layout = asked.place.layout(&loaded);
    let audit = offline::verify_audit(&layout, asked.checkpoints.as_deref())?;
    let state = if asked.audit {
        None
    } else {
        Some(offline::verify_state(&loaded, &layout)?)
    };
    let differs = state.as_ref().is_some_and(|state| {
        state
            .from_the_beginning
            .as_ref()
            .is_some_and(|whole| *whole != state.digest)
    });
    if asked.json {
        let broken = audit
            .broken
            .as_ref()
            .map(|b| json!({ "entry": b.seq, "file": b.file, "line": b.line, "why": b.why }));
        let told = json!({
            "audit": { "entries": audit.entries, "checkpoints": audit.checkpoints, "unsigned": audit.unsigned,
                "confirmed": audit.confirmed, "broken": broken },
            "state": state.as_ref().map(|s| json!({ "position": s.position, "digest": s.digest, "accounts": s.accounts,
                "from_the_beginning": s.from_the_beginning, "lost": s.lost, "snapshots_skipped": s.skipped })),
        });
        writeln!(std::io::stdout().lock(), "{told}")?;
    } else {
        let mut out = anstream::stdout().lock();
        match &audit.broken {
            None => writeln!(
                out,
                "{GREEN}audit{RESET}  {} entries are as they were written, {} checkpoints signed, {} entries since the last",
                audit.entries, audit.checkpoints, audit.unsigned
            )?,
            Some(broken) => writeln!(
                out,
                "{RED}audit{RESET}  entry {} is not as it was written: {} ({} line {})",
                broken.seq, broken.why, broken.file, broken.line
            )?,
        }
        if let Some(state) = &state {
            writeln!(
                out,
                "{GREEN}log{RESET}    {} entries, {} lost to damage",
                state.position, state.lost
            )?;
            writeln!(
                out,
                "{GREEN}state{RESET}  {} accounts, digest {}",
                state.accounts, state.digest
            )?;
            match &state.from_the_beginning {
                Some(whole) if *whole == state.digest => {
                    writeln!(out, "       the whole log gives the same")?
                }
                Some(whole) => writeln!(out, "{RED}       the whole log gives another: {whole}{RESET}")?,
                None => writeln!(
                    out,
                    "       the beginning of the log is no longer kept, so it cannot be compared"
                )?,
            }
        }
    }
    if audit.broken.is_some() || differs {
        return Err(Failure::new(Trouble::Data, "something is not as it was written")
            .help("keep a copy of the directory before anything else, and restore the last backup"));
    }
    Ok(Outcome::Done)
}
