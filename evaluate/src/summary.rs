//! From scores to a report: averages over worlds, intervals over accounts.

use crate::bootstrap;
use crate::metrics::{Metrics, Ranked, Scored, measure};
use crate::plan::{BUDGETS, HISTORY_BANDS, HistoryBand, Plan};
use crate::prequential::{Point, ScorerPoints, Truth, WorldOutcome};
use crate::report::{
    Budgeted, Counted, Estimate, HistoryShare, KindReport, RegimeReport, Report, ScorerReport,
};
use crate::threshold::{Budget, Running};
use crate::{bars, calibration, cohorts, reauthentication};
use habitus_model::math;
use habitus_sim::{AttackKind, Regime};

/// Summarises what was measured on some worlds. O(replicates × points × scorers).
#[must_use]
pub fn summarise(plan: &Plan, outcomes: &[WorldOutcome]) -> Report {
    let regimes = Regime::ALL.into_iter().filter_map(|regime| {
        let worlds: Vec<&WorldOutcome> = outcomes.iter().filter(|o| o.summary.regime == regime).collect();
        (!worlds.is_empty()).then(|| of_regime(plan, regime, &worlds))
    });
    Report {
        plan: plan.clone(),
        regimes: regimes.collect(),
        streams: Vec::new(),
    }
}

fn of_regime(plan: &Plan, regime: Regime, worlds: &[&WorldOutcome]) -> RegimeReport {
    let scorers = worlds.first().map_or(0, |world| world.scorers.len());
    RegimeReport {
        regime,
        worlds: worlds.iter().map(|world| world.summary.clone()).collect(),
        scorers: (0..scorers)
            .map(|nth| {
                let mut report = of_scorer(plan, worlds, nth);
                report.bars = bars::of_logins(regime, &report);
                report
                    .bars
                    .extend(calibration::rows((regime, &report.name), worlds, nth));
                report
            })
            .collect(),
    }
}

/// Number of kinds of attack.
const KINDS: usize = AttackKind::ALL.len();

/// Which of the budgets a login exceeds, in the order of [`BUDGETS`].
pub(crate) type Flags = [bool; 5];

/// One scorer's scores on one world, with what each login exceeded when it came.
struct View<'a> {
    world: &'a WorldOutcome,
    scorer: Option<&'a ScorerPoints>,
    owners: Ranked,
    attacks: [Ranked; KINDS],
    /// One for each point of the world.
    flags: Vec<Flags>,
    /// Takeovers that are found at 0.1 %, as points, and whether they still are without their planted cause.
    cured: Vec<(usize, bool)>,
    ones: Vec<f64>,
}

impl<'a> View<'a> {
    fn new(world: &'a WorldOutcome, nth: usize) -> Self {
        let scorer = world.scorers.get(nth);
        let scores = scorer.map_or(&[][..], |scorer| &scorer.scores);
        let (flags, cured) = flags(&world.points, scorer);
        Self {
            world,
            scorer,
            owners: ranked(world, scores, |truth| matches!(truth, Truth::Owner(_))),
            attacks: AttackKind::ALL.map(|kind| ranked(world, scores, |truth| truth == Truth::Attack(kind))),
            flags,
            cured,
            ones: vec![1.0; usize::try_from(world.summary.accounts).unwrap_or(0)],
        }
    }

    fn measure(&self, weights: &[f64]) -> [Metrics; KINDS] {
        let mut measured = measure(&self.owners, &self.attacks, weights);
        for (metrics, kind) in measured.iter_mut().zip(AttackKind::ALL) {
            metrics.recall = self.share(|truth| truth == Truth::Attack(kind), weights);
        }
        measured
    }

    /// Weighted share of the wanted logins that exceed each budget.
    fn share(&self, wanted: impl Fn(Truth) -> bool, weights: &[f64]) -> [f64; 5] {
        let (mut whole, mut above) = (0.0, [0.0; 5]);
        for (point, flags) in self.points().filter(|(point, _)| wanted(point.truth)) {
            let account = usize::try_from(point.account).unwrap_or(usize::MAX);
            let weight = weights.get(account).copied().unwrap_or(0.0);
            whole += weight;
            for (above, flag) in above.iter_mut().zip(flags) {
                *above += weight * f64::from(u8::from(*flag));
            }
        }
        above.map(|above| if whole > 0.0 { above / whole } else { 0.0 })
    }

    fn world(&self) -> cohorts::World<'_> {
        cohorts::World {
            seed: self.world.summary.seed,
            accounts: self.ones.len(),
            points: &self.world.points,
            flags: &self.flags,
        }
    }

    fn points(&self) -> impl Iterator<Item = (&Point, &Flags)> {
        self.world.points.iter().zip(&self.flags)
    }
}

/// What each login exceeds of the thresholds that the owners' logins before it set, and each takeover that is found without its
/// planted cause.
fn flags(points: &[Point], scorer: Option<&ScorerPoints>) -> (Vec<Flags>, Vec<(usize, bool)>) {
    let mut running = BUDGETS.map(|budget| Running::new(Budget::Share(budget)));
    let (past, scores) = scorer.map_or((&[][..], &[][..]), |scorer| (&scorer.past, &scorer.scores));
    for score in past {
        running.iter_mut().for_each(|running| running.push(0, *score));
    }
    let mut flags = Vec::with_capacity(points.len());
    let mut cured = Vec::new();
    let mut twins = scorer.map_or(&[][..], |scorer| &scorer.cured).iter().peekable();
    for (at, (point, score)) in points.iter().zip(scores).enumerate() {
        let exceeds = |score: f64| {
            let mut each = running.iter();
            BUDGETS.map(|_| each.next().is_some_and(|running| running.flags(score)))
        };
        let flag = exceeds(*score);
        if let Some(twin) = twins.next_if(|twin| twin.point == at)
            && at_alert(&flag)
        {
            cured.push((at, at_alert(&exceeds(twin.score))));
        }
        flags.push(flag);
        if matches!(point.truth, Truth::Owner(_)) {
            running.iter_mut().for_each(|running| running.push(0, *score));
        }
    }
    (flags, cured)
}

/// Whether the threshold at 0.1 % is exceeded.
const fn at_alert([_, alert, ..]: &Flags) -> bool {
    *alert
}

fn ranked(world: &WorldOutcome, scores: &[f64], wanted: impl Fn(Truth) -> bool) -> Ranked {
    let points = world.points.iter().zip(scores);
    let wanted = points.filter(|(point, _)| wanted(point.truth));
    let scored: Vec<Scored> = wanted.map(|(point, score)| (*score, point.account)).collect();
    Ranked::new(scored)
}

fn of_scorer(plan: &Plan, worlds: &[&WorldOutcome], nth: usize) -> ScorerReport {
    let views: Vec<View<'_>> = worlds.iter().map(|world| View::new(world, nth)).collect();
    let measured = Measured::new(plan, &views);
    let name = worlds.first().and_then(|world| world.scorers.get(nth));
    let kinds = AttackKind::ALL.iter().enumerate();
    ScorerReport {
        name: name.map_or_else(String::new, |scorer| scorer.name.clone()),
        kinds: kinds
            .map(|(ix, kind)| of_kind(&views, &measured, (ix, *kind)))
            .collect(),
        cohorts: cohorts::measure(plan, &views.iter().map(View::world).collect::<Vec<_>>()),
        owners_by_history: by_history(&views, |point| matches!(point.truth, Truth::Owner(_))),
        bars: Vec::new(),
    }
}

fn of_kind(views: &[View<'_>], measured: &Measured, (ix, kind): (usize, AttackKind)) -> KindReport {
    let of = |metric: &dyn Fn(&Metrics) -> f64| measured.estimate(ix, metric);
    let (_, false_shares) = flagged(views, |point| matches!(point.truth, Truth::Owner(_)));
    let recall = BUDGETS.iter().zip(false_shares).enumerate();
    let recall = recall.map(|(nth, (budget, false_share))| {
        let recall = of(&move |metrics| metrics.recall.get(nth).copied().unwrap_or(0.0));
        Budgeted {
            budget: *budget,
            recall,
            false_share,
            precision: reauthentication::precision(recall.value, false_share),
        }
    });
    let worlds = views
        .iter()
        .filter_map(|view| Some((view.world.points.as_slice(), view.scorer?.scores.as_slice())));
    let worlds: Vec<reauthentication::World<'_>> = worlds.collect();
    let by_history = by_history(views, |point| point.truth == Truth::Attack(kind));
    let attacks = views.iter().filter_map(|view| view.attacks.get(ix));
    KindReport {
        kind,
        attacks: u64::try_from(attacks.map(Ranked::len).sum::<usize>()).unwrap_or(u64::MAX),
        roc_auc: of(&|metrics| metrics.roc_auc),
        average_precision: of(&|metrics| metrics.average_precision),
        recall: recall.collect(),
        explained: explained(views, kind),
        cured: cured(views, kind),
        reauthentication: reauthentication::measure(&worlds, kind),
        by_history,
    }
}

/// The attacks found at 0.1 % that are called after the planted cause.
fn explained(views: &[View<'_>], kind: AttackKind) -> Counted {
    let found = views.iter().flat_map(|view| {
        let said = view.scorer.map_or(&[][..], |scorer| &scorer.said);
        let found = view.points().zip(said);
        found.filter(|((point, flags), _)| point.truth == Truth::Attack(kind) && at_alert(flags))
    });
    Counted::all(found.map(|(_, said)| said.lead.is_some_and(|family| kind.causes().contains(&family))))
}

/// The attacks found at 0.1 % that are not any more without their planted cause.
fn cured(views: &[View<'_>], kind: AttackKind) -> Counted {
    let found = views.iter().flat_map(|view| {
        let point = |at: usize| view.world.points.get(at);
        let of_kind = move |at| point(at).is_some_and(|point| point.truth == Truth::Attack(kind));
        view.cured.iter().filter(move |(at, _)| of_kind(*at))
    });
    Counted::all(found.map(|(_, still)| !still))
}

/// The metrics of each world, by kind of attack: plain and resampled.
struct Measured {
    plain: Vec<[Metrics; KINDS]>,
    replicates: Vec<Vec<[Metrics; KINDS]>>,
}

impl Measured {
    fn new(plan: &Plan, views: &[View<'_>]) -> Self {
        let resampled = |nth: u32| {
            let world = |view: &View<'_>| {
                let seeds = (plan.bootstrap_seed, view.world.summary.seed);
                view.measure(&bootstrap::weights(seeds, nth, view.ones.len()))
            };
            views.iter().map(world).collect()
        };
        Self {
            plain: views.iter().map(|view| view.measure(&view.ones)).collect(),
            replicates: (0..plan.replicates).map(resampled).collect(),
        }
    }

    fn estimate(&self, kind: usize, metric: &dyn Fn(&Metrics) -> f64) -> Estimate {
        let of = |world: &[Metrics; KINDS]| world.get(kind).map_or(0.0, metric);
        let mean = |worlds: &[[Metrics; KINDS]]| {
            let sum = worlds.iter().map(of).fold(0.0, |sum, value| sum + value);
            sum / math::from_usize(worlds.len()).max(1.0)
        };
        let replicates = self.replicates.iter().map(|worlds| mean(worlds));
        Estimate {
            value: mean(&self.plain),
            interval: bootstrap::interval(replicates.collect()),
            worlds: (
                self.plain.iter().map(of).fold(f64::INFINITY, f64::min),
                self.plain.iter().map(of).fold(f64::NEG_INFINITY, f64::max),
            ),
        }
    }
}

fn by_history(views: &[View<'_>], wanted: impl Fn(&Point) -> bool) -> Vec<HistoryShare> {
    let of_band = |band: HistoryBand| {
        let inside = |point: &Point| wanted(point) && (band.least..=band.greatest).contains(&point.history);
        let (count, flagged) = flagged(views, inside);
        HistoryShare {
            earlier_logins: band.name,
            count,
            flagged,
        }
    };
    HISTORY_BANDS.into_iter().map(of_band).collect()
}

/// Number of the wanted points, and the share of them above each budget's threshold.
fn flagged(views: &[View<'_>], wanted: impl Fn(&Point) -> bool) -> (u64, [f64; 5]) {
    cohorts::counted(&views.iter().map(View::world).collect::<Vec<_>>(), wanted)
}
