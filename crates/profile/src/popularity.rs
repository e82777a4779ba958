//! How many accounts of a population know a value, and how often it was somebody's first-time value of late.
//!
//! Type counts, not event counts: a value counts once per account, so that one chatty account does not make its network
//! look popular (Kneser & Ney 1995). The *novel-arrival* counts are where new phones, popular carriers and the corporate
//! VPN roll-out show (SCORING 1). Bounded; when full, the rarest quarter is forgotten.

use habitus_model::math::to_f32;
use serde::{Deserialize, Serialize};

/// Most values a population remembers of one kind: 4,096 × about 24 bytes.
const VALUES_MAX: usize = 4_096;
/// Weight of the type distribution behind the arrivals (SCORING 1).
const TYPES_WEIGHT: f64 = 20.0;
/// Below this many accounts a value counts as unseen: one account, two half-lives ago.
const UNSEEN_ACCOUNTS: f64 = 0.3;
/// Before anything is known, half of all values that come are new to the population.
const FRESH_PRIOR: f64 = 1.0;

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Counts {
    accounts: f32,
    arrivals: f32,
}

/// Counts by value, in the order of the values: looked up several times by each event and hardly ever added to, so that two
/// plain lists, the values close together, beat a tree.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Table {
    values: Vec<u64>,
    counts: Vec<Counts>,
}

impl Table {
    fn len(&self) -> usize {
        self.values.len()
    }

    /// O(log n).
    fn get(&self, value: u64) -> Counts {
        let at = self.values.binary_search(&value).ok();
        at.and_then(|at| self.counts.get(at)).copied().unwrap_or_default()
    }

    /// O(log n); O(n) for a value that is new.
    fn get_mut(&mut self, value: u64) -> Option<&mut Counts> {
        let at = self.values.binary_search(&value).unwrap_or_else(|at| {
            self.values.insert(at, value);
            // INVARIANT: the lists are of one length, also if a snapshot said otherwise.
            self.counts.resize(self.values.len() - 1, Counts::default());
            self.counts.insert(at, Counts::default());
            at
        });
        self.counts.get_mut(at)
    }

    fn retain(&mut self, mut keep: impl FnMut(&Counts) -> bool) {
        let kept: Vec<bool> = self.counts.iter().map(&mut keep).collect();
        let (mut values, mut counts) = (kept.iter(), kept.iter());
        self.values.retain(|_| values.next() == Some(&true));
        self.counts.retain(|_| counts.next() == Some(&true));
    }
}

/// The counts of one kind of value.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Popularity {
    values: Table,
    accounts_total: f64,
    arrivals_total: f64,
    fresh: f64,
    fresh_arrivals: f64,
}

impl Popularity {
    /// Share of accounts-and-values that are this value. `flat` is the probability of any one value among those the
    /// population never saw; their total is measured (Good–Turing: as many as lately were new to the population).
    #[must_use]
    pub fn share(&self, value: u64, flat: f64) -> f64 {
        let unseen = (self.fresh + FRESH_PRIOR) / (self.accounts_total + 2.0 * FRESH_PRIOR);
        let accounts = self.accounts(value);
        if accounts < UNSEEN_ACCOUNTS {
            return unseen * flat;
        }
        (1.0 - unseen) * accounts / self.accounts_total.max(accounts) + unseen * flat
    }

    /// Probability that a value that is new to its account is this one, given its share in a wider population.
    #[must_use]
    pub fn arrival(&self, value: u64, share: f64, flat: f64) -> f64 {
        let unseen = (self.fresh_arrivals + FRESH_PRIOR) / (self.arrivals_total + 2.0 * FRESH_PRIOR);
        let counts = self.values.get(value);
        if f64::from(counts.accounts) < UNSEEN_ACCOUNTS {
            return unseen * flat;
        }
        let seen = (f64::from(counts.arrivals) + TYPES_WEIGHT * share) / (self.arrivals_total + TYPES_WEIGHT);
        (1.0 - unseen) * seen + unseen * flat
    }

    /// Accounts that know the value; decays.
    #[must_use]
    pub fn accounts(&self, value: u64) -> f64 {
        f64::from(self.values.get(value).accounts)
    }

    /// Number of values remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no value is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.len() == 0
    }

    /// Accounts-and-values counted; decays.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.accounts_total
    }

    /// An account knows the value for the first time. `arrival` says that it had a history before: its very first value
    /// is no arrival.
    pub fn learn(&mut self, value: u64, arrival: bool) {
        if self.values.len() >= VALUES_MAX && self.values.values.binary_search(&value).is_err() {
            self.forget_rarest();
        }
        let Some(counts) = self.values.get_mut(value) else {
            return;
        };
        let fresh = f64::from(u8::from(f64::from(counts.accounts) < UNSEEN_ACCOUNTS));
        counts.accounts += 1.0;
        self.accounts_total += 1.0;
        self.fresh += fresh;
        if arrival {
            counts.arrivals += 1.0;
            self.arrivals_total += 1.0;
            self.fresh_arrivals += fresh;
        }
    }

    /// Forgets: arrivals by one factor, accounts by a slower one.
    pub fn scale(&mut self, arrivals: f64, accounts: f64) {
        self.arrivals_total *= arrivals;
        self.fresh_arrivals *= arrivals;
        self.accounts_total *= accounts;
        self.fresh *= accounts;
        for counts in &mut self.values.counts {
            counts.arrivals = to_f32(f64::from(counts.arrivals) * arrivals);
            counts.accounts = to_f32(f64::from(counts.accounts) * accounts);
        }
    }

    fn forget_rarest(&mut self) {
        let mut weights: Vec<f32> = self
            .values
            .counts
            .iter()
            .map(|counts| counts.accounts + counts.arrivals)
            .collect();
        weights.sort_unstable_by(f32::total_cmp);
        let bar = weights.get(VALUES_MAX / 4).copied().unwrap_or(0.0);
        let mut to_go = VALUES_MAX / 4;
        self.values.retain(|counts| {
            let keep = to_go == 0 || counts.accounts + counts.arrivals > bar;
            to_go -= usize::from(!keep);
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_values_stays_bounded_and_keeps_the_popular() {
        let mut popularity = Popularity::default();
        for _ in 0..50 {
            popularity.learn(7, true);
        }
        for value in 0..100_000 {
            popularity.learn(1_000 + value, true);
        }
        assert!(popularity.values.len() <= VALUES_MAX);
        assert!(popularity.accounts(7) >= 50.0);
    }

    #[test]
    fn arrivals_outrank_flat() {
        let mut popularity = Popularity::default();
        for _ in 0..40 {
            popularity.learn(1, true);
        }
        let (seen, unseen) = (popularity.share(1, 0.01), popularity.share(2, 0.01));
        assert!(popularity.arrival(1, seen, 0.01) > 50.0 * popularity.arrival(2, unseen, 0.01));
    }
}
