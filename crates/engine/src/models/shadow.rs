//! The challenger: the same evidence with other weights, with calibrations of its own. It decides nothing.

use super::Model;
use crate::tenant::Tables;
use crate::total::{Kept, Total};
use habitus_model::{Minutes, Nats, RiskScore};
use habitus_score::{Prepared, Sums, Weights};
use serde::{Deserialize, Serialize};

/// Scores at which models are compared: the usual step-up budget, the usual alert budget, and a tenth of it.
pub const LINES: [f64; 3] = [40.0, 60.0, 80.0];

/// The total of one event in shadow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shadowed {
    /// Number of the model.
    pub model: u32,
    /// Its total.
    pub nats: Nats,
}

/// How many of the events since it began each model flags, those within one suspicion counted once, first visits left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Volume {
    /// Events.
    pub events: u64,
    /// Of these the champion's at or above each of [`LINES`].
    pub champion: [u64; 3],
    /// The challenger's.
    pub challenger: [u64; 3],
    /// Both.
    pub both: [u64; 3],
}

/// A model in shadow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Challenger {
    pub model: Model,
    pub tables: Tables,
    /// The champion's totals of the same events, in tables that began as the challenger's did: what the two are compared by. The
    /// champion's own reach further back, to a time with fewer attacks or more, and would make one look better than the other.
    pub reference: Tables,
    pub volume: Volume,
    /// What follows from the model and the configuration: no part of the state.
    #[serde(skip)]
    prepared: Option<Prepared>,
}

/// A champion that was replaced, as it was then: what a way back leads to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Former {
    pub model: Model,
    pub tables: Tables,
}

impl PartialEq for Challenger {
    fn eq(&self, other: &Self) -> bool {
        self.model == other.model
            && self.tables == other.tables
            && self.reference == other.reference
            && self.volume == other.volume
    }
}

impl Challenger {
    pub(crate) fn new(model: Model, (tables, reference): (Tables, Tables)) -> Self {
        Self {
            model,
            tables,
            reference,
            volume: Volume::default(),
            prepared: None,
        }
    }

    pub(crate) fn prepare(&mut self, configured: &Weights) {
        self.prepared = Some(Prepared::new(&self.model.weights(configured)));
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        self.tables.settle();
        self.reference.settle();
    }

    pub(crate) fn weigh(&self, sums: &Sums) -> Option<Shadowed> {
        Some(Shadowed {
            model: self.model.number,
            nats: sums.total(self.prepared.as_ref()?),
        })
    }

    /// Compares one event, as long as the tables are those that both were judged by.
    pub(crate) fn compare(&mut self, total: &Total) {
        let Some(own) = self.own(total).filter(|_| total.has_history && !total.goes_on) else {
            return;
        };
        let score = |tables: &Tables, nats: Nats| {
            RiskScore::from_tail(tables.tail(total.kind, total.stratum, nats)).get()
        };
        let (theirs, ours) = (score(&self.reference, total.nats), score(&self.tables, own.nats));
        let volume = &mut self.volume;
        volume.events += 1;
        let counts = volume
            .champion
            .iter_mut()
            .zip(&mut volume.challenger)
            .zip(&mut volume.both);
        for (((champion, challenger), both), line) in counts.zip(LINES) {
            *champion += u64::from(theirs >= line);
            *challenger += u64::from(ours >= line);
            *both += u64::from(theirs >= line && ours >= line);
        }
    }

    pub(crate) fn note_said(&mut self, total: &Total, now: Minutes) {
        if let Some(own) = self.own(total) {
            self.tables.note_said(&own, now);
            let total = Total {
                kept: Kept::default(),
                ..*total
            };
            self.reference.note_said(&total, now);
        }
    }

    pub(crate) fn learn(&mut self, total: &Total, now: Minutes) {
        if let Some(own) = self.own(total) {
            self.tables.learn(&own, now);
            self.reference.learn(total, now);
        }
    }

    /// The total as this model has it; nothing of an event that another one was in shadow for.
    fn own(&self, total: &Total) -> Option<Total> {
        let shadow = total.shadow.filter(|shadow| shadow.model == self.model.number)?;
        Some(Total {
            nats: shadow.nats,
            kept: Kept::default(),
            ..*total
        })
    }
}
