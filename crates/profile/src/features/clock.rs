//! At what hours an account is active: 24 hours × weekday or weekend, in its home time zone (SCORING 4).
//!
//! Estimates a circular density by a smoothed histogram with shrinkage to its population. Fails for accounts without
//! habits, whose density stays flat and says nothing. 53 bytes.

use habitus_model::math::from_usize;
use habitus_model::{EventTime, Minutes, UtcOffset};
use serde::{Deserialize, Serialize};

/// Number of bins: 24 of weekdays, then 24 of weekends.
pub const BINS: usize = 48;
/// Circular smoothing kernel over neighbouring hours (SCORING 4).
const KERNEL: [f64; 3] = [0.25, 0.5, 0.25];
/// Shrinkage towards the population, visits (SCORING 4).
const SHRINKAGE_VISITS: f64 = 6.0;
/// Half-life of the counts, days (SCORING 2).
const HALF_LIFE_DAYS: f64 = 60.0;

/// The histogram of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    // Two arrays because serde derives arrays up to 32.
    weekday: [u8; 24],
    weekend: [u8; 24],
    halved: Minutes,
}

/// A bin of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin(u8);

impl Bin {
    /// The bin of an instant at an offset.
    #[must_use]
    pub fn of(time: EventTime, offset: UtcOffset) -> Self {
        let (hour, weekend) = time.local_hour(offset);
        Self(if weekend { hour + 24 } else { hour })
    }

    /// Position in tables, below [`BINS`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Hour of the local day.
    #[must_use]
    pub fn hour(self) -> u8 {
        self.0 % 24
    }

    /// Whether it lies on a Saturday or Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        self.0 >= 24
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            weekday: [0; 24],
            weekend: [0; 24],
            halved: Minutes(0),
        }
    }
}

impl Clock {
    /// Visits counted, decayed.
    #[must_use]
    pub fn visits(&self) -> f64 {
        // Whole numbers this small are exact either way.
        let sum = |half: &[u8; 24]| half.iter().map(|count| u32::from(*count)).sum::<u32>();
        f64::from(sum(&self.weekday) + sum(&self.weekend))
    }

    /// Density of the bin per bin of the week (uniform is 1/48), shrunk to the population's.
    #[must_use]
    pub fn density(&self, bin: Bin, population: f64) -> f64 {
        let half = if bin.is_weekend() {
            &self.weekend
        } else {
            &self.weekday
        };
        let smooth = smoothed(half, bin.hour());
        (smooth + SHRINKAGE_VISITS * population) / (self.visits() + SHRINKAGE_VISITS)
    }

    /// Visits counted within an hour of the bin, on the same kind of day.
    #[must_use]
    pub fn near(&self, bin: Bin) -> f64 {
        let half = if bin.is_weekend() {
            &self.weekend
        } else {
            &self.weekday
        };
        neighbours(half, bin.hour())
            .iter()
            .map(|count| f64::from(*count))
            .sum()
    }

    /// Counts one visit.
    pub fn learn(&mut self, bin: Bin, now: Minutes) {
        if self.halved == Minutes(0) {
            self.halved = now;
        }
        let half = if bin.is_weekend() {
            &mut self.weekend
        } else {
            &mut self.weekday
        };
        let full = half.get_mut(usize::from(bin.hour())).is_some_and(|count| {
            *count = count.saturating_add(1);
            *count == u8::MAX
        });
        if full || now.days_since(self.halved) >= HALF_LIFE_DAYS {
            self.halve(now);
        }
    }

    fn halve(&mut self, now: Minutes) {
        for count in self.weekday.iter_mut().chain(&mut self.weekend) {
            *count /= 2;
        }
        self.halved = now;
    }
}

/// Hour-of-week counts of a population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PopulationClock {
    counts: Vec<f64>,
}

impl Default for PopulationClock {
    /// Flat, with the weight of two days.
    fn default() -> Self {
        Self {
            counts: vec![1.0; BINS],
        }
    }
}

impl PopulationClock {
    /// Density of the bin per bin of the week.
    #[must_use]
    pub fn density(&self, bin: Bin) -> f64 {
        let total: f64 = self.counts.iter().sum();
        self.counts.get(bin.index()).copied().unwrap_or(0.0).max(1e-3) / total.max(1e-3)
    }

    /// Counts one visit.
    pub fn learn(&mut self, bin: Bin) {
        if let Some(count) = self.counts.get_mut(bin.index()) {
            *count += 1.0;
        }
    }

    /// Forgets.
    pub fn scale(&mut self, factor: f64) {
        for count in &mut self.counts {
            *count *= factor;
        }
    }
}

/// Density of a bin if visits fell evenly over the week: two of seven days are a weekend.
#[must_use]
pub fn uniform_density(bin: Bin) -> f64 {
    let days = if bin.is_weekend() { 2.0 } else { 5.0 };
    days / 7.0 / from_usize(BINS / 2)
}

fn neighbours(half: &[u8; 24], hour: u8) -> [u8; 3] {
    let at = |offset: usize| half.get((usize::from(hour) + offset) % 24).copied().unwrap_or(0);
    [at(23), at(0), at(1)]
}

fn smoothed(half: &[u8; 24], hour: u8) -> f64 {
    neighbours(half, hour)
        .iter()
        .zip(KERNEL)
        .map(|(count, weight)| f64::from(*count) * weight)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_shows_and_midnight_is_no_wall() {
        let mut clock = Clock::default();
        let late = Bin(23);
        for day in 1..40 {
            clock.learn(late, Minutes(day * 1_440));
        }
        let flat = uniform_density(Bin(0));
        assert!(clock.density(late, flat) > 5.0 * flat);
        assert!(
            clock.density(Bin(0), flat) > 2.0 * flat,
            "one hour past midnight is next to 23:00"
        );
        assert!(clock.density(Bin(12), flat) < flat);
    }

    #[test]
    fn counts_stay_in_a_byte() {
        let mut clock = Clock::default();
        for i in 0..10_000 {
            clock.learn(Bin(9), Minutes(i));
        }
        assert!(clock.visits() <= 255.0);
    }

    #[test]
    fn densities_sum_to_one() {
        let sum: f64 = (0..48).map(|b| uniform_density(Bin(b))).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}
