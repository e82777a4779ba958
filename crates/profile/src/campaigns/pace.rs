//! The pace of a tenant: how many logins, guesses and novel pairs it usually has. Logins are the clock of slow campaigns:
//! nights, holidays, growth and rush hours need no model of their own.

use super::showing::Novelty;
use habitus_model::EventTime;
use habitus_model::math::half_life_factor;
use serde::{Deserialize, Serialize};

/// Half-life of what is usual, days (SCORING 2, entity slow).
const HALF_LIFE_DAYS: f64 = 20.0;
/// Half-life of who settled where, days.
pub(super) const SETTLED_DAYS: f64 = 60.0;
/// Counts are decayed once an hour: cheaper than at each login, and exact enough for half-lives of weeks.
const FOLD_HOURS: f64 = 1.0;
/// Days and logins before anything can be called unusual. Assumed.
const WARM_DAYS: f64 = 2.0;
const WARM_LOGINS: f64 = 50.0;
/// Share of arrivals on new networks that come with a new client as well, before it is measured; and its weight, arrivals.
/// Assumed.
const PAIRS_PRIOR: f64 = 0.2;
const PAIRS_PRIOR_WEIGHT: f64 = 20.0;

/// The pace of one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    clock: f64,
    logins: f64,
    days: f64,
    guesses: f64,
    pairs: f64,
    arrivals: f64,
    settled: f64,
    folded: EventTime,
}

impl Pace {
    pub(super) fn new(time: EventTime) -> Self {
        Self {
            clock: 0.0,
            logins: 0.0,
            days: 0.0,
            guesses: 0.0,
            pairs: 0.0,
            arrivals: 0.0,
            settled: 0.0,
            folded: time,
        }
    }

    /// Counts a login.
    pub(super) fn tick(&mut self, time: EventTime) {
        self.fold(time);
        self.clock += 1.0;
        self.logins += 1.0;
    }

    /// Counts what concerns campaigns; `share` of it is taken for usual.
    pub(super) fn count(&mut self, novelty: Novelty, time: EventTime, share: f64) {
        self.fold(time);
        match novelty {
            Novelty::Guess => self.guesses += share,
            Novelty::Pair => self.pairs += share,
            Novelty::Arrival => {
                self.arrivals += share;
                self.settled += share;
            }
            Novelty::First => self.settled += share,
            Novelty::NearbyPair => {}
        }
    }

    fn fold(&mut self, time: EventTime) {
        let hours = time.since(self.folded).hours();
        if hours < FOLD_HOURS {
            return;
        }
        let days = hours / 24.0;
        let factor = half_life_factor(days, HALF_LIFE_DAYS);
        for count in [
            &mut self.logins,
            &mut self.guesses,
            &mut self.pairs,
            &mut self.arrivals,
        ] {
            *count *= factor;
        }
        self.settled *= half_life_factor(days, SETTLED_DAYS);
        self.days = self.days * factor + days;
        self.folded = time;
    }

    /// Logins ever: the operational clock.
    pub(super) const fn clock(&self) -> f64 {
        self.clock
    }

    /// Logins within the memory, decayed, with one for caution.
    pub(super) fn logins(&self) -> f64 {
        self.logins + 1.0
    }

    /// Logins a day.
    pub(super) fn logins_per_day(&self) -> f64 {
        self.logins() / self.days.max(1.0)
    }

    /// Guesses a day.
    pub(super) fn guesses_per_day(&self) -> f64 {
        self.guesses / self.days.max(1.0)
    }

    /// Novel pairs a day.
    pub(super) fn pairs_per_day(&self) -> f64 {
        self.pairs / self.days.max(1.0)
    }

    /// Arrivals with a known client a day.
    pub(super) fn arrivals_per_day(&self) -> f64 {
        self.arrivals / self.days.max(1.0)
    }

    /// Novel pairs for one arrival with a known client.
    pub(super) fn pair_odds(&self) -> f64 {
        (self.pairs + PAIRS_PRIOR * PAIRS_PRIOR_WEIGHT) / (self.arrivals + PAIRS_PRIOR_WEIGHT)
    }

    /// Accounts that settled on a network within the memory, decayed, with some for caution.
    pub(super) fn settled(&self) -> f64 {
        const CAUTION: f64 = 20.0;
        self.settled + CAUTION
    }

    /// Whether enough was seen to call anything unusual.
    pub(super) fn is_warm(&self) -> bool {
        self.days >= WARM_DAYS && self.logins >= WARM_LOGINS
    }
}
