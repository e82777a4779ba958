//! Clocks of sources that are off, estimated from what they send and corrected (RELIABILITY 6.4).
//!
//! From here a clock that is ahead and events of the future are the same, and so are one that is behind and a feed that comes
//! late. So two things are told apart: nothing arrives before it happens, so that times from the future are a clock's fault;
//! and a feed that comes late comes late by different amounts, while a clock is off by one. An estimate is made of one whole
//! hour of arrivals and holds for those that follow: within an hour the order of arrivals decides nothing.

use crate::entry::Arrival;
use habitus_model::{EventTime, IngestTime, Millis, TenantId, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sources whose clocks are watched; beyond it the one silent longest is forgotten. Half a KiB each.
const CLOCKS_MAX: usize = 1_024;
/// Arrivals of which an estimate is made at once.
const HOUR_MS: i64 = 3_600_000;
/// Delays are told apart by so much: a sixth of what is corrected at least.
const STEP_MS: i64 = 10_000;
/// Furthest that a clock is corrected (RELIABILITY 6.4: 10 min); what is further off keeps its times, which are not believed
/// or come late.
const FURTHEST_MS: i64 = 600_000;
/// Least that is corrected (RELIABILITY S-07 alarms above 60 s): less does not change what is possible between places.
const LEAST_MS: i64 = 60_000;
/// Fewest arrivals of an hour that say anything.
const ARRIVALS_MIN: u32 = 20;
/// Widest that nine tenths of the delays of a clock that is behind may lie apart: transport of one kind. Assumed; feeds that
/// are collected every minute or more spread by a minute or more.
const SPREAD_MAX_MS: i64 = 20_000;
/// Steps from the furthest ahead to the furthest behind, and one beyond either end.
const STEPS: usize = 122;

/// The clocks of all sources.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Clocks(BTreeMap<(TenantId, Text), Clock>);

/// The clock of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Clock {
    /// The hour that is counted, from 1970.
    hour: i64,
    /// Arrivals of that hour by their delay.
    delays: Vec<u32>,
    /// What is added to its times.
    correction: Millis,
    heard: IngestTime,
}

impl Clocks {
    /// Notes when an event came and when its source says it happened; gives the time that counts, which is the source's
    /// own unless its clock was off in an earlier hour. O(log sources), of all sources when a new one is one too many.
    pub fn believe(&mut self, arrival: &Arrival) -> EventTime {
        let claimed = arrival.record.context.time;
        let ingest = arrival.origin.ingest;
        let key = (
            arrival.record.context.tenant.clone(),
            arrival.origin.source.clone(),
        );
        let clock = self.0.entry(key).or_insert_with(|| Clock::new(ingest));
        clock.hear(ingest, claimed);
        let correction = clock.correction;
        if self.0.len() > CLOCKS_MAX {
            let silent = self.0.iter().min_by_key(|(key, clock)| (clock.heard, *key));
            if let Some(key) = silent.map(|(key, _)| key.clone()) {
                self.0.remove(&key);
            }
        }
        claimed.plus(correction)
    }

    /// The corrections that are made, without what is counted.
    #[must_use]
    pub fn decided(&self) -> Self {
        let corrected = self.0.iter().filter(|(_, clock)| clock.correction != Millis(0));
        let decided = corrected.map(|(key, clock)| {
            let decided = Clock {
                correction: clock.correction,
                ..Clock::new(IngestTime::EPOCH)
            };
            (key.clone(), decided)
        });
        Self(decided.collect())
    }

    /// What is added to the times of a source; zero for one whose clock is right, or not known.
    #[must_use]
    pub fn correction(&self, tenant: &TenantId, source: &Text) -> Millis {
        let clock = self.0.get(&(tenant.clone(), source.clone()));
        clock.map_or(Millis(0), |clock| clock.correction)
    }
}

impl Clock {
    fn new(ingest: IngestTime) -> Self {
        Self {
            hour: ingest.as_millis().div_euclid(HOUR_MS),
            delays: vec![0; STEPS],
            correction: Millis(0),
            heard: ingest,
        }
    }

    fn hear(&mut self, ingest: IngestTime, claimed: EventTime) {
        let hour = ingest.as_millis().div_euclid(HOUR_MS);
        if hour > self.hour {
            self.hour = hour;
            self.estimate();
            self.delays.fill(0);
        }
        self.heard = self.heard.max(ingest);
        let delay = ingest.as_millis().saturating_sub(claimed.as_millis());
        if let Some(count) = self.delays.get_mut(step(delay)) {
            *count = count.saturating_add(1);
        }
    }

    /// Of the hour that has ended. One that was silent, or hardly said anything, leaves the correction as it is.
    fn estimate(&mut self) {
        let arrivals: u32 = self
            .delays
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count));
        if arrivals < ARRIVALS_MIN {
            return;
        }
        let middle = self.quantile(arrivals, 50);
        let spread = self.quantile(arrivals, 95) - self.quantile(arrivals, 5);
        let is_within = middle.abs() <= FURTHEST_MS;
        let is_ahead = middle < -LEAST_MS;
        let is_behind = middle > LEAST_MS && spread <= SPREAD_MAX_MS;
        self.correction = Millis(if is_within && (is_ahead || is_behind) {
            middle
        } else {
            0
        });
    }

    /// The delay that a share of the arrivals, in hundredths, does not exceed: the middle of its step, milliseconds.
    fn quantile(&self, arrivals: u32, hundredths: u32) -> i64 {
        let wanted = u64::from(arrivals) * u64::from(hundredths) / 100;
        let mut sum = 0_u64;
        for (at, count) in (-FURTHEST_MS - STEP_MS..)
            .step_by(usize::try_from(STEP_MS).unwrap_or(1))
            .zip(&self.delays)
        {
            sum += u64::from(*count);
            if sum > wanted {
                return at + STEP_MS / 2;
            }
        }
        FURTHEST_MS + STEP_MS / 2
    }
}

/// The step of a delay; what is further off than is corrected falls beyond the ends.
fn step(delay_ms: i64) -> usize {
    let from = delay_ms.saturating_add(FURTHEST_MS + STEP_MS).div_euclid(STEP_MS);
    usize::try_from(from).unwrap_or(0).min(STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START_MS: i64 = 1_767_225_600_000;

    /// The correction after an hour of such delays, milliseconds.
    fn after_an_hour(delays: &[i64]) -> i64 {
        let mut clock = Clock::new(IngestTime::from_millis(START_MS).unwrap());
        for (nth, delay) in (0..).zip(delays) {
            let ingest = START_MS + nth % HOUR_MS;
            let claimed = EventTime::from_millis(ingest - delay).unwrap();
            clock.hear(IngestTime::from_millis(ingest).unwrap(), claimed);
        }
        assert_eq!(clock.correction, Millis(0), "within the hour nothing changes");
        let next = START_MS + HOUR_MS;
        clock.hear(
            IngestTime::from_millis(next).unwrap(),
            EventTime::from_millis(next).unwrap(),
        );
        clock.correction.0
    }

    /// Delays about a middle, spread evenly.
    fn about(middle: i64, spread: i64) -> Vec<i64> {
        (0..200)
            .map(|nth| middle - spread / 2 + nth * spread / 200)
            .collect()
    }

    #[test]
    fn clocks_that_are_off_by_minutes_are_corrected() {
        for off in [-590_000, -361_000, -65_000, 70_000, 300_000, 590_000] {
            let corrected = after_an_hour(&about(off, 4_000));
            assert!((corrected - off).abs() <= STEP_MS, "{off}: {corrected}");
        }
    }

    #[test]
    fn right_clocks_and_hopeless_ones_keep_their_times() {
        for off in [
            0,
            2_000,
            -30_000,
            55_000,
            620_000,
            -620_000,
            21_600_000,
            -21_600_000,
        ] {
            assert_eq!(after_an_hour(&about(off, 4_000)), 0, "{off}");
        }
    }

    #[test]
    fn a_feed_that_comes_late_is_no_clock_that_is_behind() {
        assert_eq!(after_an_hour(&about(300_000, 290_000)), 0);
        assert_eq!(after_an_hour(&about(120_000, 60_000)), 0);
    }

    #[test]
    fn a_handful_says_nothing() {
        assert_eq!(after_an_hour(&[-300_000; 19]), 0);
        assert_ne!(after_an_hour(&[-300_000; 20]), 0);
    }

    #[test]
    fn single_liars_move_nothing() {
        let mut delays = about(1_000, 2_000);
        delays.extend([-300_000; 90]);
        assert_eq!(after_an_hour(&delays), 0);
    }

    proptest! {
        #[test]
        fn the_order_within_an_hour_decides_nothing(mut delays in prop::collection::vec(-900_000_i64..900_000, 20..400)) {
            let forwards = after_an_hour(&delays);
            delays.reverse();
            prop_assert_eq!(after_an_hour(&delays), forwards);
        }

        #[test]
        fn no_correction_is_beyond_ten_minutes(delays in prop::collection::vec(any::<i64>(), 0..200)) {
            let mut clock = Clock::new(IngestTime::from_millis(START_MS).unwrap());
            for delay in delays {
                let step = step(delay);
                clock.delays[step] += 1;
            }
            clock.estimate();
            prop_assert!(clock.correction.0.abs() <= FURTHEST_MS + STEP_MS);
        }
    }
}
