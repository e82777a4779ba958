//! Profiles by account: an index of keyed fingerprints over a slab, the full id verified in the slab, so that neither a
//! collision nor an attacker who makes one can merge two accounts.
//!
//! Those that came of late are at hand; the others are packed into a third or a quarter of the bytes, until they come again. Which
//! are packed changes no verdict and no snapshot: a profile that was packed is the same, bit for bit.

mod held;
mod seats;

use habitus_model::AccountId;
use habitus_model::packed::{Packer, Unpacker};
use habitus_profile::Profile;
use hashbrown::HashTable;
pub use held::{Held, Label, Open, Slot};
use seats::Seats;
use std::borrow::Cow;
use std::sync::Arc;

/// The accounts of one shard.
#[derive(Debug, Default)]
pub struct Accounts {
    index: HashTable<u32>,
    slab: Slab,
    /// Absent: all stay at hand.
    packing: Option<Box<Packing>>,
}

/// Who is at hand, and what packs the others.
#[derive(Debug)]
struct Packing {
    seats: Seats,
    packer: Packer,
    unpacker: Unpacker,
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

/// Accounts of a piece, up to about 64 KiB: its copy holds up one event for some twenty microseconds, and a picture of a million
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
    /// Nobody, with room for so many at hand, at least one.
    pub fn packing(at_hand: usize) -> Self {
        let packing = Packing {
            seats: Seats::new(at_hand),
            packer: Packer::default(),
            unpacker: Unpacker::default(),
        };
        Self {
            packing: Some(Box::new(packing)),
            ..Self::default()
        }
    }

    /// The account's profile, if it has one. Cost: O(1).
    pub fn get(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<Cow<'_, Profile>> {
        self.held(fingerprint, tenant, account)?.profile()
    }

    /// The account as it is held. Cost: O(1).
    pub fn held(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<&Held> {
        self.slab.get(self.position(fingerprint, tenant, account)?)
    }

    /// The account's profile, for learning.
    pub fn get_mut(&mut self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<&mut Profile> {
        let at = self.fetch(fingerprint, tenant, account)?;
        self.at_mut(at)
    }

    /// Takes an account to hand, and tells its number, which holds until another is taken to hand. Cost: O(1), and
    /// unpacking it and packing another where it was packed.
    pub fn fetch(&mut self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<usize> {
        let at = self.position(fingerprint, tenant, account)?;
        let Some(packing) = self.packing.as_deref_mut() else {
            return Some(at);
        };
        if let Some(open) = self.slab.get(at)?.as_open() {
            packing.seats.came(open.seat);
            return Some(at);
        }
        self.slab.get_mut(at)?.unpack(&mut packing.unpacker);
        self.seat(at);
        Some(at)
    }

    /// The profile of an account at hand, by its number.
    pub fn at(&self, at: usize) -> Option<&Profile> {
        Some(&self.slab.get(at)?.as_open()?.profile)
    }

    /// The same, for learning.
    pub fn at_mut(&mut self, at: usize) -> Option<&mut Profile> {
        Some(&mut self.slab.get_mut(at)?.as_open_mut()?.profile)
    }

    /// Brings the profiles of these fingerprints into the processor's cache, side by side rather than one after the other
    /// when their turn has come. Changes nothing.
    pub fn warm(&self, fingerprints: impl Iterator<Item = u64>) {
        let held = fingerprints.map(|fingerprint| {
            let at = self.index.find(fingerprint, self.has(fingerprint))?;
            self.slab.get(usize::try_from(*at).ok()?)
        });
        let mut found = [None; WARM_MAX];
        for (found, held) in found.iter_mut().zip(held) {
            *found = held;
        }
        let read = found.iter().flatten().fold(0, |read, held| read ^ held.touch());
        std::hint::black_box(read);
    }

    /// Remembers an account: one at hand stays so for now. The caller has seen that it is not held.
    pub fn insert(&mut self, held: Held) {
        let place = self.slab.count;
        let Ok(at) = u32::try_from(place) else {
            return;
        };
        let (fingerprint, is_open) = (held.fingerprint, held.as_open().is_some());
        self.slab.push(held);
        let slab = &self.slab;
        let rehash = |at: &u32| {
            slab.get(usize::try_from(*at).unwrap_or(usize::MAX))
                .map_or(0, |held| held.fingerprint)
        };
        self.index.insert_unique(fingerprint, at, rehash);
        if is_open {
            self.seat(place);
        }
    }

    /// Forgets every account of this fingerprint. Changes the order of the others. O(1).
    pub fn remove(&mut self, fingerprint: u64) {
        while let Some(at) = self.unlink(fingerprint) {
            let last = u32::try_from(self.slab.count).unwrap_or(u32::MAX).wrapping_sub(1);
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            self.stand_up(place, None);
            self.slab.swap_remove(place);
            self.stand_up(place, Some(at));
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

    /// Gives an account at hand a seat, and packs the one that had it.
    fn seat(&mut self, at: usize) {
        let Some(packing) = self.packing.as_deref_mut() else {
            return;
        };
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        let (seat, before) = packing.seats.take(number);
        let before = before.and_then(|before| usize::try_from(before).ok());
        if let Some(held) = before.and_then(|before| self.slab.get_mut(before)) {
            held.pack(&mut packing.packer);
        }
        if let Some(open) = self.slab.get_mut(at).and_then(Held::as_open_mut) {
            open.seat = seat;
        }
    }

    /// Says that an account at hand has another number now, or is gone.
    fn stand_up(&mut self, at: usize, now: Option<u32>) {
        let open = self.slab.get(at).and_then(Held::as_open);
        if let Some((packing, open)) = self.packing.as_deref_mut().zip(open) {
            packing.seats.now(open.seat, now);
        }
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

    fn has(&self, fingerprint: u64) -> impl Fn(&u32) -> bool {
        move |at| {
            let held = usize::try_from(*at).ok().and_then(|at| self.slab.get(at));
            held.is_some_and(|held| held.fingerprint == fingerprint)
        }
    }

    fn position(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<usize> {
        let is_it = |at: &u32| {
            let held = usize::try_from(*at).ok().and_then(|at| self.slab.get(at));
            // What names an account that is packed lies elsewhere: its fingerprint first.
            let held = held.filter(|held| held.fingerprint == fingerprint);
            let label = held.and_then(Held::label);
            label.is_some_and(|label| label.tenant == tenant && label.account == account.as_str())
        };
        self.index
            .find(fingerprint, is_it)
            .and_then(|at| usize::try_from(*at).ok())
    }
}
