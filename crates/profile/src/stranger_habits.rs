//! How often accounts of a population are on networks that nothing vouches for, though they were used on some days.
//!
//! Estimates the share of visits by how long, and with how many turns between there and elsewhere: owners move, travel and
//! visit friends, so that some are; hardly any day after day beside their own life. Fails before some hundred visits; until
//! then the prior stands.

use crate::features::strangers::StrangerCell;
use serde::{Deserialize, Serialize};

/// Probability that a visit falls into any one of the cells, before it is measured, and its weight, visits. Assumed: two
/// visits in a hundred are on such a network.
const PRIOR: f64 = 0.0015;
const WEIGHT: f64 = 600.0;

/// What a population shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrangerHabits {
    counts: [f64; StrangerCell::COUNT],
    visits: f64,
}

impl Default for StrangerHabits {
    fn default() -> Self {
        Self {
            counts: [0.0; StrangerCell::COUNT],
            visits: 0.0,
        }
    }
}

impl StrangerHabits {
    /// Probability that a visit of an owner is one of these, in `(0, 1)`.
    #[must_use]
    pub fn share(&self, cell: StrangerCell) -> f64 {
        let count = self.counts.get(cell.index()).copied().unwrap_or(0.0);
        (count + WEIGHT * PRIOR) / (self.visits + WEIGHT)
    }

    /// Counts a visit of an account with a history.
    pub fn learn(&mut self, cell: Option<StrangerCell>) {
        self.visits += 1.0;
        if let Some(count) = cell.and_then(|cell| self.counts.get_mut(cell.index())) {
            *count += 1.0;
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        self.visits *= factor;
        for count in &mut self.counts {
            *count *= factor;
        }
    }
}
