//! The stages of replay over lines of a log, in this thread.

use crate::people::{People, time};
use crate::system::cpu_seconds;
use habitus_engine::{Clerk, Config, Engine, Judged, Learning, Record, Sequential, Words};
use habitus_enrich::{Enricher, Tables};
use habitus_model::{Context, Event, RiskScore};
use habitus_normalize::{FormatChoice, Normalizer, Options};
use std::io;
use std::sync::Arc;

/// Events put through at once, as replay does.
const BATCH: usize = 4_096;
/// From here on reasons are read, as by `replay --verdicts-from 40`.
const READ_FROM: f64 = 40.0;

/// A clerk that reads the reasons of what stands out, and keeps the score.
#[derive(Debug)]
struct Flagging;

impl Clerk for Flagging {
    type Note = RiskScore;

    fn reads_all(&self) -> Words {
        Words::Spared
    }

    fn reads(&self, _: &Record, score: RiskScore) -> bool {
        score.get() >= READ_FROM
    }

    fn note(&mut self, _: &Record, judged: Judged) -> RiskScore {
        judged.score
    }
}

/// CPU seconds of the stages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// From bytes to events.
    pub normalize: f64,
    /// From events to contexts.
    pub enrich: f64,
    /// Scoring and learning.
    pub score: f64,
}

/// An engine with what feeds it.
pub struct Crowd {
    /// The engine.
    pub engine: Engine,
    normalizer: Normalizer,
    enricher: Enricher,
    lines: Vec<String>,
    notes: Vec<RiskScore>,
}

impl Crowd {
    /// One that knows nobody, with what is worked out once worked out.
    ///
    /// # Errors
    /// A line that is not understood.
    pub fn new() -> io::Result<Self> {
        let mut crowd = Self {
            engine: Engine::new(Config::default()),
            normalizer: Normalizer::new(FormatChoice::Auto, Options::default()),
            enricher: Enricher::new(Arc::new(Tables::embedded())),
            lines: Vec::with_capacity(BATCH),
            notes: Vec::with_capacity(BATCH),
        };
        for account in 0..64 {
            crowd.add(People::Consumer, (account, 0), (0, time(0, 0, 1)))?;
        }
        crowd.learn()?;
        crowd.forget();
        Ok(crowd)
    }

    /// Forgets everybody.
    pub fn forget(&mut self) {
        self.engine = Engine::new(Config::default());
    }

    /// Puts an event in line: that of an account that comes after `before` others.
    ///
    /// # Errors
    /// A line that is not understood.
    pub fn add(&mut self, people: People, event: (u32, u32), at: (u32, u64)) -> io::Result<()> {
        self.queue(people, event, at)?;
        if self.lines.len() >= BATCH {
            self.learn()?;
        }
        Ok(())
    }

    /// The same, and waits however long the line is.
    ///
    /// # Errors
    /// None: writing to memory does not fail.
    pub fn queue(&mut self, people: People, event: (u32, u32), at: (u32, u64)) -> io::Result<()> {
        let mut text = String::with_capacity(512);
        people.write(event, at, &mut text).map_err(io::Error::other)?;
        self.lines.push(text);
        Ok(())
    }

    /// Bytes that wait in line.
    pub fn queued(&self) -> Vec<u8> {
        self.lines.concat().into_bytes()
    }

    /// Scores and learns what is in line; gives what each stage took.
    ///
    /// # Errors
    /// A line that is not understood.
    pub fn learn(&mut self) -> io::Result<Spent> {
        let began = cpu_seconds();
        let events = self.events()?;
        let normalized = cpu_seconds();
        let contexts: Vec<Context> = events.iter().map(|event| self.enricher.context(event)).collect();
        let enriched = cpu_seconds();
        let records: Vec<Record> = events.into_iter().zip(contexts).map(record).collect();
        let ready = cpu_seconds();
        for batch in records.chunks(BATCH) {
            self.notes.clear();
            let out = (&mut [Flagging][..], &mut self.notes);
            self.engine.handle_batch_with(batch, &Sequential, out);
        }
        Ok(Spent {
            normalize: normalized - began,
            enrich: enriched - normalized,
            score: cpu_seconds() - ready,
        })
    }

    /// What is in line as events, which are no longer in line.
    ///
    /// # Errors
    /// A line that is not understood.
    pub fn events(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::with_capacity(self.lines.len());
        for line in self.lines.drain(..) {
            let read = self.normalizer.normalize(line.as_bytes(), 1, &mut events);
            read.map_err(|why| io::Error::other(format!("{why:?}: {line}")))?;
        }
        Ok(events)
    }

    /// An event as the engine takes it.
    pub fn record(&mut self, event: Event) -> Record {
        let context = self.enricher.context(&event);
        record((event, context))
    }
}

fn record((event, context): (Event, Context)) -> Record {
    Record {
        uid: event.uid,
        context,
        learning: Learning::Learn,
    }
}
