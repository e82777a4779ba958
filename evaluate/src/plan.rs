//! What to measure, on which worlds.

use habitus_sim::{REPORTING_SEEDS, Regime, WorldConfig};
use serde::Serialize;
use std::ops::RangeInclusive;

/// Shares of the owners' logins that may be flagged, for which recall is reported. 1 % is the usual step-up budget,
/// 0.1 % the usual alert budget (SCORING 10).
pub const BUDGETS: [f64; 5] = [0.0001, 0.001, 0.005, 0.01, 0.1];

/// A range of numbers of earlier successful logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HistoryBand {
    /// Least number, inclusive.
    pub least: u32,
    /// Greatest number, inclusive.
    pub greatest: u32,
    /// As reports write it.
    pub name: &'static str,
}

/// The bands in which results are broken down: cold start is the main case of consumers.
pub const HISTORY_BANDS: [HistoryBand; 5] = [
    band(1, 1, "1"),
    band(2, 3, "2–3"),
    band(4, 10, "4–10"),
    band(11, 50, "11–50"),
    band(51, u32::MAX, "> 50"),
];

/// What to measure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Worlds of logins, for single takeovers; results are averaged over the worlds of each regime.
    pub worlds: Vec<WorldConfig>,
    /// Worlds with all activity, for attacks that stand in the log.
    pub streams: Vec<WorldConfig>,
    /// Share of each period that is learned and not measured, in `[0, 1)`.
    pub warm_up_share: f64,
    /// Bootstrap replicates for the intervals; 0 gives none.
    pub replicates: u32,
    /// Seed of the bootstrap.
    pub bootstrap_seed: u64,
}

impl Plan {
    /// Both regimes at their usual sizes, on seeds of one's choice: [`habitus_sim::DEVELOPMENT_SEEDS`] or a part.
    #[must_use]
    pub fn development(seeds: RangeInclusive<u64>) -> Self {
        let of = |make: fn(u64, Regime) -> WorldConfig| {
            let regimes = Regime::ALL.into_iter();
            regimes
                .flat_map(|regime| seeds.clone().map(move |seed| make(seed, regime)))
                .collect()
        };
        Self {
            streams: of(WorldConfig::activity),
            ..Self::of(of(WorldConfig::new))
        }
    }

    /// Both regimes at their usual sizes, on the seeds that nobody tunes on.
    #[must_use]
    pub fn reporting() -> Self {
        Self::development(REPORTING_SEEDS)
    }

    /// The given worlds, with the usual warm-up (30 % of the period: a month of an enterprise's 90 days) and 200
    /// bootstrap replicates (enough for 95 % intervals to two digits: Efron & Tibshirani 1993).
    #[must_use]
    pub fn of(worlds: Vec<WorldConfig>) -> Self {
        Self {
            worlds,
            streams: Vec::new(),
            warm_up_share: 0.3,
            replicates: 200,
            bootstrap_seed: 1,
        }
    }
}

const fn band(least: u32, greatest: u32, name: &'static str) -> HistoryBand {
    HistoryBand {
        least,
        greatest,
        name,
    }
}
