//! How far a source's clock is off, estimated from its events.

use habitus_model::math::{from_i64, to_i64};
use habitus_model::{EventTime, IngestTime, Millis};
use std::collections::VecDeque;

/// Events that the estimate rests on (RELIABILITY S-07: the median over the last 1,000).
pub const EVENTS_MAX: usize = 1_000;

/// Fewer say nothing: the median of a handful is any event's delay.
pub const EVENTS_MIN: usize = 20;

/// A clock that is further off raises the alarm (RELIABILITY S-07: 60 s), in either direction. A source that delivers
/// later than that raises it too: both read the same from here, and both mean that its times cannot be compared with
/// those of others at once.
pub const ALARM: Millis = Millis(60_000);

/// Ingest time minus event time of a source's last events, and their median. Pure; 16 KiB at most.
#[derive(Debug, Clone, Default)]
pub struct Skew {
    /// In the order in which they came.
    recent: VecDeque<i64>,
    /// The same, sorted.
    sorted: Vec<i64>,
}

impl Skew {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an event in; the oldest beyond [`EVENTS_MAX`] is forgotten. Only for events whose time is their source's
    /// own. Cost: a binary search and a move of at most 8 KiB.
    pub fn add(&mut self, ingest: IngestTime, event: EventTime) {
        let delay = ingest.as_millis().saturating_sub(event.as_millis());
        if self.recent.len() >= EVENTS_MAX
            && let Some(oldest) = self.recent.pop_front()
            && let Ok(at) = self.sorted.binary_search(&oldest)
        {
            self.sorted.remove(at);
        }
        self.recent.push_back(delay);
        let at = self.sorted.partition_point(|other| *other < delay);
        self.sorted.insert(at, delay);
    }

    /// The median of ingest time minus event time: positive if the source's clock is behind or its events come late,
    /// negative if its clock is ahead. Absent below [`EVENTS_MIN`] events. Of an even number the lower middle one.
    #[must_use]
    pub fn estimate(&self) -> Option<Millis> {
        if self.sorted.len() < EVENTS_MIN {
            return None;
        }
        let middle = (self.sorted.len() - 1) / 2;
        self.sorted.get(middle).copied().map(Millis)
    }

    /// The delay that a share of the last events does not exceed, from 0 to 1; absent before the first event.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Millis> {
        let last = self.sorted.len().checked_sub(1)?;
        let at = share.clamp(0.0, 1.0) * from_i64(i64::try_from(last).ok()?);
        let at = usize::try_from(to_i64(at)).ok()?;
        self.sorted.get(at.min(last)).copied().map(Millis)
    }

    /// Whether the estimate is beyond [`ALARM`]; false while there is none.
    #[must_use]
    pub fn is_alarming(&self) -> bool {
        self.estimate()
            .is_some_and(|Millis(skew)| skew.unsigned_abs() > ALARM.0.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skew(delays: &[i64]) -> Skew {
        let mut skew = Skew::new();
        for delay in delays {
            let ingest = IngestTime::from_millis(1_767_607_200_000).unwrap();
            let event = EventTime::from_millis(1_767_607_200_000 - delay).unwrap();
            skew.add(ingest, event);
        }
        skew
    }

    fn check(delays: &[i64], estimate: Option<i64>, is_alarming: bool) {
        let skew = skew(delays);
        assert_eq!(skew.estimate(), estimate.map(Millis));
        assert_eq!(skew.is_alarming(), is_alarming);
    }

    #[test]
    fn the_alarm_is_for_more_than_a_minute_either_way() {
        check(&[], None, false);
        check(&[21_600_000; 19], None, false);
        check(&[21_600_000; 20], Some(21_600_000), true);
        check(&[-21_600_000; 20], Some(-21_600_000), true);
        check(&[60_000; 20], Some(60_000), false);
        check(&[60_001; 20], Some(60_001), true);
        check(&[-60_001; 20], Some(-60_001), true);
    }

    #[test]
    fn quantiles_are_of_the_last_events() {
        let delays: Vec<i64> = (0..=100).collect();
        let skew = skew(&delays);
        let of = |share| skew.quantile(share).map(|delay| delay.0);
        assert_eq!(
            (of(0.0), of(0.95), of(1.0), of(7.0)),
            (Some(0), Some(95), Some(100), Some(100))
        );
        assert_eq!(Skew::new().quantile(0.5), None);
    }

    #[test]
    fn single_liars_move_nothing() {
        let mut delays = vec![500; 600];
        delays.extend([-315_360_000_000; 399]);
        check(&delays, Some(500), false);
    }

    #[test]
    fn a_mended_clock_is_forgotten_after_half_the_window() {
        let mut delays = vec![7_200_000; EVENTS_MAX];
        delays.extend([200; EVENTS_MAX / 2 - 1]);
        check(&delays, Some(7_200_000), true);
        delays.extend([200; 1]);
        check(&delays, Some(200), false);
    }

    proptest! {
        #[test]
        fn the_median_is_that_of_the_last_events(delays in prop::collection::vec(-100_000_i64..100_000, 20..2_500)) {
            let mut last = delays[delays.len().saturating_sub(EVENTS_MAX)..].to_vec();
            last.sort_unstable();
            prop_assert_eq!(skew(&delays).estimate(), Some(Millis(last[(last.len() - 1) / 2])));
        }
    }
}
