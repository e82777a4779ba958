//! Changes of a whole tenant: accounts that come, with clients they are known for, from one network they never used (an office
//! moved, a VPN is rolled out), or from their own lines in another country than before (a location database was updated).
//!
//! Counted beside takeovers, on the same keys, with the opposite meaning: the client is the owner's. It is taken for a change
//! where, with a half-life of three days, at least [`MOVERS_MIN`] *different* accounts came, three times as many as are usual
//! there, so surely that chance names one a year at most, and where pairs, guesses and what stands out by itself are no more
//! than half of them. An attacker with fewer accounts than that never gets there, however often he comes: the last sixteen are
//! told apart one by one, and who is among them does not count again. With more he needs the victims' own clients in two of
//! three cases, where one in seven fits (docs/scoring.md: 11 to 19 %), and a network from which they do not stand out; and whom
//! he took over before was judged without any of this. Fails where a tenant has fewer than sixteen accounts that move.

use super::pace::Pace;
use super::recent::note;
use super::showing::{CampaignKind, Novelty, Showing};
use super::takeovers::ratio;
use crate::attempts::table::Keyed;
use habitus_model::EventTime;
use habitus_model::math::{half_life_factor, ln, to_f32};
use serde::{Deserialize, Serialize};

/// Accounts or lines, decayed, from which on something may be a change of the tenant: more than a household, a meeting or
/// one attacker's ten accounts. Assumed.
pub const MOVERS_MIN: usize = 16;
/// The same as a count.
const MOVERS_MIN_COUNT: f32 = 16.0;
/// How many times as many as usual. Assumed.
const TIMES_USUAL: f64 = 3.0;
/// Most pairs, guesses and suspicious arrivals for one mover: of five owners on a new network one has a new client (`pace`),
/// and of ten one mistypes; of seven attackers six have one.
const OTHERS_MAX: f32 = 0.5;
/// A suspicious arrival counts as so many pairs: of movers two in a thousand score 60 (docs/scoring.md), of takeovers more than
/// half (assumed), a ratio of `ln(0.5 / 0.002)`; for pairs it is `ln(0.85 / 0.2)`.
const SUSPICIOUS_WEIGHT: f32 = 4.0;
/// Half-life of what comes, days: an office that moved has been visited by everybody within a week.
const HALF_LIFE_DAYS: f64 = 3.0;
const MEAN_AGE_DAYS: f64 = std::f64::consts::LOG2_E * HALF_LIFE_DAYS;
/// Half-life of what is usual, and days until it counts for half, as for takeovers.
const USUALLY_DAYS: f64 = 60.0;
const WARM_DAYS: f64 = 30.0;
/// Least that is expected of any key: a household. Assumed.
const LEAST: f64 = 0.5;
/// A change is over when so few of its movers are recent, or after so many days at the latest: popularity knows it by then.
const MOVERS_LEFT: f32 = 4.0;
const STANDS_DAYS_MAX: f64 = 21.0;
/// Days to a change that chance names, and the keys that each arrival counts for.
const FALSE_NAME_DAYS: f64 = 365.0;
const KEYS: f64 = 3.0;

/// What has changed for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Accounts came to one prefix.
    Prefix,
    /// Accounts came to prefixes of one autonomous system, to none of them many.
    Provider,
    /// Lines of accounts lie in another country.
    Locations,
}

/// A change that stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// What has changed.
    pub kind: ChangeKind,
    /// Fingerprint of what it is a change to.
    pub key: u64,
    /// Accounts that moved, or lines, since it began; who comes again after sixteen others may be among them twice.
    pub movers: u32,
    /// When the first of them came.
    pub since: EventTime,
}

/// What is counted of one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Moving {
    key: u64,
    first: EventTime,
    since: EventTime,
    time: EventTime,
    lately: f32,
    others: f32,
    usually: f32,
    movers: u32,
    recent: [u32; MOVERS_MIN],
    next: u8,
    named: Option<EventTime>,
}

/// What an event is for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The account or line moved there.
    Mover(u64),
    /// What takeovers and guesses look like.
    Other,
    /// A mover who stands out by more than that.
    Suspicious,
}

/// What is usual at a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usual<'a> {
    pub pace: &'a Pace,
    /// Accounts that settled there, decayed.
    pub settled: f64,
}

impl Keyed for Moving {
    fn key(&self) -> u64 {
        self.key
    }

    fn weight(&self) -> f32 {
        self.usually + self.lately
    }
}

impl Step {
    /// What an event is for a sort of key; nothing for most.
    pub(super) fn of(kind: CampaignKind, showing: &Showing) -> Option<Self> {
        match (kind, showing.novelty) {
            (CampaignKind::Tenant, Novelty::Arrival) => {
                showing.line.filter(|_| showing.own_client).map(Self::Mover)
            }
            (CampaignKind::Tenant, _) => None,
            (_, Novelty::Arrival) if showing.own_client && showing.suspicious => Some(Self::Suspicious),
            (_, Novelty::Arrival) => showing.own_client.then_some(Self::Mover(showing.account)),
            (_, Novelty::Pair | Novelty::Guess) => Some(Self::Other),
            (_, Novelty::NearbyPair | Novelty::First) => None,
        }
    }
}

impl Moving {
    pub(super) fn new(key: u64, time: EventTime) -> Self {
        Self {
            key,
            first: time,
            since: time,
            time,
            lately: 0.0,
            others: 0.0,
            usually: 0.0,
            movers: 0,
            recent: [0; MOVERS_MIN],
            next: 0,
            named: None,
        }
    }

    /// With an event counted.
    pub(super) fn with(&self, step: Step, time: EventTime, usual: &Usual<'_>) -> Self {
        let mut next = self.at(time);
        match step {
            Step::Other => next.others += 1.0,
            Step::Suspicious => next.others += SUSPICIOUS_WEIGHT,
            Step::Mover(who) if note(&mut next.recent, &mut next.next, who) => {
                if next.lately < 1.0 {
                    (next.since, next.movers) = (time, 0);
                }
                next.lately += 1.0;
                next.usually += 1.0;
                next.movers = next.movers.saturating_add(1);
            }
            Step::Mover(_) => {}
        }
        let begins = next.named.is_none() && next.is_new(usual);
        if begins {
            next.named = Some(next.time);
        }
        next
    }

    /// The change that it stands for.
    pub(super) fn change(&self, kind: CampaignKind) -> Option<Change> {
        self.named?;
        Some(Change {
            kind: match kind {
                CampaignKind::Prefix => ChangeKind::Prefix,
                CampaignKind::Asn | CampaignKind::Fleet | CampaignKind::Device => ChangeKind::Provider,
                CampaignKind::Tenant => ChangeKind::Locations,
            },
            key: self.key,
            movers: self.movers,
            since: self.since,
        })
    }

    /// Whether half of what it takes to be a change came of late.
    pub(super) fn is_crowded(&self) -> bool {
        self.lately >= MOVERS_MIN_COUNT / 2.0
    }

    fn is_peaceful(&self) -> bool {
        self.others <= OTHERS_MAX * self.lately
    }

    fn is_new(&self, usual: &Usual<'_>) -> bool {
        let (lately, expected) = (f64::from(self.lately), self.expected(usual));
        let chances = FALSE_NAME_DAYS * KEYS * usual.pace.arrivals_per_day().max(1.0);
        // The count to which decay has come is compared, not the number that came: sixteen of last month are no sixteen of this
        // week.
        usual.pace.is_warm()
            && self.lately >= MOVERS_MIN_COUNT
            && self.is_peaceful()
            && lately >= TIMES_USUAL * expected
            // P(Poisson(E) ≥ c) ≤ e^-(c·ln(c/E) − (c − E)) (Chernoff).
            && ratio(lately, expected) >= ln(chances)
    }

    fn expected(&self, usual: &Usual<'_>) -> f64 {
        let known = self.time.since(self.first).days().min(USUALLY_DAYS);
        let before = (f64::from(self.usually) - f64::from(self.lately)).max(0.0);
        let settled = (usual.settled - f64::from(self.lately)).max(0.0);
        let share = settled / usual.pace.settled();
        let a_day = before / (known + WARM_DAYS) + share * usual.pace.arrivals_per_day();
        LEAST + MEAN_AGE_DAYS * a_day
    }

    fn at(&self, time: EventTime) -> Self {
        let days = time.since(self.time).days();
        let lately = half_life_factor(days, HALF_LIFE_DAYS);
        let scaled = |count: f32, factor: f64| to_f32(f64::from(count) * factor);
        let mut next = Self {
            lately: scaled(self.lately, lately),
            others: scaled(self.others, lately),
            usually: scaled(self.usually, half_life_factor(days, USUALLY_DAYS)),
            time: self.time.max(time),
            ..*self
        };
        let stands = |named: &EventTime| {
            next.lately >= MOVERS_LEFT
                && next.time.since(*named).days() < STANDS_DAYS_MAX
                && next.is_peaceful()
        };
        next.named = next.named.filter(stands);
        next
    }
}
