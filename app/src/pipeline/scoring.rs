//! Second pass: events in order through the engine.

use super::executor::Threads;
use super::intake::Ordered;
use super::plan::Plan;
use super::stored::Item;
use crate::failure::Failure;
use habitus_engine::{Engine, Record};
use habitus_model::{Assessment, Text};

/// Events taken up at once: the engine's longest epoch, so that its threads are started once for each.
const BATCH_EVENTS: usize = 4_096;

/// Events with their assessments.
pub struct Scored {
    /// The events.
    pub records: Vec<Record>,
    /// The format of each.
    pub sources: Vec<Text>,
    /// The assessment of each.
    pub assessments: Vec<Assessment>,
}

/// Scores and learns, batch by batch.
pub struct Scorer {
    ordered: Ordered,
    engine: Engine,
    ended: bool,
}

impl Scorer {
    /// A scorer that knows nothing yet.
    pub fn new(plan: &Plan, ordered: Ordered) -> Self {
        let engine = Engine::new(plan.config().engine(plan.threads));
        Self {
            ordered,
            engine,
            ended: false,
        }
    }

    /// The engine as it is.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Events left out because they came before.
    pub fn duplicates(&self) -> u64 {
        self.ordered.duplicates()
    }

    fn batch(&mut self) -> Result<Option<Scored>, Failure> {
        let mut records = Vec::with_capacity(BATCH_EVENTS);
        let mut sources = Vec::with_capacity(BATCH_EVENTS);
        while records.len() < BATCH_EVENTS {
            let Some(Item { record, source }) = self.ordered.next()? else {
                break;
            };
            records.push(record);
            sources.push(source);
        }
        if records.is_empty() {
            return Ok(None);
        }
        let mut assessments = Vec::with_capacity(records.len());
        self.engine.handle_batch(&records, &Threads, &mut assessments);
        Ok(Some(Scored {
            records,
            sources,
            assessments,
        }))
    }
}

impl Iterator for Scorer {
    type Item = Result<Scored, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.batch();
        self.ended = !matches!(batch, Ok(Some(_)));
        batch.transpose()
    }
}
