//! Buffers that go round: filled on one thread, emptied on another, and filled again.
//!
//! A batch of verdicts takes six megabytes. Allocated anew each time, every page of it is faulted in and zeroed again.

use std::sync::{Mutex, PoisonError};

/// Empty buffers with their memory. There are as many as ever were in use at once.
#[derive(Debug, Default)]
pub struct Spare {
    buffers: Mutex<Vec<Vec<u8>>>,
}

impl Spare {
    /// An empty buffer, one that was used before if there is one.
    pub fn take(&self) -> Vec<u8> {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    /// Gives a buffer back. What is in it is forgotten.
    pub fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_comes_back_empty() {
        let spare = Spare::default();
        spare.give(vec![1; 1_000]);
        let again = spare.take();
        assert!(again.is_empty() && again.capacity() >= 1_000);
        assert_eq!(spare.take().capacity(), 0);
    }
}
