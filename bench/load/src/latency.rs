//! Latencies, exact: every one is kept.

use std::time::Duration;

/// Durations, in no order. 16 bytes each.
#[derive(Debug, Default, Clone)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Takes one in.
    pub fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Takes all of another in.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// How many are longer.
    #[must_use]
    pub fn above(&self, bound: Duration) -> usize {
        self.0.iter().filter(|latency| **latency > bound).count()
    }

    /// The smallest latency that at least this share do not exceed (nearest rank); zero of none. O(n).
    pub fn quantile(&mut self, share: f64) -> Duration {
        let count = float(self.0.len());
        let rank = (1..=self.0.len()).find(|rank| float(*rank) >= share * count);
        let Some(at) = rank.map(|rank| rank - 1) else {
            return Duration::ZERO;
        };
        *self.0.select_nth_unstable(at).1
    }
}

/// A count as a number with a fraction; exact up to four thousand million.
#[must_use]
pub fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile(0.5), Duration::ZERO);
        for ms in (1..=1_000).rev() {
            latencies.add(Duration::from_millis(ms));
        }
        for (share, ms) in [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1_000)] {
            assert_eq!(latencies.quantile(share), Duration::from_millis(ms), "{share}");
        }
        assert_eq!(latencies.above(Duration::from_millis(990)), 10);
    }
}
