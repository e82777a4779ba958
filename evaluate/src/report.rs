//! The results as data. All shares are in `[0, 1]`.

use crate::bars::BarRow;
use crate::campaigns::StreamRegime;
use crate::plan::Plan;
use crate::reauthentication::Reauthentication;
use habitus_sim::{AttackKind, Cohort, Regime};
use serde::Serialize;

/// A mean over worlds with its 95 % bootstrap interval and the range over worlds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Mean over worlds.
    pub value: f64,
    /// Interval by resampling accounts within worlds; absent without replicates.
    pub interval: Option<(f64, f64)>,
    /// Least and greatest value of a single world.
    pub worlds: (f64, f64),
}

/// A recall at a budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budgeted {
    /// Share of owners' logins that may be flagged.
    pub budget: f64,
    /// Share of attacks found, each at the threshold that the logins before it set.
    pub recall: Estimate,
    /// Share of owners' logins that these thresholds really flagged.
    pub false_share: f64,
    /// Share of alarms that are takeovers, at one takeover in 100,000 logins; absent if nothing is flagged.
    pub precision: Option<f64>,
}

/// Results by number of earlier logins, pooled over worlds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryShare {
    /// The band's name.
    pub earlier_logins: &'static str,
    /// Logins or attacks in the band.
    pub count: u64,
    /// Share of them above the threshold of each budget.
    pub flagged: [f64; 5],
}

/// Share of one cohort of owners' logins that is flagged, pooled over worlds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CohortShare {
    /// The cohort.
    pub cohort: Cohort,
    /// Logins in it.
    pub count: u64,
    /// Share of them above the threshold of each budget.
    pub flagged: [f64; 5],
    /// How many times as often as all owners' logins its own are flagged at 1 %, pooled over worlds; absent where there are none.
    pub times_overall: Option<Estimate>,
}

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Those that are as asked for.
    pub right: u32,
    /// All that were asked about.
    pub of: u32,
}

impl Counted {
    /// Counts each that is asked about, by whether it is as asked for.
    pub(crate) fn all(each: impl IntoIterator<Item = bool>) -> Self {
        each.into_iter().fold(Self::default(), |sum, is_right| Self {
            right: sum.right + u32::from(is_right),
            of: sum.of + 1,
        })
    }

    /// The share, 0 to 1; absent of none.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| f64::from(self.right) / f64::from(self.of))
    }
}

/// One scorer on one kind of attack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindReport {
    /// The kind.
    pub kind: AttackKind,
    /// Attacks measured, over all worlds.
    pub attacks: u64,
    /// Area under the ROC curve, ties lost.
    pub roc_auc: Estimate,
    /// Average precision at the sample's share of attacks, ties lost.
    pub average_precision: Estimate,
    /// Recall at each budget.
    pub recall: Vec<Budgeted>,
    /// Those found at 0.1 % that are called after the planted cause; of none if the scorer does not explain itself.
    pub explained: Counted,
    /// Those found at 0.1 % that fall below the threshold when the planted cause is taken out; of none likewise.
    pub cured: Counted,
    /// What owners pay where 98 % of the kind are found.
    pub reauthentication: Option<Reauthentication>,
    /// Recall by history.
    pub by_history: Vec<HistoryShare>,
}

/// One scorer in one regime.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScorerReport {
    /// The scorer's name.
    pub name: String,
    /// By kind of attack.
    pub kinds: Vec<KindReport>,
    /// What of the owners is flagged, by cohort.
    pub cohorts: Vec<CohortShare>,
    /// What of the owners is flagged, by history.
    pub owners_by_history: Vec<HistoryShare>,
    /// The bars that are measured on logins.
    pub bars: Vec<BarRow>,
}

/// What a world was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorldSummary {
    /// Its seed.
    pub seed: u64,
    /// Its regime.
    pub regime: Regime,
    /// Accounts that logged in.
    pub accounts: u64,
    /// Length of the period.
    pub days: u32,
    /// Owners' events, failed ones and the warm-up included.
    pub events: u64,
    /// Owners' logins that count for the budget: successful, after the warm-up, not the account's first.
    pub measured_owner_logins: u64,
    /// Attacks measured.
    pub measured_attacks: u64,
}

/// All scorers in one regime.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegimeReport {
    /// The regime.
    pub regime: Regime,
    /// The worlds.
    pub worlds: Vec<WorldSummary>,
    /// The scorers, in the order they were given.
    pub scorers: Vec<ScorerReport>,
}

/// Everything a plan yielded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The plan.
    pub plan: Plan,
    /// By regime.
    pub regimes: Vec<RegimeReport>,
    /// Attacks that stand in the log, by regime.
    pub streams: Vec<StreamRegime>,
}

impl Report {
    /// Keeps the rows of some kinds of attack, by their names, and drops those of others.
    pub fn keep_kinds(&mut self, names: &[&str]) {
        for scorer in self.regimes.iter_mut().flat_map(|regime| &mut regime.scorers) {
            scorer.kinds.retain(|kind| names.contains(&kind.kind.name()));
        }
        for scorer in self.streams.iter_mut().flat_map(|regime| &mut regime.scorers) {
            scorer.kinds.retain(|kind| names.contains(&kind.kind.name()));
        }
    }

    /// As JSON; the same report gives the same bytes.
    ///
    /// # Errors
    /// If a number cannot be written, which finite metrics always can.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}
