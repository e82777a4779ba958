//! Limits on what is under way at the same time.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Unit in which memory is reserved, bytes.
const UNIT_BYTES: usize = 4 * 1024;

/// Memory for bodies.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Semaphore>);

/// Memory one body holds. Dropping it gives it back.
#[derive(Debug, Default)]
pub(crate) struct Reservation {
    budget: Option<Arc<Semaphore>>,
    held: Option<OwnedSemaphorePermit>,
    units: usize,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(
            (bytes / UNIT_BYTES).min(Semaphore::MAX_PERMITS),
        )))
    }

    /// An empty reservation.
    pub(crate) fn reserve(&self) -> Reservation {
        Reservation {
            budget: Some(Arc::clone(&self.0)),
            held: None,
            units: 0,
        }
    }
}

impl Reservation {
    /// Holds at least this many bytes; false if there is no more memory.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let wanted = bytes.div_ceil(UNIT_BYTES);
        let missing = wanted.saturating_sub(self.units);
        if missing == 0 {
            return true;
        }
        let Some(budget) = &self.budget else {
            return false;
        };
        let Ok(missing_permits) = u32::try_from(missing) else {
            return false;
        };
        let Ok(more) = Arc::clone(budget).try_acquire_many_owned(missing_permits) else {
            return false;
        };
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        self.units = wanted;
        true
    }
}
