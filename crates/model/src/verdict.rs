//! What people say of findings: OCSF's verdicts, in analysts' words.

use serde::{Deserialize, Serialize};

/// An analyst's verdict on a finding (OCSF 1.8 `verdict_id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was an attack: its events stay out of the baseline.
    TruePositive,
    /// Unusual, and expected: the baseline is not widened.
    Benign,
    /// Normal behaviour that was judged wrongly: its events enter the baseline.
    FalsePositive,
    /// Wrong data (place, parser, clock): nothing is learned, the source is to be mended.
    BadData,
    /// More must be known: it stays open.
    Unsure,
    /// A test or a red team: nothing is learned.
    Test,
    /// Another finding tells the same.
    Duplicate,
}

impl Verdict {
    /// Every verdict, in the order of the keys that give them.
    pub const ALL: [Self; 7] = [
        Verdict::TruePositive,
        Verdict::Benign,
        Verdict::FalsePositive,
        Verdict::BadData,
        Verdict::Unsure,
        Verdict::Test,
        Verdict::Duplicate,
    ];

    /// The name in snake case, as the API takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::TruePositive => "true_positive",
            Verdict::Benign => "benign",
            Verdict::FalsePositive => "false_positive",
            Verdict::BadData => "bad_data",
            Verdict::Unsure => "unsure",
            Verdict::Test => "test",
            Verdict::Duplicate => "duplicate",
        }
    }

    /// By name; `None` for another word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// OCSF `verdict_id` and caption.
    #[must_use]
    pub const fn ocsf(self) -> (u8, &'static str) {
        match self {
            Verdict::FalsePositive | Verdict::BadData => (1, "False Positive"),
            Verdict::TruePositive => (2, "True Positive"),
            Verdict::Benign => (5, "Benign"),
            Verdict::Test => (6, "Test"),
            Verdict::Unsure => (7, "Insufficient Data"),
            Verdict::Duplicate => (10, "Duplicate"),
        }
    }

    /// Whether the finding is closed by it.
    #[must_use]
    pub const fn closes(self) -> bool {
        !matches!(self, Verdict::Unsure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::from_name(verdict.name()), Some(verdict));
        }
        assert_eq!(Verdict::from_name("True Positive"), None);
    }
}
