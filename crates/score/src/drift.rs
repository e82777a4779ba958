//! Whether scores of one tenant still keep their promise: a sequential test of calibrated tail probabilities (SCORING 10).
//!
//! A score says that a share `p` of owners' events scores as high. While that holds no bet against it gains: a *conformal test
//! martingale* (Vovk, Nouretdinov & Gammerman, ICML 2003; Vovk et al., COPA 2021) multiplies a stake by `b(p)` at each event,
//! where `E b(p) ≤ 1`. Summed over all beginnings (Shiryaev–Roberts), `R ← (1 + R)·b(p)`, no calm of the past delays it, and
//! `R_n − n` is a supermartingale: `P(R reaches A within n events) ≤ n / A` (Ville's inequality in the form of Shin, Ramdas &
//! Rinaldo, *E-detectors*, 2023). With `A` = the events of a year there is at most one false alarm a year and tenant. Several
//! bets are averaged, which keeps the bound.
//!
//! Bets are steps and no powers: what floods people lies in the tail, and the gain of `ε·p^(ε−1)` is decided by the body, which
//! changes every weekend. A step at `t` bets that `p ≤ t` comes `r` times as often as a margin times `t`, the likelihood ratio
//! of two coins; it gains nothing as long as `p ≤ t` comes no oftener than that. Fails where a shift is smaller than the
//! margin, and where events depend on each other: several events of one account that are flagged within the hour count once.

use habitus_model::math::{exp, from_u64, from_usize, half_life_factor, ln, ln_1p, log_sum_exp};
use habitus_model::{Decayed, Minutes, Probability};
use serde::{Deserialize, Serialize};

/// The tail that bets are made on: score 40, from which on people are asked. Not score 20, which shows one in five at weekends
/// where one in ten is said, nor a rarer one: a campaign of three would alarm, and it is no drift.
const TAIL: f64 = 0.01;
/// How many times oftener than allowed each bet expects it.
const TIMES: [f64; 4] = [2.0, 4.0, 8.0, 16.0];
/// How much oftener than it says, or than is usual on such a day, the tail may come without being a drift: over months scores above
/// 40 came 1 in 88 times where 1 in 100 was said (development seeds 1–4).
const MARGIN: f64 = 2.0;
/// Days to a false alarm that are allowed.
const FALSE_ALARM_DAYS: f64 = 365.0;
/// Half-life of the pace, days: as calibration's.
const HALF_LIFE_DAYS: f64 = 30.0;
/// Days that an alarm stands after the last time it went off: a week of work, in which the tables have learned what is new.
pub const STANDS_DAYS: f64 = 7.0;
/// Days before anything is promised: what is done once a week has been seen twice by then. Assumed.
const WARM_DAYS: f64 = 14.0;

/// Events that the promise weighs against what is measured of a day of the week. Assumed.
const PROMISE_EVENTS: f64 = 20.0;
/// Most that is allowed or expected of a tail, whatever is usual.
const ALLOWED_MAX: f64 = 0.4;
const EXPECTED_MAX: f64 = 0.9;

/// What a bet that expects the tail so many times oftener than allowed multiplies its stake by, as a logarithm.
fn ln_gain(times: f64, allowed: f64, p: f64) -> f64 {
    let expected = (times * allowed).min(EXPECTED_MAX);
    if p <= TAIL {
        ln(expected / allowed)
    } else {
        ln((1.0 - expected) / (1.0 - allowed))
    }
}

/// How often the tail came on a day of the week, decayed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Usual {
    hits: f64,
    events: f64,
}

impl Usual {
    /// How often it may come: as promised, or as usual where that is more. Enterprises' weekends are a tenth of their days, and other
    /// people work then: one in ten scores above 40 (seed 2).
    fn allowed(self) -> f64 {
        let usual = (self.hits + PROMISE_EVENTS * TAIL) / (self.events + PROMISE_EVENTS);
        (MARGIN * usual.max(TAIL)).min(ALLOWED_MAX)
    }

    fn learn(&mut self, p: f64) {
        self.events += 1.0;
        self.hits += if p <= TAIL { 1.0 } else { 0.0 };
    }
}

/// The test of one tenant: some two dozen numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Logarithms of the sums over all beginnings, one for each bet.
    ln_sums: [f64; TIMES.len()],
    /// Events and days, decayed.
    events: f64,
    days: f64,
    decayed: Decayed,
    /// By day of the week, in UTC.
    usual: [Usual; 7],
    /// Events ever.
    count: u64,
    alarm: Option<Alarm>,
}

/// Scores do not keep their promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// When it went off.
    pub since: Minutes,
    /// When it went off again, the last time.
    pub last: Minutes,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            ln_sums: [f64::NEG_INFINITY; TIMES.len()],
            events: 0.0,
            days: 0.0,
            decayed: Decayed::default(),
            usual: [Usual::default(); 7],
            count: 0,
            alarm: None,
        }
    }
}

impl Alarm {
    /// Whether it stands.
    #[must_use]
    pub fn stands(&self, now: Minutes) -> bool {
        now.days_since(self.last) < STANDS_DAYS
    }
}

impl Drift {
    /// Takes in what was said of one event before it was learned: the probability of a score `at_least` as high, and of one
    /// `above` it. They differ where scores are tied; the probability is smoothed between them (Vovk et al. 2005) by a sequence
    /// that fills the unit interval evenly, in place of chance. Whether an alarm begins. Cost: four exponentials.
    pub fn observe(&mut self, (at_least, above): (Probability, Probability), now: Minutes) -> bool {
        self.forget(now);
        self.events += 1.0;
        self.count += 1;
        let luck = (from_u64(self.count % 1_000_000) * GOLDEN).fract();
        let p = above.get() + luck * (at_least.get() - above.get()).max(0.0);
        let day = usize::try_from(now.0 / 1_440 % 7).unwrap_or(0);
        let usual = self.usual.get_mut(day);
        // What is allowed follows from the past alone, or the bets would not be fair.
        let allowed = usual.as_ref().map_or(MARGIN * TAIL, |usual| usual.allowed());
        if let Some(usual) = usual {
            usual.learn(p);
        }
        if self.days < WARM_DAYS {
            return false;
        }
        for (sum, times) in self.ln_sums.iter_mut().zip(TIMES) {
            *sum = ln_one_more(*sum) + ln_gain(times, allowed, p);
        }
        let went_off = self.ln_sum() >= self.ln_bound();
        if !went_off {
            return false;
        }
        self.ln_sums = [f64::NEG_INFINITY; TIMES.len()];
        let before = self.alarm(now);
        self.alarm = Some(Alarm {
            since: before.map_or(now, |alarm| alarm.since),
            last: now,
        });
        before.is_none()
    }

    /// The alarm that stands.
    #[must_use]
    pub fn alarm(&self, now: Minutes) -> Option<Alarm> {
        self.alarm.filter(|alarm| alarm.stands(now))
    }

    /// Logarithm of the sum, averaged over the bets.
    fn ln_sum(&self) -> f64 {
        log_sum_exp(&self.ln_sums) - ln(from_usize(TIMES.len()))
    }

    /// Logarithm of the events of a year.
    fn ln_bound(&self) -> f64 {
        ln(FALSE_ALARM_DAYS * (self.events / self.days.max(1.0)).max(1.0))
    }

    fn forget(&mut self, now: Minutes) {
        let Some(days) = self.decayed.days_due(now) else {
            return;
        };
        let factor = half_life_factor(days, HALF_LIFE_DAYS);
        self.events *= factor;
        self.days = self.days * factor + days;
        for usual in &mut self.usual {
            usual.hits *= factor;
            usual.events *= factor;
        }
    }
}

/// The golden ratio's fraction: its multiples fill the unit interval as evenly as any sequence does (Weyl 1916).
const GOLDEN: f64 = 0.618_033_988_749_895;

/// `ln(1 + e^x)`.
fn ln_one_more(x: f64) -> f64 {
    const ONE_IS_NOTHING: f64 = 40.0;
    if x > ONE_IS_NOTHING { x } else { ln_1p(exp(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::hash::HashKey;
    use proptest::prelude::*;

    /// A seeded stream of numbers in `[0, 1)`.
    fn unit(seed: u64, nth: u64) -> f64 {
        from_u64(HashKey::REPLAY.fingerprint(&(seed, nth)) >> 11) / from_u64(1 << 53)
    }

    const A_DAY: u64 = 200;

    fn minute(nth: u64) -> Minutes {
        Minutes(u32::try_from(1 + nth * 1_440 / A_DAY).unwrap())
    }

    fn observe(drift: &mut Drift, p: f64, nth: u64) -> bool {
        let p = Probability::new(p);
        drift.observe((p, p), minute(nth))
    }

    /// The events after which an alarm begins, of so many that `p` gives.
    fn alarms(events: u64, p: impl Fn(u64) -> f64) -> Vec<u64> {
        let mut drift = Drift::default();
        (0..events)
            .filter(|nth| observe(&mut drift, p(*nth), *nth))
            .collect()
    }

    #[test]
    fn while_scores_keep_their_promise_there_is_at_most_one_false_alarm_a_year() {
        // Forty tenants for half a year: twenty are allowed.
        let told: usize = (0..40)
            .map(|seed| alarms(180 * A_DAY, |nth| unit(seed, nth)).len())
            .sum();
        assert!(told <= 20, "{told}");
        // The same for tails that come as often as the margin allows, which is where the bound is reached.
        let told: usize = (0..40)
            .map(|seed| alarms(180 * A_DAY, |nth| unit(100 + seed, nth) / MARGIN).len())
            .sum();
        assert!(told <= 20, "{told} at the margin");
    }

    #[test]
    fn no_bet_gains_while_its_tail_comes_as_often_as_is_allowed() {
        for times in TIMES {
            for allowed in [MARGIN * TAIL, 0.1, ALLOWED_MAX] {
                let (hit, miss) = (ln_gain(times, allowed, 0.0), ln_gain(times, allowed, 1.0));
                let mean = allowed * exp(hit) + (1.0 - allowed) * exp(miss);
                assert!((mean - 1.0).abs() < 1e-12, "{times} of {allowed}: {mean}");
            }
        }
    }

    #[test]
    fn a_year_of_calm_does_not_delay_what_comes() {
        let after = |calm: u64| {
            let flooded = alarms(calm + 400, |nth| {
                let p = unit(7, nth);
                if nth >= calm && unit(8, nth) < 0.3 {
                    0.01 * p
                } else {
                    p
                }
            });
            flooded.iter().find(|nth| **nth >= calm).map(|nth| nth - calm)
        };
        let (soon, late) = (after(20 * A_DAY).unwrap(), after(365 * A_DAY).unwrap());
        assert!(soon < 150 && late < 150, "{soon} {late}");
    }

    #[test]
    fn an_alarm_stands_for_a_week_after_it_went_off_last_and_begins_once() {
        let mut drift = Drift::default();
        let mut began = Vec::new();
        for nth in 0..6_000 {
            let p = if !(4_000..4_300).contains(&nth) {
                0.5
            } else {
                0.001
            };
            if observe(&mut drift, p, nth) {
                began.push(minute(nth));
            }
        }
        assert_eq!(began.len(), 1, "{began:?}");
        let alarm = drift.alarm.unwrap();
        assert_eq!(alarm.since, began[0]);
        let days = |days: u32| Minutes(alarm.last.0 + days * 1_440);
        assert!(alarm.last > alarm.since && drift.alarm(days(6)).is_some() && drift.alarm(days(8)).is_none());
    }

    #[test]
    fn weekends_that_are_always_odd_are_no_drift_and_one_that_is_odder_is() {
        // Ten times as many above 40 on two days of seven.
        let weekend = |nth: u64| nth / A_DAY % 7 >= 5;
        let usual = |nth: u64| {
            let p = unit(9, nth);
            if weekend(nth) && p < 0.1 { 0.1 * p } else { p }
        };
        assert_eq!(alarms(180 * A_DAY, usual).len(), 0);
        let flooded = alarms(180 * A_DAY, |nth| {
            let is_last = nth >= 173 * A_DAY && weekend(nth);
            if is_last && unit(10, nth) < 0.5 {
                0.001
            } else {
                usual(nth)
            }
        });
        assert_eq!(flooded.len(), 1, "{flooded:?}");
    }

    #[test]
    fn scores_that_are_tied_are_no_drift() {
        // Nine of ten score alike: they are at least as high as all of these, and above a hundredth of the rest.
        let mut drift = Drift::default();
        let alarms = (0..50_000).filter(|nth| {
            let p = unit(3, *nth);
            let tied = (Probability::new(0.905), Probability::new(0.005));
            let said = if p < 0.9 {
                tied
            } else {
                let p = Probability::new(if p < 0.995 { 0.905 + (p - 0.9) } else { p - 0.995 });
                (p, p)
            };
            drift.observe(said, minute(*nth))
        });
        assert_eq!(alarms.count(), 0);
    }

    proptest! {
        #[test]
        fn a_flood_is_found_within_the_events_that_its_size_takes(seed in 0_u64..1_000, share in 0.15_f64..1.0) {
            // One in seven above 40, where one in a hundred was said: the bets gain 0.1 nats an event at least, and 13 are needed.
            let flooded = alarms(5_000, |nth| {
                let p = unit(seed, nth);
                if nth >= 4_000 && unit(seed + 5_000, nth) < share { 0.01 * p } else { p }
            });
            prop_assert!(flooded.iter().any(|nth| (4_000..4_000 + 600).contains(nth)), "{flooded:?}");
        }

        #[test]
        fn sums_stay_finite_whatever_comes(ps in prop::collection::vec(0.0_f64..=1.0, 0..400), worst in any::<bool>()) {
            let mut drift = Drift::default();
            for nth in 0..3_000 {
                observe(&mut drift, 0.5, nth);
            }
            for (nth, p) in (3_000..).zip(ps) {
                observe(&mut drift, if worst { 0.0 } else { p }, nth);
                prop_assert!(drift.ln_sums.iter().all(|sum| *sum < 100.0 && !sum.is_nan()));
            }
        }
    }
}
