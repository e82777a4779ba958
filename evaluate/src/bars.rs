//! The bars that detection is held to, each a row of data, and how each is measured.

use crate::campaigns::{Found, Ground, Hunt, Search, Unit, Until, estimate};
use crate::plan::Plan;
use crate::report::{Counted, Estimate, ScorerReport};
use crate::threshold::Budget;
use habitus_model::math;
use habitus_sim::{AttackKind, Cohort, Regime, ScenarioKind};
use serde::Serialize;

/// A bar and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BarRow {
    /// What is asked for.
    pub bar: &'static str,
    /// In which regime.
    pub regime: Regime,
    /// Of whom.
    pub scorer: String,
    /// The least that holds, or the most where less is better.
    pub goal: f64,
    /// Whether less is better.
    pub is_ceiling: bool,
    /// What was measured; absent where nothing could be.
    pub measured: Option<Estimate>,
    /// Share of what is legitimate that was flagged on the way: what the thresholds of the past really cost.
    pub false_share: Option<f64>,
    /// Whether the measured value reaches the goal; absent where nothing was measured.
    pub holds: Option<bool>,
}

/// A bar on single takeovers: recall at a share of the owners' logins.
struct OfLogins {
    bar: &'static str,
    regime: Regime,
    kind: AttackKind,
    budget: f64,
    goal: f64,
}

/// A bar on attacks in the log.
struct OfStreams {
    bar: &'static str,
    regimes: &'static [Regime],
    kinds: &'static [ScenarioKind],
    search: Search,
    goal: f64,
    /// Share of attacks found, or of their events.
    share: Share,
}

#[derive(Clone, Copy, PartialEq)]
enum Share {
    OfAttacks,
    OfEvents,
}

const fn login(bar: &'static str, regime: Regime, (kind, budget): (AttackKind, f64), goal: f64) -> OfLogins {
    OfLogins {
        bar,
        regime,
        kind,
        budget,
        goal,
    }
}

const BOTH: &[Regime] = &[Regime::Consumer, Regime::Enterprise];
const COMPANY: &[Regime] = &[Regime::Enterprise];

#[rustfmt::skip]
const LOGINS: [OfLogins; 10] = [
    login("foreign takeover at 1 %", Regime::Consumer, (AttackKind::ForeignTakeover, 0.01), 0.99),
    login("foreign takeover at 0.1 %", Regime::Consumer, (AttackKind::ForeignTakeover, 0.001), 0.96),
    login("foreign takeover at 0.1 %", Regime::Enterprise, (AttackKind::ForeignTakeover, 0.001), 0.999),
    login("same-country takeover at 1 %", Regime::Consumer, (AttackKind::SameCountryTakeover, 0.01), 0.75),
    login("same-country takeover at 0.1 %", Regime::Consumer, (AttackKind::SameCountryTakeover, 0.001), 0.55),
    login("same-country takeover at 1 %", Regime::Enterprise, (AttackKind::SameCountryTakeover, 0.01), 0.995),
    login("same-country takeover at 0.1 %", Regime::Enterprise, (AttackKind::SameCountryTakeover, 0.001), 0.95),
    login("same provider and client without device key, at 10 %", Regime::Consumer, (AttackKind::IdenticalClientTakeover, 0.1), 0.70),
    login("same provider and client with device key, at 10 %", Regime::Consumer, (AttackKind::KeyedClientTakeover, 0.1), 0.97),
    login("same provider and client, managed device, at 1 %", Regime::Enterprise, (AttackKind::KeyedClientTakeover, 0.01), 0.985),
];

const fn search(unit: Unit, budget: Budget, until: Until) -> Search {
    Search { unit, budget, until }
}

#[rustfmt::skip]
const STREAMS: &[OfStreams] = &[
    OfStreams { bar: "takeover campaign: logins found at 0.1 %", regimes: &[Regime::Consumer], kinds: &[ScenarioKind::TakeoverCampaign],
        search: search(Unit::Login, Budget::Share(0.001), Until::End), goal: 0.98, share: Share::OfEvents },
    OfStreams { bar: "takeover campaign: found by the 3rd victim at 0.1 %", regimes: &[Regime::Consumer], kinds: &[ScenarioKind::TakeoverCampaign],
        search: search(Unit::Login, Budget::Share(0.001), Until::Victims(3)), goal: 0.95, share: Share::OfAttacks },
    OfStreams { bar: "takeover campaign: logins found at 0.1 %", regimes: COMPANY, kinds: &[ScenarioKind::TakeoverCampaign],
        search: search(Unit::Login, Budget::Share(0.001), Until::End), goal: 0.999, share: Share::OfEvents },
    OfStreams { bar: "takeover campaign: found by the 3rd victim at 0.1 %", regimes: COMPANY, kinds: &[ScenarioKind::TakeoverCampaign],
        search: search(Unit::Login, Budget::Share(0.001), Until::Victims(3)), goal: 0.98, share: Share::OfAttacks },
    OfStreams { bar: "session or token replay within 10 requests at 0.05 % of sessions", regimes: BOTH, kinds: &[ScenarioKind::SessionTheft],
        search: search(Unit::Session, Budget::Share(0.0005), Until::Events(10)), goal: 0.95, share: Share::OfAttacks },
    OfStreams { bar: "push fatigue by the 3rd prompt at 1 in 10,000 prompted logins", regimes: BOTH, kinds: &[ScenarioKind::PushFatigue],
        search: search(Unit::Prompted, Budget::Share(0.0001), Until::Events(3)), goal: 0.98, share: Share::OfAttacks },
    OfStreams { bar: "spray before 1 % of accounts are tried, at one false alarm a month", regimes: BOTH, kinds: &[ScenarioKind::PasswordSpray, ScenarioKind::SlowSpray],
        search: search(Unit::SourceDay, Budget::PerMonth(1.0), Until::Tried(0.01)), goal: 1.0, share: Share::OfAttacks },
    OfStreams { bar: "service or CI credential from elsewhere at 1 in 100,000 machine events", regimes: COMPANY, kinds: &[ScenarioKind::ServiceKeyLeak, ScenarioKind::WrongWorkflow],
        search: search(Unit::MachineEvent, Budget::Share(0.00001), Until::End), goal: 0.99, share: Share::OfAttacks },
    OfStreams { bar: "insider exploration by the 5th new resource at 0.1 % of account-days", regimes: COMPANY, kinds: &[ScenarioKind::InsiderExploration],
        search: search(Unit::AccountDay, Budget::Share(0.001), Until::Events(5)), goal: 0.90, share: Share::OfAttacks },
    OfStreams { bar: "lateral movement at 9 alerts a day per 10,000 accounts", regimes: COMPANY, kinds: &[ScenarioKind::LateralMovement],
        search: search(Unit::AccountDay, Budget::Share(0.0009), Until::End), goal: 0.95, share: Share::OfAttacks },
    OfStreams { bar: "poisoned for ten days and still found on the eleventh, at 1 %", regimes: BOTH, kinds: &[ScenarioKind::Poisoning],
        search: search(Unit::Login, Budget::Share(0.01), Until::LastDay), goal: 1.0, share: Share::OfAttacks },
];

/// The bars that are measured on logs with attacks in them, for one scorer.
pub(crate) fn of_streams(
    plan: &Plan,
    (regime, scorer): (Regime, &str),
    grounds: &[Ground<'_>],
) -> Vec<BarRow> {
    let asked = STREAMS.iter().filter(|bar| bar.regimes.contains(&regime));
    let row = |bar: &OfStreams| {
        let hunts: Vec<Hunt> = grounds.iter().map(|ground| ground.hunt(bar.search)).collect();
        let own = |hunt: &Hunt| -> Vec<Found> {
            let own = hunt
                .found
                .iter()
                .filter(|found| bar.kinds.contains(&found.planted.kind));
            own.copied().collect()
        };
        let worlds: Vec<Vec<Found>> = hunts.iter().map(own).collect();
        let any = worlds.iter().any(|world| !world.is_empty());
        let of = |found: &Found| match bar.share {
            Share::OfAttacks => f64::from(u8::from(found.at_event.is_some())),
            Share::OfEvents => math::from_usize(found.flagged) / math::from_usize(found.events).max(1.0),
        };
        let measured = any.then(|| estimate(plan, &worlds, of));
        let legitimate: u64 = hunts.iter().map(|hunt| hunt.legitimate).sum();
        let alarms: u64 = hunts.iter().map(|hunt| hunt.false_alarms).sum();
        let false_share = math::from_u64(alarms) / math::from_u64(legitimate).max(1.0);
        BarRow {
            false_share: any.then_some(false_share),
            ..floor((bar.bar, bar.goal), (regime, scorer), measured)
        }
    };
    asked.map(row).collect()
}

/// The bars that are measured on single takeovers and on owners' logins, for one scorer.
pub(crate) fn of_logins(regime: Regime, report: &ScorerReport) -> Vec<BarRow> {
    let asked = LOGINS.iter().filter(|bar| bar.regime == regime);
    let mut rows: Vec<BarRow> = asked
        .map(|bar| {
            let kind = report
                .kinds
                .iter()
                .find(|kind| kind.kind == bar.kind && kind.attacks > 0);
            let recall = kind.and_then(|kind| {
                kind.recall
                    .iter()
                    .find(|at| at.budget.total_cmp(&bar.budget).is_eq())
            });
            let recall = recall.copied();
            BarRow {
                false_share: recall.map(|recall| recall.false_share),
                ..floor(
                    (bar.bar, bar.goal),
                    (regime, &report.name),
                    recall.map(|recall| recall.recall),
                )
            }
        })
        .collect();
    if regime == Regime::Consumer {
        let foreign = report
            .kinds
            .iter()
            .find(|kind| kind.kind == AttackKind::ForeignTakeover);
        let paid = foreign.and_then(|kind| kind.reauthentication?.second_login);
        rows.push(ceiling(SECOND_LOGIN, (regime, &report.name), paid.map(exactly)));
    }
    rows.extend(of_cohorts(regime, report));
    rows.push(explained(
        (regime, &report.name),
        report.kinds.iter().map(|kind| kind.explained),
    ));
    let cured = pooled(report.kinds.iter().map(|kind| kind.cured));
    rows.push(floor(CURED, (regime, &report.name), cured));
    rows
}

/// An explanation is right if what was planted leads it, and if nothing is left of the alert without it (issue 4).
const EXPLAINED: (&str, f64) = ("found at 0.1 %: called after the planted cause", 0.95);
const CURED: (&str, f64) = (
    "found at 0.1 %: below the threshold without the planted cause",
    0.90,
);

/// Of all kinds of attack together.
pub(crate) fn explained(of: (Regime, &str), kinds: impl Iterator<Item = Counted>) -> BarRow {
    floor(EXPLAINED, of, pooled(kinds))
}

fn pooled(kinds: impl Iterator<Item = Counted>) -> Option<Estimate> {
    let sum = kinds.fold(Counted::default(), |sum, kind| Counted {
        right: sum.right + kind.right,
        of: sum.of + kind.of,
    });
    sum.share().map(exactly)
}

/// Accounts with exactly one earlier login are the main case of consumers.
const SECOND_LOGIN: (&str, f64) = (
    "one earlier login: share of owners flagged where 98 % of foreign takeovers are found",
    0.005,
);

/// Cohorts that must not be flagged more than five times as often as everybody, at 1 %.
const COHORTS: [(&str, Cohort); 5] = [
    (
        "travellers flagged, times the overall share at 1 %",
        Cohort::Travel,
    ),
    ("VPN users flagged, times the overall share at 1 %", Cohort::Vpn),
    (
        "new devices flagged, times the overall share at 1 %",
        Cohort::NewDevice,
    ),
    (
        "carrier NAT flagged, times the overall share at 1 %",
        Cohort::Mobile,
    ),
    (
        "yearly users flagged, times the overall share at 1 %",
        Cohort::Dormant,
    ),
];

fn of_cohorts(regime: Regime, report: &ScorerReport) -> Vec<BarRow> {
    let row = |(bar, cohort): (&'static str, Cohort)| {
        let found = report.cohorts.iter().find(|other| other.cohort == cohort);
        let measured = found.and_then(|found| found.times_overall);
        ceiling((bar, 5.0), (regime, &report.name), measured)
    };
    COHORTS.into_iter().map(row).collect()
}

/// A value without an interval.
pub(crate) fn exactly(value: f64) -> Estimate {
    Estimate {
        value,
        interval: None,
        worlds: (value, value),
    }
}

pub(crate) fn floor(
    (bar, goal): (&'static str, f64),
    (regime, scorer): (Regime, &str),
    measured: Option<Estimate>,
) -> BarRow {
    BarRow {
        bar,
        regime,
        scorer: scorer.to_owned(),
        goal,
        is_ceiling: false,
        // A share that is printed as the goal reaches it.
        holds: measured.map(|measured| measured.value >= goal - 1e-9),
        measured,
        false_share: None,
    }
}

pub(crate) fn ceiling(bar: (&'static str, f64), of: (Regime, &str), measured: Option<Estimate>) -> BarRow {
    let row = floor(bar, of, measured);
    BarRow {
        is_ceiling: true,
        holds: measured.map(|measured| measured.value <= row.goal + 1e-9),
        ..row
    }
}
