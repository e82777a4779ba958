//! The outbox: orders to responders, kept until they are carried out, or a person has seen that they were not.
//!
//! An order is put once by its id, and every lease, attempt and outcome is on stable storage before it counts. It is carried out at
//! least once; its id is the idempotency key that lets the target make this exactly once. Failed orders are tried again by a
//! schedule, a responder that keeps failing is left alone by its breaker, and what cannot be done becomes a dead letter. Nothing
//! is dropped silently.

pub mod breaker;
mod item;
pub mod schedule;
mod state;
#[cfg(test)]
mod tests;

pub use item::{Counts, DeadLetter, Due, Fate, Item, Lease, OutboxRecovery, Outcome};

use crate::crypto::Keyring;
use crate::log::{Entry, Log, Maintenance, Position, Retention, Settings};
use crate::storage::Dir;
use crate::{Error, Result};
use breaker::{Breaker, Permit};
use habitus_model::{IngestTime, TenantId, Text};
use state::{Event, Order, Phase, State, later};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long the id of a finished order is remembered: putting it again in this time does nothing. A day more than the window of
/// deduplication, so that what is replayed is known.
pub const DONE_KEPT_MS: i64 = 8 * 86_400_000;
/// Ids of finished orders that are remembered; beyond, the oldest is forgotten early.
pub const DONE_MAX: usize = 1_000_000;
/// Bytes of payloads that are kept in memory, dead letters included; beyond, orders are refused.
pub const PAYLOADS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Dead letters that are kept; beyond, the oldest makes room, and is told.
pub const DEAD_MAX: usize = 10_000;
/// The file is written anew when it has this many bytes and more than [`COMPACT_FACTOR`] times what it had when it was last.
const COMPACT_BYTES_MIN: u64 = 4 * 1024 * 1024;
const COMPACT_FACTOR: u64 = 4;
const SEGMENT_BYTES: u64 = 8 * 1024 * 1024;
const KIND: u8 = 1;

/// The outbox: one owner.
pub struct Outbox {
    log: Log,
    maintenance: Maintenance,
    state: State,
    breakers: BTreeMap<Text, Breaker>,
    /// Bytes written since the file was last written anew, and what it had then.
    written: u64,
    base_bytes: u64,
}

impl Outbox {
    /// Opens the outbox in a directory of its own.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open(dir: Arc<dyn Dir>, keys: Keyring) -> Result<(Self, OutboxRecovery)> {
        let settings = Settings {
            segment_bytes: SEGMENT_BYTES,
            keys,
            ..Settings::default()
        };
        Self::open_with(dir, settings)
    }

    pub(crate) fn open_with(dir: Arc<dyn Dir>, settings: Settings) -> Result<(Self, OutboxRecovery)> {
        let (log, recovery) = Log::open(dir, settings)?;
        let mut reader = log.readers().from(Position(0));
        let (mut state, mut written) = (State::default(), 0);
        let mut base = None;
        for record in reader.by_ref() {
            let entry = record?.entry;
            written += crate::bytes::wide(entry.frame_bytes());
            // What cannot be decoded was intact, so it is of a newer version; the rest still counts.
            if let Ok(event) = postcard::from_bytes(&entry.payload) {
                replay(&mut state, &mut base, &event);
            }
        }
        let under_way = state.leases.len();
        state.end_leases();
        let recovery = OutboxRecovery {
            log: recovery,
            damage: reader.damage(),
            under_way,
        };
        let outbox = Self {
            maintenance: log.maintenance(Retention::default()),
            log,
            state,
            breakers: BTreeMap::new(),
            written,
            base_bytes: 0,
        };
        Ok((outbox, recovery))
    }

    /// Takes orders; those whose id is known are left out. Gives how many were new. After this they are on stable storage.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when [`PAYLOADS_BYTES_MAX`] are kept, [`Error::TooLarge`]: none is taken. [`Error::Full`] or
    /// [`Error::Io`]: some may be taken; putting all again is harmless.
    pub fn put(&mut self, items: &[Item], now: IngestTime) -> Result<usize> {
        let mut ids = BTreeSet::new();
        let is_new = |item: &&Item| !self.state.knows(&item.id) && ids.insert(item.id.clone());
        let new: Vec<&Item> = items.iter().filter(is_new).collect();
        let bytes: usize = new.iter().map(|item| item.payload.len()).sum();
        if self.state.bytes.saturating_add(bytes) > PAYLOADS_BYTES_MAX {
            return Err(Error::Overloaded);
        }
        let events: Vec<Event> = new.iter().map(|item| Event::Put((*item).clone(), now)).collect();
        self.write(&events, now)?;
        Ok(events.len())
    }

    /// Whether an order of this id waits, is dead, or was done lately.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.state.knows(id)
    }

    /// Hands out what is due, at most `limit` orders for each responder, so that one with many does not keep others waiting.
    /// Cost: logarithmic in what waits, for each order handed out.
    ///
    /// # Errors
    /// As [`Outbox::put`]: nothing is handed out.
    pub fn due(&mut self, now: IngestTime, limit: usize) -> Result<Due> {
        self.due_but_for(&BTreeSet::new(), now, limit)
    }

    /// The same, and nothing for responders that are busy: their breakers are not asked either.
    ///
    /// # Errors
    /// As [`Outbox::due`].
    pub fn due_but_for(&mut self, busy: &BTreeSet<Text>, now: IngestTime, limit: usize) -> Result<Due> {
        let mut due = Due {
            expired: self.before(&self.state.expiry, now),
            lapsed: self.before(&self.state.leases, now),
            ..Due::default()
        };
        let mut events: Vec<Event> = Vec::new();
        events.extend(due.expired.iter().map(|id| Event::Expired(id.clone(), now)));
        events.extend(due.lapsed.iter().filter_map(|id| self.lapse(id, now)));
        self.write(&events, now)?;
        let breakers = self.breakers.clone();
        let chosen = self.choose(busy, now, limit);
        let events: Vec<Event> = chosen.iter().map(|id| Event::Leased(id.clone(), now)).collect();
        if let Err(error) = self.write(&events, now) {
            // Nobody carries the probe out that a breaker may wait for.
            self.breakers = breakers;
            return Err(error);
        }
        due.leases = chosen.iter().filter_map(|id| self.lease(id)).collect();
        Ok(due)
    }

    /// Records what came of a try.
    ///
    /// # Errors
    /// As [`Outbox::put`]: the order stays leased until its lease ends.
    pub fn done(&mut self, lease: (&str, u32), outcome: Outcome, now: IngestTime) -> Result<Fate> {
        let (id, attempt) = (Text::from(lease.0), lease.1);
        let Some(order) = self.state.orders.get(&id) else {
            return Ok(Fate::Unknown);
        };
        let is_late = order.attempts != attempt || !matches!(order.phase, Phase::Leased { .. });
        if is_late && outcome != Outcome::Delivered {
            return Ok(Fate::Unknown);
        }
        let responder = order.item.responder.clone();
        // A refusal is an answer: the responder works.
        let is_failure = matches!(outcome, Outcome::Failed { .. });
        let event = Event::Outcome {
            id: id.clone(),
            attempt,
            outcome,
            at: now,
        };
        self.write(&[event], now)?;
        let breaker = self.breakers.entry(responder).or_default();
        if is_failure {
            breaker.failed(now);
        } else {
            breaker.succeeded();
        }
        Ok(match self.state.orders.get(&id).map(|order| &order.phase) {
            None => Fate::Done,
            Some(Phase::Waiting { due }) => Fate::Again(*due),
            Some(Phase::Dead { .. }) => Fate::Dead,
            Some(Phase::Leased { .. }) => Fate::Unknown,
        })
    }

    /// Dead letters, oldest first.
    #[must_use]
    pub fn dead(&self) -> Vec<DeadLetter> {
        let orders = self
            .state
            .dead
            .iter()
            .filter_map(|(_, id)| self.state.orders.get(id));
        orders.filter_map(dead_letter).collect()
    }

    /// Lets a dead letter be tried again from the start, until `expires`. `false` if there is none of this id.
    ///
    /// # Errors
    /// As [`Outbox::put`].
    pub fn retry(&mut self, id: &str, expires: IngestTime, now: IngestTime) -> Result<bool> {
        self.act_on_dead(id, |id| Event::Retried { id, at: now, expires }, now)
    }

    /// Removes a dead letter. `false` if there is none of this id.
    ///
    /// # Errors
    /// As [`Outbox::put`].
    pub fn discard(&mut self, id: &str, now: IngestTime) -> Result<bool> {
        self.act_on_dead(id, |id| Event::Discarded(id, now), now)
    }

    /// How many orders there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            waiting: self.state.expiry.len(),
            leased: self.state.leases.len(),
            dead: self.state.dead.len(),
            done: self.state.done_count(),
        }
    }

    /// When [`Outbox::due`] may have something next; absent if nothing waits. A breaker may put it off.
    #[must_use]
    pub fn next_due(&self) -> Option<IngestTime> {
        let waiting = self.state.due.values().filter_map(|queue| queue.first());
        let all = waiting
            .chain(self.state.leases.first())
            .chain(self.state.expiry.first());
        all.map(|(at, _)| *at).min()
    }

    /// The breaker of a responder, for showing.
    #[must_use]
    pub fn breaker(&self, responder: &str) -> breaker::State {
        self.breakers.get(responder).copied().unwrap_or_default().state()
    }

    /// Position after the last event, for snapshots.
    #[must_use]
    pub fn position(&self) -> Position {
        self.log.end()
    }

    /// Forgets what is remembered long enough, makes room among dead letters, and writes the file anew if most of it is history.
    /// Gives the dead letters that were dropped. To be called now and then.
    ///
    /// # Errors
    /// As [`Outbox::put`]; nothing is lost.
    pub fn maintain(&mut self, now: IngestTime) -> Result<Vec<DeadLetter>> {
        let surplus = self.state.dead.len().saturating_sub(DEAD_MAX);
        let oldest = self
            .state
            .dead
            .iter()
            .take(surplus)
            .filter_map(|(_, id)| self.state.orders.get(id));
        let dropped: Vec<DeadLetter> = oldest.filter_map(dead_letter).collect();
        let events: Vec<Event> = dropped
            .iter()
            .map(|letter| Event::Discarded(letter.item.id.clone(), now))
            .collect();
        self.write(&events, now)?;
        self.state.forget(later(now, -DONE_KEPT_MS), DONE_MAX);
        if self.written >= COMPACT_BYTES_MIN && self.written >= COMPACT_FACTOR * self.base_bytes {
            self.compact(now)?;
        }
        Ok(dropped)
    }

    /// Writes the state as it is and removes the history before it.
    pub(crate) fn compact(&mut self, now: IngestTime) -> Result<()> {
        self.log.close_segment();
        let from = self.log.end();
        let before = self.written;
        self.append(&self.state.base(), now, |_, _| {})?;
        self.base_bytes = self.written - before;
        self.written = self.base_bytes;
        self.maintenance.remove_before(from)
    }

    fn act_on_dead(&mut self, id: &str, event: impl FnOnce(Text) -> Event, now: IngestTime) -> Result<bool> {
        let order = self.state.orders.get(id);
        let Some(order) = order.filter(|order| matches!(order.phase, Phase::Dead { .. })) else {
            return Ok(false);
        };
        let id = order.item.id.clone();
        self.write(&[event(id)], now)?;
        Ok(true)
    }

    /// Ids of an index whose time has come.
    fn before(&self, index: &BTreeSet<(IngestTime, Text)>, now: IngestTime) -> Vec<Text> {
        let reached = index.iter().take_while(|(at, _)| *at <= now);
        reached.map(|(_, id)| id.clone()).collect()
    }

    /// The failure of a try whose lease ended.
    fn lapse(&mut self, id: &Text, now: IngestTime) -> Option<Event> {
        let order = self.state.orders.get(id)?;
        self.breakers
            .entry(order.item.responder.clone())
            .or_default()
            .failed(now);
        Some(Event::Outcome {
            id: id.clone(),
            attempt: order.attempts,
            outcome: Outcome::Failed {
                why: "no outcome in time".into(),
                retry_after: None,
            },
            at: now,
        })
    }

    fn choose(&mut self, busy: &BTreeSet<Text>, now: IngestTime, limit: usize) -> Vec<Text> {
        let mut chosen = Vec::new();
        for (responder, queue) in self.state.due.iter().filter(|(name, _)| !busy.contains(*name)) {
            let mut reached = queue
                .iter()
                .take_while(|(due, _)| *due <= now)
                .map(|(_, id)| id.clone());
            let Some(first) = reached.next().filter(|_| limit > 0) else {
                continue;
            };
            match self.breakers.entry(responder.clone()).or_default().permit(now) {
                Permit::Wait => {}
                Permit::Probe => chosen.push(first),
                Permit::Go => {
                    chosen.push(first);
                    chosen.extend(reached.take(limit - 1));
                }
            }
        }
        chosen
    }

    fn lease(&self, id: &Text) -> Option<Lease> {
        let order = self.state.orders.get(id)?;
        match order.phase {
            Phase::Leased { until } => Some(Lease {
                item: order.item.clone(),
                attempt: order.attempts,
                until,
            }),
            Phase::Waiting { .. } | Phase::Dead { .. } => None,
        }
    }

    /// Writes events down, then lets them happen.
    fn write(&mut self, events: &[Event], now: IngestTime) -> Result<()> {
        self.append(events, now, State::apply)
    }

    fn append(
        &mut self,
        events: &[Event],
        now: IngestTime,
        apply: impl Fn(&mut State, &Event),
    ) -> Result<()> {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            let payload = postcard::to_stdvec(event).map_err(|_| Error::Encoding("an order"))?;
            let entry = Entry {
                kind: KIND,
                tenant: TenantId::new(""),
                source: Text::default(),
                ingested: now,
                payload,
            };
            entry.check()?;
            entries.push(entry);
        }
        let (mut first, mut bytes) = (0, 0);
        for (index, entry) in entries.iter().enumerate() {
            if bytes > 0 && bytes + entry.frame_bytes() > crate::group::GROUP_BYTES {
                self.commit((&entries, events), first..index, &apply)?;
                (first, bytes) = (index, 0);
            }
            bytes += entry.frame_bytes();
        }
        self.commit((&entries, events), first..entries.len(), &apply)
    }

    fn commit(
        &mut self,
        (entries, events): (&[Entry], &[Event]),
        range: std::ops::Range<usize>,
        apply: &impl Fn(&mut State, &Event),
    ) -> Result<()> {
        let entries = entries.get(range.clone()).unwrap_or_default();
        self.log.append(entries)?;
        self.log.commit()?;
        self.written += entries
            .iter()
            .map(|entry| crate::bytes::wide(entry.frame_bytes()))
            .sum::<u64>();
        for event in events.get(range).unwrap_or_default() {
            apply(&mut self.state, event);
        }
        Ok(())
    }
}

/// Applies an event that is read; a base takes effect only when it is complete.
fn replay(state: &mut State, base: &mut Option<(State, u64)>, event: &Event) {
    match event {
        Event::Base => *base = Some((State::default(), 0)),
        Event::BaseOrder(_) | Event::BaseDone(..) => {
            if let Some((candidate, count)) = base {
                candidate.apply(event);
                *count += 1;
            }
        }
        Event::BaseEnd(expected) => {
            if let Some((candidate, _)) = base.take().filter(|(_, count)| count == expected) {
                *state = candidate;
            }
        }
        Event::Put(..)
        | Event::Leased(..)
        | Event::Outcome { .. }
        | Event::Expired(..)
        | Event::Retried { .. }
        | Event::Discarded(..) => state.apply(event),
    }
}

fn dead_letter(order: &Order) -> Option<DeadLetter> {
    match &order.phase {
        Phase::Dead { since, why } => Some(DeadLetter {
            item: order.item.clone(),
            attempts: order.attempts,
            since: *since,
            why: why.clone(),
        }),
        Phase::Waiting { .. } | Phase::Leased { .. } => None,
    }
}
