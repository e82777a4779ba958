//! Signed checkpoints of the audit chain, copied to a file outside the data directory: they show what was cut off or put back.
//!
//! Who can write the data directory can write the chain anew from some entry on. What they cannot change is a checkpoint that
//! lies elsewhere: on a share that only takes additions, or in a file that a log shipper sends on as it grows.

use super::clock;
use super::core::Core;
use super::store::Layout;
use crate::failure::{Failure, Trouble};
use habitus_journal::audit::Checkpoint;
use parking_lot::Mutex;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often it is looked for new checkpoints, which are made every minute.
const LOOK: Duration = Duration::from_secs(1);

/// The file.
pub struct Offsite {
    path: PathBuf,
    /// The first entry that none of its checkpoints covers.
    next: Mutex<u64>,
}

impl Offsite {
    /// Opens the file, or begins it; `ends` is the number of the chain's next entry.
    ///
    /// # Errors
    /// A file within the data directory, or that cannot be read or written.
    pub fn open(path: &Path, layout: &Layout, ends: u64) -> Result<Self, Failure> {
        let name = "`serve.audit_checkpoints`";
        let wrong = |why: String| Failure::new(Trouble::Configuration, format!("{name} {why}"));
        let failed = |error: io::Error| {
            wrong(format!("cannot be used: {error}"))
                .help("name a file outside the data directory that can be written")
        };
        let file = append(path).map_err(failed)?;
        drop(file);
        let real = path.canonicalize().map_err(failed)?;
        if real.starts_with(layout.0.canonicalize().map_err(failed)?) {
            return Err(
                wrong("lies in the data directory, where it shows nothing".to_owned())
                    .help("name a file on another machine's share, or one that a log shipper sends on"),
            );
        }
        let text = fs::read_to_string(&real).map_err(failed)?;
        let kept = Checkpoint::parse_lines(&whole_lines(&text))
            .map_err(|_| wrong("holds something else".to_owned()))?;
        let next = kept
            .iter()
            .map(|checkpoint| checkpoint.through + 1)
            .max()
            .unwrap_or(0);
        if next > ends {
            tracing::error!(
                entries = ends,
                "the audit chain ends before a checkpoint kept elsewhere: it was cut off, or an older copy put in its place"
            );
        }
        Ok(Self {
            path: real,
            next: Mutex::new(next),
        })
    }

    /// Copies what is new, on stable storage.
    ///
    /// # Errors
    /// A file that cannot be written: the next call tries again.
    pub fn copy(&self, core: &Core) -> io::Result<()> {
        let mut next = self.next.lock();
        let new = core.records.checkpoints(*next);
        let Some(last) = new.last() else { return Ok(()) };
        let mut file = append(&self.path)?;
        let lines: String = new.iter().map(Checkpoint::to_line).collect();
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        *next = last.through + 1;
        Ok(())
    }
}

/// Copies checkpoints as they are made, until the server ends.
pub fn run(core: &Core, offsite: &Offsite) {
    let mut is_failing = false;
    while !core.ending.load(Ordering::Acquire) {
        std::thread::sleep(LOOK);
        // A chain to which nothing is added any more gets its checkpoint too.
        core.records.commit();
        let failed = offsite.copy(core).err();
        if let Some(error) = failed.as_ref().filter(|_| !is_failing) {
            let time = clock::now().as_millis();
            tracing::error!(%error, time, "checkpoints of the audit cannot be copied; it is tried again");
        }
        is_failing = failed.is_some();
    }
}

fn append(path: &Path) -> io::Result<File> {
    match OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
    {
        Err(error) if error.kind() == ErrorKind::IsADirectory => Err(io::Error::other("it is a directory")),
        other => other,
    }
}

/// Without the last line if that was being written when the machine stopped.
fn whole_lines(text: &str) -> String {
    let whole = text.rfind('\n').map_or(0, |last| last + 1);
    text.get(..whole).unwrap_or_default().to_owned()
}
