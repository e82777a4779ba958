//! How often owners fail prompts for a second factor, and fail again.
//!
//! Estimates, by kind of factor, the probability that a prompt fails after so many that failed before: owners whose phone
//! is in another room fail twice, and a test that took their failures for independent would accuse them. Learned from bouts
//! that the owner ended by satisfying one; a bout that nobody ended teaches nothing.

use habitus_model::PromptKind;
use serde::{Deserialize, Serialize};

/// Failures before, as far as they are told apart.
const STAGES: usize = 4;
/// Weight of [`PRIOR`], prompts: of the first, and of those that follow failures, which are few.
const PRIOR_WEIGHT: [f64; STAGES] = [30.0, 8.0, 8.0, 8.0];
/// Probability that a prompt fails, by kind (push, code, strong, unknown) and failures before. Order of magnitude of SCORING
/// 7 for the first; that the next fail more often is assumed.
const PRIOR: [[f64; STAGES]; PromptKind::COUNT] = [
    [0.05, 0.25, 0.30, 0.35],
    [0.08, 0.20, 0.25, 0.30],
    [0.04, 0.20, 0.25, 0.30],
    [0.06, 0.22, 0.28, 0.33],
];

/// A bout that its owner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoutEnded {
    /// Kind of factor.
    pub kind: PromptKind,
    /// Prompts that failed before one was satisfied.
    pub failed: u8,
}

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PromptHabits {
    counts: [[(f64, f64); STAGES]; PromptKind::COUNT],
}

impl PromptHabits {
    /// Probability that a prompt to the owner fails after so many failures, in `(0, 1)`.
    #[must_use]
    pub fn fails(&self, kind: PromptKind, before: u8) -> f64 {
        let stage = usize::from(before).min(STAGES - 1);
        let at = |row: Option<&[(f64, f64); STAGES]>| row.and_then(|row| row.get(stage)).copied();
        let (failed, all) = at(self.counts.get(kind.index())).unwrap_or_default();
        let prior = PRIOR.get(kind.index()).and_then(|row| row.get(stage)).copied();
        let weight = PRIOR_WEIGHT.get(stage).copied().unwrap_or(8.0);
        (failed + weight * prior.unwrap_or(0.3)) / (all + weight)
    }

    /// Counts the prompts of a bout.
    pub fn learn(&mut self, bout: BoutEnded) {
        let Some(row) = self.counts.get_mut(bout.kind.index()) else {
            return;
        };
        for before in 0..=bout.failed.min(16) {
            if let Some((failed, all)) = row.get_mut(usize::from(before).min(STAGES - 1)) {
                *failed += f64::from(u8::from(before < bout.failed));
                *all += 1.0;
            }
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for (failed, all) in self.counts.iter_mut().flatten() {
            *failed *= factor;
            *all *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_who_never_fail_make_failures_rare() {
        let mut habits = PromptHabits::default();
        let kind = PromptKind::Push;
        assert!(habits.fails(kind, 0) < habits.fails(kind, 1));
        for _ in 0..1_000 {
            habits.learn(BoutEnded { kind, failed: 0 });
        }
        assert!(habits.fails(kind, 0) < 0.002);
        assert!(
            (habits.fails(kind, 1) - 0.25).abs() < 1e-9,
            "nobody failed twice or did not"
        );
        habits.learn(BoutEnded { kind, failed: 2 });
        assert!(habits.fails(kind, 1) > 0.25);
    }
}
