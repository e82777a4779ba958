//! How long a source is usually silent: learned from its own arrivals, for people and for the alert.

use habitus_model::IngestTime;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Days remembered: two weekends, so that their silence is usual.
const DAYS_MAX: usize = 14;
/// Arrivals before anything is expected.
const ARRIVALS_MIN: u64 = 20;
const DAY_MS: i64 = 86_400_000;

/// The longest gaps between arrivals of the last days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Gaps {
    /// Day of arrival and its longest gap in seconds, latest last.
    days: VecDeque<(i64, f64)>,
    arrivals: u64,
}

impl Gaps {
    /// Takes in a silence of so many seconds that an arrival has ended.
    pub fn add(&mut self, seconds: f64, ended: IngestTime) {
        self.arrivals += 1;
        let day = ended.as_millis().div_euclid(DAY_MS);
        match self.days.back_mut() {
            Some((last, longest)) if *last == day => *longest = longest.max(seconds),
            _ => self.days.push_back((day, seconds)),
        }
        if self.days.len() > DAYS_MAX {
            self.days.pop_front();
        }
    }

    /// The longest silence that is usual, seconds: the second longest of the days remembered, since the longest of all may
    /// have been an outage. Of one day its longest. Absent below [`ARRIVALS_MIN`] arrivals.
    pub fn expected(&self) -> Option<f64> {
        if self.arrivals + 1 < ARRIVALS_MIN {
            return None;
        }
        let mut longest: Vec<f64> = self.days.iter().map(|(_, gap)| *gap).collect();
        longest.sort_by(|a, b| b.total_cmp(a));
        longest.get(1).or(longest.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> IngestTime {
        IngestTime::from_millis(seconds * 1_000).unwrap()
    }

    #[test]
    fn nothing_is_expected_of_who_is_hardly_known() {
        let mut gaps = Gaps::default();
        for n in 1..19 {
            gaps.add(10.0, at(n * 10));
            assert_eq!(gaps.expected(), None, "{n}");
        }
        gaps.add(10.0, at(190));
        assert_eq!(gaps.expected(), Some(10.0));
    }

    #[test]
    fn nights_and_weekends_are_usual_and_one_outage_is_not() {
        let mut gaps = Gaps::default();
        let (hour, day) = (3_600, 86_400);
        for date in 0..14 {
            for minute in 0..600 {
                // Ten working hours a day with an arrival a minute; nobody works on two days of seven.
                let is_first = minute == 0;
                let silent = match (is_first, date % 7) {
                    (true, 0) => 62 * hour,
                    (true, _) => 14 * hour,
                    (false, _) => 60,
                };
                if date % 7 < 5 {
                    gaps.add(
                        habitus_model::math::from_i64(silent),
                        at(date * day + 8 * hour + minute * 60),
                    );
                }
            }
        }
        assert_eq!(gaps.expected(), Some(62.0 * 3_600.0));
        let mut steady = Gaps::default();
        for n in 0..3_000 {
            let outage = if n == 1_500 { 40_000.0 } else { 300.0 };
            steady.add(outage, at(n * 300));
        }
        assert_eq!(steady.expected(), Some(300.0));
    }
}
