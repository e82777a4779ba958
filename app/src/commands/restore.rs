//! `habitus restore`: a copy becomes a data directory again, if it is whole.

use super::serve::Place;
use super::verify::Verified;
use crate::backup;
use crate::failure::{Failure, Outcome, Trouble};
use crate::serve::offline;
use crate::terminal::Talk;
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  habitus restore --from /backup/habitus.tar.zst --data-dir /var/lib/habitus
  habitus restore --from /backup/habitus --config /etc/habitus.toml";

/// What is asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct Restore {
    #[command(flatten)]
    place: Place,
    /// The copy: what `habitus backup --to` has written
    #[arg(long, value_name = "PATH", env = "HABITUS_FROM")]
    from: PathBuf,
    /// Print what was restored as JSON
    #[arg(long, env = "HABITUS_JSON")]
    json: bool,
}

/// Restores into a directory that is not there yet, after everything `habitus verify` looks at was found whole.
///
/// # Errors
/// A data directory that holds something; a copy that is not whole (exit code 65).
pub fn run(asked: &Restore, talk: Talk) -> Result<Outcome, Failure> {
    let loaded = asked.place.load()?;
    let layout = asked.place.layout(&loaded);
    let (verified, made) = backup::restore(&asked.from, &layout, |staged, manifest| {
        let verified = Verified::all(&loaded, staged, None)?;
        if !verified.is_whole() {
            return Err(
                Failure::new(Trouble::Data, "the copy was whole, but not what it is a copy of")
                    .help("`habitus verify` on the original tells what is wrong; use an earlier copy"),
            );
        }
        offline::record_restore(&loaded, staged, manifest.made)?;
        Ok((verified, manifest.made))
    })?;
    if asked.json {
        let told = json!({ "data_dir": layout.0, "made": made, "verified": verified.json() });
        writeln!(std::io::stdout().lock(), "{told}")?;
    } else {
        verified.print()?;
        talk.line(format_args!("restored to {}", layout.0.display()));
    }
    Ok(Outcome::Done)
}
