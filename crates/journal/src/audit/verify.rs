//! Checks a chain offline, and names the first entry that is not as it was written.

use super::checkpoint::{AuditPublicKey, CHECKPOINT_ACTION, CHECKPOINT_ENTRIES, Checkpoint};
use super::entry::{AuditEntry, GENESIS, Hash, Parsed};
use super::files;
use super::lines::Lines;
use super::recovery::READ_BYTES_MAX;
use crate::Result;
use crate::bytes::{hex, wide};
use crate::crypto::Keyring;
use crate::storage::{Dir, read_whole};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Entries that are as they were written, before the first broken one.
    pub entries: u64,
    /// Checkpoints among them.
    pub checkpoints: u64,
    /// Entries after the last checkpoint: whole, but not yet signed.
    pub unsigned: u64,
    /// Checkpoints given from elsewhere that the chain agrees with.
    pub confirmed: u64,
    /// The first entry that is not as it was written; absent if there is none.
    pub broken: Option<Broken>,
}

/// An entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number: the one it should have.
    pub seq: u64,
    /// The file, and the line from 1.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub why: &'static str,
}

/// What of an entry verification looks at.
#[derive(Deserialize)]
struct Outline<'a> {
    seq: u64,
    #[serde(borrow)]
    action: std::borrow::Cow<'a, str>,
}

struct Verifier<'a> {
    key: &'a AuditPublicKey,
    /// Hashes that checkpoints from elsewhere promise.
    promised: BTreeMap<u64, &'a Checkpoint>,
    next: u64,
    hash: Hash,
    report: Report,
}

/// Reads a whole chain and holds it against the key and against checkpoints that were kept elsewhere.
///
/// # Errors
/// [`crate::Error::Io`] if it cannot be read. What is found wrong is in the report.
pub fn verify(dir: &dyn Dir, key: &AuditPublicKey, kept: &[Checkpoint]) -> Result<Report> {
    verify_encrypted((dir, &Keyring::default()), key, kept)
}

/// The same of a chain that may be encrypted with one of these keys.
///
/// # Errors
/// As [`verify`]; [`crate::Error::KeyMissing`] and [`crate::Error::KeyUnknown`] for what is encrypted otherwise.
pub fn verify_encrypted(
    (dir, keys): (&dyn Dir, &Keyring),
    key: &AuditPublicKey,
    kept: &[Checkpoint],
) -> Result<Report> {
    let promised = kept
        .iter()
        .map(|checkpoint| (checkpoint.through, checkpoint))
        .collect();
    let lines = Lines::new(keys.clone());
    let mut verifier = Verifier {
        key,
        promised,
        next: 0,
        hash: GENESIS,
        report: Report::default(),
    };
    if kept.iter().any(|checkpoint| !checkpoint.is_signed_by(key)) {
        verifier.broken(("", 0), "a given checkpoint is not signed with this key");
        return Ok(verifier.report);
    }
    let mut last = String::new();
    for (first, name) in files(dir)? {
        let content = read_whole(dir, &name, READ_BYTES_MAX)?.unwrap_or_default();
        if first != verifier.next {
            verifier.broken(
                (&name, 1),
                "a file is missing, or not all of the one before is there",
            );
        } else {
            verifier.file(&lines, (&name, &content))?;
        }
        if verifier.report.broken.is_some() {
            return Ok(verifier.report);
        }
        last = name;
    }
    verifier.end(&last);
    Ok(verifier.report)
}

impl Verifier<'_> {
    fn file(&mut self, lines: &Lines, (name, content): (&str, &[u8])) -> Result<()> {
        for (index, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let (line, is_whole) = line
                .strip_suffix(b"\n")
                .map_or((line, false), |line| (line, true));
            let found = match lines.open(line)? {
                _ if !is_whole => Err("the line is cut short"),
                Some(line) => self.line(&line),
                None => Err("the line cannot be decrypted: it was changed"),
            };
            if let Err(why) = found {
                self.broken((name, wide(index) + 1), why);
                break;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> std::result::Result<(), &'static str> {
        let parsed = Parsed::new(line).ok_or("the line is no entry")?;
        let outline: Outline<'_> =
            serde_json::from_str(parsed.canonical).map_err(|_| "the entry is not readable")?;
        if outline.seq != self.next {
            return Err("it has another number: entries were removed, added or moved");
        }
        if !parsed.follows(&self.hash) {
            return Err("its hash does not follow from the entry before and its content");
        }
        if let Some(promise) = self.promised.get(&outline.seq) {
            if promise.hash != hex(&parsed.hash) {
                return Err("a kept checkpoint promises another hash");
            }
            self.report.confirmed += 1;
        }
        if outline.action == CHECKPOINT_ACTION {
            let checkpoint = parsed.entry().as_ref().and_then(Checkpoint::of);
            let checkpoint = checkpoint.ok_or("the checkpoint is not readable")?;
            let is_ours = checkpoint.is_signed_by(self.key);
            // Nothing may stand beside what is signed: the entry's own hash is signed by nobody yet.
            let expected = AuditEntry::new(checkpoint.draft(), self.next, checkpoint.time);
            if serde_json::to_string(&expected).ok().as_deref() != Some(parsed.canonical) {
                return Err("the checkpoint's entry is not as checkpoints are written");
            }
            if !is_ours
                || checkpoint.through.checked_add(1) != Some(self.next)
                || checkpoint.hash != hex(&self.hash)
            {
                return Err("the checkpoint is not signed with this key over what stands before it");
            }
            self.report.checkpoints += 1;
            self.report.unsigned = 0;
        } else {
            self.report.unsigned += 1;
        }
        if self.report.unsigned > CHECKPOINT_ENTRIES {
            return Err("a checkpoint is missing before it");
        }
        self.hash = parsed.hash;
        self.next += 1;
        self.report.entries = self.next;
        Ok(())
    }

    /// What kept checkpoints promise beyond the end was cut off.
    fn end(&mut self, last: &str) {
        let last_promise = self.promised.keys().next_back();
        // The entry after the covered one is the checkpoint itself.
        let is_short = last_promise.is_some_and(|through| through.saturating_add(1) >= self.next);
        if is_short {
            self.broken((last, 0), "it is missing: a kept checkpoint covers it");
        } else if self.report.checkpoints == 0 {
            self.broken((last, 0), "the chain has no checkpoint");
        }
    }

    fn broken(&mut self, (file, line): (&str, u64), why: &'static str) {
        self.report.broken = Some(Broken {
            seq: self.next,
            file: file.to_owned(),
            line,
            why,
        });
    }
}
