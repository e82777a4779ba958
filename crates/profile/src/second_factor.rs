//! When accounts that have a second factor are asked for it: by providers that remember devices, at each new one.
//!
//! Estimates, per population, the probability that a visit shows a second factor, apart for clients the account is known by
//! and for others; only visits of accounts that showed one before count. The provider sees what no log shows, whether the
//! device is the very one it remembers, and whether it asks says so. Fails where every visit is asked, and then says
//! nothing.

use serde::{Deserialize, Serialize};

/// Weight of [`PRIOR`], visits.
const PRIOR_WEIGHT: f64 = 10.0;
/// Probability of being asked with a known client and with another, before a population has shown its own. Assumed.
const PRIOR: [f64; 2] = [0.4, 0.9];
/// Visits with a second factor from which an account is taken to have one: one of them, three half-lives ago.
const HAS_ONE: f64 = 0.1;
/// Weight of the account's own share of strong factors against a half, visits.
const OWN_WEIGHT: f64 = 1.0;

/// What a visit shows of second factors, held against what is usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactorSeen {
    /// A second factor was satisfied.
    pub shown: bool,
    /// One that cannot be phished was.
    pub strong: bool,
    /// Probability that the owner is asked with such a client, in `(0, 1)`.
    pub usual: f64,
    /// Probability that whoever comes with a device never seen is asked, in `(0, 1)`.
    pub stranger: f64,
    /// Share of strong factors among those the account showed, smoothed, in `(0, 1)`. Absent: it never showed one.
    pub strong_share: Option<f64>,
}

/// Whether a visit of an account with a second factor showed it, as the population counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorHabit {
    /// The family of client is new to the account.
    pub new_family: bool,
    /// A second factor was satisfied.
    pub shown: bool,
}

/// Visits of one account with a second factor, decayed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FactorCount {
    /// With any.
    pub shown: f32,
    /// With a strong one.
    pub strong: f32,
}

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FactorHabits {
    counts: [(f64, f64); 2],
}

impl FactorCount {
    /// Whether the account is taken to have a second factor.
    #[must_use]
    pub fn has_one(self) -> bool {
        f64::from(self.shown) >= HAS_ONE
    }

    /// See [`FactorSeen::strong_share`].
    #[must_use]
    pub fn strong_share(self) -> Option<f64> {
        let (shown, strong) = (f64::from(self.shown), f64::from(self.strong));
        (strong >= HAS_ONE).then(|| (strong + 0.5 * OWN_WEIGHT) / (shown.max(strong) + OWN_WEIGHT))
    }
}

impl FactorHabits {
    /// Probability that a visit of an account with a second factor shows it, in `(0, 1)`.
    #[must_use]
    pub fn asked(&self, new_family: bool) -> f64 {
        let (shown, visits) = self
            .counts
            .get(usize::from(new_family))
            .copied()
            .unwrap_or_default();
        let prior = PRIOR.get(usize::from(new_family)).copied().unwrap_or(0.5);
        (shown + PRIOR_WEIGHT * prior) / (visits + PRIOR_WEIGHT)
    }

    /// Counts one visit.
    pub fn learn(&mut self, habit: FactorHabit) {
        if let Some((shown, visits)) = self.counts.get_mut(usize::from(habit.new_family)) {
            *shown += f64::from(u8::from(habit.shown));
            *visits += 1.0;
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for (shown, visits) in &mut self.counts {
            *shown *= factor;
            *visits *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_that_ask_everybody_show_it() {
        let mut habits = FactorHabits::default();
        assert!(habits.asked(false) < habits.asked(true));
        for _ in 0..500 {
            habits.learn(FactorHabit {
                new_family: false,
                shown: true,
            });
        }
        assert!(habits.asked(false) > 0.95);
    }

    #[test]
    fn who_never_showed_a_factor_has_none() {
        assert!(!FactorCount::default().has_one());
        let keys = FactorCount {
            shown: 9.0,
            strong: 9.0,
        };
        assert!(keys.strong_share() > Some(0.9));
        assert_eq!(
            FactorCount {
                shown: 9.0,
                strong: 0.0
            }
            .strong_share(),
            None
        );
    }
}
