//! The data directory: what is where, opened in order.

use super::core::Core;
use super::gate::Gate;
use super::kept::{self, Kind};
use crate::failure::{Failure, Trouble};
use habitus_journal::audit::{Audit, AuditKey};
use habitus_journal::group::{Committer, GroupSettings};
use habitus_journal::log::{Log, Settings as LogSettings};
use habitus_journal::outbox::Outbox;
use habitus_journal::seen::SeenRecovery;
use habitus_journal::snapshot::{Loaded, Snapshots};
use habitus_journal::storage::RealFs;
use habitus_journal::{Error, Key, Keyring};
use habitus_model::{IngestTime, TenantId};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Paths below the data directory.
#[derive(Debug, Clone)]
pub struct Layout(pub PathBuf);

/// Everything on disk, open.
pub struct Store {
    /// The log.
    pub log: Log,
    /// Snapshots.
    pub snapshots: Snapshots,
    /// The newest good one.
    pub loaded: Loaded,
    /// What came before.
    pub gate: Gate,
    /// What of it must come from the log.
    pub seen: SeenRecovery,
    /// Orders.
    pub outbox: Outbox,
    /// The audit chain.
    pub audit: Audit,
}

impl Layout {
    /// A part's directory or file.
    pub fn part(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the directory if it is not there, for its owner only.
    ///
    /// # Errors
    /// One that cannot be made, or that others may read.
    pub fn make(&self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            let message = format!(
                "the data directory `{}` cannot be used: {error}",
                self.0.display()
            );
            Failure::new(Trouble::Unavailable, message)
                .help("name another with --data-dir, or mend its permissions")
        };
        if !self.0.exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.0)
                .map_err(failed)?;
        }
        let mode = fs::metadata(&self.0).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(())
    }

    /// Opens everything.
    ///
    /// # Errors
    /// What cannot be opened, and how to mend it.
    pub fn open(&self, keys: &Keyring, now: IngestTime) -> Result<Store, Failure> {
        let own = |name: &str| RealFs::own(&self.part(name)).map(Arc::new);
        let snapshots = Snapshots::open(own("snapshots").map_err(failure)?, keys.clone()).map_err(failure)?;
        let loaded = snapshots.load().map_err(failure)?;
        let (gate, seen) = Gate::open(&self.part("seen"), keys.clone()).map_err(failure)?;
        if seen.files_damaged > 0 {
            tracing::error!(
                files = seen.files_damaged,
                "what was seen is damaged; it comes from the log"
            );
        }
        let snapshot = loaded.snapshot.as_ref().map(|s| s.position).unwrap_or_default();
        let settings = LogSettings {
            keys: keys.clone(),
            // Both were written after the log: a log that ends before has lost its end, and positions are not given twice.
            floor: snapshot.max(seen.restore_from),
            ..LogSettings::default()
        };
        let (log, recovery) = Log::open(own("log").map_err(failure)?, settings).map_err(failure)?;
        if recovery.records_lost + recovery.records_missing > 0 {
            tracing::error!(
                ?recovery,
                "the log is damaged; what is lost is counted, the rest is whole"
            );
        }
        let (outbox, _) = Outbox::open(own("outbox").map_err(failure)?, keys.clone()).map_err(failure)?;
        let audit = self.open_audit(keys, now)?;
        Ok(Store {
            log,
            snapshots,
            loaded,
            gate,
            seen,
            outbox,
            audit,
        })
    }
}

impl Layout {
    /// Opens the audit chain.
    ///
    /// # Errors
    /// A chain or key that cannot be opened.
    pub fn open_audit(&self, keys: &Keyring, now: IngestTime) -> Result<Audit, Failure> {
        let key = AuditKey::load_or_create(&self.part("audit.key")).map_err(failure)?;
        let dir = RealFs::own(&self.part("audit")).map_err(failure)?;
        let key = key.encrypting(keys.clone());
        let (audit, recovery) = Audit::open(Arc::new(dir), key, now).map_err(failure)?;
        if recovery.is_damaged {
            tracing::error!("the audit chain is damaged; `habitus verify` tells where");
        }
        Ok(audit)
    }
}

/// Starts the committer for a core.
///
/// # Errors
/// No thread can be had.
pub fn commit(core: &Core, log: Log) -> Result<(), Failure> {
    // Entries reach the reducer through the callbacks of those who appended them, in the same order.
    let committer = Committer::start(log, GroupSettings::default(), Box::new(drop)).map_err(failure)?;
    core.committer
        .set(committer)
        .map_err(|_| Failure::new(Trouble::Bug, "the committer was started twice"))
}

/// An entry that settles what waits.
pub fn settle(now: IngestTime) -> habitus_journal::Entry {
    kept::other(Kind::Settle, &TenantId::default(), now, Vec::new())
}

/// The keys of encryption at rest, from `env:NAME` or `file:PATH` with 64 hexadecimal digits.
///
/// # Errors
/// A reference that leads nowhere, or to something else.
pub fn keyring(reference: Option<&str>) -> Result<Keyring, Failure> {
    let Some(reference) = reference else {
        return Ok(Keyring::default());
    };
    let wrong = |why: &str| {
        Failure::new(Trouble::Configuration, format!("`serve.encryption_key` {why}"))
            .help("write `env:NAME` or `file:/path`, and there 64 hexadecimal digits: openssl rand -hex 32")
    };
    let text = match reference.split_once(':') {
        Some(("env", name)) => std::env::var(name).map_err(|_| wrong("names a variable that is not set"))?,
        Some(("file", path)) => {
            fs::read_to_string(Path::new(path)).map_err(|_| wrong("names a file that cannot be read"))?
        }
        _ => return Err(wrong("is no reference")),
    };
    let bytes =
        unhex(text.trim()).ok_or_else(|| wrong("leads to something that is not 64 hexadecimal digits"))?;
    Ok(Keyring::of(Key::new(bytes)))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// A journal's error as the end of a command.
pub fn failure(error: Error) -> Failure {
    let help = match &error {
        Error::InUse => "another habitus runs on this directory; stop it, or name another with --data-dir",
        Error::Full => "make space on the disk; nothing is lost",
        Error::KeyMissing(_) | Error::KeyUnknown(_) => {
            "set `serve.encryption_key` to the key it was written with"
        }
        Error::NewerFormat(_) => "use the version that wrote it, or a later one",
        Error::KeyExposed => "take the file from others: chmod 600",
        _ => "habitus verify tells more",
    };
    Failure::new(
        Trouble::Unavailable,
        format!("the data directory cannot be used: {error}"),
    )
    .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_references_to_hexadecimal_digits() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        fs::write(&file, format!("{}\n", "0f".repeat(32))).unwrap();
        let named = format!("file:{}", file.display());
        assert!(keyring(Some(&named)).is_ok());
        fs::write(&file, "too short").unwrap();
        for wrong in [
            named.as_str(),
            "env:HABITUS_NO_SUCH_VARIABLE",
            "0f0f",
            "file:/nowhere",
        ] {
            let failure = keyring(Some(wrong)).unwrap_err();
            assert_eq!(failure.trouble(), Trouble::Configuration, "{wrong}");
            assert!(!failure.to_string().contains("0f0f"), "keys are not repeated");
        }
        assert_eq!(unhex(&"é".repeat(32)), None);
    }
}
