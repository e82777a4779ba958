//! Signed checkpoints: an Ed25519 signature (RFC 8032) over how far the chain has come.

use super::entry::{AuditEntry, Draft, Hash};
use super::lines::Lines;
use crate::bytes::{hex, unhex};
use crate::crypto::Keyring;
use crate::{Error, Result};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Entries after which a checkpoint is made (RELIABILITY section 4).
pub const CHECKPOINT_ENTRIES: u64 = 1_000;
/// Milliseconds after which a checkpoint is made, if there are entries.
pub const CHECKPOINT_MS: i64 = 60_000;
/// The action of entries that are checkpoints.
pub const CHECKPOINT_ACTION: &str = "checkpoint";
/// What is signed starts with this, so that a signature cannot be used for anything else.
const DOMAIN: &[u8] = b"habitus audit checkpoint v1\0";

/// The key that signs, and what entries are encrypted with, if with anything.
pub struct AuditKey {
    signing: SigningKey,
    pub(crate) lines: Lines,
}

/// The key that verifies; 64 hexadecimal digits as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPublicKey(VerifyingKey);

/// A promise that the chain had this hash at this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The last entry it covers.
    pub through: u64,
    /// That entry's hash, hexadecimal.
    pub hash: String,
    /// When it was made, in milliseconds since the epoch.
    pub time: i64,
    /// The key it was signed with, hexadecimal.
    pub key: String,
    /// The signature, hexadecimal.
    pub signature: String,
}

impl AuditKey {
    /// Reads the key of a file that only its owner can read, or makes one.
    ///
    /// # Errors
    /// [`Error::KeyExposed`] if others can read the file, [`Error::Damaged`] if it holds no key, [`Error::NoEntropy`],
    /// [`Error::Io`].
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match Self::load(path) {
            Err(Error::Io {
                kind: ErrorKind::NotFound,
                ..
            }) => Self::create(path),
            other => other,
        }
    }

    /// Reads the key of a file that only its owner can read.
    ///
    /// # Errors
    /// As [`AuditKey::load_or_create`].
    pub fn load(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(Error::io("read the audit key"))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(Error::KeyExposed);
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(Error::io("read the audit key"))?);
        let bytes = unhex(text.trim())
            .map(Zeroizing::new)
            .ok_or(Error::Damaged("the audit key"))?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The same key, for a chain whose entries are encrypted with the first of these keys, and may have been with the others.
    #[must_use]
    pub fn encrypting(mut self, keys: Keyring) -> Self {
        self.lines = Lines::new(keys);
        self
    }

    fn create(path: &Path) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| Error::NoEntropy)?;
        let text = Zeroizing::new(hex(bytes.as_slice()) + "\n");
        let unfinished = path.with_extension("tmp");
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, path)?;
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        })();
        written.map_err(Error::io("write the audit key"))?;
        Ok(Self::from_bytes(&bytes))
    }

    /// A key from 32 secret bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self {
            signing: SigningKey::from_bytes(bytes),
            lines: Lines::default(),
        }
    }

    /// What verifies.
    #[must_use]
    pub fn public(&self) -> AuditPublicKey {
        AuditPublicKey(self.signing.verifying_key())
    }

    pub(crate) fn sign(&self, through: u64, hash: &Hash, time: i64) -> Checkpoint {
        let signature = self.signing.sign(&message(through, hash, time));
        Checkpoint {
            through,
            hash: hex(hash),
            time,
            key: self.public().to_string(),
            signature: hex(&signature.to_bytes()),
        }
    }
}

impl AuditPublicKey {
    /// From 64 hexadecimal digits; `None` for anything that is no key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        VerifyingKey::from_bytes(&unhex(text.trim())?).ok().map(Self)
    }
}

impl std::fmt::Display for AuditPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(self.0.as_bytes()))
    }
}

impl Checkpoint {
    /// Whether the key signed it, and nothing of it was changed since.
    #[must_use]
    pub fn is_signed_by(&self, key: &AuditPublicKey) -> bool {
        let parts = (|| Some((unhex(&self.hash)?, unhex::<64>(&self.signature)?)))();
        let Some((hash, signature)) = parts else {
            return false;
        };
        let signature = Signature::from_bytes(&signature);
        let message = message(self.through, &hash, self.time);
        self.key == key.to_string() && key.0.verify_strict(&message, &signature).is_ok()
    }

    /// One line of a file of checkpoints.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Strings and numbers always encode.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// The checkpoints of such a file.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a line is no checkpoint.
    pub fn parse_lines(text: &str) -> Result<Vec<Self>> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let parsed = lines.map(serde_json::from_str);
        parsed
            .collect::<serde_json::Result<_>>()
            .map_err(|_| Error::Damaged("a line of the checkpoints"))
    }

    /// What is recorded of it in the chain.
    pub(crate) fn draft(&self) -> Draft {
        Draft {
            actor: "habitus".into(),
            action: CHECKPOINT_ACTION.into(),
            subject: None,
            detail: json!(self),
            versions: super::BTreeMap::new(),
        }
    }

    /// What an entry of the chain records; `None` if it records no checkpoint.
    pub(crate) fn of(entry: &AuditEntry) -> Option<Self> {
        if entry.action != CHECKPOINT_ACTION {
            return None;
        }
        serde_json::from_value(entry.detail.clone()).ok()
    }
}

fn message(through: u64, hash: &Hash, time: i64) -> Vec<u8> {
    let mut message = DOMAIN.to_vec();
    message.extend_from_slice(&through.to_le_bytes());
    message.extend_from_slice(hash);
    message.extend_from_slice(&time.to_le_bytes());
    message
}
