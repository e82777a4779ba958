//! Profiles by account: an index of keyed fingerprints over a slab, the full id verified in the slab, so that neither a
//! collision nor an attacker who makes one can merge two accounts.

use habitus_model::AccountId;
use habitus_profile::Profile;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

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
    slab: Vec<Held>,
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

    /// Remembers a new account. The caller has seen that it is not held.
    pub fn insert(&mut self, held: Held) {
        let Ok(at) = u32::try_from(self.slab.len()) else {
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
            let last = u32::try_from(self.slab.len()).unwrap_or(u32::MAX).wrapping_sub(1);
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
    pub fn all(&self) -> &[Held] {
        &self.slab
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
