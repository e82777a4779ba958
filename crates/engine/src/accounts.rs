//! Profiles by account: an index of keyed fingerprints over a slab, the full id verified in the slab, so that neither a
//! collision nor an attacker who makes one can merge two accounts.

use habitus_model::AccountId;
use habitus_profile::Profile;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An account's place in the log's world: tenant by index, account by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// Index of the tenant.
    pub tenant: u32,
    /// Account.
    pub account: AccountId,
}

/// One account's slot and profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Whose.
    pub slot: Slot,
    /// Fingerprint of tenant and account.
    pub fingerprint: u64,
    /// Start of the epoch in which it was first held: until that ends, the network stage does not know the account.
    pub since: u64,
    /// What is remembered.
    pub profile: Profile,
}

/// The accounts of one shard.
#[derive(Debug, Default)]
pub struct Accounts {
    index: HashTable<u32>,
    slab: Slab,
}

/// Accounts by number, in pieces, so that growing moves none of them, and a picture of all takes a pointer for each piece: who
/// changes an account while a picture is about first takes a copy of its piece.
#[derive(Debug, Default)]
struct Slab {
    pieces: Vec<Piece>,
    count: usize,
}

/// Some accounts, shared with pictures.
pub type Piece = Arc<Vec<Held>>;

/// Accounts that are brought into the cache at once: a core has about so many misses under way (Intel's optimisation
/// manual: 16 fill buffers and up).
pub const WARM_MAX: usize = 16;

/// Accounts of a piece, about 64 KiB: its copy holds up one event for some twenty microseconds, and a picture of a million
/// accounts has 15,625 pointers.
pub const PIECE_ACCOUNTS: usize = 64;

impl Slab {
    fn get(&self, at: usize) -> Option<&Held> {
        self.pieces.get(at / PIECE_ACCOUNTS)?.get(at % PIECE_ACCOUNTS)
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut Held> {
        let piece = self.pieces.get_mut(at / PIECE_ACCOUNTS)?;
        Arc::make_mut(piece).get_mut(at % PIECE_ACCOUNTS)
    }

    fn push(&mut self, held: Held) {
        if self
            .pieces
            .last()
            .is_none_or(|piece| piece.len() == PIECE_ACCOUNTS)
        {
            // The first piece grows: a copy of what waits holds a few accounts.
            let room = if self.pieces.is_empty() { 0 } else { PIECE_ACCOUNTS };
            self.pieces.push(Arc::new(Vec::with_capacity(room)));
        }
        if let Some(piece) = self.pieces.last_mut() {
            Arc::make_mut(piece).push(held);
            self.count += 1;
        }
    }

    /// Takes one out and puts the last in its place.
    fn swap_remove(&mut self, at: usize) {
        let last = self.pieces.last_mut();
        let Some(last) = last.and_then(|piece| Arc::make_mut(piece).pop()) else {
            return;
        };
        self.count -= 1;
        if self.pieces.last().is_some_and(|piece| piece.is_empty()) {
            self.pieces.pop();
        }
        if let Some(held) = self.get_mut(at) {
            *held = last;
        }
    }
}

impl Accounts {
    /// The account's profile, if it has one. Cost: O(1).
    pub fn get(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<&Profile> {
        self.held(fingerprint, tenant, account).map(|held| &held.profile)
    }

    /// The account as it is held. Cost: O(1).
    pub fn held(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<&Held> {
        self.slab.get(self.position(fingerprint, tenant, account)?)
    }

    /// The account's profile, for learning.
    pub fn get_mut(&mut self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<&mut Profile> {
        let at = self.position(fingerprint, tenant, account)?;
        self.slab.get_mut(at).map(|held| &mut held.profile)
    }

    /// Brings the profiles of these fingerprints into the processor's cache, side by side rather than one after the other
    /// when their turn has come. Changes nothing.
    pub fn warm(&self, fingerprints: impl Iterator<Item = u64>) {
        let held = fingerprints.map(|fingerprint| {
            let of_it = |at: &u32| {
                let held = usize::try_from(*at).ok().and_then(|at| self.slab.get(at));
                held.is_some_and(|held| held.fingerprint == fingerprint)
            };
            let at = self.index.find(fingerprint, of_it)?;
            self.slab.get(usize::try_from(*at).ok()?)
        });
        let mut found = [None; WARM_MAX];
        for (found, held) in found.iter_mut().zip(held) {
            *found = held;
        }
        let read = found
            .iter()
            .flatten()
            .fold(0, |read, held| read ^ held.profile.touch());
        std::hint::black_box(read);
    }

    /// Remembers a new account. The caller has seen that it is not held.
    pub fn insert(&mut self, held: Held) {
        let Ok(at) = u32::try_from(self.slab.count) else {
            return;
        };
        let fingerprint = held.fingerprint;
        self.slab.push(held);
        let slab = &self.slab;
        let rehash = |at: &u32| {
            slab.get(usize::try_from(*at).unwrap_or(usize::MAX))
                .map_or(0, |held| held.fingerprint)
        };
        self.index.insert_unique(fingerprint, at, rehash);
    }

    /// Forgets every account of this fingerprint. Changes the order of the others. O(1).
    pub fn remove(&mut self, fingerprint: u64) {
        while let Some(at) = self.unlink(fingerprint) {
            let last = u32::try_from(self.slab.count).unwrap_or(u32::MAX).wrapping_sub(1);
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            self.slab.swap_remove(place);
            let moved = self.slab.get(place).map(|held| held.fingerprint);
            if let Some(moved) = moved
                && let Some(link) = self.index.find_mut(moved, |link| *link == last)
            {
                *link = at;
            }
        }
    }

    /// Takes one account of this fingerprint out of the index; where it is in the slab.
    fn unlink(&mut self, fingerprint: u64) -> Option<u32> {
        let slab = &self.slab;
        let is_it = |at: &u32| {
            let held = usize::try_from(*at).ok().and_then(|at| slab.get(at));
            held.is_some_and(|held| held.fingerprint == fingerprint)
        };
        let entry = self.index.find_entry(fingerprint, is_it).ok()?;
        Some(entry.remove().0)
    }

    /// Every account, in the order they came.
    pub fn all(&self) -> impl Iterator<Item = &Held> {
        self.slab.pieces.iter().flat_map(|piece| piece.iter())
    }

    /// A picture of all accounts, which stays as it is. Cost: a pointer for each [`PIECE_ACCOUNTS`] of them.
    pub fn picture(&self) -> Vec<Piece> {
        self.slab.pieces.clone()
    }

    /// How many there are. O(1).
    pub fn count(&self) -> usize {
        self.slab.count
    }

    /// Bytes of the index. O(1).
    pub fn index_bytes(&self) -> usize {
        self.index.allocation_size()
    }

    fn position(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<usize> {
        let is_it = |at: &u32| {
            let held = usize::try_from(*at).ok().and_then(|at| self.slab.get(at));
            held.is_some_and(|held| held.slot.tenant == tenant && held.slot.account == *account)
        };
        self.index
            .find(fingerprint, is_it)
            .and_then(|at| usize::try_from(*at).ok())
    }
}
