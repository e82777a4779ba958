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
        note(&mut self.accounts, &mut self.next, account)
    }
}

/// Whether something is not among the last, by half of its fingerprint; notes it in place of the eldest. `next` is where that stands.
pub(super) fn note(last: &mut [u32], next: &mut u8, fingerprint: u64) -> bool {
    // 0 marks an empty place.
    let half = u32::try_from(fingerprint >> 32).unwrap_or(0).max(1);
    if last.contains(&half) {
        return false;
    }
    let at = usize::from(*next) % last.len().max(1);
    if let Some(place) = last.get_mut(at) {
        *place = half;
    }
    *next = u8::try_from((at + 1) % last.len().max(1)).unwrap_or(0);
    true
}
