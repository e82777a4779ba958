//! The waiting room: events until their turn, each tenant's by a time of its own.
//!
//! A tenant that loads its past and one that lives do not meet: what is late for one is not late for the other. Within a tenant
//! time goes as fast as the slowest of its sources that sends and is not hopelessly behind, and never faster than arrivals
//! (RELIABILITY 6.4).

use crate::entry::{Arrival, Turn};
use crate::output::Stage;
use crate::settings::Settings;
use habitus_model::{EventTime, IngestTime, Millis, RiskScore, Shelves, TenantId, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tenants with a time of their own, as many as the engine learns of; further ones share one.
pub const TENANTS_MAX: usize = 1_024;
/// Sources of one tenant whose times are watched; beyond it the one silent longest is forgotten.
pub const SOURCES_MAX: usize = 64;

/// Events that wait, and how far time has come.
#[derive(Debug, Default, PartialEq)]
pub struct Room {
    lanes: BTreeMap<Whose, Lane>,
    waiting: usize,
}

/// Whose time it is; absent: that of all tenants beyond [`TENANTS_MAX`].
pub type Whose = Option<TenantId>;

/// Where an event waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    whose: Whose,
    turn: Turn,
}

/// The events of one tenant.
#[derive(Debug, Default, PartialEq)]
struct Lane {
    waiting: Shelves<Turn, Waiting>,
    times: Times,
}

/// What is in the room at one moment, shared with the room as far as it is still there.
#[derive(Debug)]
pub struct Picture {
    /// How far time has come for each tenant.
    pub times: Vec<(Whose, Times)>,
    waiting: Vec<Shelves<Turn, Waiting>>,
}

/// How far time has come for a tenant, by the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Latest event time that came, never beyond the time of its arrival.
    latest: Option<EventTime>,
    /// Events up to this time have had their turn.
    settled_until: Option<EventTime>,
    /// When the latest event came.
    heard: Option<IngestTime>,
    sources: BTreeMap<Text, Source>,
}

/// How far a source has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Source {
    latest: EventTime,
    heard: IngestTime,
}

#[derive(Debug, Clone, PartialEq)]
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
    pub fn at(times: Vec<(Whose, Times)>) -> Self {
        let lane = |(whose, times)| {
            let waiting = Shelves::default();
            (whose, Lane { waiting, times })
        };
        Self {
            lanes: times.into_iter().map(lane).collect(),
            waiting: 0,
        }
    }

    /// What is in it now. Cost: a pointer for every 64 events, and a copy of the times.
    pub fn picture(&self) -> Picture {
        let times = |(whose, lane): (&Whose, &Lane)| (whose.clone(), lane.times.clone());
        Picture {
            times: self.lanes.iter().map(times).collect(),
            waiting: self.lanes.values().map(|lane| lane.waiting.clone()).collect(),
        }
    }

    /// Takes an event in; it and others may be due because of it. O(log n).
    pub fn take(&mut self, arrival: Arrival, settings: &Settings, due: &mut Vec<Due>) -> Ticket {
        let ticket = self.ticket(&arrival);
        let lane = self.lanes.entry(ticket.whose.clone()).or_default();
        lane.times.hear(&arrival, settings);
        if lane.times.is_late(&arrival) {
            due.push(Due {
                arrival,
                stage: Stage::Late,
                foreseen: None,
            });
        } else {
            self.waiting += lane.put(ticket.turn, arrival);
        }
        self.waiting -= lane.settle_before(lane.times.watermark(settings), due);
        while self.waiting > settings.waiting_max && self.crowded(due) {}
        ticket
    }

    /// Time went on: where nothing came for as long as the lateness, nothing is waited for. O(tenants).
    pub fn tick(&mut self, now: IngestTime, settings: &Settings, due: &mut Vec<Due>) {
        for lane in self.lanes.values_mut() {
            if lane.times.is_quiet(now, settings) {
                self.waiting -= lane.settle_all(due);
            }
        }
    }

    /// Whether events wait where nothing has come for as long as the lateness. O(tenants).
    pub fn waits_in_silence(&self, now: IngestTime, settings: &Settings) -> bool {
        let mut waits = self.lanes.values().filter(|lane| !lane.waiting.is_empty());
        waits.any(|lane| lane.times.is_quiet(now, settings))
    }

    /// Everything has its turn now.
    pub fn settle_all(&mut self, due: &mut Vec<Due>) {
        for lane in self.lanes.values_mut() {
            self.waiting -= lane.settle_all(due);
        }
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// The event of this ticket, if it still waits.
    pub fn get(&self, ticket: &Ticket) -> Option<&Arrival> {
        let lane = self.lanes.get(&ticket.whose)?;
        lane.waiting.get(&ticket.turn).map(|waiting| &waiting.arrival)
    }

    /// Remembers the score an event was given ahead of its turn.
    pub fn foresee(&mut self, ticket: &Ticket, score: RiskScore) {
        let lane = self.lanes.get_mut(&ticket.whose);
        if let Some(waiting) = lane.and_then(|lane| lane.waiting.get_mut(&ticket.turn)) {
            waiting.foreseen = Some(score);
        }
    }

    /// Puts an event among those that wait, and nothing else.
    pub fn put_back(&mut self, arrival: Arrival) -> Ticket {
        let ticket = self.ticket(&arrival);
        let lane = self.lanes.entry(ticket.whose.clone()).or_default();
        self.waiting += lane.put(ticket.turn, arrival);
        ticket
    }

    fn ticket(&self, arrival: &Arrival) -> Ticket {
        let whose = Some(arrival.record.context.tenant.clone());
        let has_own = self.lanes.contains_key(&whose) || self.lanes.len() < TENANTS_MAX;
        Ticket {
            whose: whose.filter(|_| has_own),
            turn: Turn::of(arrival),
        }
    }

    /// No room is left: the tenant that takes most of it has its earliest event settled. Whether there was one.
    fn crowded(&mut self, due: &mut Vec<Due>) -> bool {
        let largest = self.lanes.values_mut().max_by_key(|lane| lane.waiting.len());
        let settled = largest.is_some_and(|lane| lane.settle_first(due));
        self.waiting -= usize::from(settled);
        settled
    }
}

impl Picture {
    /// The events that wait, a tenant's in the order of their turns.
    pub fn waiting(&self) -> impl Iterator<Item = &Arrival> {
        let all = self.waiting.iter().flat_map(Shelves::values);
        all.map(|waiting| &waiting.arrival)
    }
}

impl Lane {
    /// How many more wait.
    fn put(&mut self, turn: Turn, arrival: Arrival) -> usize {
        let waiting = Waiting {
            arrival,
            foreseen: None,
        };
        let is_new = self.waiting.insert(turn, waiting);
        usize::from(is_new)
    }

    /// How many were settled.
    fn settle_before(&mut self, until: Option<EventTime>, due: &mut Vec<Due>) -> usize {
        let Some(until) = until else { return 0 };
        let mut settled = 0;
        while self.waiting.first().is_some_and(|(turn, _)| turn.time() < until) {
            settled += usize::from(self.settle_first(due));
        }
        self.times.settled_until = self.times.settled_until.max(Some(until));
        settled
    }

    fn settle_all(&mut self, due: &mut Vec<Due>) -> usize {
        let count = self.waiting.len();
        while self.settle_first(due) {}
        count
    }

    /// Whether there was one.
    fn settle_first(&mut self, due: &mut Vec<Due>) -> bool {
        let Some((turn, Waiting { arrival, foreseen })) = self.waiting.pop_first() else {
            return false;
        };
        self.times.settled_until = self.times.settled_until.max(Some(turn.time()));
        due.push(Due {
            arrival,
            stage: Stage::Settled,
            foreseen,
        });
        true
    }
}

impl Times {
    /// An event came.
    fn hear(&mut self, arrival: &Arrival, settings: &Settings) {
        let (ingest, name) = (arrival.origin.ingest, &arrival.origin.source);
        let time = arrival.record.context.time.min(ingest.as_event());
        self.heard = self.heard.max(Some(ingest));
        self.latest = self.latest.max(Some(time));
        if self.is_hopeless(time, settings) {
            return;
        }
        let source = self.sources.entry(name.clone()).or_insert(Source {
            latest: time,
            heard: ingest,
        });
        source.latest = source.latest.max(time);
        source.heard = source.heard.max(ingest);
        if self.sources.len() > SOURCES_MAX {
            let longest = self
                .sources
                .iter()
                .min_by_key(|(name, source)| (source.heard, *name));
            if let Some(name) = longest.map(|(name, _)| name.clone()) {
                self.sources.remove(&name);
            }
        }
    }

    /// Events before this have their turn. The slowest source that sends holds it; one that has been silent for as long as the
    /// lateness does not, nor one that is hopelessly behind. Absent before the first event.
    fn watermark(&self, settings: &Settings) -> Option<EventTime> {
        let sends = |source: &&Source| {
            let silent = self
                .heard
                .map_or(0, |heard| heard.as_millis() - source.heard.as_millis());
            silent < settings.lateness.0 && !self.is_hopeless(source.latest, settings)
        };
        let slowest = self
            .sources
            .values()
            .filter(sends)
            .map(|source| source.latest)
            .min();
        let at = slowest.or(self.latest)?;
        Some(at.plus(Millis(-settings.lateness.0)))
    }

    fn is_hopeless(&self, time: EventTime, settings: &Settings) -> bool {
        let hold = settings.hold.0.max(settings.lateness.0);
        self.latest
            .is_some_and(|latest| latest.as_millis() - time.as_millis() > hold)
    }

    fn is_late(&self, arrival: &Arrival) -> bool {
        let time = arrival.record.context.time;
        self.settled_until.is_some_and(|until| time < until)
    }

    /// Whether nothing has come for as long as the lateness.
    fn is_quiet(&self, now: IngestTime, settings: &Settings) -> bool {
        let heard = self.heard;
        heard.is_none_or(|heard| now.as_millis() - heard.as_millis() >= settings.lateness.0)
    }
}
