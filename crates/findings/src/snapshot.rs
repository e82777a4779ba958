//! Findings as bytes, and back.

use crate::cells::CellKey;
use crate::key::FindingId;
use crate::store::{Findings, Kept, Settings};
use habitus_model::hash::content_digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the layout; another one is refused.
const VERSION: u32 = 5;

/// Why bytes are no findings.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// They are cut, damaged, or something else.
    #[error("the snapshot of findings cannot be read")]
    Damaged(#[source] postcard::Error),
    /// They were written by another version of habitus.
    #[error("the snapshot of findings has layout {found}, expected {VERSION}")]
    Version {
        /// Layout found.
        found: u32,
    },
}

#[derive(Serialize)]
struct Saving<'k> {
    version: u32,
    kept: &'k Kept,
    dropped: &'k BTreeMap<CellKey, u64>,
}

#[derive(Deserialize)]
struct Saved {
    kept: Kept,
    dropped: BTreeMap<CellKey, u64>,
}

/// The settled state as it was, shared with the findings as far as they have not changed since.
#[derive(Debug)]
pub struct Picture {
    kept: Kept,
    dropped: BTreeMap<CellKey, u64>,
}

impl Picture {
    /// The state as bytes. What is ahead of its turn is no part of it: who restores gives it again.
    ///
    /// # Errors
    /// None that is known of: the serialiser's, if it ever had any.
    pub fn bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        let saving = Saving {
            version: VERSION,
            kept: &self.kept,
            dropped: &self.dropped,
        };
        postcard::to_allocvec(&saving).map_err(SnapshotError::Damaged)
    }
}

impl Findings {
    /// The settled state as it is now, to be made bytes of while it goes on changing. Cost: a pointer for every 64 findings, and
    /// copies of what people did lately.
    #[must_use]
    pub fn picture(&self) -> Picture {
        Picture {
            kept: self.kept.clone(),
            dropped: self.index.cells.dropped().clone(),
        }
    }

    /// The settled state, as [`Picture::bytes`] makes it.
    ///
    /// # Errors
    /// As [`Picture::bytes`].
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        self.picture().bytes()
    }

    /// From [`Findings::snapshot`], with settings that may differ: windows apply to what comes.
    ///
    /// # Errors
    /// If the bytes are cut, damaged, or of another layout.
    pub fn restore(settings: Settings, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (found, rest): (u32, _) = postcard::take_from_bytes(bytes).map_err(SnapshotError::Damaged)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let (saved, rest): (Saved, _) = postcard::take_from_bytes(rest).map_err(SnapshotError::Damaged)?;
        if !rest.is_empty() {
            return Err(SnapshotError::Damaged(postcard::Error::DeserializeBadEncoding));
        }
        let mut findings = Self::new(settings);
        findings.kept = saved.kept;
        let ids: Vec<FindingId> = findings.kept.found.keys().cloned().collect();
        for id in ids {
            findings.put(&id, &mut Vec::new());
        }
        for (cell, count) in saved.dropped {
            findings.index.cells.drop_from(&cell, count);
        }
        Ok(findings)
    }

    /// A digest of the settled state: equal digests, equal findings.
    ///
    /// # Errors
    /// Those of [`Findings::snapshot`].
    pub fn digest(&self) -> Result<String, SnapshotError> {
        Ok(content_digest(&self.snapshot()?))
    }

    /// A digest of what the findings say, without how they came to say it: history and what can be taken back are left
    /// out. Taking a command back restores it.
    ///
    /// # Errors
    /// Those of [`Findings::snapshot`].
    pub fn outcome_digest(&self) -> Result<String, SnapshotError> {
        let outcome = |finding: &crate::Finding| {
            let mut finding = finding.clone();
            finding.triage = finding.triage.outcome();
            finding
        };
        let findings: Vec<crate::Finding> = self.kept.found.values().map(outcome).collect();
        let touched = self
            .kept
            .storms
            .iter()
            .filter(|(_, storm)| storm.triage.is_touched());
        let storms: Vec<_> = touched.map(|(id, storm)| (id, storm.triage.outcome())).collect();
        let bytes = postcard::to_allocvec(&(findings, storms, self.index.cells.dropped()));
        Ok(content_digest(&bytes.map_err(SnapshotError::Damaged)?))
    }
}
