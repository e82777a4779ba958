//! How often accounts of a population use something new, and how many accounts use it.
//!
//! Estimates the probability that the next use is of something new to its account, by what it is, by how much new the last
//! day brought, and by size of history, and which new thing it is, by type counts (a value counts once per account). Bursts
//! of novelty are an owner's habit too: a new project. Fails in tenants where every resource has one user; popularity then
//! says nothing.

use crate::circles::Circles;
use crate::features::edges::EdgeLevel;
use crate::popularity::Popularity;
use habitus_model::math::from_usize;
use serde::{Deserialize, Serialize};

/// Buckets of what the last day brought: nothing, up to 2, up to 6, more.
const LATELY: usize = 4;
/// Buckets of the number of uses before: under 4, 16, 64, 256, more.
const SIZES: usize = 5;
/// Weight of [`PRIOR`], uses.
const PRIOR_WEIGHT: f64 = 20.0;
/// Probability that a use is of something new, by what the last day brought (columns) and by uses before (rows). Assumed.
const PRIOR: [[f64; LATELY]; SIZES] = [
    [0.40, 0.40, 0.40, 0.40],
    [0.15, 0.20, 0.22, 0.24],
    [0.06, 0.10, 0.13, 0.15],
    [0.02, 0.05, 0.07, 0.09],
    [0.005, 0.03, 0.05, 0.07],
];
/// Applications, sorts, actions, resources, identities and computers there are where nothing is known: about as many are common. Assumed.
const KINDS: [f64; EdgeLevel::COUNT] = [50.0, 50.0, 200.0, 500.0, 200.0, 200.0];
/// Weight of [`KINDS`], accounts-and-values counted: then as many count as were seen.
const KINDS_WEIGHT: f64 = 200.0;

/// One use, as the population counts it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EdgeTrial {
    /// What was used.
    pub level: EdgeLevel,
    /// Fingerprint of what is known to its account from now on. Absent: it was before, or waits.
    pub value: Option<u64>,
    /// Of such a value that people share: the account's hash, and whether it used nothing before.
    pub user: Option<(u32, bool)>,
    /// The cell, if the account had a history. What is suspicious in a burst of new things is no trial: who explores must not
    /// teach its tenant that exploring is usual.
    pub cell: Option<EdgeCell>,
    /// It was new to its account.
    pub new: bool,
}

/// Where a use is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeCell {
    level: u8,
    lately: u8,
    size: u8,
}

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgeHabits {
    hazards: Vec<(f64, f64)>,
    values: [Popularity; EdgeLevel::COUNT],
    circles: Circles,
}

impl Default for EdgeHabits {
    fn default() -> Self {
        Self {
            hazards: vec![(0.0, 0.0); EdgeLevel::COUNT * LATELY * SIZES],
            values: Default::default(),
            circles: Circles::default(),
        }
    }
}

impl EdgeCell {
    /// The cell of a use of `level`, given new things lately and uses before.
    #[must_use]
    pub fn of(level: EdgeLevel, lately: f64, trials: f64) -> Self {
        let bucket = |bounds: &[f64], value: f64| {
            u8::try_from(bounds.iter().filter(|bound| value >= **bound).count()).unwrap_or(0)
        };
        Self {
            level: u8::try_from(level.index()).unwrap_or(0),
            lately: bucket(&[0.5, 2.5, 6.5], lately),
            size: bucket(&[4.0, 16.0, 64.0, 256.0], trials),
        }
    }

    fn index(self) -> usize {
        (usize::from(self.level) * LATELY + usize::from(self.lately)) * SIZES + usize::from(self.size)
    }
}

impl EdgeHabits {
    /// Probability that a use is of something new to its account, in `(0, 1)`.
    #[must_use]
    pub fn novelty(&self, cell: EdgeCell) -> f64 {
        // After more new things at least as many are expected as after fewer, where nothing else is known.
        (0..=cell.lately).fold(0.0, |after_fewer, lately| {
            let cell = EdgeCell { lately, ..cell };
            let (new, all) = self.hazards.get(cell.index()).copied().unwrap_or_default();
            let prior = PRIOR
                .get(usize::from(cell.size))
                .and_then(|row| row.get(usize::from(lately)));
            let prior = prior.copied().unwrap_or(0.1).max(after_fewer);
            (new + PRIOR_WEIGHT * prior) / (all + PRIOR_WEIGHT)
        })
    }

    /// Probability that a value that is new to its account is this one.
    #[must_use]
    pub fn arrival(&self, level: EdgeLevel, key: u64) -> f64 {
        let flat = self.flat(level);
        self.values.get(level.index()).map_or(flat, |values| {
            let share = values.share(key, flat);
            values.arrival(key, share, flat)
        })
    }

    /// Probability of any one value if all are alike: of as many as were seen, or as are usual before any were.
    #[must_use]
    pub fn flat(&self, level: EdgeLevel) -> f64 {
        let usual = KINDS.get(level.index()).copied().unwrap_or(100.0);
        let (seen, total) = self
            .values
            .get(level.index())
            .map_or((0.0, 0.0), |values| (from_usize(values.len()), values.total()));
        let share = total / (total + KINDS_WEIGHT);
        1.0 / (share * seen + (1.0 - share) * usual).max(2.0)
    }

    /// Which things are used by the same accounts.
    #[must_use]
    pub fn circles(&self) -> &Circles {
        &self.circles
    }

    /// Accounts that use the value, with forgetting.
    #[must_use]
    pub fn users(&self, level: EdgeLevel, key: u64) -> f64 {
        self.values
            .get(level.index())
            .map_or(0.0, |values| values.accounts(key))
    }

    /// Counts one use.
    pub fn learn(&mut self, trial: &EdgeTrial) {
        if let Some((new, all)) = trial.cell.and_then(|cell| self.hazards.get_mut(cell.index())) {
            *new += f64::from(u8::from(trial.new));
            *all += 1.0;
        }
        if let Some((key, values)) = trial.value.zip(self.values.get_mut(trial.level.index())) {
            values.learn(key, trial.cell.is_some());
            if let Some(user) = trial.user {
                self.circles.learn(key, user);
            }
        }
    }

    /// Forgets: hazards by one factor, type counts by a slower one.
    pub fn scale(&mut self, fast: f64, slow: f64) {
        for (new, all) in &mut self.hazards {
            *new *= fast;
            *all *= fast;
        }
        for values in &mut self.values {
            values.scale(fast, slow);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_of_new_things_more_are_expected() {
        let habits = EdgeHabits::default();
        for level in EdgeLevel::ALL {
            let of = |lately| habits.novelty(EdgeCell::of(level, lately, 300.0));
            assert!(of(0.0) < of(1.0) && of(1.0) < of(4.0) && of(4.0) < of(9.0));
        }
    }

    #[test]
    fn what_many_use_is_likely_to_be_the_next_new_thing() {
        let mut habits = EdgeHabits::default();
        let cell = Some(EdgeCell::of(EdgeLevel::Action, 0.0, 50.0));
        for _ in 0..30 {
            habits.learn(&EdgeTrial {
                level: EdgeLevel::Action,
                value: Some(1),
                user: None,
                cell,
                new: true,
            });
        }
        assert!(habits.arrival(EdgeLevel::Action, 1) > 20.0 * habits.arrival(EdgeLevel::Action, 2));
        assert!(habits.users(EdgeLevel::Action, 1) > 29.0);
    }
}
