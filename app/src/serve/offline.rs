//! The data directory without a server: looked at, and judged again.

use super::clock;
use super::kept::Kind;
use super::made::{live_settings, reader};
use super::recovery::{Past, Restored, restore};
use super::store::{Layout, failure, keyring};
use crate::config::Loaded;
use crate::failure::{Failure, Trouble};
use habitus_console::access::{Access, NewToken, Scope};
use habitus_journal::Position;
use habitus_journal::archive::{Export, Exported, export};
use habitus_journal::audit::{AuditKey, Checkpoint, Draft, Report, verify_encrypted};
use habitus_journal::log::{Log, Readers, Settings as LogSettings};
use habitus_journal::snapshot::{Loaded as LoadedSnapshot, Snapshots};
use habitus_journal::storage::RealFs;
use habitus_model::{EventTime, IngestTime, TenantId, Text};
use std::path::Path;
use std::sync::Arc;

/// The state that a data directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateReport {
    /// The next entry of the log to be judged.
    pub position: u64,
    /// Digest of the state: newest snapshot, and the log since.
    pub digest: String,
    /// Digest of the state that the whole log gives; absent if its beginning is no longer kept.
    pub from_the_beginning: Option<String>,
    /// Accounts known.
    pub accounts: usize,
    /// Records lost to damage.
    pub lost: u64,
    /// Snapshots that could not be used.
    pub skipped: usize,
}

/// Checks the audit chain against its key and against checkpoints kept elsewhere; a server may run meanwhile.
///
/// # Errors
/// A chain or key that cannot be read.
pub fn verify_audit(loaded: &Loaded, layout: &Layout, checkpoints: Option<&Path>) -> Result<Report, Failure> {
    let key = AuditKey::load(&layout.part("audit.key")).map_err(failure)?;
    let kept = match checkpoints {
        Some(path) => Checkpoint::parse_lines(&std::fs::read_to_string(path)?).map_err(failure)?,
        None => Vec::new(),
    };
    let keys = keyring(loaded.config.serve.encryption_key.as_deref())?;
    let dir = RealFs::look(&layout.part("audit"));
    verify_encrypted((&dir, &keys), &key.public(), &kept).map_err(failure)
}

/// Comes back to the state as a server would, and compares with what the whole log gives.
///
/// # Errors
/// A directory that a server uses, or that cannot be read.
pub fn verify_state(loaded: &Loaded, layout: &Layout) -> Result<StateReport, Failure> {
    let (snapshot, readers) = open(loaded, layout)?;
    let skipped = snapshot.skipped.len();
    let again = |snapshot: LoadedSnapshot| -> Result<Restored, Failure> {
        let made_with = (live_settings(loaded), &reader(loaded)?);
        restore(snapshot, &Past::all(&readers), made_with, None)
    };
    let state = again(snapshot)?;
    let from_the_beginning = if is_whole(&readers)? {
        Some(again(LoadedSnapshot::default())?.reducer.digest()?)
    } else {
        None
    };
    Ok(StateReport {
        position: state.position,
        digest: state.reducer.digest()?,
        from_the_beginning,
        accounts: state.reducer.engine().accounts(),
        lost: state.lost,
        skipped,
    })
}

/// The state that the log gives up to a position, from its beginning.
///
/// # Errors
/// A directory that a server uses, or that cannot be read; a log whose beginning is no longer kept.
pub fn state_at(loaded: &Loaded, layout: &Layout, until: u64) -> Result<StateReport, Failure> {
    let (_, readers) = open(loaded, layout)?;
    if !is_whole(&readers)? {
        let message = "the beginning of the log is no longer kept";
        return Err(Failure::new(Trouble::Data, message));
    }
    let made_with = (live_settings(loaded), &reader(loaded)?);
    let past = Past {
        until,
        ..Past::all(&readers)
    };
    let state = restore(LoadedSnapshot::default(), &past, made_with, None)?;
    Ok(StateReport {
        position: state.position,
        digest: state.reducer.digest()?,
        from_the_beginning: None,
        accounts: state.reducer.engine().accounts(),
        lost: state.lost,
        skipped: 0,
    })
}

/// Whether the beginning of the log is still kept.
fn is_whole(readers: &Readers) -> Result<bool, Failure> {
    let first = readers.from(Position(0)).next().transpose().map_err(failure)?;
    Ok(first.is_none_or(|record| record.position.0 == 0))
}

/// Records in the audit chain of a copy that it was brought back: what was recorded after the copy was made is not in it.
///
/// # Errors
/// A chain that cannot be opened or written.
pub fn record_restore(loaded: &Loaded, layout: &Layout, made: i64) -> Result<(), Failure> {
    let keys = keyring(loaded.config.serve.encryption_key.as_deref())?;
    let now = clock::now();
    let mut audit = layout.open_audit(&keys, now)?;
    let draft = Draft {
        actor: Text::const_new("habitus"),
        action: Text::const_new("backup.restore"),
        detail: serde_json::json!({ "copied": made }),
        ..Draft::default()
    };
    audit.record(draft, now).map_err(failure)?;
    audit.checkpoint(now).map_err(failure)
}

/// Writes raw telemetry as Parquet, a directory a day.
///
/// # Errors
/// A directory that a server uses, or that cannot be read; a target that cannot be written.
pub fn export_telemetry(
    loaded: &Loaded,
    layout: &Layout,
    (from, until): (IngestTime, IngestTime),
    target: &Path,
) -> Result<Exported, Failure> {
    let (_, readers) = open(loaded, layout)?;
    let what = Export {
        from,
        until,
        target,
        kind_name: &|number| Kind::of(number).map(Kind::name),
    };
    export(&readers, &what).map_err(failure)
}

/// Makes an API token while no server runs.
///
/// # Errors
/// A directory that a server uses, or an access file that cannot be written.
pub fn make_token(
    layout: &Layout,
    name: &str,
    scopes: Vec<Scope>,
    days: Option<u16>,
) -> Result<String, Failure> {
    layout.make()?;
    // The server holds this lock, and has the tokens in memory.
    let _lock = RealFs::own(&layout.part("log")).map_err(failure)?;
    let now = clock::now().as_event();
    let trouble = |error: &dyn std::fmt::Display| Failure::new(Trouble::Unavailable, error.to_string());
    let (access, _) = Access::open(&layout.part("access.json"), now).map_err(|error| trouble(&error))?;
    let expires = days.map(|days| now.plus(habitus_model::Millis::from_hours(24 * i64::from(days))));
    let new = NewToken {
        name: name.to_owned(),
        scopes,
        source: None,
        tenant: TenantId::default(),
        expires: expires.filter(|at: &EventTime| *at > now),
    };
    let made = access.create_token(new, "habitus token", now);
    made.map(|(_, secret)| secret).map_err(|error| trouble(&error))
}

fn open(loaded: &Loaded, layout: &Layout) -> Result<(LoadedSnapshot, Readers), Failure> {
    let keys = keyring(loaded.config.serve.encryption_key.as_deref())?;
    let own = |name: &str| RealFs::own(&layout.part(name)).map(Arc::new).map_err(failure);
    let snapshots = Snapshots::open(own("snapshots")?, keys.clone()).map_err(failure)?;
    let snapshot = snapshots.load().map_err(failure)?;
    let settings = LogSettings {
        keys,
        floor: snapshot.snapshot.as_ref().map(|s| s.position).unwrap_or_default(),
        ..LogSettings::default()
    };
    let (log, _) = Log::open(own("log")?, settings).map_err(failure)?;
    Ok((snapshot, log.readers()))
}
