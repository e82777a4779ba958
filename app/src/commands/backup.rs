//! `habitus backup`: a copy of the data directory, also while a server runs.

use super::serve::Place;
use crate::backup;
use crate::failure::{Failure, Outcome};
use crate::terminal::Talk;
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus backup --to /backup/habitus-2026-11-30.tar.zst   one packed file
  habitus backup --to /backup/habitus                      a directory
  habitus restore --from /backup/habitus-2026-11-30.tar.zst --data-dir /var/lib/habitus";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Backup {
    #[command(flatten)]
    place: Place,
    /// Where to: a directory that is made, or one file if it ends in .tar or .tar.zst
    #[arg(long, value_name = "PATH", env = "HABITUS_TO")]
    to: PathBuf,
    /// Print what was copied as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Copies.
///
/// # Errors
/// A directory without data, a target that exists, what cannot be read or written.
pub fn run(asked: &Backup, talk: Talk) -> Result<Outcome, Failure> {
    let loaded = asked.place.load()?;
    let layout = asked.place.layout(&loaded);
    let taken = backup::take(&layout, &asked.to)?;
    let (files, bytes) = (taken.files.len(), taken.bytes());
    if asked.json {
        let told = json!({ "to": asked.to, "files": files, "bytes": bytes, "made": taken.made });
        writeln!(std::io::stdout().lock(), "{told}")?;
    } else {
        talk.line(format_args!(
            "{files} files with {bytes} bytes copied to {}",
            asked.to.display()
        ));
    }
    if layout.part("audit.key").exists() {
        talk.note("it holds keys and personal data: keep it as safe as the data directory itself");
    }
    Ok(Outcome::Done)
}
