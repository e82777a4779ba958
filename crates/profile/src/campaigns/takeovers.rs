//! Takeovers that come from one place: accounts whose network and client are both new, counted by what they share
//! (SCORING 5, X).
//!
//! The evidence of the *other* accounts for a campaign at a key: `G(c) − G(1)`, `G` the generalised likelihood ratio of `c`
//! accounts where `E` are expected; the first novel pair says nothing of others. On two windows, half a day and a week, the
//! stronger counts. `E` is what the key usually shows, what novel pairs of the tenant spread over it by where
//! accounts settle, and what goes with arrivals of known clients there: an office, a VPN that is rolled out and a carrier have those, attackers do not. Only
//! pairs count: a browser's release brings clients, a journey networks. Fails where attackers share nothing.

use super::pace::{Pace, SETTLED_DAYS};
use super::recent::Recent;
use super::showing::{CampaignKind, Novelty, Showing};
use crate::attempts::table::Keyed;
use habitus_model::EventTime;
use habitus_model::math::{half_life_factor, ln, to_f32};
use serde::{Deserialize, Serialize};

/// Half-lives of the two windows and of what is usual, days. Campaigns run for hours to weeks (SCORING, foreword: a third of
/// all takeovers come from three networks).
const FAST_DAYS: f64 = 0.5;
const WEEK_DAYS: f64 = 7.0;
const USUALLY_DAYS: f64 = 60.0;
/// Days that a key must be known before its own rate counts for half. Assumed.
const WARM_DAYS: f64 = 30.0;
/// Mean age in an exponential window, half-lives.
const MEAN_AGE: f64 = std::f64::consts::LOG2_E;
/// Least that is expected of any key: two of a household on one journey. Assumed.
const LEAST: f64 = 0.05;

/// Four keys on two windows are eight chances of a coincidence; they overlap, so that less than ln 8 is deducted. Assumed.
const LOOKS_NATS: f64 = 1.0;

/// What a known client takes off: four of five owners bring one to a new network, and one of seven attackers (docs/scoring.md:
/// 11 to 19 % carry a client of the victim's family in a version that fits), `ln(0.8 / 0.15)`.
const KNOWN_CLIENT_NATS: f64 = 1.7;

/// What is counted of one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Takeovers {
    key: u64,
    since: EventTime,
    time: EventTime,
    fast: f32,
    week: f32,
    usually: f32,
    arrivals_fast: f32,
    arrivals_week: f32,
    settled: f32,
    recent: Recent,
}

/// Other accounts that show the same at one key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Companions {
    /// By what they are counted.
    pub kind: CampaignKind,
    /// How many lately, decayed, this one not included.
    pub others: f64,
    /// How many would be expected with this one.
    pub expected: f64,
    /// Half-life of the window, days.
    pub window_days: f64,
    /// Log-likelihood ratio of a campaign, nats.
    pub nats: f64,
}

impl Keyed for Takeovers {
    fn key(&self) -> u64 {
        self.key
    }

    fn weight(&self) -> f32 {
        self.usually + self.week + self.settled
    }
}

impl Takeovers {
    pub(super) fn new(key: u64, time: EventTime) -> Self {
        Self {
            key,
            since: time,
            time,
            fast: 0.0,
            week: 0.0,
            usually: 0.0,
            arrivals_fast: 0.0,
            arrivals_week: 0.0,
            settled: 0.0,
            recent: Recent::default(),
        }
    }

    /// With what an event shows counted.
    pub(super) fn with(&self, kind: CampaignKind, showing: &Showing, pace: &Pace) -> Self {
        let mut next = self.at(showing.time);
        if !next.recent.note(showing.account) {
            return next;
        }
        match showing.novelty {
            Novelty::Pair | Novelty::NearbyPair => {
                next.fast += 1.0;
                next.week += 1.0;
                // What stands out does not become usual by going on.
                next.usually += to_f32(1.0 / (1.0 + next.reading(kind, pace).nats));
            }
            Novelty::Arrival => {
                next.arrivals_fast += 1.0;
                next.arrivals_week += 1.0;
                next.settled += 1.0;
            }
            Novelty::First => next.settled += 1.0,
            Novelty::Guess => {}
        }
        next
    }

    /// Accounts that settled there, decayed.
    pub(super) fn settled(&self, time: EventTime) -> f64 {
        f64::from(self.at(time).settled)
    }

    /// What the pairs say of an account that arrives with a client it knows: now and then an attacker's fits.
    pub(super) fn of_arrival(&self, kind: CampaignKind, pace: &Pace) -> Companions {
        let pairs = self.reading(kind, pace);
        Companions {
            others: pairs.others + 1.0,
            nats: (pairs.nats - KNOWN_CLIENT_NATS).max(0.0),
            ..pairs
        }
    }

    /// What the others say.
    pub(super) fn reading(&self, kind: CampaignKind, pace: &Pace) -> Companions {
        let fast = self.window(kind, pace, (self.fast, self.arrivals_fast, FAST_DAYS));
        let week = self.window(kind, pace, (self.week, self.arrivals_week, WEEK_DAYS));
        if week.nats > fast.nats { week } else { fast }
    }

    fn window(
        &self,
        kind: CampaignKind,
        pace: &Pace,
        (count, arrivals, half_life): (f32, f32, f64),
    ) -> Companions {
        let count = f64::from(count);
        let days = MEAN_AGE * half_life;
        let known = self.time.since(self.since).hours() / 24.0;
        let before = (f64::from(self.usually) - count).max(0.0);
        let rate = before / (known.min(MEAN_AGE * USUALLY_DAYS) + WARM_DAYS);
        let share = spread(kind).max(f64::from(self.settled) / pace.settled());
        let spread = share * pace.pairs_per_day();
        let expected = LEAST + days * (rate + spread) + pace.pair_odds() * f64::from(arrivals);
        Companions {
            kind,
            others: (count - 1.0).max(0.0),
            expected,
            window_days: half_life,
            nats: (ratio(count, expected) - ratio(1.0, expected) - LOOKS_NATS).max(0.0),
        }
    }

    fn at(&self, time: EventTime) -> Self {
        let days = time.since(self.time).hours() / 24.0;
        let (fast, week) = (
            half_life_factor(days, FAST_DAYS),
            half_life_factor(days, WEEK_DAYS),
        );
        let scaled = |count: f32, factor: f64| to_f32(f64::from(count) * factor);
        Self {
            fast: scaled(self.fast, fast),
            week: scaled(self.week, week),
            usually: scaled(self.usually, half_life_factor(days, USUALLY_DAYS)),
            arrivals_fast: scaled(self.arrivals_fast, fast),
            arrivals_week: scaled(self.arrivals_week, week),
            settled: scaled(self.settled, half_life_factor(days, SETTLED_DAYS)),
            time: self.time.max(time),
            ..*self
        }
    }
}

/// Share of a tenant's novel pairs that a key nobody heard of before gets by chance. Assumed; what a key shows replaces it.
const fn spread(kind: CampaignKind) -> f64 {
    match kind {
        CampaignKind::Prefix => 0.001,
        CampaignKind::Device => 0.000_5,
        CampaignKind::Fleet => 0.003,
        CampaignKind::Asn => 0.006,
        CampaignKind::Tenant => 1.0,
    }
}

/// Generalised likelihood ratio of a Poisson count above its expectation.
pub(super) fn ratio(count: f64, expected: f64) -> f64 {
    if count <= expected {
        0.0
    } else {
        count * ln(count / expected) - (count - expected)
    }
}
