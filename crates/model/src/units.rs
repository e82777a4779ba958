//! Units that must not be mixed up.

use crate::math;
use serde::{Deserialize, Serialize};

/// Kilometres along the Earth's surface, at least 0.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Km(pub f64);

/// Kilometres per hour, at least 0.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct KmPerHour(pub f64);

/// Log-odds or a log-likelihood ratio in nats (natural logarithm). Positive speaks for an attacker, negative for
/// the owner, 0 for neither.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
pub struct Nats(pub f64);

/// A probability in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Probability(f64);

/// 0–100: 20 × -log10 of the probability that a legitimate event of this tenant and account class scores at
/// least as high. 40 is 1 in 100, 60 is 1 in 1,000, 80 is 1 in 10,000.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RiskScore(f64);

/// How much history and how many signals stand behind a score: 0 (nothing known) to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Confidence(f64);

/// OCSF `risk_level_id` and its captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskLevel {
    /// Score below 20: more than 1 legitimate event in 10 looks like this.
    Info,
    /// Score from 20: at most 1 in 10.
    Low,
    /// Score from 40: at most 1 in 100, the usual step-up budget.
    Medium,
    /// Score from 60: at most 1 in 1,000, the usual alert budget.
    High,
    /// Score from 80: at most 1 in 10,000.
    Critical,
}

impl Probability {
    /// Clamped to `[0, 1]`; NaN becomes 1, the answer that accuses nobody when it is a tail probability.
    #[must_use]
    pub fn new(p: f64) -> Self {
        if p.is_nan() {
            Self(1.0)
        } else {
            Self(p.clamp(0.0, 1.0))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl RiskScore {
    /// Points per factor of ten in the tail probability.
    pub const POINTS_PER_DECADE: f64 = 20.0;
    /// The cap, reached at 1 in 100,000.
    pub const MAX: f64 = 100.0;

    /// From the calibrated tail probability.
    #[must_use]
    pub fn from_tail(p: Probability) -> Self {
        Self((-Self::POINTS_PER_DECADE * math::log10(p.get())).clamp(0.0, Self::MAX))
    }

    /// Clamped to `[0, 100]`; NaN becomes 0.
    #[must_use]
    pub fn new(score: f64) -> Self {
        if score.is_nan() {
            Self(0.0)
        } else {
            Self(score.clamp(0.0, Self::MAX))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The level whose band this score lies in.
    #[must_use]
    pub fn level(self) -> RiskLevel {
        match self.0 {
            s if s >= 80.0 => RiskLevel::Critical,
            s if s >= 60.0 => RiskLevel::High,
            s if s >= 40.0 => RiskLevel::Medium,
            s if s >= 20.0 => RiskLevel::Low,
            _ => RiskLevel::Info,
        }
    }
}

impl Confidence {
    /// Clamped to `[0, 1]`; NaN becomes 0.
    #[must_use]
    pub fn new(c: f64) -> Self {
        if c.is_nan() {
            Self(0.0)
        } else {
            Self(c.clamp(0.0, 1.0))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl RiskLevel {
    /// Every level, lowest first.
    pub const ALL: [RiskLevel; 5] = [
        RiskLevel::Info,
        RiskLevel::Low,
        RiskLevel::Medium,
        RiskLevel::High,
        RiskLevel::Critical,
    ];

    /// OCSF `risk_level_id`.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            RiskLevel::Info => 0,
            RiskLevel::Low => 1,
            RiskLevel::Medium => 2,
            RiskLevel::High => 3,
            RiskLevel::Critical => 4,
        }
    }

    /// The name in lower case, as verdicts write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RiskLevel::Info => "info",
            RiskLevel::Low => "low",
            RiskLevel::Medium => "medium",
            RiskLevel::High => "high",
            RiskLevel::Critical => "critical",
        }
    }

    /// OCSF's caption.
    #[must_use]
    pub const fn caption(self) -> &'static str {
        match self {
            RiskLevel::Info => "Info",
            RiskLevel::Low => "Low",
            RiskLevel::Medium => "Medium",
            RiskLevel::High => "High",
            RiskLevel::Critical => "Critical",
        }
    }

    /// By its lower-case name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_is_the_tail_in_decades() {
        assert!((RiskScore::from_tail(Probability::new(0.001)).get() - 60.0).abs() < 1e-9);
        assert_eq!(RiskScore::from_tail(Probability::new(0.0)).get(), 100.0);
        assert_eq!(
            RiskScore::from_tail(Probability::new(1.0)).level(),
            RiskLevel::Info
        );
    }

    #[test]
    fn not_a_number_accuses_nobody() {
        assert_eq!(RiskScore::from_tail(Probability::new(f64::NAN)).get(), 0.0);
        assert_eq!(RiskScore::new(f64::NAN).get(), 0.0);
    }
}
