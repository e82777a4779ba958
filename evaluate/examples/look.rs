//! What stands above a budget's threshold, and which attacks stay below it, with what each was scored for: `cargo run
//! --release -p habitus-evaluate --example look -- enterprise 1-3 session_theft 0.0005`, or with a kind of takeover
//! (`foreign_takeover`) for single logins. The threshold is that of the whole period, not of the past.

use habitus_engine::{Config, Engine, Learning, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::campaigns::{Seen, StreamOutcome, Unit, run_activity, unit_of};
use habitus_evaluate::{Login, Plan, Scorer, Truth, WorldOutcome, run_world};
use habitus_model::{Assessment, Event};
use habitus_sim::{AttackKind, Label, Planted, Regime, ScenarioKind, WorldConfig};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// What was said of each event that was scored, in order.
type Notes = Rc<RefCell<Vec<String>>>;

struct Noting {
    engine: Engine,
    notes: Notes,
}

impl Noting {
    fn note(&self, login: Login<'_>, said: &Assessment) -> f64 {
        let mut lines: Vec<_> = said
            .contributions
            .iter()
            .filter(|line| line.family.is_some())
            .collect();
        lines.sort_by(|a, b| b.nats.0.abs().total_cmp(&a.nats.0.abs()));
        let lines: Vec<String> = lines
            .iter()
            .take(12)
            .map(|line| format!("{}{:+.1}", line.signal.0, line.nats.0))
            .collect();
        let account = login
            .event
            .account_id()
            .map(|id| id.to_string())
            .unwrap_or_default();
        let note = format!(
            "{:5.1} {:6.2} {:?} {} [{account} {:?} {:?} {:?} {:?} {}] {}",
            said.score.get(),
            said.log_odds.0,
            said.profile,
            said.lead().map_or("nothing", |lead| lead.signal.0),
            login.event.activity,
            login.event.status,
            login.context.place.country,
            login.context.network.class,
            login.context.client.label(),
            lines.join(" ")
        );
        self.notes.borrow_mut().push(note);
        said.score.get() + said.log_odds.0 * 1e-6
    }

    fn record(login: Login<'_>, learning: Learning) -> Record {
        Record {
            uid: login.event.uid.clone(),
            context: login.context.clone(),
            learning,
        }
    }
}

impl Scorer for Noting {
    fn name(&self) -> &str {
        "habitus"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        let said = self.engine.assess(&Self::record(login, Learning::Probe));
        self.note(login, &said)
    }

    fn learn(&mut self, login: Login<'_>) {
        self.engine.handle(&Self::record(login, Learning::Learn));
    }

    fn observe(&mut self, login: Login<'_>) -> f64 {
        let said = self.engine.handle(&Self::record(login, Learning::Learn));
        self.note(login, &said)
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let word = |nth: usize| args.get(nth).map_or("", String::as_str);
    let regime = Regime::ALL.into_iter().find(|regime| regime.name() == word(0));
    let (first, last) = word(1).split_once('-').unwrap_or((word(1), word(1)));
    let (Some(regime), Ok(first), Ok(last)) = (regime, first.parse(), last.parse()) else {
        return;
    };
    let budget = word(3).parse().unwrap_or(0.001);
    let scenario = ScenarioKind::ALL.into_iter().find(|kind| kind.name() == word(2));
    let attack = AttackKind::ALL.into_iter().find(|kind| kind.name() == word(2));
    for seed in first..=last {
        if let Some(kind) = scenario {
            stream(&WorldConfig::activity(seed, regime), kind, budget);
        }
        if let Some(kind) = attack {
            logins(&WorldConfig::new(seed, regime), kind, budget);
        }
    }
}

fn scorer() -> (Vec<Box<dyn Scorer>>, Notes) {
    let notes = Notes::default();
    let noting = Noting {
        engine: Engine::new(Config::default()),
        notes: notes.clone(),
    };
    (vec![Box::new(noting)], notes)
}

/// The score that so large a share of these exceeds.
fn threshold(mut scores: Vec<f64>, budget: f64) -> f64 {
    scores.sort_by(|a, b| b.total_cmp(a));
    let whole = habitus_model::math::from_usize(scores.len());
    let above = usize::try_from(habitus_model::math::to_u64((whole * budget).floor())).unwrap_or(0);
    scores.get(above).copied().unwrap_or(f64::INFINITY)
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn stream(config: &WorldConfig, kind: ScenarioKind, budget: f64) {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let (scorers, notes) = scorer();
    let plan = Plan::development(1..=1);
    let outcome = run_activity(&plan, config, scorers, &mut |event: &Event| {
        enricher.context(event)
    });
    let notes = notes.borrow();
    let scores = outcome.scorers.first().map_or(&[][..], |scorer| &scorer.scores);
    let unit = Unit::ALL
        .iter()
        .position(|unit| *unit == unit_of(kind))
        .unwrap_or(0);
    let owners = highest(&outcome, scores, unit);
    let bar = threshold(owners.values().map(|(score, _)| *score).collect(), budget);
    println!("# seed {} {} units, above {bar:.3}:", config.seed, owners.len());
    let mut above: Vec<_> = owners.values().filter(|(score, _)| *score >= bar).collect();
    above.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, at) in above {
        let label = outcome.seen.get(*at).map_or("", |seen| seen.label.name());
        println!("owner {label}: {}", notes.get(*at).map_or("", String::as_str));
    }
    let mut attacks: BTreeMap<Planted, Vec<usize>> = BTreeMap::new();
    for (at, seen) in outcome.seen.iter().enumerate() {
        match seen.label {
            Label::Scenario(planted) if planted.kind == kind && of(seen, unit).is_some() => {
                attacks.entry(planted).or_default().push(at);
            }
            Label::Legitimate(_) | Label::Attack(_) | Label::Scenario(_) => {}
        }
    }
    for (planted, events) in attacks {
        let score = |at: &usize| scores.get(*at).copied().unwrap_or(0.0);
        let found = events.iter().position(|at| score(at) > bar);
        println!(
            "## {} of {} events: first above {found:?}",
            planted.campaign,
            events.len()
        );
        for at in events.iter().take(13) {
            println!("  {}", notes.get(*at).map_or("", String::as_str));
        }
        let highest = events
            .iter()
            .skip(13)
            .max_by(|a, b| score(a).total_cmp(&score(b)));
        if let Some(at) = highest {
            println!("  … {}", notes.get(*at).map_or("", String::as_str));
        }
    }
}

fn of(seen: &Seen, unit: usize) -> Option<u64> {
    seen.units.get(unit).copied().flatten()
}

/// The highest score of each unit that no attack is part of, and where it stands.
fn highest(outcome: &StreamOutcome, scores: &[f64], unit: usize) -> BTreeMap<u64, (f64, usize)> {
    let attacks = outcome.seen.iter().filter(|seen| seen.label.is_attack());
    let attacked: BTreeSet<u64> = attacks.filter_map(|seen| of(seen, unit)).collect();
    let mut owners: BTreeMap<u64, (f64, usize)> = BTreeMap::new();
    let mut held: BTreeMap<u32, i64> = BTreeMap::new();
    for (at, (seen, score)) in outcome.seen.iter().zip(scores).enumerate() {
        if seen.label.is_attack() && [2, 5].iter().all(|unit| of(seen, *unit).is_none()) {
            held.insert(seen.account, seen.ms);
        }
        let incident = held
            .get(&seen.account)
            .is_some_and(|at| seen.ms - at <= 86_400_000);
        if seen.ms < outcome.measured_from_ms || incident {
            continue;
        }
        if let Some(key) = of(seen, unit).filter(|key| !attacked.contains(key)) {
            let held = owners.entry(key).or_insert((*score, at));
            if *score > held.0 {
                *held = (*score, at);
            }
        }
    }
    owners
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn logins(config: &WorldConfig, kind: AttackKind, budget: f64) {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let (scorers, notes) = scorer();
    let plan = Plan::development(1..=1);
    let outcome: WorldOutcome = run_world(&plan, config, scorers, &mut |event: &Event| {
        enricher.context(event)
    });
    let notes = notes.borrow();
    // Events before the measured ones were noted, and are no points.
    let notes = notes
        .get(notes.len().saturating_sub(outcome.points.len())..)
        .unwrap_or_default();
    let scores = outcome.scorers.first().map_or(&[][..], |scorer| &scorer.scores);
    let all = || outcome.points.iter().zip(scores).zip(notes);
    let owner = |truth: Truth| matches!(truth, Truth::Owner(_));
    let bar = threshold(
        all()
            .filter(|((point, _), _)| owner(point.truth))
            .map(|((_, score), _)| *score)
            .collect(),
        budget,
    );
    println!("# seed {}, above {bar:.3}:", config.seed);
    for ((point, score), note) in all() {
        if let Truth::Owner(cohort) = point.truth
            && *score >= bar
        {
            println!("owner {} after {}: {note}", cohort.name(), point.history);
        }
    }
    for ((point, score), note) in all() {
        if point.truth == Truth::Attack(kind) {
            let found = if *score > bar { "found" } else { "missed" };
            println!("{found} after {}: {note}", point.history);
        }
    }
}
