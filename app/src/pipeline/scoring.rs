//! Second pass: events in order through the engine, which has a clerk in each shard write the verdicts.

use super::executor::Threads;
use super::ordered::{Opened, Repeats};
use super::plan::Plan;
use habitus_engine::{Clerk, Engine};

/// Scores and learns, batch by batch.
pub struct Scorer<C: Clerk> {
    engine: Engine,
    repeats: Repeats,
    /// One a shard.
    pub clerks: Vec<C>,
    /// What was noted of each event of the batch scored last.
    pub notes: Vec<C::Note>,
}

impl<C: Clerk> Scorer<C> {
    /// A scorer that knows nothing yet; `clerk` makes the clerk of a shard, by its number.
    pub fn new(plan: &Plan, clerk: impl Fn(usize) -> C) -> Self {
        let engine = Engine::new(plan.config().engine(plan.threads));
        let clerks = (0..engine.shard_count()).map(clerk).collect();
        Self {
            engine,
            repeats: Repeats::default(),
            clerks,
            notes: Vec::new(),
        }
    }

    /// The engine as it is.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Events left out because they came before.
    pub fn duplicates(&self) -> u64 {
        self.repeats.left_out()
    }

    /// Scores and learns the batch that comes next, and leaves in it the events that were scored.
    pub fn take(&mut self, batch: &mut Opened) {
        self.notes.clear();
        self.repeats.sieve(batch);
        self.engine.handle_hashed(
            (&batch.records, &batch.hashes),
            &Threads,
            (&mut self.clerks, &mut self.notes),
        );
    }
}
