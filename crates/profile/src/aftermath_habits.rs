//! How often owners do what attackers come for after an entrance that stood out.
//!
//! Whoever has a new phone looks like somebody else and adds it as a factor at once; roles are hardly ever given on a journey. So
//! each sort of deed has a share of its own, of the tenant.

use habitus_model::Deed;
use serde::{Deserialize, Serialize};

/// From so many nats on an entrance counts as one that stood out here. Assumed.
const STANDS_OUT_NATS: f64 = 1.5;
/// Weight of the prior shares, deeds.
const PRIOR_WEIGHT: f64 = 20.0;
/// Share of deeds that follow such an entrance, of factors that are added and of anything else. Assumed.
const PRIOR_FACTOR: f64 = 0.2;
const PRIOR: f64 = 0.02;

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AftermathHabits {
    /// Deeds after an entrance that stood out, and all, by [`Deed::index`].
    counts: [(f64, f64); Deed::ALL.len()],
}

/// A deed that attackers come for, done by somebody who was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// What was done.
    pub deed: Deed,
    /// Whether the entrance stood out.
    pub stood_out: bool,
}

impl Followed {
    /// A deed under a doubt of so many nats; absent: none.
    #[must_use]
    pub fn new(deed: Deed, doubt: Option<f64>) -> Self {
        Self {
            deed,
            stood_out: doubt.is_some_and(|nats| nats >= STANDS_OUT_NATS),
        }
    }
}

impl AftermathHabits {
    /// Share of deeds of this sort that follow an entrance that stood out, in `(0, 1)`.
    #[must_use]
    pub fn stood_out(&self, deed: Deed) -> f64 {
        let prior = match deed {
            Deed::FactorAdded => PRIOR_FACTOR,
            _ => PRIOR,
        };
        let (after, all) = self.counts.get(deed.index()).copied().unwrap_or_default();
        (after + PRIOR_WEIGHT * prior) / (all + PRIOR_WEIGHT)
    }

    /// Counts a deed.
    pub fn learn(&mut self, followed: Followed) {
        if let Some((after, all)) = self.counts.get_mut(followed.deed.index()) {
            *after += f64::from(u8::from(followed.stood_out));
            *all += 1.0;
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for (after, all) in &mut self.counts {
            *after *= factor;
            *all *= factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_owners_often_do_after_odd_entrances_stands_out_less() {
        let mut habits = AftermathHabits::default();
        assert!(habits.stood_out(Deed::FactorAdded) > habits.stood_out(Deed::PrivilegeGranted));
        let before = habits.stood_out(Deed::MailRule);
        for nth in 0..100 {
            let doubt = (nth % 2 == 0).then_some(3.0);
            habits.learn(Followed::new(Deed::MailRule, doubt));
        }
        assert!(habits.stood_out(Deed::MailRule) > 10.0 * before);
        assert_eq!(habits.stood_out(Deed::SecretRead), before);
        // A doubt that hardly is one is none.
        assert!(!Followed::new(Deed::MailRule, Some(0.5)).stood_out);
    }
}
