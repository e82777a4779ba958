//! Events in order as they were put aside: sealed in batches, opened on any thread, those that came before left out.

use super::spare::{Empty, Spare};
use super::stored::Item;
use crate::failure::Failure;
use habitus_engine::{Hashed, Record};
use habitus_model::Text;
use habitus_model::hash::HashKey;
use habitus_sources::{SortKey, Sorted};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Events of a batch: the engine's longest epoch, so that its threads are started once for each.
pub const BATCH_EVENTS: usize = 4_096;
/// Bytes of a batch, about: large events come in smaller batches.
const BATCH_BYTES: usize = 4 << 20;
/// Events with one key that are compared with the next; ids that repeat more often than this within a millisecond are no
/// ids.
const SAME_KEY_MAX: usize = 256;

/// A batch as it was stored.
#[derive(Default)]
pub struct Sealed {
    bytes: Vec<u8>,
    items: Vec<(SortKey, Range<usize>)>,
}

impl Empty for Sealed {
    fn empty(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }
}

/// A batch whose events can be scored.
#[derive(Default)]
pub struct Opened {
    /// The events.
    pub records: Vec<Record>,
    /// The hashes of each, if a key was given.
    pub hashes: Vec<Hashed>,
    /// The format of each.
    pub sources: Vec<Text>,
    /// The place of each in the order.
    keys: Vec<SortKey>,
}

impl Empty for Opened {
    fn empty(&mut self) {
        self.records.clear();
        self.hashes.clear();
        self.sources.clear();
        self.keys.clear();
    }
}

/// The memory of batches, on its way back.
#[derive(Default)]
pub struct Spares {
    sealed: Spare<Sealed>,
    opened: Spare<Opened>,
}

impl Spares {
    /// The events of a batch, whose memory goes back, hashed with the key of the engine if one is given. Cost: linear in their bytes.
    ///
    /// # Errors
    /// A stored event that cannot be read.
    pub fn open(&self, sealed: Sealed, hash_key: Option<HashKey>) -> Result<Opened, Failure> {
        let mut opened = self.opened.take();
        for (key, range) in &sealed.items {
            let bytes = sealed.bytes.get(range.clone()).unwrap_or_default();
            let Item { record, source } = Item::take(*key, bytes)?;
            opened
                .hashes
                .extend(hash_key.map(|key| Hashed::of(&record.context, key)));
            opened.records.push(record);
            opened.sources.push(source);
            opened.keys.push(*key);
        }
        self.sealed.give(sealed);
        Ok(opened)
    }

    /// Gives a batch back that was worked off.
    pub fn give(&self, opened: Opened) {
        self.opened.give(opened);
    }
}

/// Batches in order.
pub struct SealedBatches {
    sorted: Sorted,
    item: Vec<u8>,
    failed: bool,
    spares: Arc<Spares>,
}

impl SealedBatches {
    /// Where batches are opened and given back.
    pub fn spares(&self) -> Arc<Spares> {
        Arc::clone(&self.spares)
    }

    fn batch(&mut self) -> Result<Option<Sealed>, Failure> {
        let mut sealed = self.spares.sealed.take();
        while sealed.items.len() < BATCH_EVENTS && sealed.bytes.len() < BATCH_BYTES {
            let Some(key) = self.sorted.next_into(&mut self.item)? else {
                break;
            };
            let start = sealed.bytes.len();
            sealed.bytes.extend_from_slice(&self.item);
            sealed.items.push((key, start..sealed.bytes.len()));
        }
        Ok(Some(sealed).filter(|sealed| !sealed.items.is_empty()))
    }
}

impl Iterator for SealedBatches {
    type Item = Result<Sealed, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.batch();
        self.failed = batch.is_err();
        batch.transpose()
    }
}

/// Tells events that came before, among neighbours with equal keys.
#[derive(Default)]
pub struct Repeats {
    key: Option<SortKey>,
    /// Events with that key, as they came in earlier batches or in this one.
    kept: Vec<Item>,
    left_out: u64,
}

impl Repeats {
    /// How many events were left out so far.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes the events out of the batch that comes next that came before.
    pub fn sieve(&mut self, batch: &mut Opened) {
        let keys = std::mem::take(&mut batch.keys);
        let mut again = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let same = self.key == Some(*key);
            if !same {
                self.key = Some(*key);
                self.kept.clear();
            }
            // Only what may meet an equal key is looked at: nearly nothing.
            let may_meet = keys.get(at + 1).is_none_or(|next| next == key);
            if !same && !may_meet {
                continue;
            }
            let Some(item) = item(batch, at) else { continue };
            if self.kept.iter().any(|kept| kept.is_same(&item)) {
                again.push(at);
            } else if self.kept.len() < SAME_KEY_MAX {
                self.kept.push(item);
            }
        }
        batch.keys = keys;
        self.left_out += u64::try_from(again.len()).unwrap_or(u64::MAX);
        leave_out(batch, &again);
    }
}

fn item(batch: &Opened, at: usize) -> Option<Item> {
    Some(Item {
        record: batch.records.get(at)?.clone(),
        source: batch.sources.get(at)?.clone(),
    })
}

/// Removes the events at these places, which rise.
fn leave_out(batch: &mut Opened, places: &[usize]) {
    if places.is_empty() {
        return;
    }
    let mut at = 0..;
    batch
        .records
        .retain(|_| at.next().is_none_or(|at| places.binary_search(&at).is_err()));
    let mut at = 0..;
    batch
        .hashes
        .retain(|_| at.next().is_none_or(|at| places.binary_search(&at).is_err()));
    let mut at = 0..;
    batch
        .sources
        .retain(|_| at.next().is_none_or(|at| places.binary_search(&at).is_err()));
}

/// All events in order.
pub struct Ordered {
    batches: SealedBatches,
    repeats: Repeats,
    ready: VecDeque<Item>,
}

impl Ordered {
    /// What a sorter put in order.
    pub fn new(sorted: Sorted) -> Self {
        Self {
            batches: SealedBatches {
                sorted,
                item: Vec::new(),
                failed: false,
                spares: Arc::default(),
            },
            repeats: Repeats::default(),
            ready: VecDeque::new(),
        }
    }

    /// The batches, for those who open them on threads of their own.
    pub fn into_batches(self) -> SealedBatches {
        self.batches
    }

    /// The next event; absent at the end.
    ///
    /// # Errors
    /// Temporary files that cannot be read.
    pub fn next(&mut self) -> Result<Option<Item>, Failure> {
        while self.ready.is_empty() {
            let Some(sealed) = self.batches.next() else {
                return Ok(None);
            };
            let mut opened = self.batches.spares.open(sealed?, None)?;
            self.repeats.sieve(&mut opened);
            let items = opened.records.drain(..).zip(opened.sources.drain(..));
            self.ready
                .extend(items.map(|(record, source)| Item { record, source }));
            self.batches.spares.give(opened);
        }
        Ok(self.ready.pop_front())
    }
}
