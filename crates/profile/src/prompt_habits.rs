//! How often owners fail prompts for a second factor, and fail again.
//!
//! Estimates, by kind of factor, the probability that a prompt fails after so many that failed before: owners whose phone
//! is in another room fail twice, and a test that took their failures for independent would accuse them. Learned from bouts
//! that the owner ended by satisfying one; a bout that nobody ended teaches nothing. What was measured after fewer failures
//! bounds what is assumed after more of them, which are few.

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

/// How much likelier than after one failure fewer the next is, at most, where nothing was measured: who just failed for want
/// of a phone fails again. Assumed.
const LIKELIER: [f64; STAGES] = [1.0, 4.0, 1.5, 1.2];
/// Share of owners' failures that they refused themselves, in place of leaving them alone, and its weight, failures. Assumed.
const DENIED_PRIOR: f64 = 0.1;
const DENIED_WEIGHT: f64 = 20.0;

/// A bout that its owner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoutEnded {
    /// Kind of factor.
    pub kind: PromptKind,
    /// Prompts that failed before one was satisfied.
    pub failed: u8,
    /// Those of them that were refused.
    pub denied: u8,
}

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PromptHabits {
    counts: [[(f64, f64); STAGES]; PromptKind::COUNT],
    denied: (f64, f64),
}

impl PromptHabits {
    /// Probability that a prompt to the owner fails after so many failures, in `(0, 1)`.
    #[must_use]
    pub fn fails(&self, kind: PromptKind, before: u8) -> f64 {
        let stage = usize::from(before).min(STAGES - 1);
        let mut fails = 1.0;
        for at in 0..=stage {
            fails = self.at(kind, at, fails);
        }
        fails
    }

    /// Probability that the owner fails at a stage, given the one of the stage before.
    fn at(&self, kind: PromptKind, stage: usize, before: f64) -> f64 {
        let counts = self.counts.get(kind.index()).and_then(|row| row.get(stage));
        let (failed, all) = counts.copied().unwrap_or_default();
        let prior = PRIOR.get(kind.index()).and_then(|row| row.get(stage)).copied();
        let likelier = LIKELIER.get(stage).copied().unwrap_or(1.0);
        let prior = prior.unwrap_or(0.3).min(likelier * before);
        let weight = PRIOR_WEIGHT.get(stage).copied().unwrap_or(8.0);
        (failed + weight * prior) / (all + weight)
    }

    /// Probability that a prompt which the owner fails is refused and not just left alone, in `(0, 1)`.
    #[must_use]
    pub fn denies(&self) -> f64 {
        let (denied, failed) = self.denied;
        (denied + DENIED_WEIGHT * DENIED_PRIOR) / (failed + DENIED_WEIGHT)
    }

    /// Counts the prompts of a bout.
    pub fn learn(&mut self, bout: BoutEnded) {
        self.denied.0 += f64::from(bout.denied);
        self.denied.1 += f64::from(bout.failed);
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
        for (failed, all) in self.counts.iter_mut().flatten().chain([&mut self.denied]) {
            *failed *= factor;
            *all *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn bout(failed: u8, denied: u8) -> BoutEnded {
        BoutEnded {
            kind: PromptKind::Push,
            failed,
            denied,
        }
    }

    #[test]
    fn owners_who_never_fail_make_failures_rare() {
        let mut habits = PromptHabits::default();
        let kind = PromptKind::Push;
        assert!(habits.fails(kind, 0) < habits.fails(kind, 1));
        let (before, denies) = (habits.fails(kind, 2), habits.denies());
        for _ in 0..1_000 {
            habits.learn(bout(0, 0));
        }
        assert!(habits.fails(kind, 0) < 0.002);
        assert!(
            habits.fails(kind, 2) < before / 10.0,
            "who never fails is not taken to fail thrice"
        );
        let once = habits.fails(kind, 1);
        habits.learn(bout(2, 0));
        assert!(habits.fails(kind, 1) > once && habits.denies() < denies);
    }

    #[test]
    fn where_owners_refuse_a_refusal_says_little() {
        let mut habits = PromptHabits::default();
        for _ in 0..100 {
            habits.learn(bout(2, 2));
        }
        assert!(habits.denies() > 0.8);
    }
}
