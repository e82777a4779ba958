//! What was found of planted attacks, over the worlds of a regime.

use super::found::{Found, Ground, Hunt, Search, Until};
use super::run::StreamOutcome;
use super::unit::Unit;
use super::unit_of;
use crate::bars::{self, BarRow};
use crate::bootstrap;
use crate::plan::{BUDGETS, Plan};
use crate::report::{Counted, Estimate};
use crate::threshold::Budget;
use habitus_model::math;
use habitus_sim::{Label, Regime, ScenarioKind};
use serde::Serialize;
use std::collections::BTreeSet;

/// What a log was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamWorld {
    /// Its seed.
    pub seed: u64,
    /// Accounts that appear in it.
    pub accounts: u32,
    /// Its events.
    pub events: u64,
    /// Events that belong to attacks.
    pub planted_events: u64,
    /// Attacks.
    pub attacks: u64,
}

/// One scorer on one kind of attack. Medians are over the attacks found at 0.1 %; absent if none was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScenarioReport {
    /// The kind.
    pub kind: ScenarioKind,
    /// What alarms are counted against.
    pub unit: Unit,
    /// Attacks, over all worlds.
    pub attacks: u64,
    /// Share of them of which at least one event is flagged, at each of [`BUDGETS`].
    pub found: Vec<Estimate>,
    /// Share of their events that are flagged at 0.1 %.
    pub events_flagged: f64,
    /// Median number of the event at which one is found.
    pub at_event: Option<f64>,
    /// Median minutes after the first event.
    pub after_minutes: Option<f64>,
    /// Median number of victims before.
    pub victims_before: Option<f64>,
    /// Those found of which a finding is called after the planted cause.
    pub explained: Counted,
}

/// One scorer on the logs of a regime.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamScorer {
    /// Its name.
    pub name: String,
    /// By kind of attack; kinds that no world has are left out.
    pub kinds: Vec<ScenarioReport>,
    /// The bars that are measured on logs with attacks in them.
    pub bars: Vec<BarRow>,
}

/// All scorers on the logs of a regime.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamRegime {
    /// The regime.
    pub regime: Regime,
    /// The logs.
    pub worlds: Vec<StreamWorld>,
    /// The scorers, in the order they were given.
    pub scorers: Vec<StreamScorer>,
}

/// Position of 0.1 % in [`BUDGETS`].
const ALERT: usize = 1;

/// Summarises the logs of one regime. O(scorers × units × events).
#[must_use]
pub fn summarise_streams(plan: &Plan, regime: Regime, outcomes: &[StreamOutcome]) -> StreamRegime {
    let scorers = outcomes.first().map_or(0, |outcome| outcome.scorers.len());
    StreamRegime {
        regime,
        worlds: outcomes.iter().map(world).collect(),
        scorers: (0..scorers)
            .map(|nth| of_scorer(plan, (regime, outcomes), nth))
            .collect(),
    }
}

fn world(outcome: &StreamOutcome) -> StreamWorld {
    let planted = |label: &Label| match label {
        Label::Scenario(planted) => Some(*planted),
        Label::Legitimate(_) | Label::Attack(_) => None,
    };
    let attacks = outcome.seen.iter().filter_map(|seen| planted(&seen.label));
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    StreamWorld {
        seed: outcome.seed,
        accounts: outcome.accounts,
        events: count(outcome.seen.len()),
        planted_events: count(attacks.clone().count()),
        attacks: count(attacks.collect::<BTreeSet<_>>().len()),
    }
}

fn of_scorer(plan: &Plan, (regime, outcomes): (Regime, &[StreamOutcome]), nth: usize) -> StreamScorer {
    let grounds: Vec<Ground<'_>> = outcomes.iter().map(|outcome| Ground::new(outcome, nth)).collect();
    let name = outcomes.first().and_then(|outcome| outcome.scorers.get(nth));
    let name = name.map_or_else(String::new, |scorer| scorer.name.clone());
    let hunts: Vec<(Unit, [Vec<Hunt>; 5])> = Unit::ALL
        .into_iter()
        .map(|unit| (unit, BUDGETS.map(|budget| hunt_all(&grounds, (unit, budget)))))
        .collect();
    let kinds = ScenarioKind::ALL.into_iter().filter_map(|kind| {
        let (_, at_budgets) = hunts.iter().find(|(unit, _)| *unit == unit_of(kind))?;
        of_kind(plan, kind, at_budgets)
    });
    let kinds: Vec<ScenarioReport> = kinds.collect();
    let mut bars = bars::of_streams(plan, (regime, &name), &grounds);
    bars.push(bars::explained(
        (regime, &name),
        kinds.iter().map(|kind| kind.explained),
    ));
    StreamScorer { name, kinds, bars }
}

fn hunt_all(grounds: &[Ground<'_>], (unit, share): (Unit, f64)) -> Vec<Hunt> {
    let search = Search {
        unit,
        budget: Budget::Share(share),
        until: Until::End,
    };
    grounds.iter().map(|ground| ground.hunt(search)).collect()
}

fn of_kind(plan: &Plan, kind: ScenarioKind, at_budgets: &[Vec<Hunt>; 5]) -> Option<ScenarioReport> {
    let of = |hunts: &[Hunt]| -> Vec<Vec<Found>> {
        let own = |hunt: &Hunt| {
            hunt.found
                .iter()
                .filter(|found| found.planted.kind == kind)
                .copied()
                .collect()
        };
        hunts.iter().map(own).collect()
    };
    let alert: Vec<Found> = of(at_budgets.get(ALERT)?).into_iter().flatten().collect();
    let (events, flagged) = alert.iter().fold((0, 0), |(events, flagged), found| {
        (events + found.events, flagged + found.flagged)
    });
    let is_found = |found: &Found| truth(found.at_event.is_some());
    (!alert.is_empty()).then(|| ScenarioReport {
        kind,
        unit: unit_of(kind),
        attacks: u64::try_from(alert.len()).unwrap_or(u64::MAX),
        found: at_budgets
            .iter()
            .map(|hunts| estimate(plan, &of(hunts), is_found))
            .collect(),
        events_flagged: math::from_usize(flagged) / math::from_usize(events).max(1.0),
        at_event: median(
            alert
                .iter()
                .filter_map(|found| found.at_event.map(math::from_usize))
                .collect(),
        ),
        after_minutes: median(alert.iter().filter_map(|found| found.after_minutes).collect()),
        victims_before: median(
            alert
                .iter()
                .filter_map(|found| found.victims_before.map(math::from_usize))
                .collect(),
        ),
        explained: Counted::all(alert.iter().filter_map(|found| found.is_explained)),
    })
}

/// The mean of a number over attacks, with its interval by resampling attacks, and the range over worlds.
pub(crate) fn estimate(plan: &Plan, worlds: &[Vec<Found>], of: impl Fn(&Found) -> f64) -> Estimate {
    let values: Vec<Vec<f64>> = worlds
        .iter()
        .map(|world| world.iter().map(&of).collect())
        .collect();
    let all: Vec<f64> = values.iter().flatten().copied().collect();
    let resampled = |nth: u32| {
        let weights = bootstrap::weights((plan.bootstrap_seed, u64::MAX), nth, all.len());
        let sum: f64 = all
            .iter()
            .zip(weights)
            .map(|(value, weight)| value * weight)
            .sum();
        sum / math::from_usize(all.len()).max(1.0)
    };
    let replicates: Vec<f64> = (0..plan.replicates).map(resampled).collect();
    let means = values.iter().filter_map(|world| mean(world));
    Estimate {
        value: mean(&all).unwrap_or(0.0),
        interval: bootstrap::interval(replicates),
        worlds: (
            means.clone().fold(f64::INFINITY, f64::min),
            means.fold(f64::NEG_INFINITY, f64::max),
        ),
    }
}

fn truth(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn mean(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().sum();
    (!values.is_empty()).then(|| sum / math::from_usize(values.len()))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}
