//! The run over one world: score first, then learn; probes are never learned.

use crate::plan::Plan;
use crate::report::WorldSummary;
use crate::scorer::{Login, Said, Scorer};
use habitus_model::evidence::Family;
use habitus_model::{Context, Event, Status, math};
use habitus_sim::{AttackKind, Cohort, Label, Labelled, World, WorldConfig, generate};
use std::collections::BTreeMap;

/// The truth about a measured login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// The owner's successful login with at least one earlier one: it counts for the budget.
    Owner(Cohort),
    /// The owner's first or failed login: shown by cohort, outside the budget (Freeman et al. score neither).
    Aside(Cohort),
    /// A takeover.
    Attack(AttackKind),
}

/// One measured login. Which scorer saw it as what stands in [`ScorerPoints`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Number of the account within its world, for the bootstrap.
    pub account: u32,
    /// Earlier successful logins of the account.
    pub history: u32,
    /// Day of the period, from 0.
    pub day: u32,
    /// The truth.
    pub truth: Truth,
}

/// The scores of one scorer, one for each [`Point`] of the world; none is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorerPoints {
    /// The scorer's name.
    pub name: String,
    /// Scores, in the order of [`WorldOutcome::points`].
    pub scores: Vec<f64>,
    /// Scores of owners' logins in the second half of what is not measured: with them thresholds begin.
    pub past: Vec<f64>,
    /// What it said, in the same order; empty if it does not explain itself.
    pub said: Vec<Said>,
    /// Scores of takeovers whose planted cause was taken out, in the order of the points they belong to; empty if it does not
    /// explain itself.
    pub cured: Vec<Cured>,
}

/// A takeover without its planted cause: the same account at the same time, from where and with what its owner came last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cured {
    /// Position of the takeover in [`WorldOutcome::points`].
    pub point: usize,
    /// The score that is left.
    pub score: f64,
}

/// Everything that was measured on one world.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldOutcome {
    /// What the world was.
    pub summary: WorldSummary,
    /// The measured logins, in order of time.
    pub points: Vec<Point>,
    /// Each scorer's scores.
    pub scorers: Vec<ScorerPoints>,
}

/// Runs every scorer over one world. O(events × scorers).
pub fn run_world(
    plan: &Plan,
    config: &WorldConfig,
    scorers: Vec<Box<dyn Scorer>>,
    enrich: &mut dyn FnMut(&Event) -> Context,
) -> WorldOutcome {
    let world = generate(config);
    let mut run = Run::new(plan, &world, scorers);
    let mut probes = world.attacks().peekable();
    for labelled in world.legitimate() {
        while let Some(probe) = probes.next_if(|probe| probe.event.time < labelled.event.time) {
            run.probe(&probe, enrich);
        }
        run.observe(&labelled, enrich);
    }
    probes.for_each(|probe| run.probe(&probe, enrich));
    run.outcome(&world)
}

/// What a run knows of an account.
struct Owner {
    number: u32,
    /// Successful logins so far.
    history: u32,
    /// The last of them.
    last: Option<Context>,
}

struct Run {
    scorers: Vec<(Box<dyn Scorer>, ScorerPoints)>,
    points: Vec<Point>,
    accounts: BTreeMap<String, Owner>,
    start_ms: i64,
    measured_from_ms: i64,
    counted_from_ms: i64,
    events: u64,
}

impl Run {
    fn new(plan: &Plan, world: &World, scorers: Vec<Box<dyn Scorer>>) -> Self {
        let (start, end) = world.period_ms();
        let warm_up = plan.warm_up_share.clamp(0.0, 1.0) * math::from_i64(end - start);
        let named = scorers.into_iter().map(|scorer| {
            let points = ScorerPoints {
                name: scorer.name().to_owned(),
                scores: Vec::new(),
                past: Vec::new(),
                said: Vec::new(),
                cured: Vec::new(),
            };
            (scorer, points)
        });
        Self {
            scorers: named.collect(),
            points: Vec::new(),
            accounts: BTreeMap::new(),
            start_ms: start,
            measured_from_ms: start + math::to_i64(warm_up),
            counted_from_ms: start + math::to_i64(warm_up / 2.0),
            events: 0,
        }
    }

    fn observe(&mut self, labelled: &Labelled, enrich: &mut dyn FnMut(&Event) -> Context) {
        let context = enrich(&labelled.event);
        let login = Login {
            event: &labelled.event,
            context: &context,
        };
        self.events += 1;
        let point = self.point(labelled);
        let ms = labelled.event.time.as_millis();
        let measured = ms >= self.measured_from_ms;
        let owner = point.is_some_and(|point| matches!(point.truth, Truth::Owner(_)));
        for (scorer, points) in &mut self.scorers {
            let score = scorer.observe(login);
            let score = if score.is_nan() { f64::INFINITY } else { score };
            if measured && point.is_some() {
                points.scores.push(score);
                points.said.extend(scorer.said());
            } else if owner && ms >= self.counted_from_ms {
                points.past.push(score);
            }
        }
        if measured {
            self.points.extend(point);
        }
        self.count(labelled, context);
    }

    fn probe(&mut self, labelled: &Labelled, enrich: &mut dyn FnMut(&Event) -> Context) {
        if labelled.event.time.as_millis() < self.measured_from_ms {
            return;
        }
        let Some(point) = self.point(labelled).filter(|point| point.history > 0) else {
            return;
        };
        let context = enrich(&labelled.event);
        let login = Login {
            event: &labelled.event,
            context: &context,
        };
        let cured = self.cured(labelled, &context);
        let at = self.points.len();
        for (scorer, points) in &mut self.scorers {
            let score = scorer.score(login);
            points
                .scores
                .push(if score.is_nan() { f64::NEG_INFINITY } else { score });
            let Some(said) = scorer.said() else { continue };
            points.said.push(said);
            let Some(context) = &cured else { continue };
            let score = scorer.score(Login { context, ..login });
            points.cured.push(Cured { point: at, score });
        }
        self.points.push(point);
    }

    /// The takeover without what was planted in it.
    fn cured(&self, labelled: &Labelled, takeover: &Context) -> Option<Context> {
        let Label::Attack(kind) = labelled.label else {
            return None;
        };
        let last = self
            .accounts
            .get(labelled.event.account_id()?.as_str())?
            .last
            .as_ref()?;
        let mut cured = takeover.clone();
        if kind.causes().contains(&Family::Network) {
            (cured.place, cured.network) = (last.place.clone(), last.network.clone());
        }
        if kind.causes().contains(&Family::Device) {
            cured.client = last.client.clone();
        }
        Some(cured)
    }

    fn point(&mut self, labelled: &Labelled) -> Option<Point> {
        let id = labelled.event.account_id()?;
        let next = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        let owner = self.accounts.entry(id.as_str().to_owned()).or_insert(Owner {
            number: next,
            history: 0,
            last: None,
        });
        let (account, history) = (owner.number, owner.history);
        let truth = match labelled.label {
            Label::Attack(kind) => Truth::Attack(kind),
            // Attacks of several events are measured on worlds of their own (`campaigns`).
            Label::Scenario(_) => return None,
            Label::Legitimate(cohort) if history == 0 || labelled.event.status != Status::Success => {
                Truth::Aside(cohort)
            }
            Label::Legitimate(cohort) => Truth::Owner(cohort),
        };
        let day = (labelled.event.time.as_millis() - self.start_ms).div_euclid(86_400_000);
        Some(Point {
            account,
            history,
            day: u32::try_from(day).unwrap_or(0),
            truth,
        })
    }

    fn count(&mut self, labelled: &Labelled, context: Context) {
        if labelled.event.status != Status::Success {
            return;
        }
        if let Some(id) = labelled.event.account_id()
            && let Some(owner) = self.accounts.get_mut(id.as_str())
        {
            owner.history += 1;
            owner.last = Some(context);
        }
    }

    fn outcome(self, world: &World) -> WorldOutcome {
        let count = |wanted: fn(&Truth) -> bool| {
            let points = self.points.iter().filter(|point| wanted(&point.truth));
            u64::try_from(points.count()).unwrap_or(u64::MAX)
        };
        let config = world.config();
        let summary = WorldSummary {
            seed: config.seed,
            regime: config.regime,
            accounts: u64::try_from(self.accounts.len()).unwrap_or(u64::MAX),
            days: config.days,
            events: self.events,
            measured_owner_logins: count(|truth| matches!(truth, Truth::Owner(_))),
            measured_attacks: count(|truth| matches!(truth, Truth::Attack(_))),
        };
        WorldOutcome {
            summary,
            scorers: self.scorers.into_iter().map(|(_, points)| points).collect(),
            points: self.points,
        }
    }
}
