//! Entries and the lines they are written as.
//!
//! ```text
//! {"hash":"<64 hexadecimal digits>","entry":{"seq":7,"time":…,"actor":…,"action":…,"subject":…,"detail":…,"versions":…}}
//! ```
//!
//! The hash is BLAKE3 over the previous entry's 32 hash bytes and then the bytes of `entry` exactly as they stand in the line, so
//! that anyone can check it without knowing how values are encoded.

use crate::bytes::{hex, unhex};
use crate::{Error, Result};
use habitus_model::Text;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes of an entry's line: what is recorded is a decision or an action, not the data it is about.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// What the first entry follows.
pub(crate) const GENESIS: Hash = [0; 32];

/// A BLAKE3 hash.
pub type Hash = [u8; 32];

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// Who did it: an account of the console, a token's name, or `habitus` itself.
    pub actor: Text,
    /// What was done, as a word: `verdict`, `order`, `sign_in`, `read_account`.
    pub action: Text,
    /// What it was done to; absent if to nothing in particular.
    pub subject: Option<Text>,
    /// Whatever else must be known, as JSON.
    pub detail: Value,
    /// Versions of what decided: model, policy, tables, by name.
    pub versions: BTreeMap<String, String>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 0, without gaps.
    pub seq: u64,
    /// When, in milliseconds since the epoch by our own clock.
    pub time: i64,
    /// Who did it.
    pub actor: Text,
    /// What was done.
    pub action: Text,
    /// What it was done to; absent if to nothing in particular.
    pub subject: Option<Text>,
    /// Whatever else must be known.
    pub detail: Value,
    /// Versions of what decided.
    pub versions: BTreeMap<String, String>,
}

/// A line taken apart: what was hashed, and the hash it claims.
pub(crate) struct Parsed<'a> {
    pub(crate) hash: Hash,
    pub(crate) canonical: &'a str,
}

impl AuditEntry {
    pub(crate) fn new(draft: Draft, seq: u64, time: i64) -> Self {
        Self {
            seq,
            time,
            actor: draft.actor,
            action: draft.action,
            subject: draft.subject,
            detail: draft.detail,
            versions: draft.versions,
        }
    }

    /// The line and its hash.
    pub(crate) fn line(&self, previous: &Hash) -> Result<(String, Hash)> {
        let canonical = serde_json::to_string(self).map_err(|_| Error::Encoding("an audit entry"))?;
        let hash = chain(previous, &canonical);
        let line = format!("{{\"hash\":\"{}\",\"entry\":{canonical}}}\n", hex(&hash));
        if line.len() > LINE_BYTES_MAX {
            return Err(Error::TooLarge {
                bytes: line.len(),
                bytes_max: LINE_BYTES_MAX,
            });
        }
        Ok((line, hash))
    }
}

impl<'a> Parsed<'a> {
    /// Takes a line without its end apart; `None` unless it is laid out exactly as [`AuditEntry::line`] writes it, so that nothing
    /// can stand in it that the hash does not cover. Whether the entry can be read is not looked at.
    pub(crate) fn new(line: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let rest = text.strip_prefix("{\"hash\":\"")?;
        let (hash, rest) = rest.split_at_checked(2 * GENESIS.len())?;
        let canonical = rest.strip_prefix("\",\"entry\":")?.strip_suffix('}')?;
        let is_lower = !hash.bytes().any(|digit| digit.is_ascii_uppercase());
        let hash = unhex(hash).filter(|_| is_lower)?;
        Some(Self { hash, canonical })
    }

    pub(crate) fn follows(&self, previous: &Hash) -> bool {
        chain(previous, self.canonical) == self.hash
    }

    pub(crate) fn entry(&self) -> Option<AuditEntry> {
        serde_json::from_str(self.canonical).ok()
    }
}

fn chain(previous: &Hash, canonical: &str) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous).update(canonical.as_bytes());
    *hasher.finalize().as_bytes()
}
