//! The stages of an event's way, each behind a function of its own that is never inlined: callgrind then says how many
//! instructions each takes, which is the same on every run. `tests/instructions.rs` holds them to a baseline.

use crate::line::{self, Kind};
use crate::world::{Generate, World};
use clap::Args;
use habitus_engine::{Clerk, Config, Engine, Judged, Learning, Record, Scribe, Sequential, Words};
use habitus_enrich::{Enricher, Tables};
use habitus_model::{Assessment, Context, Event, RiskScore};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What is asked.
#[derive(Debug, Args)]
pub struct Stages {
    /// Number of events
    #[arg(long, value_name = "N", default_value_t = 4_096)]
    events: u32,
    /// Number of accounts
    #[arg(long, value_name = "N", default_value_t = 256)]
    accounts: u32,
}

/// Takes note of nothing but the score, as for events that nobody looks at.
struct Silent;

impl Clerk for Silent {
    type Note = RiskScore;

    fn reads_all(&self) -> Words {
        Words::Spared
    }

    fn reads(&self, _: &Record, _: RiskScore) -> bool {
        false
    }

    fn note(&mut self, _: &Record, judged: Judged) -> RiskScore {
        judged.score
    }
}

/// Puts a log through all stages, twice: the first time warms what is worked out once.
pub fn command(asked: &Stages) -> io::Result<()> {
    let log = Generate {
        kind: Kind::Ocsf,
        events: asked.events,
        accounts: asked.accounts,
        seed: 1,
        out: PathBuf::new(),
    };
    let mut lines = Vec::new();
    for login in World::new(&log) {
        let mut text = String::new();
        line::write(&login, Kind::Ocsf, &mut text).map_err(io::Error::other)?;
        lines.push(text);
    }
    let tables = Tables::builder().build();
    let normalizer = Normalizer::new(FormatChoice::Auto, Options::default());
    let mut enricher = Enricher::new(Arc::new(tables));
    warm(&lines, &normalizer, &mut enricher);
    let events = stage_normalize(&lines, &normalizer);
    let contexts = stage_enrich(&events, &mut enricher);
    let stored = stage_store(&contexts).map_err(io::Error::other)?;
    let records = stage_take(&stored, &events).map_err(io::Error::other)?;
    let scores = stage_score(&records);
    let assessments = stage_explain(&records);
    let agree = scores
        .iter()
        .zip(&assessments)
        .all(|(score, full)| *score == full.score);
    if !agree || assessments.len() != lines.len() {
        return Err(io::Error::other("the stages do not agree with one another"));
    }
    println!("{} events", assessments.len());
    Ok(())
}

fn warm(lines: &[String], normalizer: &Normalizer, enricher: &mut Enricher) {
    let mut events = Vec::new();
    for line in lines {
        // What is wrong with a line shows when it counts.
        let _ = normalizer.normalize(line.as_bytes(), 1, &mut events);
    }
    for event in &events {
        std::hint::black_box(enricher.context(event));
    }
}

#[inline(never)]
fn stage_normalize(lines: &[String], normalizer: &Normalizer) -> Vec<Event> {
    let mut events = Vec::with_capacity(lines.len());
    for line in lines {
        let _ = normalizer.normalize(line.as_bytes(), 1, &mut events);
    }
    events
}

#[inline(never)]
fn stage_enrich(events: &[Event], enricher: &mut Enricher) -> Vec<Context> {
    events.iter().map(|event| enricher.context(event)).collect()
}

/// Bytes of an event that is stored, more than enough: a buffer that had to grow would make the count depend on where the
/// allocator finds room for it.
const STORED_BYTES: usize = 1_024;

/// Into one buffer, as events that wait are written.
#[inline(never)]
fn stage_store(contexts: &[Context]) -> Result<Vec<u8>, postcard::Error> {
    let stored = Vec::with_capacity(contexts.len() * STORED_BYTES);
    contexts
        .iter()
        .try_fold(stored, |stored, context| postcard::to_extend(context, stored))
}

#[inline(never)]
fn stage_take(mut stored: &[u8], events: &[Event]) -> Result<Vec<Record>, postcard::Error> {
    let record = |event: &Event| {
        let (context, rest) = postcard::take_from_bytes(stored)?;
        stored = rest;
        Ok(Record {
            uid: event.uid.clone(),
            context,
            learning: Learning::Learn,
        })
    };
    events.iter().map(record).collect()
}

#[inline(never)]
fn stage_score(records: &[Record]) -> Vec<RiskScore> {
    let mut scores = Vec::with_capacity(records.len());
    Engine::new(Config::default()).handle_batch_with(records, &Sequential, (&mut [Silent], &mut scores));
    scores
}

#[inline(never)]
fn stage_explain(records: &[Record]) -> Vec<Assessment> {
    let mut assessments = Vec::with_capacity(records.len());
    Engine::new(Config::default()).handle_batch_with(records, &Sequential, (&mut [Scribe], &mut assessments));
    assessments
}
