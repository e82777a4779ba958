//! When in the day people log in.

use crate::config::Regime;
use crate::releases::DAY_MS;
use crate::rng::Rng;
use habitus_model::math;

/// A personal profile of the local day: up to three peaks, and a little at any hour.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clock {
    /// Local hour, deviation in hours, weight.
    peaks: [(f64, f64, f64); 3],
}

/// Share of logins at any hour at all (assumed).
const ANY_HOUR_SHARE: f64 = 0.03;

impl Clock {
    /// A person's clock. Employees begin the day and go on; consumers come at lunch and in the evening; a few
    /// employees work at night (Eurostat 2022: 5 to 8 % of employees work at night now and then).
    pub(crate) fn draw(rng: &mut Rng, regime: Regime) -> Self {
        let shift = if rng.chance(0.05) { 12.0 } else { 0.0 };
        let peaks = match regime {
            Regime::Enterprise | Regime::Business => [
                (rng.normal(8.4, 0.8) + shift, rng.between(0.3, 1.0), 0.55),
                (rng.normal(13.2, 0.6) + shift, rng.between(1.0, 2.2), 0.35),
                (rng.normal(20.0, 1.5) + shift, 1.5, 0.10),
            ],
            Regime::Consumer => [
                (
                    rng.normal(19.5, 2.0),
                    rng.between(1.0, 2.5),
                    rng.between(0.3, 0.7),
                ),
                (
                    rng.normal(12.5, 1.5),
                    rng.between(1.0, 2.5),
                    rng.between(0.2, 0.5),
                ),
                (rng.normal(8.5, 1.5), rng.between(0.7, 2.0), rng.between(0.1, 0.4)),
            ],
        };
        Self { peaks }
    }

    /// A moment of the given local day (counted from the epoch) at an offset from UTC.
    pub(crate) fn moment(&self, rng: &mut Rng, day: i64, offset_minutes: i64) -> i64 {
        let hour = if rng.chance(ANY_HOUR_SHARE) {
            rng.between(0.0, 24.0)
        } else {
            let peak = rng.weighted(self.peaks, |peak| peak.2);
            let (at, deviation, _) = peak.unwrap_or((12.0, 4.0, 1.0));
            rng.normal(at, deviation)
        };
        let local_ms = math::to_i64(hour.rem_euclid(24.0) * 3_600_000.0);
        day * DAY_MS + local_ms - offset_minutes * 60_000
    }
}

/// Whether a day (counted from the epoch) is a Saturday or Sunday. Day 0 was a Thursday.
pub(crate) fn is_weekend(day: i64) -> bool {
    matches!(day.rem_euclid(7), 2 | 3)
}

/// Local hour of a moment at an offset.
pub(crate) fn local_hour(ms: i64, offset_minutes: i64) -> i64 {
    (ms.div_euclid(60_000) + offset_minutes).rem_euclid(1_440) / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn employees_log_in_by_day() {
        let rng = &mut Rng::new(1, "test", 0);
        let mut by_day = 0;
        for _ in 0..300 {
            let clock = Clock::draw(rng, Regime::Enterprise);
            for day in 0..10 {
                let hour = local_hour(clock.moment(rng, day, 120), 120);
                by_day += i32::from((6..19).contains(&hour));
            }
        }
        assert!((2_300..2_900).contains(&by_day), "{by_day}");
    }
}
