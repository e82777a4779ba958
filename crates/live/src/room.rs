//! The waiting room: events until their turn.

use crate::entry::{Arrival, Turn};
use crate::output::Stage;
use crate::settings::Settings;
use habitus_model::{EventTime, IngestTime, Millis, RiskScore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Events that wait, and how far time has come.
#[derive(Debug, Default, PartialEq)]
pub struct Room {
    waiting: BTreeMap<Turn, Waiting>,
    /// How far.
    pub times: Times,
}

/// How far time has come, by the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Latest event time that came, never beyond the time of its arrival.
    pub latest: Option<EventTime>,
    /// Events up to this time have had their turn.
    pub settled_until: Option<EventTime>,
    /// When the latest entry came.
    pub heard: Option<IngestTime>,
}

#[derive(Debug, PartialEq)]
struct Waiting {
    arrival: Arrival,
    foreseen: Option<RiskScore>,
}

/// An event whose turn has come.
#[derive(Debug)]
pub struct Due {
    /// The event.
    pub arrival: Arrival,
    /// How final its verdict is.
    pub stage: Stage,
    /// The score it was given ahead of its turn; absent if it was not judged before.
    pub foreseen: Option<RiskScore>,
}

impl Room {
    /// An empty room at such times.
    pub fn at(times: Times) -> Self {
        Self {
            waiting: BTreeMap::new(),
            times,
        }
    }

    /// Takes an event in; it and others may be due because of it. O(log n).
    pub fn take(&mut self, arrival: Arrival, settings: &Settings, due: &mut Vec<Due>) {
        self.times.heard = self.times.heard.max(Some(arrival.origin.ingest));
        let time = arrival.record.context.time;
        if self.times.settled_until.is_some_and(|until| time < until) {
            due.push(Due {
                arrival,
                stage: Stage::Late,
                foreseen: None,
            });
            return;
        }
        let arrived = arrival.origin.ingest.as_event();
        self.times.latest = self.times.latest.max(Some(time.min(arrived)));
        self.put_back(arrival);
        if let Some(latest) = self.times.latest {
            self.settle_before(latest.plus(Millis(-settings.lateness.0)), due);
        }
        while self.waiting.len() > settings.waiting_max {
            self.settle_first(due);
        }
    }

    /// Time went on: if nothing came for as long as the lateness, nothing is waited for.
    pub fn tick(&mut self, now: IngestTime, settings: &Settings, due: &mut Vec<Due>) {
        if self.is_quiet(now, settings) {
            self.settle_all(due);
        }
    }

    /// Whether nothing has come for as long as the lateness.
    pub fn is_quiet(&self, now: IngestTime, settings: &Settings) -> bool {
        let heard = self.times.heard;
        heard.is_none_or(|heard| now.as_millis() - heard.as_millis() >= settings.lateness.0)
    }

    /// Everything has its turn now.
    pub fn settle_all(&mut self, due: &mut Vec<Due>) {
        while !self.waiting.is_empty() {
            self.settle_first(due);
        }
    }

    /// The events that wait, in the order of their turns.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = &Arrival> {
        self.waiting.values().map(|waiting| &waiting.arrival)
    }

    /// The event of this turn, if it still waits.
    pub fn get(&self, turn: &Turn) -> Option<&Arrival> {
        self.waiting.get(turn).map(|waiting| &waiting.arrival)
    }

    /// Remembers the score an event was given ahead of its turn.
    pub fn foresee(&mut self, turn: &Turn, score: RiskScore) {
        if let Some(waiting) = self.waiting.get_mut(turn) {
            waiting.foreseen = Some(score);
        }
    }

    /// Puts an event among those that wait, and nothing else.
    pub fn put_back(&mut self, arrival: Arrival) {
        let waiting = Waiting {
            arrival,
            foreseen: None,
        };
        self.waiting.insert(Turn::of(&waiting.arrival), waiting);
    }

    fn settle_before(&mut self, until: EventTime, due: &mut Vec<Due>) {
        while self
            .waiting
            .first_key_value()
            .is_some_and(|(turn, _)| turn.time() < until)
        {
            self.settle_first(due);
        }
        self.times.settled_until = self.times.settled_until.max(Some(until));
    }

    fn settle_first(&mut self, due: &mut Vec<Due>) {
        if let Some((turn, Waiting { arrival, foreseen })) = self.waiting.pop_first() {
            self.times.settled_until = self.times.settled_until.max(Some(turn.time()));
            due.push(Due {
                arrival,
                stage: Stage::Settled,
                foreseen,
            });
        }
    }
}
