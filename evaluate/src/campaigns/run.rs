//! The run over one log with attacks in it: each event is scored before it is learned, whoever's it is.

use super::unit::Unit;
use crate::plan::Plan;
use crate::scorer::{Login, Said, Scorer};
use habitus_model::hash::HashKey;
use habitus_model::{Context, Event, math};
use habitus_sim::{Label, Labelled, WorldConfig, generate};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// One event of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When, milliseconds since the epoch.
    pub ms: i64,
    /// Number of the account within the log.
    pub account: u32,
    /// Which unit of each kind it belongs to, in the order of [`Unit::ALL`]; absent where it belongs to none.
    pub units: [Option<u64>; 6],
    /// The truth.
    pub label: Label,
}

/// The scores of one scorer, one for each [`Seen`]; none is NaN. What it said stands beside, if it explains itself.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamScores {
    /// The scorer's name.
    pub name: String,
    /// Scores, in the order of the log.
    pub scores: Vec<f64>,
    /// What it said of each event; empty if it does not explain itself.
    pub said: Vec<Said>,
}

/// Everything that was measured on one log.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamOutcome {
    /// Its seed, for the bootstrap.
    pub seed: u64,
    /// From here on events are measured; before, they only teach and set thresholds.
    pub measured_from_ms: i64,
    /// From here on legitimate scores set thresholds: half-way through what is not measured, when scorers know something.
    pub counted_from_ms: i64,
    /// The events.
    pub seen: Vec<Seen>,
    /// Number of accounts that did something themselves: names that were only tried are none.
    pub accounts: u32,
    /// Each scorer's scores.
    pub scorers: Vec<StreamScores>,
}

/// What enriches events; sees each once, in order.
pub type Enrich<'a> = &'a mut dyn FnMut(&Event) -> Context;

/// Runs every scorer over one log in order of time; stops at the first event that cannot be had. O(events × scorers).
///
/// # Errors
/// What the stream gives instead of an event.
pub fn run_stream<E>(
    plan: &Plan,
    seed: u64,
    stream: impl Iterator<Item = Result<Labelled, E>>,
    (mut scorers, enrich): (Vec<Box<dyn Scorer>>, Enrich<'_>),
) -> Result<StreamOutcome, E> {
    let mut accounts = BTreeMap::new();
    let named = scorers.iter().map(|scorer| StreamScores {
        name: scorer.name().to_owned(),
        scores: Vec::new(),
        said: Vec::new(),
    });
    let mut outcome = StreamOutcome {
        seed,
        measured_from_ms: 0,
        counted_from_ms: 0,
        seen: Vec::new(),
        accounts: 0,
        scorers: named.collect(),
    };
    for labelled in stream {
        let Labelled { event, label } = labelled?;
        let context = enrich(&event);
        let login = Login {
            event: &event,
            context: &context,
        };
        for (scorer, scores) in scorers.iter_mut().zip(&mut outcome.scorers) {
            let score = scorer.observe(login);
            scores.scores.push(against(score, &label));
            scores.said.extend(scorer.said());
        }
        outcome.seen.push(seen(&event, label, &mut accounts));
    }
    outcome.close(plan);
    Ok(outcome)
}

impl StreamOutcome {
    /// What can be told only at the end: the period, and who did something.
    fn close(&mut self, plan: &Plan) {
        let (start, end) = match (self.seen.first(), self.seen.last()) {
            (Some(first), Some(last)) => (first.ms, last.ms),
            _ => (0, 0),
        };
        let warm_up = plan.warm_up_share.clamp(0.0, 1.0) * math::from_i64(end - start);
        self.measured_from_ms = start + math::to_i64(warm_up);
        self.counted_from_ms = start + math::to_i64(warm_up / 2.0);
        let own = self.seen.iter().filter(|seen| !seen.label.is_attack());
        let own: BTreeSet<u32> = own.map(|seen| seen.account).collect();
        self.accounts = u32::try_from(own.len()).unwrap_or(u32::MAX);
    }
}

/// Runs every scorer over the log of a simulated world.
pub fn run_activity(
    plan: &Plan,
    config: &WorldConfig,
    scorers: Vec<Box<dyn Scorer>>,
    enrich: Enrich<'_>,
) -> StreamOutcome {
    let world = generate(config);
    let stream = world.stream().map(Ok::<Labelled, Infallible>);
    match run_stream(plan, config.seed, stream, (scorers, enrich)) {
        Ok(outcome) => outcome,
        Err(never) => match never {},
    }
}

/// Not a number counts against the scorer.
fn against(score: f64, label: &Label) -> f64 {
    match score.is_nan() {
        false => score,
        true if label.is_attack() => f64::NEG_INFINITY,
        true => f64::INFINITY,
    }
}

fn seen(event: &Event, label: Label, accounts: &mut BTreeMap<String, u32>) -> Seen {
    let next = u32::try_from(accounts.len()).unwrap_or(u32::MAX);
    let id = event.account_id().map(|id| id.to_string()).unwrap_or_default();
    let account = *accounts.entry(id).or_insert(next);
    let ms = event.time.as_millis();
    let day = ms.div_euclid(86_400_000);
    let key = |unit: Unit| match unit {
        Unit::Login | Unit::MachineEvent => HashKey::REPLAY.fingerprint(event.uid.as_str()),
        Unit::Session | Unit::Prompted => HashKey::REPLAY.fingerprint(&event.session.as_deref()),
        Unit::AccountDay => HashKey::REPLAY.fingerprint(&(account, day)),
        Unit::SourceDay => HashKey::REPLAY.fingerprint(&(event.src.ip, day)),
    };
    Seen {
        ms,
        account,
        units: Unit::ALL.map(|unit| unit.holds(event).then(|| key(unit))),
        label,
    }
}
