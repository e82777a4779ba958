//! Profiles by account: an index of keyed fingerprints over a slab, the full id verified in the slab, so that neither a
//! collision nor an attacker who makes one can merge two accounts.
//!
//! Those that came of late are at hand; the others are packed into a third or a quarter of the bytes, until they come again. Which
//! are packed changes no verdict and no snapshot: a profile that was packed is the same, bit for bit.

mod held;
mod number;
mod piece;
mod rows;
mod seats;

use habitus_model::AccountId;
use habitus_profile::Profile;
use hashbrown::HashTable;
pub use held::{Held, Label, Newcomer, Open, Slot};
use piece::Tools;
pub use piece::{PIECE_ACCOUNTS, Piece};
use seats::Seats;
use std::borrow::Cow;
use std::sync::Arc;

/// The accounts of one shard.
#[derive(Debug, Default)]
pub struct Accounts {
    index: HashTable<u32>,
    slab: Slab,
    /// Who is at hand. Absent: all stay at hand.
    seats: Option<Seats>,
}

/// Accounts by number, in pieces, so that growing moves none of them, and a picture of all takes a pointer for each piece: who
/// changes an account while a picture is about first takes a copy of its piece.
#[derive(Debug, Default)]
struct Slab {
    pieces: Vec<Arc<Piece>>,
    count: usize,
    tools: Tools,
}

/// Accounts that are brought into the cache at once: a core has about so many misses under way (Intel's optimisation
/// manual: 16 fill buffers and up).
pub const WARM_MAX: usize = 16;

impl Slab {
    fn get(&self, at: usize) -> Option<Held<'_>> {
        self.pieces.get(at / PIECE_ACCOUNTS)?.get(at % PIECE_ACCOUNTS)
    }

    fn fingerprint(&self, at: u32) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        self.pieces
            .get(at / PIECE_ACCOUNTS)?
            .fingerprint(at % PIECE_ACCOUNTS)
    }

    fn open_mut(&mut self, at: usize) -> Option<&mut Open> {
        let piece = self.pieces.get_mut(at / PIECE_ACCOUNTS)?;
        Arc::make_mut(piece).open_mut(at % PIECE_ACCOUNTS)
    }

    fn unpack(&mut self, at: usize) {
        if let Some(piece) = self.pieces.get_mut(at / PIECE_ACCOUNTS) {
            Arc::make_mut(piece).unpack(at % PIECE_ACCOUNTS, &mut self.tools);
        }
    }

    fn pack(&mut self, at: usize) {
        if let Some(piece) = self.pieces.get_mut(at / PIECE_ACCOUNTS) {
            Arc::make_mut(piece).pack(at % PIECE_ACCOUNTS, &mut self.tools);
        }
    }

    fn push(&mut self, newcomer: Newcomer) {
        let is_full = |piece: &Arc<Piece>| piece.count() == PIECE_ACCOUNTS;
        if self.pieces.last().is_none_or(is_full) {
            self.pieces.push(Arc::default());
        }
        if let Some(piece) = self.pieces.last_mut() {
            Arc::make_mut(piece).push(newcomer, &mut self.tools);
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
        if self.pieces.last().is_some_and(|piece| piece.count() == 0) {
            self.pieces.pop();
        }
        if at < self.count
            && let Some(piece) = self.pieces.get_mut(at / PIECE_ACCOUNTS)
        {
            Arc::make_mut(piece).replace(at % PIECE_ACCOUNTS, last, &mut self.tools);
        }
    }
}

impl Accounts {
    /// Nobody, with room for so many at hand, at least one.
    pub fn packing(at_hand: usize) -> Self {
        Self {
            seats: Some(Seats::new(at_hand)),
            ..Self::default()
        }
    }

    /// The account's profile, if it has one. Cost: O(1).
    pub fn get(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<Cow<'_, Profile>> {
        self.held(fingerprint, tenant, account)?.profile()
    }

    /// The account as it is held. Cost: O(1).
    pub fn held(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<Held<'_>> {
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
        let Some(seats) = &mut self.seats else {
            return Some(at);
        };
        if let Some(open) = self.slab.get(at)?.as_open() {
            seats.came(open.seat);
            return Some(at);
        }
        self.slab.unpack(at);
        self.seat(at);
        Some(at)
    }

    /// The profile of an account at hand, by its number.
    pub fn at(&self, at: usize) -> Option<&Profile> {
        Some(&self.slab.get(at)?.as_open()?.profile)
    }

    /// The same, for learning.
    pub fn at_mut(&mut self, at: usize) -> Option<&mut Profile> {
        Some(&mut self.slab.open_mut(at)?.profile)
    }

    /// Brings the profiles of these fingerprints into the processor's cache, side by side rather than one after the other
    /// when their turn has come. Changes nothing.
    pub fn warm(&self, fingerprints: impl Iterator<Item = u64>) {
        let held = fingerprints.map(|fingerprint| {
            let at = self.index.find(fingerprint, self.has(fingerprint))?;
            self.slab.get(usize::try_from(*at).ok()?)
        });
        let mut found: [Option<Held<'_>>; WARM_MAX] = [None; WARM_MAX];
        for (found, held) in found.iter_mut().zip(held) {
            *found = held;
        }
        let read = found.iter().flatten().fold(0, |read, held| read ^ held.touch());
        std::hint::black_box(read);
    }

    /// Remembers an account: one at hand stays so for now. The caller has seen that it is not held.
    pub fn insert(&mut self, newcomer: Newcomer) {
        let place = self.slab.count;
        let Ok(at) = u32::try_from(place) else {
            return;
        };
        let fingerprint = newcomer.fingerprint;
        self.slab.push(newcomer);
        let slab = &self.slab;
        let rehash = |at: &u32| slab.fingerprint(*at).unwrap_or(0);
        self.index.insert_unique(fingerprint, at, rehash);
        if self.at(place).is_some() {
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
            if let Some(moved) = self.slab.fingerprint(at)
                && let Some(link) = self.index.find_mut(moved, |link| *link == last)
            {
                *link = at;
            }
        }
    }

    /// Takes one account of this fingerprint out of the index; where it is in the slab.
    fn unlink(&mut self, fingerprint: u64) -> Option<u32> {
        let slab = &self.slab;
        let is_it = |at: &u32| slab.fingerprint(*at) == Some(fingerprint);
        let entry = self.index.find_entry(fingerprint, is_it).ok()?;
        Some(entry.remove().0)
    }

    /// Gives an account at hand a seat, and packs the one that had it.
    fn seat(&mut self, at: usize) {
        let Some(seats) = &mut self.seats else {
            return;
        };
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        let (seat, before) = seats.take(number);
        if let Some(before) = before.and_then(|before| usize::try_from(before).ok()) {
            self.slab.pack(before);
        }
        if let Some(open) = self.slab.open_mut(at) {
            open.seat = seat;
        }
    }

    /// Says that an account at hand has another number now, or is gone.
    fn stand_up(&mut self, at: usize, now: Option<u32>) {
        let open = self.slab.get(at).and_then(Held::as_open);
        if let Some((seats, open)) = self.seats.as_mut().zip(open) {
            seats.now(open.seat, now);
        }
    }

    /// Every account, in the order they came.
    pub fn all(&self) -> impl Iterator<Item = Held<'_>> {
        self.slab.pieces.iter().flat_map(|piece| piece.all())
    }

    /// A picture of all accounts, which stays as it is. Cost: a pointer for each [`PIECE_ACCOUNTS`] of them.
    pub fn picture(&self) -> Vec<Arc<Piece>> {
        self.slab.pieces.clone()
    }

    /// How many there are. O(1).
    pub fn count(&self) -> usize {
        self.slab.count
    }

    /// Bytes of what finds accounts and of room in their pieces: all but their rows and what is at hand. Cost: linear in the accounts.
    pub fn slot_bytes(&self) -> usize {
        self.slab.pieces.iter().map(|piece| piece.bytes_beside()).sum()
    }

    /// Bytes of the index. O(1).
    pub fn index_bytes(&self) -> usize {
        self.index.allocation_size()
    }

    fn has(&self, fingerprint: u64) -> impl Fn(&u32) -> bool {
        move |at| self.slab.fingerprint(*at) == Some(fingerprint)
    }

    fn position(&self, fingerprint: u64, tenant: u32, account: &AccountId) -> Option<usize> {
        let is_it = |at: &u32| {
            // What names an account lies elsewhere: its fingerprint first.
            let is_like = self.slab.fingerprint(*at) == Some(fingerprint);
            let held = usize::try_from(*at).ok().filter(|_| is_like);
            let label = held.and_then(|at| self.slab.get(at)).and_then(Held::label);
            label.is_some_and(|label| label.tenant == tenant && label.account == account.as_str())
        };
        self.index
            .find(fingerprint, is_it)
            .and_then(|at| usize::try_from(*at).ok())
    }
}
