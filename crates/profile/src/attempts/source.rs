//! What is counted of one key, and what the counts say at one event.

use super::distinct::Distinct;
use super::keys::KeyKind;
use super::table::Keyed;
use super::{Attempt, Outcome};
use habitus_model::EventTime;
use habitus_model::math::{half_life_factor, ln, to_f32};
use serde::{Deserialize, Serialize};

/// Half-life of "lately", minutes: password guessing runs for minutes to hours (FIELD rows 27–31: windows of 2 to 60).
const LATELY_MINUTES: f64 = 20.0;
/// Half-life of "at once", minutes: a tool is done before a person has typed twice (crowdsecurity/ssh-bf: six within a minute).
const AT_ONCE_MINUTES: f64 = 1.0;
/// Half-life of "usually", minutes: 20 days (SCORING 2, entity slow).
const USUALLY_MINUTES: f64 = 20.0 * 1_440.0;
/// Minutes that "lately" covers at an even rate: the mean age of what an exponential window holds.
const WINDOW_MINUTES: f64 = LATELY_MINUTES / std::f64::consts::LN_2;
/// Time that a key must be known before its own rate counts for half: three days, so that a weekend of guessing does not
/// become usual. Assumed.
const WARM_MINUTES: f64 = 3.0 * 1_440.0;

/// What is counted of one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    key: u64,
    since: EventTime,
    time: EventTime,
    at_once: f32,
    lately: f32,
    usually: f32,
    unknown: f32,
    successes: f32,
    successes_usually: f32,
    /// Low half of the fingerprint that failed last: an account's failures count once per change of address.
    last: u32,
    names: Distinct,
    /// The last failure that was no mere companion.
    proper: Option<EventTime>,
}

/// What one key's attempts say at one event, itself included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// By what it is counted.
    pub kind: KeyKind,
    /// Failures within a minute or two, decayed.
    pub at_once: f64,
    /// Failures that nobody wonders at in that time.
    pub expected_at_once: f64,
    /// Failures lately, decayed.
    pub failures: f64,
    /// Failures that would be usual in that time, with so many successes.
    pub expected: f64,
    /// Failures lately on names that no account has.
    pub unknown: f64,
    /// Successes lately.
    pub successes: f64,
    names: Distinct,
}

impl Burst {
    /// Generalised likelihood ratio of a rate that rose, nats, at least 0 (SCORING 5).
    #[must_use]
    pub fn surprise(&self) -> f64 {
        surprise(self.failures, self.expected)
    }

    /// The same of failures within a minute or two.
    #[must_use]
    pub fn surprise_at_once(&self) -> f64 {
        surprise(self.at_once, self.expected_at_once)
    }

    /// Distinct names tried lately, estimated; of an account: distinct addresses that failed.
    #[must_use]
    pub fn names(&self) -> f64 {
        self.names.estimate()
    }

    /// What these failures have beyond those of `narrower`, a key whose failures are among them.
    #[must_use]
    pub fn beyond(&self, narrower: &Burst) -> Burst {
        Burst {
            at_once: (self.at_once - narrower.at_once).max(0.0),
            failures: (self.failures - narrower.failures).max(0.0),
            ..*self
        }
    }
}

/// `c·ln(c/E) − (c − E)` where `c` exceeds `E`, else 0.
pub(super) fn surprise(count: f64, expected: f64) -> f64 {
    if count <= expected {
        return 0.0;
    }
    count * ln(count / expected) - (count - expected)
}

/// Failures that nobody wonders at: the wider the key, the more people it may hold. Assumed; what a key shows replaces it.
const fn unsurprising(kind: KeyKind) -> f64 {
    match kind {
        KeyKind::Address | KeyKind::Account => 1.5,
        KeyKind::Prefix => 2.0,
        KeyKind::Fleet => 3.0,
        KeyKind::Tenant => 6.0,
    }
}

/// The same within a minute or two.
const fn unsurprising_at_once(kind: KeyKind) -> f64 {
    match kind {
        KeyKind::Address | KeyKind::Account => 0.6,
        KeyKind::Prefix => 1.0,
        KeyKind::Fleet => 1.5,
        KeyKind::Tenant => 3.0,
    }
}

impl Keyed for Source {
    fn key(&self) -> u64 {
        self.key
    }

    fn weight(&self) -> f32 {
        self.usually.max(self.lately)
    }
}

impl Source {
    pub(super) fn new(key: u64, time: EventTime) -> Self {
        Self {
            key,
            since: time,
            time,
            at_once: 0.0,
            lately: 0.0,
            usually: 0.0,
            unknown: 0.0,
            successes: 0.0,
            successes_usually: 0.0,
            last: 0,
            names: Distinct::default(),
            proper: None,
        }
    }

    pub(super) fn at(&self, time: EventTime) -> Self {
        let minutes = time.since(self.time).minutes();
        if minutes <= 0.0 {
            return *self;
        }
        let fast = half_life_factor(minutes, LATELY_MINUTES);
        let slow = half_life_factor(minutes, USUALLY_MINUTES);
        let scaled = |count: f32, factor: f64| to_f32(f64::from(count) * factor);
        let lately = scaled(self.lately, fast);
        // Of what succeeds there is nothing to halve, and exponentials are dear.
        let at_once = if self.at_once == 0.0 {
            0.0
        } else {
            scaled(self.at_once, half_life_factor(minutes, AT_ONCE_MINUTES))
        };
        Self {
            at_once,
            lately,
            usually: scaled(self.usually, slow),
            unknown: scaled(self.unknown, fast),
            successes: scaled(self.successes, fast),
            successes_usually: scaled(self.successes_usually, slow),
            // Names are forgotten with the burst they belong to.
            names: if lately < 0.5 {
                Distinct::default()
            } else {
                self.names
            },
            time,
            ..*self
        }
    }

    /// With this attempt counted. `odds` is how many failures the tenant has for one success.
    pub(super) fn counting(mut self, kind: KeyKind, attempt: &Attempt, odds: f64) -> Self {
        match attempt.outcome {
            Outcome::Success => {
                self.successes += 1.0;
                self.successes_usually += 1.0;
            }
            Outcome::Failure { unknown_name } => {
                if self.is_told_already(attempt) {
                    return self;
                }
                let (value, repeated) = self.value_of(kind, attempt);
                if repeated {
                    return self;
                }
                self.at_once += 1.0;
                self.lately += 1.0;
                self.unknown += f32::from(u8::from(unknown_name));
                self.names.insert(value);
                self.usually += to_f32(self.share_learned(kind, odds));
            }
            Outcome::Neither => {}
        }
        self
    }

    /// Whether a line goes with a failure that was counted; what does not is a failure of which there is no other line.
    fn is_told_already(&mut self, attempt: &Attempt) -> bool {
        const WITH_MINUTES: f64 = 1.0;
        if attempt.accompanies {
            let with = |proper| attempt.time.since(proper).minutes() < WITH_MINUTES;
            return self.proper.is_some_and(with);
        }
        self.proper = Some(attempt.time);
        false
    }

    /// What is told apart at this key, and whether it is what failed last where that does not count again.
    fn value_of(&mut self, kind: KeyKind, attempt: &Attempt) -> (u64, bool) {
        if kind != KeyKind::Account {
            return (attempt.name, false);
        }
        let source = attempt.keys.get(KeyKind::Address).unwrap_or(0);
        let low = u32::try_from(source & 0xffff_ffff).unwrap_or(0);
        let repeated = self.lately >= 0.5 && self.last == low;
        self.last = low;
        (source, repeated)
    }

    /// Share of a failure that counts as usual: what stands out does not become normal by going on (MIDAS-F, Bhatia et al.
    /// 2022), except one name alone, tried for ever by a client with an old password.
    fn share_learned(&self, kind: KeyKind, odds: f64) -> f64 {
        const ONE_NAME: f64 = 1.5;
        let surprise = surprise(f64::from(self.lately), self.expected(kind, odds));
        if surprise < 1.0 || self.names.estimate() < ONE_NAME {
            1.0
        } else {
            1.0 / (1.0 + surprise)
        }
    }

    /// Failures for one success, as this key usually shows; a prior of one in ten stands for twenty successes.
    pub(super) fn odds(&self) -> f64 {
        const PRIOR: f64 = 0.1;
        const PRIOR_SUCCESSES: f64 = 20.0;
        (f64::from(self.usually) + PRIOR * PRIOR_SUCCESSES)
            / (f64::from(self.successes_usually) + PRIOR_SUCCESSES)
    }

    /// Notes a failure of the tenant, of which `share` is taken for usual.
    pub(super) fn counting_usual(mut self, attempt: &Attempt, share: f64) -> Self {
        match attempt.outcome {
            Outcome::Success => self.successes_usually += 1.0,
            Outcome::Failure { .. } => self.usually += to_f32(share),
            Outcome::Neither => {}
        }
        self
    }

    pub(super) fn reading(&self, kind: KeyKind, odds: f64) -> Burst {
        let expected = self.expected(kind, odds);
        let part = AT_ONCE_MINUTES / LATELY_MINUTES;
        Burst {
            kind,
            at_once: f64::from(self.at_once),
            expected_at_once: unsurprising_at_once(kind) + part * (expected - unsurprising(kind)),
            failures: f64::from(self.lately),
            expected,
            unknown: f64::from(self.unknown),
            successes: f64::from(self.successes),
            names: self.names,
        }
    }

    fn expected(&self, kind: KeyKind, odds: f64) -> f64 {
        let known = self.time.since(self.since).minutes().min(USUALLY_MINUTES);
        let before = (f64::from(self.usually) - f64::from(self.lately)).max(0.0);
        let rate = before / (known + WARM_MINUTES);
        unsurprising(kind) + WINDOW_MINUTES * rate + odds * f64::from(self.successes)
    }
}
