//! The reducer: entries in, verdicts out, state in between.

use crate::entry::{Arrival, Entry, Turn};
use crate::output::{Output, Stage};
use crate::people::People;
use crate::room::{Due, Room};
use crate::settings::Settings;
use habitus_engine::{Ahead, Engine, Executor, Learning, Record};
use habitus_model::{Assessment, EventTime};

/// What a server knows.
#[derive(Debug)]
pub struct Reducer {
    pub(crate) settings: Settings,
    pub(crate) engine: Engine,
    pub(crate) room: Room,
    pub(crate) ahead: Ahead,
    pub(crate) people: People,
}

impl Reducer {
    /// One that knows nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            engine: Engine::new(settings.engine.clone()),
            room: Room::default(),
            ahead: Ahead::default(),
            people: People::default(),
            settings,
        }
    }

    /// Takes the next entries of the log; what comes of them is appended to `out`. However entries are batched, the state
    /// and the settled verdicts are the same.
    pub fn apply(&mut self, entries: Vec<Entry>, executor: &dyn Executor, out: &mut Vec<Output>) {
        let mut due = Vec::new();
        let mut came = Vec::new();
        for entry in entries {
            match entry {
                Entry::Event(arrival) => {
                    if let Some(arrival) = self.believe(*arrival, out) {
                        came.push(Turn::of(&arrival));
                        self.room.take(arrival, &self.settings, &mut due);
                    }
                }
                Entry::Tick(now) => self.room.tick(now, &self.settings, &mut due),
                Entry::Settle => self.room.settle_all(&mut due),
            }
        }
        self.settle(due, executor, out);
        self.foresee(came, out);
    }

    /// Assesses an event against all that is known and all that waits, and learns nothing.
    #[must_use]
    pub fn assess(&self, record: &Record) -> Assessment {
        self.engine.assess_ahead(&self.ahead, record)
    }

    /// The engine as it is.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What can be shown of accounts and sessions.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Number of events that wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.room.waiting().len()
    }

    /// An event whose time can be true. One from the future is judged at its arrival, and teaches nothing.
    fn believe(&mut self, mut arrival: Arrival, out: &mut Vec<Output>) -> Option<Arrival> {
        let at = arrival.origin.ingest.as_millis();
        let context = &mut arrival.record.context;
        if context.time.as_millis() - at <= self.settings.future.0 {
            return Some(arrival);
        }
        context.time = EventTime::from_millis(at).unwrap_or(context.time);
        arrival.record.learning = Learning::Probe;
        let assessment = self.assess(&arrival.record);
        out.push(Output::verdict(arrival, assessment, Stage::Future));
        None
    }

    /// Events whose turn has come: judged and learned.
    fn settle(&mut self, due: Vec<Due>, executor: &dyn Executor, out: &mut Vec<Output>) {
        let mut records = Vec::with_capacity(due.len());
        let mut rest = Vec::with_capacity(due.len());
        for Due {
            arrival,
            stage,
            foreseen,
        } in due
        {
            rest.push((arrival.origin, stage, foreseen));
            records.push(arrival.record);
        }
        let mut assessments = Vec::with_capacity(records.len());
        self.engine.handle_batch(&records, executor, &mut assessments);
        for ((record, (origin, stage, foreseen)), assessment) in
            records.into_iter().zip(rest).zip(assessments)
        {
            let arrival = Arrival { origin, record };
            if foreseen {
                self.engine.caught_up(&mut self.ahead, &arrival.record);
            } else {
                self.people.see(&arrival, &assessment);
            }
            out.push(Output::verdict(arrival, assessment, stage));
        }
    }

    /// Events that wait are judged ahead of their turn, in the order they came.
    pub(crate) fn foresee(&mut self, came: Vec<Turn>, out: &mut Vec<Output>) {
        for turn in came {
            let Some(arrival) = self.room.foresee(&turn) else {
                continue;
            };
            let assessment = self.engine.look_ahead(&mut self.ahead, &arrival.record);
            self.people.see(arrival, &assessment);
            out.push(Output::verdict(arrival.clone(), assessment, Stage::Provisional));
        }
    }
}
