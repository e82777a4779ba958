//! What verdicts are worth: `cargo run --release -p habitus-evaluate --example learning -- enterprise 1-9 [misset] [from 40]`.
//! With `misset` the tenant begins with weights that are wrong for it: the hour counts three times as much, the client half.
//!
//! Each world is run three times: verdicts teach the accounts only, also the reputation of networks and clients, also weights. In the
//! first half of the period five analysts judge what is flagged; the candidate is promoted if nothing speaks against it; the rest is
//! measured. Attacks are those that stand in the log and single takeovers; alarms are counted by account and day.

#![expect(
    clippy::indexing_slicing,
    reason = "an example: indices are below the lengths of the lists beside them"
)]

use habitus_engine::models::{Lesson, ModelChange, Opinion};
use habitus_engine::{Adjudication, Ahead, Config, Engine, Learning, Record};
use habitus_enrich::{Enricher, Tables};
use habitus_model::math::{from_usize, to_u64};
use habitus_model::{Assessment, Context, Family, IngestTime, Status, TenantId, Text, Verdict};
use habitus_sim::{Cohort, Label, Labelled, Regime, World, WorldConfig, generate};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shares of legitimate account-days that may be flagged: the usual alert and step-up budgets.
const BUDGETS: [f64; 2] = [0.001, 0.01];
/// Score from which somebody looks, unless it is said.
const LOOKED_AT: f64 = 60.0;
const ANALYSTS: [&str; 5] = ["ana", "ben", "cho", "dia", "eli"];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taught {
    Accounts,
    Reputation,
    Weights,
}

/// A unit of alarm in the measured part: an account's day, or an attack.
#[derive(Default)]
struct Measured {
    /// Highest score of each legitimate account-day.
    owners: BTreeMap<(Text, i64), f64>,
    /// Highest score of each attack.
    attacks: BTreeMap<(&'static str, Text), f64>,
}

struct Run<'w> {
    world: &'w World,
    taught: Taught,
    labels_max: usize,
    from: f64,
    engine: Engine,
    ahead: Ahead,
    labels: BTreeMap<&'static str, usize>,
    /// What is to be judged as the day ends: the worst event of each account.
    flagged: BTreeMap<Text, (Assessment, Context, Label)>,
    day: i64,
    measured: Measured,
    told: String,
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let regime = Regime::ALL
        .into_iter()
        .find(|regime| args.iter().any(|arg| arg == regime.name()));
    let at = args
        .iter()
        .position(|arg| arg == "from")
        .and_then(|at| args.get(at + 1));
    let from = at.and_then(|text| text.parse().ok()).unwrap_or(LOOKED_AT);
    let range = args.iter().take_while(|arg| *arg != "from").find_map(|arg| {
        let (first, last) = arg.split_once('-').unwrap_or((arg, arg));
        Some(first.parse::<u64>().ok()?..=last.parse::<u64>().ok()?)
    });
    println!("| seed | verdicts teach | labels | found at 0.1 % of account-days | at 1 % | order | model |");
    println!("|---|---|---|---|---|---|---|");
    let runs = [
        (Taught::Accounts, usize::MAX),
        (Taught::Reputation, usize::MAX),
        (Taught::Weights, 50),
        (Taught::Weights, 200),
        (Taught::Weights, usize::MAX),
    ];
    let mut config = Config::default();
    if args.iter().any(|arg| arg == "misset") {
        for (family, factor) in [(Family::Clock, 3.0), (Family::Device, 0.5)] {
            config.weights.families[family.index()] *= factor;
        }
    }
    let mut means: Vec<Vec<Line>> = runs.iter().map(|_| Vec::new()).collect();
    for seed in range.unwrap_or(1..=3) {
        let world = WorldConfig {
            attacks_per_kind: 60,
            ..WorldConfig::activity(seed, regime.unwrap_or(Regime::Enterprise))
        };
        let world = generate(&world);
        for ((taught, most), lines) in runs.into_iter().zip(&mut means) {
            let line = Run::new(&world, config.clone(), (taught, most, from)).run();
            println!("| {seed} {}", row(&name(taught, most), &line));
            lines.push(line);
        }
    }
    for ((taught, most), lines) in runs.into_iter().zip(&means) {
        println!("| mean {}", row(&name(taught, most), &mean(lines)));
    }
}

impl<'w> Run<'w> {
    fn new(world: &'w World, config: Config, (taught, labels_max, from): (Taught, usize, f64)) -> Self {
        Self {
            world,
            taught,
            labels_max,
            from,
            engine: Engine::new(config),
            ahead: Ahead::default(),
            labels: BTreeMap::new(),
            flagged: BTreeMap::new(),
            day: 0,
            measured: Measured::default(),
            told: "configured".to_owned(),
        }
    }

    fn run(mut self) -> Line {
        let (start, end) = self.world.period_ms();
        let at = |share: i64| start + (end - start) * share / 100;
        let (labelled, promoted, measured) = (at(20), at(60), at(62));
        let mut enricher = Enricher::new(Arc::new(Tables::embedded()));
        let mut probes = self.world.attacks().peekable();
        let mut tried = false;
        for one in self.world.stream() {
            let now = one.event.time.as_millis();
            while let Some(probe) = probes.next_if(|probe| probe.event.time < one.event.time) {
                self.see(&probe, enricher.context(&probe.event), (labelled, measured));
            }
            if now.div_euclid(86_400_000) != self.day {
                self.day = now.div_euclid(86_400_000);
                if now < promoted {
                    self.judge(now);
                }
            }
            if now >= promoted && !tried && self.taught == Taught::Weights {
                tried = true;
                self.promote(now);
            }
            self.see(&one, enricher.context(&one.event), (labelled, measured));
        }
        self.line()
    }

    fn see(&mut self, one: &Labelled, context: Context, (labelled, measured): (i64, i64)) {
        let is_probe = matches!(one.label, Label::Attack(_));
        let record = Record {
            uid: one.event.uid.clone(),
            context,
            learning: if is_probe {
                Learning::Probe
            } else {
                Learning::Learn
            },
        };
        let assessment = match is_probe {
            true => self.engine.assess(&record),
            false => self.engine.handle(&record),
        };
        let now = one.event.time.as_millis();
        // Of the takeovers only some come before the measured part: a tenant sees few.
        let comes = !is_probe || now >= measured || now % 7 == 0;
        if now >= labelled && now < measured && comes && assessment.score.get() >= self.from {
            self.flag(assessment, record.context, one.label);
        } else if now >= measured {
            self.measure(&assessment, one);
        }
    }

    fn flag(&mut self, assessment: Assessment, context: Context, label: Label) {
        // As findings group them: guesses by their source, everything else by the account.
        let account = match (context.status, context.network.ip) {
            (Status::Failure, Some(ip)) => Text::from(ip.to_string()),
            _ => Text::new(assessment.account.as_ref().map_or("", |account| account.as_str())),
        };
        let worst = self.flagged.get(&account);
        if worst.is_none_or(|(worst, ..)| worst.log_odds < assessment.log_odds) {
            self.flagged.insert(account, (assessment, context, label));
        }
    }

    fn measure(&mut self, assessment: &Assessment, one: &Labelled) {
        // Ties at the cap are broken by log-odds, as verdicts are read.
        let score = assessment.score.get() + assessment.log_odds.0 * 1e-6;
        let account = Text::new(assessment.account.as_ref().map_or("", |account| account.as_str()));
        let best = match one.label {
            Label::Legitimate(_) => self.measured.owners.entry((account, self.day)).or_default(),
            Label::Attack(_) => {
                let name = Text::new(one.event.uid.as_str());
                self.measured.attacks.entry((one.label.name(), name)).or_default()
            }
            Label::Scenario(planted) => {
                let name = Text::from(planted.campaign.to_string());
                self.measured.attacks.entry((one.label.name(), name)).or_default()
            }
        };
        *best = best.max(score);
    }

    /// The day's findings are judged by analysts who are right; one of five each.
    fn judge(&mut self, now: i64) {
        for (nth, (_, (assessment, context, label))) in
            std::mem::take(&mut self.flagged).into_iter().enumerate()
        {
            let verdict = match label {
                Label::Attack(_) | Label::Scenario(_) => Verdict::TruePositive,
                Label::Legitimate(Cohort::Pentest) => Verdict::Test,
                Label::Legitimate(_) => Verdict::FalsePositive,
            };
            let said = match verdict {
                Verdict::TruePositive => Some(Adjudication::Attacker),
                Verdict::FalsePositive => Some(Adjudication::Owner),
                _ => None,
            };
            if let Some(said) = said.filter(|_| !matches!(label, Label::Attack(_))) {
                self.engine.adjudicate(&mut self.ahead, &context, said);
            }
            let given: usize = self.labels.values().sum();
            let (Some(grounds), true) = (&assessment.grounds, given < self.labels_max) else {
                continue;
            };
            *self.labels.entry(verdict.name()).or_default() += 1;
            if self.taught == Taught::Accounts {
                continue;
            }
            // Two minutes for each.
            let at = now + i64::try_from(nth).unwrap_or(0) * 120_000;
            let at = IngestTime::from_millis(at).unwrap_or(IngestTime::EPOCH);
            let lesson = Lesson {
                finding: Text::from(format!("{}-{given}", self.day)),
                before: None,
                after: Some(Opinion {
                    verdict,
                    by: Text::const_new(ANALYSTS[nth % ANALYSTS.len()]),
                    at,
                }),
                context: &context,
                kind: assessment.kind,
                score: assessment.score,
                grounds,
            };
            self.engine.label(&lesson, at);
        }
    }

    fn promote(&mut self, now: i64) {
        let tenant = TenantId::default();
        let challenger = self
            .engine
            .models(&tenant)
            .and_then(|models| models.challenger().cloned());
        let Some(challenger) = challenger else {
            self.told = "no candidate".to_owned();
            return;
        };
        let at = IngestTime::from_millis(now).unwrap_or(IngestTime::EPOCH);
        let said = (Text::const_new("eva"), at);
        let change = ModelChange::Promote(challenger.number);
        let configured = *self.engine.configured_weights();
        let weights = challenger.weights(&configured);
        let moves = Family::ALL.map(|family| (family, weights.of(family) / configured.of(family) - 1.0));
        let moves = moves.iter().filter(|(_, moved)| moved.abs() >= 0.05);
        let moves: Vec<String> = moves
            .map(|(family, moved)| format!("{} {:+.0} %", family.name(), moved * 100.0))
            .collect();
        let moves = moves.join(", ");
        self.told = match self.engine.change_models(&tenant, &change, said) {
            Ok(()) => format!("learned: {moves}"),
            Err(refused) => format!("refused ({moves}): {refused}"),
        };
    }

    fn line(&self) -> Line {
        let mut owners: Vec<f64> = self.measured.owners.values().copied().collect();
        owners.sort_by(|a, b| b.total_cmp(a));
        let attacks: Vec<f64> = self.measured.attacks.values().copied().collect();
        let all = from_usize(attacks.len()).max(1.0);
        let found = BUDGETS.map(|budget| {
            let allowed = to_u64(budget * from_usize(owners.len()));
            let threshold = usize::try_from(allowed).ok().and_then(|at| owners.get(at));
            // Ties count against us.
            let found = |attack: &&f64| threshold.is_none_or(|threshold| *attack > threshold);
            from_usize(attacks.iter().filter(found).count()) / all
        });
        let above = |attack: &f64| from_usize(owners.partition_point(|owner| owner >= attack));
        let order: f64 = attacks
            .iter()
            .map(|attack| 1.0 - above(attack) / from_usize(owners.len()))
            .sum();
        let of = |name: &str| self.labels.get(name).copied().unwrap_or(0);
        Line {
            labels: [of("true_positive"), of("false_positive")],
            found,
            order: order / all,
            told: self.told.clone(),
        }
    }
}

/// What came of one run.
struct Line {
    /// Attacks and false alarms.
    labels: [usize; 2],
    /// Share of the attacks found at each budget.
    found: [f64; 2],
    /// Share of pairs of attack and account-day in which the attack scores higher.
    order: f64,
    told: String,
}

fn name(taught: Taught, labels_max: usize) -> String {
    match (taught, labels_max) {
        (Taught::Accounts, _) => "accounts".to_owned(),
        (Taught::Reputation, _) => "and reputation".to_owned(),
        (Taught::Weights, usize::MAX) => "and weights".to_owned(),
        (Taught::Weights, most) => format!("and weights, {most} labels"),
    }
}

fn row(what: &str, line: &Line) -> String {
    let [attacks, false_alarms] = line.labels;
    let [tight, wide] = line.found.map(|share| 100.0 * share);
    let (order, told) = (line.order, &line.told);
    format!("| {what} | {attacks} + {false_alarms} | {tight:.1} % | {wide:.1} % | {order:.4} | {told} |")
}

fn mean(lines: &[Line]) -> Line {
    let of = |value: &dyn Fn(&Line) -> f64| {
        lines.iter().map(value).sum::<f64>() / from_usize(lines.len()).max(1.0)
    };
    let labels = [0, 1]
        .map(|nth: usize| lines.iter().map(|line| line.labels[nth]).sum::<usize>() / lines.len().max(1));
    let promoted = lines
        .iter()
        .filter(|line| line.told.starts_with("learned"))
        .count();
    Line {
        labels,
        found: [of(&|line| line.found[0]), of(&|line| line.found[1])],
        order: of(&|line| line.order),
        told: format!("{promoted} of {} promoted", lines.len()),
    }
}
