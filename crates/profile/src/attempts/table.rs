//! A table of bounded size that a scan cannot flush.
//!
//! Two generations: when the young one is full, it becomes the old one, and what was not touched since is forgotten. Under
//! pressure a key must show up twice before it is admitted (Einziger et al., TinyLFU, 2017), so that a scan that uses each
//! key once takes little room; and what is heavy goes on into the next generation, touched or not.

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Counters of one row of the sketch of keys that asked to be admitted; there are two rows, a byte a counter.
const SKETCH_WIDTH: usize = 65_536;
/// After so many requests all counters are halved: half a request a counter, so that a new key is mistaken for one seen
/// before in at most a sixth of the cases.
const SKETCH_REQUESTS: u32 = 32_768;

/// What a table holds.
pub trait Keyed: Copy {
    /// Its fingerprint, a hash that nobody outside can choose.
    fn key(&self) -> u64;
    /// How much would be lost with it; at least 0.
    fn weight(&self) -> f32;
}

/// The table. A copy shares what it holds until one of the two changes it.
#[derive(Debug, Clone)]
pub struct Generations<T> {
    young: Generation<T>,
    old: Generation<T>,
    requests: Requests,
    capacity: usize,
}

/// One generation: empty ones take no memory, and a copy takes none before a change.
#[derive(Debug, Clone)]
struct Generation<T>(Option<Arc<HashTable<T>>>);

/// A table as plain data, in the order of its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerationsState<T> {
    young: Vec<T>,
    old: Vec<T>,
    requests: Requests,
}

/// A count-min sketch (Cormode & Muthukrishnan 2005) of requests for admission. Empty until there is pressure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Requests {
    counts: Vec<u8>,
    since_halved: u32,
}

impl<T: Keyed> Generations<T> {
    /// An empty table of at most `capacity` keys in each of two generations.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            requests: Requests::default(),
            capacity: capacity.max(8),
        }
    }

    /// What is held of a key. O(1).
    #[must_use]
    pub fn find(&self, key: u64) -> Option<&T> {
        self.young.find(key).or_else(|| self.old.find(key))
    }

    /// Puts a value in place of the one held, or in place of none if there is room for it. O(1), amortised.
    pub fn put(&mut self, value: T) {
        let key = value.key();
        if let Some(held) = self.young.find_mut(key) {
            *held = value;
            return;
        }
        let was_old = self.old.take(key);
        let pressed = self.young.len() >= self.capacity / 2;
        if pressed && !was_old && !self.requests.asked_before(key) {
            return;
        }
        if self.young.len() >= self.capacity {
            self.turn();
        }
        self.young.add(value);
    }

    /// Forgets a key. O(1).
    pub fn forget(&mut self, key: u64) {
        self.young.take(key);
        self.old.take(key);
    }

    /// Number of keys held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The table as data, the same for the same history.
    #[must_use]
    pub fn state(&self) -> GenerationsState<T> {
        let sorted = |table: &Generation<T>| {
            let mut all: Vec<T> = table.all().copied().collect();
            all.sort_unstable_by_key(Keyed::key);
            all
        };
        GenerationsState {
            young: sorted(&self.young),
            old: sorted(&self.old),
            requests: self.requests.clone(),
        }
    }

    /// From data.
    #[must_use]
    pub fn from_state(state: GenerationsState<T>, capacity: usize) -> Self {
        let table = |values: Vec<T>| {
            let mut table = HashTable::with_capacity(values.len());
            for value in values {
                table.insert_unique(value.key(), value, Keyed::key);
            }
            Generation((!table.is_empty()).then(|| Arc::new(table)))
        };
        Self {
            young: table(state.young),
            old: table(state.old),
            requests: state.requests,
            ..Self::new(capacity)
        }
    }

    /// The young become the old; of the old the heaviest go on, at most a quarter of the capacity.
    fn turn(&mut self) {
        let dropped = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        self.requests = Requests::default();
        let least = least_weight(&dropped, self.capacity / 4);
        for value in dropped.all().filter(|value| value.weight() >= least) {
            self.young.add(*value);
        }
    }
}

impl<T> Default for Generation<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Keyed> Generation<T> {
    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |table| table.len())
    }

    fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|table| table.iter())
    }

    fn find(&self, key: u64) -> Option<&T> {
        self.0.as_ref()?.find(key, |held| held.key() == key)
    }

    fn find_mut(&mut self, key: u64) -> Option<&mut T> {
        let is_it = |held: &T| held.key() == key;
        let table = self.0.as_mut()?;
        // What is shared is not copied for nothing.
        if Arc::strong_count(table) > 1 {
            table.find(key, is_it)?;
        }
        Arc::make_mut(table).find_mut(key, is_it)
    }

    /// Adds a value whose key is not held.
    fn add(&mut self, value: T) {
        let table = Arc::make_mut(self.0.get_or_insert_default());
        table.insert_unique(value.key(), value, Keyed::key);
    }

    /// Takes a key out; whether it was there.
    fn take(&mut self, key: u64) -> bool {
        let is_it = |held: &T| held.key() == key;
        let Some(table) = &mut self.0 else { return false };
        if Arc::strong_count(table) > 1 && table.find(key, is_it).is_none() {
            return false;
        }
        let entry = Arc::make_mut(table).find_entry(key, is_it);
        entry.map(|entry| entry.remove()).is_ok()
    }
}

/// The least power of two that at most `room` of the values weigh. Never 1 or less: who failed once is not missed.
fn least_weight<T: Keyed>(values: &Generation<T>, room: usize) -> f32 {
    const MOST: f32 = 1e9;
    let mut least = 2.0;
    while least < MOST && values.all().filter(|value| value.weight() >= least).count() > room {
        least *= 2.0;
    }
    least
}

impl Requests {
    /// Whether a key asked before, as far as two rows of counters tell; notes that it asked now.
    fn asked_before(&mut self, key: u64) -> bool {
        if self.counts.is_empty() {
            self.counts = vec![0; 2 * SKETCH_WIDTH];
        }
        if self.since_halved >= SKETCH_REQUESTS {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.since_halved = 0;
        }
        self.since_halved += 1;
        let mut least = u8::MAX;
        for (row, bits) in [(0, key >> 16), (1, key >> 40)] {
            let column = usize::try_from(bits).unwrap_or(usize::MAX) % SKETCH_WIDTH;
            if let Some(count) = self.counts.get_mut(row * SKETCH_WIDTH + column) {
                least = least.min(*count);
                *count = count.saturating_add(1);
            }
        }
        least > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::hash::HashKey;

    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    struct Held(u64, f32);

    impl Keyed for Held {
        fn key(&self) -> u64 {
            self.0
        }
        fn weight(&self) -> f32 {
            self.1
        }
    }

    fn key(n: u64) -> u64 {
        HashKey::REPLAY.fingerprint(&n)
    }

    #[test]
    fn a_scan_stays_bounded_and_does_not_flush_who_matters() {
        let capacity = 4_096;
        let mut table = Generations::new(capacity);
        for n in 0..200 {
            table.put(Held(key(n), 40.0));
        }
        let mut admitted = 0;
        for n in 1_000..1_001_000 {
            table.put(Held(key(n), 1.0));
            admitted += u32::from(table.find(key(n)).is_some());
            assert!(table.len() <= 2 * capacity);
        }
        let kept = (0..200).filter(|n| table.find(key(*n)).is_some()).count();
        assert_eq!(kept, 200, "hot keys were flushed");
        assert!(admitted < 600_000, "a scan is admitted: {admitted} of a million");
    }

    #[test]
    fn who_comes_back_is_admitted_under_pressure() {
        let mut table = Generations::new(64);
        for n in 0..40 {
            table.put(Held(key(n), 1.0));
        }
        table.put(Held(key(99), 1.0));
        assert!(table.find(key(99)).is_none());
        table.put(Held(key(99), 1.0));
        assert!(table.find(key(99)).is_some());
    }

    #[test]
    fn state_round_trips_with_its_requests() {
        let mut table = Generations::new(64);
        for n in 0..300 {
            table.put(Held(key(n), 3.0));
        }
        let again = Generations::from_state(table.state(), 64);
        assert_eq!(again.state(), table.state());
    }
}
