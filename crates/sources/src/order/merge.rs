//! The merge of runs: always the smallest key, among equals the earliest run.

use super::SortKey;
use super::run::RunReader;
use crate::Error;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Several runs as one.
pub(super) struct Merge {
    readers: Vec<RunReader>,
    heap: BinaryHeap<Reverse<(SortKey, usize)>>,
}

impl Merge {
    pub(super) fn new(readers: impl Iterator<Item = RunReader>) -> Result<Self, Error> {
        let mut readers: Vec<_> = readers.collect();
        let mut heap = BinaryHeap::with_capacity(readers.len());
        for (place, reader) in readers.iter_mut().enumerate() {
            reader.advance()?;
            heap.extend(reader.key().map(|key| Reverse((key, place))));
        }
        Ok(Self { readers, heap })
    }

    /// The smallest item; absent at the end.
    pub(super) fn head(&self) -> Option<(SortKey, &[u8])> {
        let Reverse((key, place)) = self.heap.peek()?;
        self.readers.get(*place).map(|reader| (*key, reader.bytes()))
    }

    /// Leaves the smallest item behind.
    pub(super) fn advance(&mut self) -> Result<(), Error> {
        let Some(Reverse((_, place))) = self.heap.pop() else {
            return Ok(());
        };
        if let Some(reader) = self.readers.get_mut(place) {
            reader.advance()?;
            self.heap.extend(reader.key().map(|key| Reverse((key, place))));
        }
        Ok(())
    }
}
