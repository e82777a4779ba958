//! Slow guessing: one try per account and day from hundreds of addresses (SCORING 5).
//!
//! A Poisson CUSUM (Lucas 1985) of accounts that are guessed at from networks they never used, against logins as its clock:
//! `C ← max(0, C + x·ln(r1/r0) − (r1 − r0)·logins)`, `r1 = 3·r0 + 2` a day. It is the log-likelihood ratio of the best start of
//! a campaign, hence evidence as it stands. It alarms from `h` on, where `e^h` observations pass between false alarms at
//! least (Lorden 1971): `h = ln(30 days × guesses a day × keys that each counts for)` gives at most one false alarm a month
//! and tenant. Fails where the campaign is slower than what is usual by less than two accounts a day.

use super::pace::Pace;
use super::recent::Recent;
use super::showing::{CampaignKind, Novelty, Showing};
use crate::attempts::table::Keyed;
use habitus_model::EventTime;
use habitus_model::math::{half_life_factor, ln, to_f32};
use serde::{Deserialize, Serialize};

/// Half-life of what is usual, days (SCORING 2, entity slow).
const USUALLY_DAYS: f64 = 20.0;
/// Half-life of "lately", days.
const LATELY_DAYS: f64 = 1.0;
/// What a campaign adds at least, accounts a day, and how often the usual rate (SCORING 5).
const CAMPAIGN_PER_DAY: f64 = 2.0;
const CAMPAIGN_TIMES: f64 = 3.0;
/// Least usual rate of a key, accounts a day, and its least share of the tenant's guesses: a network nobody guessed from
/// before does not stand out by two travellers who forgot their passwords. Assumed.
const USUAL_PER_DAY: f64 = 0.2;
const USUAL_SHARE: f64 = 0.02;
/// Days to the false alarm that is allowed, and the keys that one guess counts for.
const ALARM_DAYS: f64 = 30.0;
const ALARM_KEYS: f64 = 3.0;
/// Evidence beyond the alarm that is kept: what has ended is to be over soon.
const BEYOND_ALARM_NATS: f64 = 6.0;

/// What is counted of one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Guesses {
    key: u64,
    time: EventTime,
    usually: f32,
    lately: f32,
    arrivals: f32,
    cusum: f32,
    /// The tenant's clock when the sum was last brought up to date.
    clock: f64,
    /// Accounts and time since the sum left 0.
    run: f32,
    run_since: EventTime,
    recent: Recent,
}

/// Slow guessing at one key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowGuessing {
    /// By what it is counted.
    pub kind: CampaignKind,
    /// Log-likelihood ratio of a campaign, nats.
    pub nats: f64,
    /// From here on it is an alarm, nats.
    pub alarm: f64,
    /// Accounts that were guessed at since it began.
    pub accounts: f64,
    /// Days since it began.
    pub days: f64,
    /// Accounts that would be usual in that time.
    pub expected: f64,
    /// Logins of the tenant a day.
    pub logins_per_day: f64,
}

impl SlowGuessing {
    /// Whether the sum is beyond its alarm.
    #[must_use]
    pub fn alarms(&self) -> bool {
        self.nats >= self.alarm
    }
}

impl Keyed for Guesses {
    fn key(&self) -> u64 {
        self.key
    }

    fn weight(&self) -> f32 {
        self.usually + self.cusum
    }
}

impl Guesses {
    pub(super) fn new(key: u64, showing: &Showing, pace: &Pace) -> Self {
        Self {
            key,
            time: showing.time,
            usually: 0.0,
            lately: 0.0,
            arrivals: 0.0,
            cusum: 0.0,
            clock: pace.clock(),
            run: 0.0,
            run_since: showing.time,
            recent: Recent::default(),
        }
    }

    /// With what an event shows counted.
    pub(super) fn with(&self, kind: CampaignKind, showing: &Showing, pace: &Pace) -> Self {
        let mut next = self.at(showing.time);
        let (usual, campaign) = rates(kind, f64::from(next.usually), pace);
        let step = ln(campaign / usual);
        let logins = (pace.clock() - self.clock).max(0.0);
        let mut sum = (f64::from(self.cusum) - (campaign - usual) * logins).max(0.0);
        next.clock = pace.clock();
        if sum <= 0.0 {
            next.run = 0.0;
            next.run_since = showing.time;
        }
        match showing.novelty {
            Novelty::Guess if next.recent.note(showing.account) => {
                next.lately += 1.0;
                next.run += 1.0;
                let most = alarm(pace) + BEYOND_ALARM_NATS;
                next.usually += to_f32(share_usual(sum, pace));
                if pace.is_warm() {
                    sum = (sum + step).min(most);
                }
            }
            // Who arrives with a client of his own makes the network less of a stranger's.
            Novelty::Arrival if next.recent.note(showing.account) => {
                next.arrivals += 1.0;
                sum = (sum - step).max(0.0);
            }
            Novelty::Guess | Novelty::Arrival | Novelty::Pair | Novelty::NearbyPair | Novelty::First => {}
        }
        next.cusum = to_f32(sum);
        next
    }

    /// Whether an account was guessed at from there lately.
    pub(super) fn is_guessed_from(&self, time: EventTime) -> bool {
        const LATELY: f32 = 0.2;
        self.at(time).lately >= LATELY
    }

    /// Whether people work from there: more accounts arrived with their own clients lately than were guessed at.
    pub(super) fn is_inhabited(&self) -> bool {
        self.arrivals >= self.lately.max(2.0)
    }

    /// Share of an increment that is usual, in `(0, 1]`.
    pub(super) fn share_usual(&self, pace: &Pace) -> f64 {
        share_usual(f64::from(self.cusum), pace)
    }

    pub(super) fn reading(&self, kind: CampaignKind, pace: &Pace) -> SlowGuessing {
        let days = self.time.since(self.run_since).hours() / 24.0;
        let (usual, _) = rates(kind, f64::from(self.usually), pace);
        SlowGuessing {
            kind,
            nats: f64::from(self.cusum),
            alarm: alarm(pace),
            accounts: f64::from(self.run),
            days,
            expected: usual * pace.logins_per_day() * days,
            logins_per_day: pace.logins_per_day(),
        }
    }

    fn at(&self, time: EventTime) -> Self {
        let days = time.since(self.time).hours() / 24.0;
        let lately = half_life_factor(days, LATELY_DAYS);
        let usually = half_life_factor(days, USUALLY_DAYS);
        let scaled = |count: f32, factor: f64| to_f32(f64::from(count) * factor);
        Self {
            usually: scaled(self.usually, usually),
            lately: scaled(self.lately, lately),
            arrivals: scaled(self.arrivals, lately),
            time: self.time.max(time),
            ..*self
        }
    }
}

/// Accounts guessed at per login of the tenant: as usual, and in a campaign.
fn rates(kind: CampaignKind, usually: f64, pace: &Pace) -> (f64, f64) {
    let a_day = 1.0 / pace.logins_per_day();
    let share = match kind {
        CampaignKind::Tenant => 1.0,
        CampaignKind::Prefix | CampaignKind::Asn | CampaignKind::Fleet | CampaignKind::Device => USUAL_SHARE,
    };
    let least = (USUAL_PER_DAY * a_day).max(share * pace.guesses_per_day() * a_day);
    let usual = (usually / pace.logins()).max(least);
    (usual, CAMPAIGN_TIMES * usual + CAMPAIGN_PER_DAY * a_day)
}

/// A campaign does not become usual by going on. Below the alarm everything counts, or the usual rate would be too low by what
/// chance makes of it.
fn share_usual(sum: f64, pace: &Pace) -> f64 {
    if sum < alarm(pace) { 1.0 } else { 1.0 / (1.0 + sum) }
}

fn alarm(pace: &Pace) -> f64 {
    ln(ALARM_DAYS * ALARM_KEYS * pace.guesses_per_day().max(1.0))
}
