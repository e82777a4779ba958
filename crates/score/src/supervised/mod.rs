//! What labels teach fusion: a move of each family's weight, and shares of the attacker profiles (SCORING 10).
//!
//! Nothing is learned in steps that could not be taken back: what is learned is a function of the labels that stand, worked out
//! anew from the configured weights whenever labels have changed. All of it is bounded: [`MOVE_MAX`], [`TOGETHER_MAX`],
//! [`PRIOR_LABELS`]; and [`influence`] bounds what one person and one account weigh in it.

pub mod influence;
mod logistic;

use crate::fusion::{Prepared, Weights};
use crate::sums::Sums;
use habitus_model::Family;
use habitus_model::evidence::PerProfile;
use serde::{Deserialize, Serialize};

/// Most that a family's weight moves, as a share of itself: a weight is never below half of what is configured, nor above one
/// and a half times it. More than one and a half standard deviations of what is expected (SCORING 10: 0.3). Assumed.
pub const MOVE_MAX: f64 = 0.5;
/// Most that all of them move together, as the length of the vector: two standard deviations of one. Assumed.
pub const TOGETHER_MAX: f64 = 0.6;
/// Labels that the configured shares of attackers weigh, and the most that attacks weigh against them: so a share is never below
/// half of what is configured, and ten attacks move it by a sixth at most. Assumed.
pub const PRIOR_LABELS: f64 = 50.0;

/// One event that people have judged, as the weights learn from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its evidence.
    pub sums: Sums,
    /// What people said.
    pub side: Side,
    /// How much that counts, at least 0; see [`influence::weights`].
    pub weight: f64,
}

/// What a label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// It was an attack.
    Attack,
    /// It was not, and was judged wrongly.
    FalseAlarm,
    /// It was not, though it was unusual: half of a false alarm, if as much.
    Expected,
}

impl Side {
    /// Whether it was an attack.
    #[must_use]
    pub const fn is_attack(self) -> bool {
        matches!(self, Side::Attack)
    }
}

/// What labels have taught: relative to the configured weights, so that a changed configuration keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moves {
    /// What each family's weight is multiplied with, in `[1 − MOVE_MAX, 1 + MOVE_MAX]`, in the order of [`Family::ALL`].
    pub families: [f64; Family::COUNT],
    /// What each attacker profile's share is multiplied with, before the shares are made to sum to 1; at least 0.5.
    pub profiles: PerProfile,
}

impl Default for Moves {
    /// Nothing moves.
    fn default() -> Self {
        Self {
            families: [1.0; Family::COUNT],
            profiles: [1.0; 5],
        }
    }
}

impl Moves {
    /// The configured weights, moved.
    #[must_use]
    pub fn applied(&self, configured: &Weights) -> Weights {
        let mut weights = *configured;
        for (weight, factor) in weights.families.iter_mut().zip(self.families) {
            *weight *= factor;
        }
        for (share, factor) in weights.priors.iter_mut().zip(self.profiles) {
            *share *= factor;
        }
        let sum: f64 = weights.priors.iter().sum();
        weights.priors = weights.priors.map(|share| share / sum);
        weights
    }

    /// The largest move of anything, as a share of itself.
    #[must_use]
    pub fn largest(&self) -> f64 {
        let all = self.families.iter().chain(&self.profiles);
        all.map(|factor| (factor - 1.0).abs()).fold(0.0, f64::max)
    }
}

/// What labels teach. The order of the cases changes nothing but rounding; none teach nothing. Cost: linear in the cases, about
/// three microseconds each.
#[must_use]
pub fn learn(cases: &[Case], configured: &Weights) -> Moves {
    let mut moves = Moves {
        profiles: profiles(cases, configured),
        ..Moves::default()
    };
    let fitted = logistic::fit(cases, &moves.applied(configured));
    for (factor, moved) in moves.families.iter_mut().zip(fitted) {
        *factor = 1.0 + moved;
    }
    moves
}

/// Shares of the attacker profiles by confirmed attacks: a Dirichlet distribution around the configured ones. An attack counts for
/// each profile as far as that explains it.
fn profiles(cases: &[Case], configured: &Weights) -> PerProfile {
    let prepared = Prepared::new(configured);
    let mut counts = [0.0; 5];
    for case in cases.iter().filter(|case| case.side.is_attack()) {
        for (count, share) in counts.iter_mut().zip(case.sums.open(&prepared).shares) {
            *count += case.weight * share;
        }
    }
    let total: f64 = counts.iter().sum();
    let scale = (PRIOR_LABELS / total.max(PRIOR_LABELS)).min(1.0);
    let mut factors = [1.0; 5];
    for ((factor, count), share) in factors.iter_mut().zip(counts).zip(configured.priors) {
        let learned = (PRIOR_LABELS * share + scale * count) / (PRIOR_LABELS + scale * total);
        *factor = learned / share.max(f64::MIN_POSITIVE);
    }
    factors
}

#[cfg(test)]
mod tests;
