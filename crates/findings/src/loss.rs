//! Expected loss: the order of the queue.
//!
//! A score is -20·log10 of the share of legitimate events that look as bad, so a factor of ten in what is at stake is worth
//! as much as 20 points. `loss = score + 20·log10(stake)` orders as `stake × odds of an attack` does. An attacker who floods
//! the queue (RELIABILITY 6.5) pays for what is cheap: failed attempts, at low scores, against ordinary accounts; a success
//! stands above them at the same score.

use crate::hit::Hit;
use habitus_model::math::{log10, to_i64};
use habitus_model::{AccountKind, RiskScore, Status};
use serde::{Deserialize, Serialize};

/// Expected loss; greater is more urgent. Compares thousandths of points, then thousandths of nats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Loss {
    points: i64,
    odds: i64,
}

/// What a failed attempt puts at stake, beside a success. Assumed.
const STAKE_OF_FAILURE: f64 = 0.1;
/// What a campaign puts at stake, beside one account: somebody works on it. Assumed, and not by the number of accounts, or
/// whoever tries many names would stand above everything.
const STAKE_OF_CAMPAIGN: f64 = 2.0;

impl Loss {
    /// Of one event.
    pub(crate) fn of(hit: &Hit) -> Self {
        let of_status = match hit.context.status {
            Status::Failure => STAKE_OF_FAILURE,
            Status::Success | Status::Unknown | Status::Other => 1.0,
        };
        Self {
            points: points(hit.score.get(), of_kind(hit.kind) * of_status),
            odds: to_i64(hit.log_odds.0 * 1e3),
        }
    }

    /// The same seen in several accounts.
    pub(crate) fn in_campaign(self) -> Self {
        Self {
            points: self.points + points(0.0, STAKE_OF_CAMPAIGN),
            odds: self.odds,
        }
    }

    /// In points of the score: -20 to 110.
    #[must_use]
    pub fn points(self) -> f64 {
        habitus_model::math::from_i64(self.points) / 1e3
    }

    /// Both numbers, for cursors.
    pub(crate) const fn parts(self) -> (i64, i64) {
        (self.points, self.odds)
    }

    pub(crate) const fn from_parts(points: i64, odds: i64) -> Self {
        Self { points, odds }
    }
}

/// What an account of this kind can lose, beside an ordinary one. Assumed; only the order of the queue depends on it.
const fn of_kind(kind: AccountKind) -> f64 {
    match kind {
        AccountKind::Privileged => 3.0,
        AccountKind::Service => 2.0,
        AccountKind::Vendor | AccountKind::Shared => 1.5,
        AccountKind::Human | AccountKind::Unknown => 1.0,
    }
}

fn points(score: f64, stake: f64) -> i64 {
    to_i64((score + RiskScore::POINTS_PER_DECADE * log10(stake)) * 1e3)
}
