//! The accounts that counted last, so that one account counts once.

use serde::{Deserialize, Serialize};

/// The last eight accounts, by half of their fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Recent {
    accounts: [u32; 8],
    next: u8,
}

impl Recent {
    /// Whether the account is not among the last; notes it.
    pub(super) fn note(&mut self, account: u64) -> bool {
        // 0 marks an empty place.
        let half = u32::try_from(account >> 32).unwrap_or(0).max(1);
        if self.accounts.contains(&half) {
            return false;
        }
        if let Some(place) = self.accounts.get_mut(usize::from(self.next)) {
            *place = half;
        }
        self.next = (self.next + 1) % 8;
        true
    }
}
