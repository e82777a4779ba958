//! What a world is asked for.

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Seeds for building and tuning: looked at as often as one likes.
pub const DEVELOPMENT_SEEDS: RangeInclusive<u64> = 1..=9;

/// Seeds for reporting: worlds that nobody tuned anything on, neither the generator nor a detector.
pub const REPORTING_SEEDS: RangeInclusive<u64> = 101..=110;

/// How the accounts of a tenant are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Regime {
    /// Customers of an online service: many accounts, a median of two logins in 13 months.
    Consumer,
    /// Employees: few accounts, one to several logins on each working day.
    Enterprise,
}

impl Regime {
    /// Both.
    pub const ALL: [Regime; 2] = [Regime::Consumer, Regime::Enterprise];

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Regime::Consumer => "consumer",
            Regime::Enterprise => "enterprise",
        }
    }
}

/// A world to generate. Equal configurations give equal worlds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldConfig {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Kind of tenant.
    pub regime: Regime,
    /// Number of accounts, at least 1. Some may never log in.
    pub accounts: u32,
    /// Length of the period in days, at least 1.
    pub days: u32,
    /// Takeovers to draw of each [`crate::AttackKind`].
    pub attacks_per_kind: u32,
}

impl WorldConfig {
    /// The sizes that reports use: 20,000 consumers over 13 months (the span of the RBA data set: Wiefling et al.,
    /// TOPS 2022), or 400 employees over 90 days; 1,000 takeovers of each kind.
    #[must_use]
    pub const fn new(seed: u64, regime: Regime) -> Self {
        let (accounts, days) = match regime {
            Regime::Consumer => (20_000, 395),
            Regime::Enterprise => (400, 90),
        };
        Self {
            seed,
            regime,
            accounts,
            days,
            attacks_per_kind: 1_000,
        }
    }
}
