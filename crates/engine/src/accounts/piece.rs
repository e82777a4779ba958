//! Accounts side by side: what finds them, those at hand, and the rows of the others.

use super::held::{Body, Held, NewBody, Newcomer, Open};
use super::rows::{RowAt, Rows};
use habitus_model::packed::{Packer, Unpacker};

/// Accounts of a piece. A copy of it holds up one event for some twenty microseconds, and a picture of a million accounts has
/// 15,625 pointers.
pub const PIECE_ACCOUNTS: usize = 64;

/// Some accounts, at most [`PIECE_ACCOUNTS`].
#[derive(Debug, Clone)]
pub struct Piece {
    count: usize,
    fingerprints: [u64; PIECE_ACCOUNTS],
    places: [Place; PIECE_ACCOUNTS],
    #[expect(
        clippy::vec_box,
        reason = "room for one more is eight bytes, not the hundreds of an account"
    )]
    open: Vec<Box<Open>>,
    rows: Rows,
}

/// Where an account lies: where its row begins, or, with the highest bit, which of those at hand it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place(u32);

const AT_HAND: u32 = 1 << 31;

impl Place {
    /// Of an account that is about to get one.
    const NOWHERE: Self = Self(u32::MAX);

    fn row(at: RowAt) -> Self {
        Self(at.0)
    }

    fn open(at: usize) -> Self {
        Self(AT_HAND | u32::try_from(at).unwrap_or(AT_HAND))
    }

    fn as_row(self) -> Option<RowAt> {
        (self.0 & AT_HAND == 0).then_some(RowAt(self.0))
    }

    fn as_open(self) -> Option<usize> {
        let at = self.0.checked_sub(AT_HAND)?;
        usize::try_from(at).ok()
    }
}

/// What packs and unpacks, and the memory in which rows are made ready.
#[derive(Debug, Default)]
pub struct Tools {
    packer: Packer,
    unpacker: Unpacker,
    row: Vec<u8>,
    spare: Rows,
}

impl Default for Piece {
    fn default() -> Self {
        Self {
            count: 0,
            fingerprints: [0; PIECE_ACCOUNTS],
            places: [Place::default(); PIECE_ACCOUNTS],
            open: Vec::new(),
            rows: Rows::default(),
        }
    }
}

impl Piece {
    /// How many accounts there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// An account. O(1).
    pub fn get(&self, at: usize) -> Option<Held<'_>> {
        let (fingerprint, place) = (self.fingerprint(at)?, *self.places.get(at)?);
        let body = match place.as_open() {
            Some(open) => Body::Open(self.open.get(open)?),
            None => Body::Packed(&self.rows, place.as_row()?),
        };
        Some(Held { fingerprint, body })
    }

    /// The fingerprint of an account. O(1).
    pub fn fingerprint(&self, at: usize) -> Option<u64> {
        self.fingerprints.get(..self.count)?.get(at).copied()
    }

    /// An account at hand, to be changed. O(1).
    pub fn open_mut(&mut self, at: usize) -> Option<&mut Open> {
        let open = self.places.get(..self.count)?.get(at)?.as_open()?;
        self.open.get_mut(open).map(AsMut::as_mut)
    }

    /// All accounts, in the order they came.
    pub fn all(&self) -> impl Iterator<Item = Held<'_>> {
        (0..self.count).filter_map(|at| self.get(at))
    }

    /// Takes in one more, behind the others. The caller has seen that there is room.
    pub fn push(&mut self, newcomer: Newcomer, tools: &mut Tools) {
        let at = self.count;
        if at < PIECE_ACCOUNTS {
            self.count += 1;
            self.set(at, Place::NOWHERE);
            self.put(at, newcomer, tools);
        }
    }

    /// Takes the last one out.
    pub fn pop(&mut self) -> Option<Newcomer> {
        let at = self.count.checked_sub(1)?;
        let fingerprint = self.fingerprint(at)?;
        let body = match self.close(at) {
            Some(open) => NewBody::Open(open),
            None => NewBody::Packed(self.rows.get(self.row(at)?)?.into_owned()),
        };
        self.leave(at);
        self.count = at;
        Some(Newcomer { fingerprint, body })
    }

    /// Puts an account in the place of another.
    pub fn replace(&mut self, at: usize, newcomer: Newcomer, tools: &mut Tools) {
        self.close(at);
        self.leave(at);
        self.put(at, newcomer, tools);
    }

    /// Takes an account to hand. Cost: linear in its profile, if it was packed.
    pub fn unpack(&mut self, at: usize, tools: &mut Tools) {
        // INVARIANT: what is packed here was a profile, and snapshots are looked through as they are read.
        let Some(place) = self.row(at) else { return };
        tools.row.clear();
        let copied = self.rows.copy_to(place, &mut tools.row);
        if let Some(open) = copied.and_then(|()| Open::of_row(&tools.row, &mut tools.unpacker)) {
            self.rows.remove(place);
            self.set_open(at, Box::new(open));
        }
    }

    /// Packs an account, if it is at hand. Cost: linear in its profile, and now and then in the rows of the piece.
    pub fn pack(&mut self, at: usize, tools: &mut Tools) {
        let Some(open) = self.open_mut(at) else { return };
        tools.row.clear();
        if open.write_row(&mut tools.packer, &mut tools.row).is_ok() {
            self.close(at);
            self.set(at, Place::NOWHERE);
            self.write(at, tools);
        }
    }

    /// Bytes beside those of its accounts' rows and of what is at hand.
    pub fn bytes_beside(&self) -> usize {
        let rows: usize = self.all().map(Held::packed_bytes).sum();
        let open = self.open.capacity() * size_of::<Box<Open>>();
        size_of::<Self>() + open + self.rows.size() - rows
    }

    fn put(&mut self, at: usize, newcomer: Newcomer, tools: &mut Tools) {
        if let Some(fingerprint) = self.fingerprints.get_mut(at) {
            *fingerprint = newcomer.fingerprint;
        }
        match newcomer.body {
            NewBody::Open(open) => self.set_open(at, open),
            NewBody::Packed(row) => {
                tools.row.clone_from(&row);
                self.write(at, tools);
            }
        }
    }

    /// Writes the row that was made ready.
    fn write(&mut self, at: usize, tools: &mut Tools) {
        let row = tools.row.as_slice();
        if self.rows.wants_closing(row.len()) {
            self.close_up(&mut tools.spare);
        }
        let place = self.rows.push(row);
        self.set(at, Place::row(place));
    }

    fn close_up(&mut self, spare: &mut Rows) {
        let Self {
            places, rows, count, ..
        } = self;
        let mut closing = rows.closing(spare);
        for place in places.iter_mut().take(*count) {
            if let Some(row) = place.as_row() {
                *place = Place::row(closing.keep(row));
            }
        }
        closing.end();
    }

    fn row(&self, at: usize) -> Option<RowAt> {
        self.places.get(..self.count)?.get(at)?.as_row()
    }

    /// Takes an account's row out, if it has one.
    fn leave(&mut self, at: usize) {
        if let Some(row) = self.row(at) {
            self.rows.remove(row);
        }
        self.set(at, Place::NOWHERE);
    }

    fn set_open(&mut self, at: usize, open: Box<Open>) {
        self.set(at, Place::open(self.open.len()));
        self.open.push(open);
    }

    fn set(&mut self, at: usize, place: Place) {
        if let Some(held) = self.places.get_mut(at) {
            *held = place;
        }
    }

    /// Takes an account from those at hand, if it is one; the caller gives it another place.
    fn close(&mut self, at: usize) -> Option<Box<Open>> {
        let open = self.places.get(at)?.as_open()?;
        let last = Place::open(self.open.len().checked_sub(1)?);
        if open >= self.open.len() {
            return None;
        }
        let closed = self.open.swap_remove(open);
        if self.open.len() < self.open.capacity() / 4 {
            self.open.shrink_to(self.open.capacity() / 2);
        }
        let held = self.places.iter_mut().take(self.count);
        if let Some(moved) = held.into_iter().find(|place| **place == last) {
            *moved = Place::open(open);
        }
        Some(closed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::held::Slot;
    use super::*;
    use habitus_model::{AccountId, AccountKind, Minutes};
    use habitus_profile::Profile;

    fn open(number: usize) -> Open {
        let slot = Slot {
            tenant: 1,
            account: AccountId::new(format!("a name that is longer than what stands inline {number}")),
        };
        let minutes = u32::try_from(number).unwrap();
        let since = u64::try_from(number).unwrap();
        Open::new(
            slot,
            since,
            Profile::new(AccountKind::Human, Minutes(30_000_000 + minutes)),
        )
    }

    fn check(piece: &Piece, numbers: &[usize]) {
        assert_eq!(piece.count(), numbers.len());
        for (held, number) in piece.all().zip(numbers) {
            let expected = open(*number);
            assert_eq!(held.fingerprint, expected.since);
            let label = held.label().unwrap();
            assert_eq!(label.account, expected.slot.account.as_str());
            assert_eq!(label.since, expected.since);
            assert_eq!(held.profile().unwrap().as_ref(), &expected.profile, "{number}");
        }
    }

    fn newcomer(number: usize) -> Newcomer {
        Held::open(open(number).since, open(number))
    }

    #[test]
    fn accounts_are_the_same_whoever_of_them_is_packed() {
        let (mut piece, mut tools) = (Piece::default(), Tools::default());
        let mut numbers: Vec<usize> = (0..PIECE_ACCOUNTS).collect();
        for number in &numbers {
            piece.push(newcomer(*number), &mut tools);
        }
        for step in 0..2_000 {
            let at = step * 29 % piece.count();
            match step % 5 {
                0 | 3 => piece.unpack(at, &mut tools),
                1 | 2 => piece.pack(at, &mut tools),
                _ => {
                    piece.replace(at, newcomer(step), &mut tools);
                    numbers[at] = step;
                }
            }
            check(&piece, &numbers);
        }
        while let Some(last) = piece.pop() {
            assert_eq!(
                numbers.pop().map(|number| open(number).since),
                Some(last.fingerprint)
            );
            check(&piece, &numbers);
        }
    }

    #[test]
    fn packed_accounts_take_little_beside_their_rows() {
        let (mut piece, mut tools) = (Piece::default(), Tools::default());
        for number in 0..PIECE_ACCOUNTS {
            piece.push(newcomer(number), &mut tools);
        }
        // Everybody comes again, and goes again.
        for at in (0..PIECE_ACCOUNTS).chain(0..PIECE_ACCOUNTS) {
            piece.unpack(at, &mut tools);
            piece.pack(at, &mut tools);
        }
        let rows: usize = piece.all().map(Held::packed_bytes).sum();
        assert!(size_of::<Piece>() <= 14 * PIECE_ACCOUNTS);
        let idle = piece.bytes_beside() - size_of::<Piece>();
        assert!(idle < rows / 2, "{idle} beside {rows}");
    }

    #[test]
    fn a_packed_newcomer_is_the_account_it_was() {
        let (mut piece, mut tools) = (Piece::default(), Tools::default());
        let account = open(7);
        let mut packer = Packer::default();
        let profile = packer.pack(&account.profile).unwrap().to_vec();
        let label = super::super::held::Label {
            tenant: 300,
            account: "ann@example.com".into(),
            since: u64::MAX,
        };
        piece.push(Newcomer::packed(7, &label, &profile), &mut tools);
        let held = piece.get(0).unwrap();
        assert_eq!(held.label(), Some(label.clone()));
        assert_eq!(held.packed_profile(&mut packer).unwrap().as_ref(), profile);
        assert!(held.as_open().is_none() && held.packed_bytes() < 120, "{held:?}");
        piece.unpack(0, &mut tools);
        let held = piece.get(0).unwrap();
        assert_eq!(held.label(), Some(label.clone()));
        assert_eq!(held.as_open().map(|open| &open.profile), Some(&account.profile));
    }
}
