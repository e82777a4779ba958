//! How much is under way: memory of requests from admission until the reducer has taken them.

use habitus_console::product::Refusal;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seconds after which a refused sender may come again: a full queue drains in less.
const RETRY_SECONDS: u32 = 1;

/// The budget. Cloning gives another handle of the same.
#[derive(Debug, Clone)]
pub struct Load {
    used: Arc<AtomicUsize>,
    max: usize,
}

/// A part of the budget; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    load: Load,
    bytes: usize,
}

impl Load {
    /// A budget of so many bytes.
    pub fn new(max: usize) -> Self {
        Self {
            used: Arc::new(AtomicUsize::new(0)),
            max,
        }
    }

    /// Takes a part, if there is that much left. A request alone is always admitted, or none above the budget ever would be.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`].
    pub fn admit(&self, bytes: usize) -> Result<Permit, Refusal> {
        let fits = |used: usize| {
            (used == 0 || used.saturating_add(bytes) <= self.max).then(|| used.saturating_add(bytes))
        };
        let taken = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits);
        match taken {
            Ok(_) => Ok(Permit {
                load: self.clone(),
                bytes,
            }),
            Err(_) => Err(Refusal::Overloaded {
                retry_after: RETRY_SECONDS,
            }),
        }
    }

    /// Bytes under way.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.load.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_and_comes_back() {
        let load = Load::new(100);
        let first = load.admit(60).unwrap();
        assert!(load.admit(60).is_err());
        let second = load.admit(40).unwrap();
        drop(first);
        assert_eq!(load.used(), 40);
        drop(second);
        let large = load.admit(1_000).unwrap();
        assert!(load.admit(1).is_err(), "one above the budget goes alone");
        drop(large);
        assert_eq!(load.used(), 0);
    }
}
