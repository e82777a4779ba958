//! `habitus verify`: is what is kept as it was written, and does it give the same state again?

use super::serve::Place;
use crate::config::Loaded;
use crate::failure::{Failure, Outcome, Trouble};
use crate::serve::Layout;
use crate::serve::offline::{self, StateReport};
use crate::terminal::{GREEN, RED, RESET, Talk};
use clap::Args;
use habitus_journal::audit::Report;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

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
    /// Print, as JSON, the digest of the state that the log gives up to a position; to compare two copies
    #[arg(long, value_name = "POSITION", env = "HABITUS_UNTIL", conflicts_with_all = ["audit", "checkpoints"])]
    until: Option<u64>,
    /// Print the result as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// What was found.
pub struct Verified {
    audit: Report,
    /// Absent if only the audit was looked at.
    state: Option<StateReport>,
}

/// Checks the audit chain, and that snapshot and log give the state that the whole log gives.
///
/// # Errors
/// What cannot be read; exit code 65 if something is not as it was written.
pub fn run(asked: &Verify, _: Talk) -> Result<Outcome, Failure> {
    let loaded = asked.place.load()?;
    let layout = asked.place.layout(&loaded);
    if let Some(until) = asked.until {
        let state = offline::state_at(&loaded, &layout, until)?;
        let told = json!({ "position": state.position, "digest": state.digest, "accounts": state.accounts });
        writeln!(std::io::stdout().lock(), "{told}")?;
        return Ok(Outcome::Done);
    }
    let verified = if asked.audit {
        Verified {
            audit: offline::verify_audit(&loaded, &layout, asked.checkpoints.as_deref())?,
            state: None,
        }
    } else {
        Verified::all(&loaded, &layout, asked.checkpoints.as_deref())?
    };
    if asked.json {
        writeln!(std::io::stdout().lock(), "{}", verified.json())?;
    } else {
        verified.print()?;
    }
    if !verified.is_whole() {
        return Err(Failure::new(Trouble::Data, "something is not as it was written")
            .help("keep a copy of the directory before anything else, and restore the last backup"));
    }
    Ok(Outcome::Done)
}

impl Verified {
    /// Looks at everything.
    ///
    /// # Errors
    /// What cannot be read; a directory that a server uses.
    pub fn all(loaded: &Loaded, layout: &Layout, checkpoints: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self {
            audit: offline::verify_audit(loaded, layout, checkpoints)?,
            state: Some(offline::verify_state(loaded, layout)?),
        })
    }

    /// Whether all is as it was written.
    pub fn is_whole(&self) -> bool {
        let whole = self.state.as_ref().and_then(|state| {
            let whole = state.from_the_beginning.as_ref()?;
            Some(*whole == state.digest)
        });
        self.audit.broken.is_none() && whole.unwrap_or(true)
    }

    /// For scripts.
    pub fn json(&self) -> Value {
        let Self { audit, state } = self;
        let broken = audit
            .broken
            .as_ref()
            .map(|b| json!({ "entry": b.seq, "file": b.file, "line": b.line, "why": b.why }));
        json!({
            "audit": { "entries": audit.entries, "checkpoints": audit.checkpoints, "unsigned": audit.unsigned,
                "confirmed": audit.confirmed, "broken": broken },
            "state": state.as_ref().map(|s| json!({ "position": s.position, "digest": s.digest, "accounts": s.accounts,
                "from_the_beginning": s.from_the_beginning, "lost": s.lost, "snapshots_skipped": s.skipped })),
        })
    }

    /// For people.
    ///
    /// # Errors
    /// Standard output that cannot be written.
    pub fn print(&self) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        let audit = &self.audit;
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
        match &self.state {
            Some(state) => print_state(&mut out, state),
            None => Ok(()),
        }
    }
}

fn print_state(out: &mut impl Write, state: &StateReport) -> Result<(), Failure> {
    let (position, lost) = (state.position, state.lost);
    writeln!(
        out,
        "{GREEN}log{RESET}    {position} entries, {lost} lost to damage"
    )?;
    writeln!(
        out,
        "{GREEN}state{RESET}  {} accounts, digest {}",
        state.accounts, state.digest
    )?;
    match &state.from_the_beginning {
        Some(whole) if *whole == state.digest => writeln!(out, "       the whole log gives the same")?,
        Some(whole) => writeln!(out, "{RED}       the whole log gives another: {whole}{RESET}")?,
        None => writeln!(
            out,
            "       the beginning of the log is no longer kept, so it cannot be compared"
        )?,
    }
    Ok(())
}
