//! What was counted while reading. Tallies of batches are added in the order of the batches.

use habitus_model::{Rejection, RejectionKind, Text};
use std::collections::BTreeMap;

/// Reasons kept apart; further ones are counted under their kind alone, because a reason may hold a number that every
/// record makes anew.
const REASONS_MAX: usize = 64;

/// Places shown for each reason.
pub const PLACES_MAX: usize = 3;

/// Counts of one batch or of all.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Records framed.
    pub records: u64,
    /// Events read from them.
    pub events: u64,
    /// Records understood, and no business of identity.
    pub ignored: u64,
    /// Records not understood.
    pub rejections: Rejections,
    /// Events whose stamps had no year or that had no stamp.
    pub assumed_times: u64,
    /// Events by log format.
    pub formats: BTreeMap<Text, u64>,
    /// Inputs that could not be read to their end, as sentences.
    pub broken: Vec<String>,
}

/// Records not understood, by reason.
#[derive(Debug, Clone, Default)]
pub struct Rejections {
    total: u64,
    by_reason: BTreeMap<(RejectionKind, Text), Rejected>,
}

/// The records rejected for one reason.
#[derive(Debug, Clone, Default)]
pub struct Rejected {
    /// How many.
    pub count: u64,
    /// The first of them: number of the input, line.
    pub first: Vec<(u32, u64)>,
}

impl Tally {
    /// Adds the tally of the batch that comes next.
    pub fn add(&mut self, other: Tally) {
        self.records += other.records;
        self.events += other.events;
        self.ignored += other.ignored;
        self.assumed_times += other.assumed_times;
        for (format, count) in other.formats {
            *self.formats.entry(format).or_default() += count;
        }
        self.broken.extend(other.broken);
        self.rejections.add(other.rejections);
    }

    /// Whether there was something to read and nothing of it was understood.
    pub fn is_hopeless(&self) -> bool {
        let understood = self.events + self.ignored;
        understood == 0 && (self.records > 0 || !self.broken.is_empty())
    }
}

impl Rejections {
    /// How many records were rejected.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Counts one.
    pub fn push(&mut self, rejection: Rejection, input: u32, line: u64) {
        let one = Rejected {
            count: 1,
            first: vec![(input, line)],
        };
        self.merge((rejection.kind, rejection.reason), one);
    }

    /// By reason, the most frequent first.
    pub fn by_reason(&self) -> Vec<(RejectionKind, &str, &Rejected)> {
        let mut all: Vec<_> = self
            .by_reason
            .iter()
            .map(|((kind, reason), rejected)| (*kind, reason.as_str(), rejected))
            .collect();
        all.sort_by_key(|(_, _, rejected)| std::cmp::Reverse(rejected.count));
        all
    }

    fn add(&mut self, other: Rejections) {
        for (reason, rejected) in other.by_reason {
            self.merge(reason, rejected);
        }
    }

    fn merge(&mut self, (kind, reason): (RejectionKind, Text), rejected: Rejected) {
        self.total += rejected.count;
        let full = self.by_reason.len() >= REASONS_MAX;
        let mut key = (kind, reason);
        if full && !self.by_reason.contains_key(&key) {
            key.1 = Text::const_new("other reasons of this kind");
        }
        let entry = self.by_reason.entry(key).or_default();
        entry.count += rejected.count;
        let room = PLACES_MAX.saturating_sub(entry.first.len());
        entry.first.extend(rejected.first.into_iter().take(room));
    }
}

/// How to mend records of a kind of rejection.
pub fn advice(kind: RejectionKind) -> &'static str {
    match kind {
        RejectionKind::Unrecognised => "name the format with --format, or leave these lines out",
        RejectionKind::Malformed => "the record is cut or damaged: export the log again, one record a line",
        RejectionKind::Limit => {
            "raise the limit in [limits] of the configuration, if these records are to be trusted"
        }
        RejectionKind::MissingField => {
            "export the log with all fields; no event can be told without this one"
        }
        RejectionKind::InvalidField => {
            "export the log unaltered: spreadsheets and scripts change times and numbers"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_bounded_and_nothing_is_lost() {
        let mut rejections = Rejections::default();
        for line in 0..1000 {
            rejections.push(
                Rejection::new(RejectionKind::Malformed, format!("at byte {line}")),
                0,
                line,
            );
        }
        assert_eq!(rejections.total(), 1000);
        let all = rejections.by_reason();
        assert!(all.len() <= REASONS_MAX + 1);
        assert_eq!(all.iter().map(|(_, _, r)| r.count).sum::<u64>(), 1000);
        assert_eq!(all[0].1, "other reasons of this kind");
        assert_eq!(all[0].2.first.len(), PLACES_MAX);
    }
}
