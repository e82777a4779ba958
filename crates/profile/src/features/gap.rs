//! How long an account is silent between visits: the logarithm of the gap, normal, with shrinkage (SCORING 4).
//!
//! Estimates mean and variance of `ln(minutes)` by exponentially forgetting moments, shrunk to the population. Fails for
//! accounts with two rhythms (daily and yearly), whose variance grows until it says little. 12 bytes.

use habitus_model::math::{ln, to_f32};
use serde::{Deserialize, Serialize};

/// Observations after which older ones weigh a half: about a season of daily use.
const MEMORY: f64 = 64.0;
/// Shrinkage to the population, observations.
const SHRINKAGE: f64 = 4.0;

/// Moments of `ln(gap in minutes)`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Gap {
    count: f32,
    mean: f32,
    square: f32,
}

/// Mean and standard deviation of `ln(gap in minutes)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rhythm {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

impl Rhythm {
    /// Before anything is known: about two days, within a factor of seven either way. Assumed.
    pub const PRIOR: Rhythm = Rhythm {
        mean: 8.0,
        deviation: 2.0,
    };
}

impl Gap {
    /// Gaps seen, with forgetting.
    #[must_use]
    pub fn count(&self) -> f64 {
        f64::from(self.count)
    }

    /// The rhythm, shrunk towards `wider` by four observations.
    #[must_use]
    pub fn rhythm(&self, wider: Rhythm) -> Rhythm {
        let n = self.count();
        let total = n + SHRINKAGE;
        let mean = (n * f64::from(self.mean) + SHRINKAGE * wider.mean) / total;
        let own = (f64::from(self.square) - f64::from(self.mean) * f64::from(self.mean)).max(0.0);
        let between = f64::from(self.mean) - wider.mean;
        let variance = (n * own + SHRINKAGE * wider.deviation * wider.deviation) / total
            + n * SHRINKAGE * between * between / (total * total);
        Rhythm {
            mean,
            deviation: variance.max(0.09).sqrt(),
        }
    }

    /// Learns one gap in minutes.
    pub fn learn(&mut self, minutes: f64) {
        let x = ln(minutes.max(1.0));
        let n = self.count() + 1.0;
        let rate = 1.0 / n.min(MEMORY);
        self.mean = to_f32(f64::from(self.mean) + rate * (x - f64::from(self.mean)));
        self.square = to_f32(f64::from(self.square) + rate * (x * x - f64::from(self.square)));
        self.count = to_f32(n.min(MEMORY * 4.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daily_account_has_a_daily_rhythm() {
        let mut gap = Gap::default();
        for _ in 0..60 {
            gap.learn(1_440.0);
        }
        let rhythm = gap.rhythm(Rhythm::PRIOR);
        assert!((rhythm.mean - ln(1_440.0)).abs() < 0.1, "{rhythm:?}");
        assert!(rhythm.deviation < 0.8);
    }
}
