//! What a verdict does, told before it is given and the same after.

use crate::finding::Finding;
use crate::hit::Hit;
use crate::key::FindingId;
use crate::triage::{Ruling, Taught};
use habitus_model::{IngestTime, RiskScore, Text, Verdict};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What a command does to baselines and findings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Effects {
    /// Events that enter their account's baseline.
    pub learn: Vec<Taught>,
    /// Events that an earlier verdict let in, and that leave it again.
    pub unlearn: Vec<Taught>,
    /// Events that were an attacker's: what waits in quarantine because of them is forgotten.
    pub refuse: Vec<Taught>,
    /// Events that stay out of the baseline, refused ones included.
    pub kept_out: u64,
    /// Findings that close.
    pub closes: Vec<FindingId>,
    /// Findings that open again.
    pub opens: Vec<FindingId>,
    /// Verdicts that have changed, for what learns from them; a preview has none.
    pub labels: Vec<Label>,
}

/// A verdict that has changed, with the event it is about: the finding's worst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The finding.
    pub finding: FindingId,
    /// What stood before; absent: nothing.
    pub before: Option<Stood>,
    /// What stands now; absent: nothing.
    pub after: Option<Stood>,
    /// The event.
    pub worst: Box<Hit>,
}

/// A verdict as it stands or stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// The verdict.
    pub verdict: Verdict,
    /// Who gave it.
    pub by: Text,
    /// When.
    pub at: IngestTime,
}

impl Stood {
    fn of(ruling: &Ruling) -> Self {
        Self {
            verdict: ruling.verdict,
            by: ruling.by.clone(),
            at: ruling.at,
        }
    }
}

/// What a verdict would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The finding.
    pub finding: FindingId,
    /// The verdict.
    pub verdict: Verdict,
    /// Just what giving it reports, in as many findings as it was asked to reach.
    pub effects: Effects,
    /// Open findings that are similar, at most 100: these close too if the verdict is to reach similar ones.
    pub similar: Vec<FindingId>,
    /// What the worst event would score afterwards. Absent until the caller has asked the engine.
    pub score_after: Option<RiskScore>,
    /// All of it as a sentence.
    pub text: String,
}

impl Effects {
    /// Adds what becomes of one finding's events when its ruling changes.
    pub(crate) fn of_ruling(&mut self, finding: &Finding, before: Option<&Ruling>, after: Option<&Ruling>) {
        let learned = |ruling: Option<&Ruling>| ruling.map(|r| r.learned.clone()).unwrap_or_default();
        let (was, will) = (learned(before), learned(after));
        let not_in = |these: &[Taught], those: &[Taught]| -> Vec<Taught> {
            let missing = these.iter().filter(|event| !those.contains(event));
            missing.cloned().collect()
        };
        self.learn.extend(not_in(&will, &was));
        self.unlearn.extend(not_in(&was, &will));
        self.labels.push(Label {
            finding: finding.id.clone(),
            before: before.map(Stood::of),
            after: after.map(Stood::of),
            worst: Box::new(finding.worst.clone()),
        });
        if after.is_some_and(|ruling| ruling.verdict == Verdict::TruePositive) {
            self.refuse.extend(finding.teachable());
        }
        let inside = u64::try_from(will.len()).unwrap_or(u64::MAX);
        self.kept_out += finding.count.saturating_sub(inside);
    }

    /// As a sentence.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to memory does not fail.
        let mut part = |count: usize, one: &str, many: &str| {
            if count > 0 {
                let gap = if text.is_empty() { "" } else { "; " };
                let _ = write!(text, "{gap}{count} {}", if count == 1 { one } else { many });
            }
        };
        part(
            self.learn.len(),
            "event enters the baseline",
            "events enter the baseline",
        );
        part(
            self.unlearn.len(),
            "event leaves the baseline",
            "events leave the baseline",
        );
        let out = usize::try_from(self.kept_out).unwrap_or(usize::MAX);
        part(
            out,
            "event stays out of the baseline",
            "events stay out of the baseline",
        );
        part(self.closes.len(), "finding closes", "findings close");
        part(self.opens.len(), "finding opens again", "findings open again");
        if text.is_empty() {
            text.push_str("nothing changes");
        }
        text
    }
}
