//! Buffers that go round: filled on one thread, emptied on another, and filled again.
//!
//! A batch of stored events takes a megabyte. Allocated anew each time, every page of it is faulted in and zeroed again.

use std::sync::{Mutex, PoisonError};

/// Something that can be emptied and keeps its memory.
pub trait Empty {
    /// Forgets what is in it.
    fn empty(&mut self);
}

/// Buffers with their memory. There are as many as ever were in use at once.
#[derive(Debug)]
pub struct Spare<T> {
    buffers: Mutex<Vec<T>>,
}

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Self {
            buffers: Mutex::default(),
        }
    }
}

impl<T: Empty + Default> Spare<T> {
    /// An empty buffer, one that was used before if there is one. Who takes one empties it: buffers are given back by the thread
    /// that everything waits for.
    pub fn take(&self) -> T {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = buffers.pop();
        drop(buffers);
        let mut buffer = taken.unwrap_or_default();
        buffer.empty();
        buffer
    }

    /// Gives a buffer back. What is in it is forgotten.
    pub fn give(&self, buffer: T) {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.push(buffer);
    }
}

impl<T> Empty for Vec<T> {
    fn empty(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_comes_back_empty() {
        let spare = Spare::<Vec<u8>>::default();
        spare.give(vec![1; 1_000]);
        let again = spare.take();
        assert!(again.is_empty() && again.capacity() >= 1_000);
        assert_eq!(spare.take().capacity(), 0);
    }
}
