//! What the outbox knows: a pure function of its events, so that reading them again gives the same.

use super::schedule::{LEASE_MS, next_try};
use super::{Item, Outcome};
use habitus_model::{IngestTime, Millis, Text};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What happened to orders, as it is written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Event {
    Put(Item, IngestTime),
    Leased(Text, IngestTime),
    Outcome {
        id: Text,
        attempt: u32,
        outcome: Outcome,
        at: IngestTime,
    },
    Expired(Text, IngestTime),
    Retried {
        id: Text,
        at: IngestTime,
        expires: IngestTime,
    },
    Discarded(Text, IngestTime),
    /// A compacted state follows.
    Base,
    BaseOrder(Order),
    BaseDone(Text, IngestTime),
    /// It is complete with so many events, and replaces what was before.
    BaseEnd(u64),
}

/// An order that is not done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) item: Item,
    pub(super) put: IngestTime,
    pub(super) attempts: u32,
    pub(super) phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Phase {
    Waiting { due: IngestTime },
    Leased { until: IngestTime },
    Dead { since: IngestTime, why: Text },
}

/// All orders, and the ids of those that are done.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    pub(super) orders: BTreeMap<Text, Order>,
    /// Waiting orders by responder and time.
    pub(super) due: BTreeMap<Text, BTreeSet<(IngestTime, Text)>>,
    /// Leased orders by when the lease ends.
    pub(super) leases: BTreeSet<(IngestTime, Text)>,
    /// Waiting orders by when they expire.
    pub(super) expiry: BTreeSet<(IngestTime, Text)>,
    /// Dead letters by when they died.
    pub(super) dead: BTreeSet<(IngestTime, Text)>,
    done: BTreeMap<Text, IngestTime>,
    done_by_time: BTreeSet<(IngestTime, Text)>,
    /// Bytes of payloads that are kept.
    pub(super) bytes: usize,
}

impl State {
    /// Whether an order of this id is there, or was done lately.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.orders.contains_key(id) || self.done.contains_key(id)
    }

    pub(super) fn done_count(&self) -> usize {
        self.done.len()
    }

    /// Applies what happened. What is about an unknown order changes nothing.
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Put(item, at) if !self.knows(&item.id) => self.insert(Order {
                item: item.clone(),
                put: *at,
                attempts: 0,
                phase: Phase::Waiting { due: *at },
            }),
            Event::Leased(id, at) => self.change(id, |order| {
                order.attempts += 1;
                order.phase = Phase::Leased {
                    until: later(*at, LEASE_MS),
                };
            }),
            Event::Outcome {
                id,
                attempt,
                outcome,
                at,
            } => self.outcome(id, *attempt, (outcome, *at)),
            Event::Expired(id, at) => self.change(id, |order| {
                order.die(*at, "expired before it could be carried out")
            }),
            Event::Retried { id, at, expires } => self.change(id, |order| {
                order.item.expires = *expires;
                order.attempts = 0;
                order.phase = Phase::Waiting { due: *at };
            }),
            Event::Discarded(id, at) => self.finish(id, *at),
            Event::BaseOrder(order) => self.insert(order.clone()),
            Event::BaseDone(id, at) => self.remember(id.clone(), *at),
            Event::Put(..) | Event::Base | Event::BaseEnd(_) => {}
        }
    }

    /// The events that make this state from nothing.
    pub(super) fn base(&self) -> Vec<Event> {
        let mut events = vec![Event::Base];
        events.extend(self.orders.values().cloned().map(Event::BaseOrder));
        events.extend(
            self.done_by_time
                .iter()
                .map(|(at, id)| Event::BaseDone(id.clone(), *at)),
        );
        let count = crate::bytes::wide(events.len() - 1);
        events.push(Event::BaseEnd(count));
        events
    }

    /// Forgets ids that were done before a time, and the oldest above the limit.
    pub(super) fn forget(&mut self, before: IngestTime, done_max: usize) {
        while let Some((at, _)) = self.done_by_time.first() {
            if *at >= before && self.done_by_time.len() <= done_max {
                return;
            }
            if let Some((_, id)) = self.done_by_time.pop_first() {
                self.done.remove(&id);
            }
        }
    }

    /// Nobody holds a lease after a restart: what was under way is due again when it would have been after a failure.
    pub(super) fn end_leases(&mut self) {
        let leases: Vec<Text> = self.leases.iter().map(|(_, id)| id.clone()).collect();
        for id in leases {
            self.change(&id, |order| {
                if let Phase::Leased { until } = order.phase {
                    let leased = later(until, -LEASE_MS);
                    order.failed((leased, None), "no outcome before a restart");
                }
            });
        }
    }

    fn outcome(&mut self, id: &Text, attempt: u32, (outcome, at): (&Outcome, IngestTime)) {
        match outcome {
            Outcome::Delivered => self.finish(id, at),
            Outcome::Refused { why } => self.change(id, |order| order.die(at, why)),
            Outcome::Failed { why, retry_after } => self.change(id, |order| {
                // A late answer about a try that is given up already tells nothing new.
                if order.attempts == attempt && matches!(order.phase, Phase::Leased { .. }) {
                    order.failed((at, *retry_after), why);
                }
            }),
        }
    }

    fn insert(&mut self, order: Order) {
        self.bytes += order.item.payload.len();
        self.index(&order);
        self.orders.insert(order.item.id.clone(), order);
    }

    fn finish(&mut self, id: &Text, at: IngestTime) {
        if let Some(order) = self.orders.remove(id) {
            self.unindex(&order);
            self.bytes -= order.item.payload.len();
            self.remember(id.clone(), at);
        }
    }

    fn remember(&mut self, id: Text, at: IngestTime) {
        self.done.insert(id.clone(), at);
        self.done_by_time.insert((at, id));
    }

    fn change(&mut self, id: &Text, change: impl FnOnce(&mut Order)) {
        if let Some(mut order) = self.orders.remove(id) {
            self.unindex(&order);
            change(&mut order);
            self.index(&order);
            self.orders.insert(id.clone(), order);
        }
    }

    fn index(&mut self, order: &Order) {
        let id = order.item.id.clone();
        match order.phase {
            Phase::Waiting { due } => {
                let queue = self.due.entry(order.item.responder.clone()).or_default();
                queue.insert((due, id.clone()));
                self.expiry.insert((order.item.expires, id));
            }
            Phase::Leased { until } => {
                self.leases.insert((until, id));
            }
            Phase::Dead { since, .. } => {
                self.dead.insert((since, id));
            }
        }
    }

    fn unindex(&mut self, order: &Order) {
        let id = order.item.id.clone();
        match order.phase {
            Phase::Waiting { due } => {
                if let Some(queue) = self.due.get_mut(&order.item.responder) {
                    queue.remove(&(due, id.clone()));
                    if queue.is_empty() {
                        self.due.remove(&order.item.responder);
                    }
                }
                self.expiry.remove(&(order.item.expires, id));
            }
            Phase::Leased { until } => {
                self.leases.remove(&(until, id));
            }
            Phase::Dead { since, .. } => {
                self.dead.remove(&(since, id));
            }
        }
    }
}

impl Order {
    fn die(&mut self, since: IngestTime, why: &str) {
        self.phase = Phase::Dead {
            since,
            why: why.into(),
        };
    }

    fn failed(&mut self, (at, retry_after): (IngestTime, Option<Millis>), why: &str) {
        match next_try(&self.item.id, self.attempts, at, retry_after) {
            Some(due) if due < self.item.expires => self.phase = Phase::Waiting { due },
            Some(_) => self.die(at, "expired before the next try"),
            None => self.die(at, why),
        }
    }
}

/// A time moved by so many milliseconds; itself where that leaves the accepted years.
pub(super) fn later(at: IngestTime, ms: i64) -> IngestTime {
    IngestTime::from_millis(at.as_millis().saturating_add(ms)).unwrap_or(at)
}
