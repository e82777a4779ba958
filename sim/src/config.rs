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
    /// Employees of a service's business customers: companies of some people each, who log in about once a week.
    #[serde(rename = "b2b")]
    Business,
    /// Employees: few accounts, one to several logins on each working day.
    Enterprise,
}

impl Regime {
    /// Every regime.
    pub const ALL: [Regime; 3] = [Regime::Consumer, Regime::Business, Regime::Enterprise];

    /// The name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Regime::Consumer => "consumer",
            Regime::Business => "b2b",
            Regime::Enterprise => "enterprise",
        }
    }
}

/// What goes on in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Logins, and single takeovers as probes.
    Logins,
    /// Sessions, prompts, requests, directory actions, machines, upheavals, and attacks that stand in the log.
    Activity,
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
    /// What goes on.
    pub scope: Scope,
    /// With [`Scope::Activity`]: multiple of the usual number of each [`crate::ScenarioKind`]; 0 plants none.
    pub scenarios: u32,
}

impl WorldConfig {
    /// The sizes that reports use: 20,000 consumers over 13 months (the span of the RBA data set: Wiefling et al.,
    /// TOPS 2022), 2,000 business users over 180, or 400 employees over 90 days; 1,000 takeovers of each kind.
    #[must_use]
    pub const fn new(seed: u64, regime: Regime) -> Self {
        let (accounts, days) = match regime {
            Regime::Consumer => (20_000, 395),
            Regime::Business => (2_000, 180),
            Regime::Enterprise => (400, 90),
        };
        Self {
            seed,
            regime,
            accounts,
            days,
            attacks_per_kind: 1_000,
            scope: Scope::Logins,
            scenarios: 0,
        }
    }

    /// The sizes of worlds with all activity: 10,000 consumers over 120 days, 800 business users over 90, or 300 employees over 60, up to
    /// 300,000 events; no probes.
    #[must_use]
    pub const fn activity(seed: u64, regime: Regime) -> Self {
        let (accounts, days) = match regime {
            Regime::Consumer => (10_000, 120),
            Regime::Business => (800, 90),
            Regime::Enterprise => (300, 60),
        };
        Self {
            seed,
            regime,
            accounts,
            days,
            attacks_per_kind: 0,
            scope: Scope::Activity,
            scenarios: 1,
        }
    }
}
