//! What upheavals of a whole tenant cost, and whether they are recognised: `cargo run --release -p habitus-evaluate --example drift --
//! enterprise 1-3`. Owners' logins on logs with all activity, the first 30 % of the period left out; and what is found of planted attacks.

use habitus_engine::changes::News;
use habitus_engine::{Config, Engine, Learning, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_evaluate::campaigns::{Ground, Search, StreamOutcome, Unit, Until, run_activity, unit_of};
use habitus_evaluate::threshold::Budget;
use habitus_evaluate::{Login, Plan, Scorer, run_world};
use habitus_model::math::from_usize;
use habitus_model::{Assessment, Event};
use habitus_sim::{Cohort, Label, Regime, ScenarioKind, WorldConfig};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// What began, and on which day since 1970.
type Told = Rc<RefCell<Vec<(i64, String)>>>;

const DAY_MS: i64 = 86_400_000;
/// Fewest of a day of which a share can be told.
const LEAST: usize = 100;

struct Telling {
    engine: Engine,
    told: Told,
}

impl Telling {
    fn record(login: Login<'_>, learning: Learning) -> Record {
        Record {
            uid: login.event.uid.clone(),
            context: login.context.clone(),
            learning,
        }
    }

    fn rank(said: &Assessment) -> f64 {
        said.score.get() + said.log_odds.0 * 1e-6
    }
}

impl Scorer for Telling {
    fn name(&self) -> &str {
        "habitus"
    }

    fn score(&mut self, login: Login<'_>) -> f64 {
        Self::rank(&self.engine.assess(&Self::record(login, Learning::Probe)))
    }

    fn learn(&mut self, login: Login<'_>) {
        self.observe(login);
    }

    fn observe(&mut self, login: Login<'_>) -> f64 {
        let said = self.engine.handle(&Self::record(login, Learning::Learn));
        let day = login.event.time.as_millis().div_euclid(DAY_MS);
        for (_, news) in self.engine.take_news() {
            let text = match news {
                News::Changed(change) => {
                    format!("{:?} {} ({} movers)", change.kind, change.value, change.movers)
                }
                News::Drifts => "alarm".to_owned(),
            };
            self.told.borrow_mut().push((day, text));
        }
        Self::rank(&said)
    }
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let word = |nth: usize| args.get(nth).map_or("", String::as_str);
    let regime = Regime::ALL.into_iter().find(|regime| regime.name() == word(0));
    let (first, last) = word(1).split_once('-').unwrap_or((word(1), word(1)));
    let (Some(regime), Ok(first), Ok(last)) = (regime, first.parse::<u64>(), last.parse::<u64>()) else {
        println!("usage: drift REGIME FIRST-LAST");
        return;
    };
    let mut outcomes = Vec::new();
    for seed in first..=last {
        without_upheavals(&WorldConfig::new(seed, regime));
        let (outcome, told) = live(&WorldConfig::activity(seed, regime));
        upheavals(&outcome, &told);
        outcomes.push(outcome);
    }
    cohorts(&outcomes);
    upheaval_days(&outcomes);
    days("logins", &outcomes, owners_logins);
    days("events", &outcomes, owners_events);
    found(&outcomes);
}

/// A log of logins with takeovers, in which no tenant changes: whatever is told of networks is wrong.
#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn without_upheavals(config: &WorldConfig) {
    let (scorers, told) = telling();
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    run_world(
        &Plan::development(1..=1),
        config,
        scorers,
        &mut |event: &Event| enricher.context(event),
    );
    let of_networks = |told: &&(i64, String)| !told.1.starts_with("Client");
    let told = told.borrow();
    println!(
        "without upheavals: {:?}",
        told.iter().filter(of_networks).collect::<Vec<_>>()
    );
}

fn telling() -> (Vec<Box<dyn Scorer>>, Told) {
    let told = Told::default();
    let scorer = Telling {
        engine: Engine::new(Config::default()),
        told: told.clone(),
    };
    (vec![Box::new(scorer)], told)
}

fn live(config: &WorldConfig) -> (StreamOutcome, Vec<(i64, String)>) {
    let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
    let (scorers, told) = telling();
    let plan = Plan::development(1..=1);
    let outcome = run_activity(&plan, config, scorers, &mut |event: &Event| {
        enricher.context(event)
    });
    let told = told.borrow().clone();
    (outcome, told)
}

/// What owners did, as it was scored.
struct Owned {
    day: i64,
    cohort: Cohort,
    score: f64,
    is_login: bool,
}

/// What owners did in the period that is measured.
fn owners(outcome: &StreamOutcome) -> impl Iterator<Item = Owned> {
    let scores = outcome.scorers.first().map_or(&[][..], |scorer| &scorer.scores);
    let login = Unit::ALL
        .iter()
        .position(|unit| *unit == Unit::Login)
        .unwrap_or(0);
    outcome
        .seen
        .iter()
        .zip(scores)
        .filter_map(move |(seen, score)| match seen.label {
            Label::Legitimate(cohort) if seen.ms >= outcome.measured_from_ms => Some(Owned {
                day: seen.ms.div_euclid(DAY_MS),
                cohort,
                score: *score,
                is_login: seen.units.get(login).copied().flatten().is_some(),
            }),
            Label::Legitimate(_) | Label::Attack(_) | Label::Scenario(_) => None,
        })
}

fn owners_logins(outcome: &StreamOutcome) -> Vec<Owned> {
    owners(outcome).filter(|owned| owned.is_login).collect()
}

fn owners_events(outcome: &StreamOutcome) -> Vec<Owned> {
    owners(outcome).collect()
}

const UPHEAVALS: [Cohort; 3] = [Cohort::OfficeMove, Cohort::Influx, Cohort::ResetWave];

/// Owners' logins on the first days of each upheaval.
#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn upheaval_days(outcomes: &[StreamOutcome]) {
    const DAYS: i64 = 3;
    for cohort in UPHEAVALS {
        let mut scores = Vec::new();
        for outcome in outcomes {
            let mut seen = outcome.seen.iter();
            let first = seen.find(|seen| seen.label == Label::Legitimate(cohort));
            let Some(first) = first.map(|seen| seen.ms.div_euclid(DAY_MS)) else {
                continue;
            };
            let logins = owners_logins(outcome).into_iter();
            let on_them = logins.filter(|login| (first..first + DAYS).contains(&login.day));
            scores.extend(on_them.map(|login| login.score));
        }
        println!(
            "first {DAYS} days of {}: {} logins, above 40 {:.2} %, above 60 {:.3} %",
            cohort.name(),
            scores.len(),
            share(&scores, 40.0),
            share(&scores, 60.0)
        );
    }
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn upheavals(outcome: &StreamOutcome, told: &[(i64, String)]) {
    let start = outcome.seen.first().map_or(0, |seen| seen.ms.div_euclid(DAY_MS));
    println!("seed {}: {} accounts", outcome.seed, outcome.accounts);
    for cohort in UPHEAVALS {
        let of = |seen: &&habitus_evaluate::campaigns::Seen| seen.label == Label::Legitimate(cohort);
        let all: Vec<i64> = outcome.seen.iter().filter(of).map(|seen| seen.ms).collect();
        if let Some(first) = all.first() {
            println!(
                "  truth: {} from day {}, {} events",
                cohort.name(),
                first.div_euclid(DAY_MS) - start,
                all.len()
            );
        }
    }
    for (day, text) in told {
        println!("  told on day {}: {text}{}", day - start, attacks(outcome, *day));
    }
}

/// Planted events that scored above 40 on this day and the two before it, by kind.
fn attacks(outcome: &StreamOutcome, day: i64) -> String {
    let scores = outcome.scorers.first().map_or(&[][..], |scorer| &scorer.scores);
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for (seen, score) in outcome.seen.iter().zip(scores) {
        let is_near = (day - 2..=day).contains(&seen.ms.div_euclid(DAY_MS));
        if is_near && seen.label.is_attack() && *score > 40.0 {
            *kinds.entry(seen.label.name()).or_default() += 1;
        }
    }
    format!(" {kinds:?}")
}

fn share(scores: &[f64], above: f64) -> f64 {
    100.0 * from_usize(scores.iter().filter(|score| **score > above).count())
        / from_usize(scores.len()).max(1.0)
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn cohorts(outcomes: &[StreamOutcome]) {
    let all: Vec<Owned> = outcomes.iter().flat_map(owners_logins).collect();
    let row = |name: &str, scores: Vec<f64>| {
        println!(
            "{name}: {} logins, above 40 {:.2} %, above 60 {:.3} %",
            scores.len(),
            share(&scores, 40.0),
            share(&scores, 60.0)
        );
    };
    row("owners", all.iter().map(|login| login.score).collect());
    for cohort in Cohort::ALL {
        let of = all.iter().filter(|login| login.cohort == cohort);
        let scores: Vec<f64> = of.map(|login| login.score).collect();
        if !scores.is_empty() {
            row(cohort.name(), scores);
        }
    }
}

/// Days of each log by the share above 40: within 0.5 to 1.5 times the budget of 1 in 100, above it, and the worst.
#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn days(name: &str, outcomes: &[StreamOutcome], of: fn(&StreamOutcome) -> Vec<Owned>) {
    let (mut within, mut over, mut count, mut worst) = (0, 0, 0, 0.0_f64);
    for outcome in outcomes {
        let mut days: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for owned in of(outcome) {
            days.entry(owned.day).or_default().push(owned.score);
        }
        for scores in days.values().filter(|scores| scores.len() >= LEAST) {
            let share = share(scores, 40.0);
            count += 1;
            within += usize::from((0.5..=1.5).contains(&share));
            over += usize::from(share > 1.5);
            worst = worst.max(share);
        }
    }
    println!("{name}: {count} days, {within} within the budget, {over} above it, worst {worst:.1} %");
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn found(outcomes: &[StreamOutcome]) {
    for kind in ScenarioKind::ALL {
        let shares = [0.001, 0.01].map(|share| {
            let search = Search {
                unit: unit_of(kind),
                budget: Budget::Share(share),
                until: Until::End,
            };
            let (mut all, mut hit) = (0, 0);
            for outcome in outcomes {
                let hunt = Ground::new(outcome, 0).hunt(search);
                let own = hunt.found.iter().filter(|found| found.planted.kind == kind);
                for found in own {
                    all += 1;
                    hit += usize::from(found.at_event.is_some());
                }
            }
            (hit, all)
        });
        let [(alert, all), (step_up, _)] = shares;
        if all > 0 {
            println!("{}: {alert} of {all} at 0.1 %, {step_up} at 1 %", kind.name());
        }
    }
}
