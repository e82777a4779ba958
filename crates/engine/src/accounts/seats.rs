//! Which accounts are at hand: those that came of late.
//!
//! A clock with a second chance (Corbató 1968): a hand goes round the seats, and takes the first whose account did not come
//! since it last went by. Nearly as good as taking whoever stayed away longest, and a bit for each.

/// The seats.
#[derive(Debug)]
pub struct Seats {
    taken: Vec<Seat>,
    hand: usize,
    most: usize,
}

#[derive(Debug, Clone, Copy)]
struct Seat {
    /// Number of the account; [`NOBODY`] if it went.
    account: u32,
    /// Whether it came since the hand went by.
    came: bool,
}

const NOBODY: u32 = u32::MAX;

impl Seats {
    /// So many, at least one; none of them taken.
    pub fn new(most: usize) -> Self {
        Self {
            taken: Vec::new(),
            hand: 0,
            most: most.max(1),
        }
    }

    /// Gives an account a seat; with it the account that has to go, if one has. Cost: O(1) in the long run.
    pub fn take(&mut self, account: u32) -> (u32, Option<u32>) {
        let seat = Seat { account, came: false };
        if self.taken.len() < self.most {
            self.taken.push(seat);
            return (narrow(self.taken.len() - 1), None);
        }
        loop {
            let at = self.hand;
            self.hand = (at + 1) % self.taken.len();
            // INVARIANT: the hand is below the number of seats, of which there is at least one.
            let Some(sitting) = self.taken.get_mut(at) else {
                return (narrow(at), None);
            };
            if std::mem::take(&mut sitting.came) {
                continue;
            }
            let before = std::mem::replace(sitting, seat).account;
            return (narrow(at), (before != NOBODY).then_some(before));
        }
    }

    /// Says that the account on a seat came.
    pub fn came(&mut self, seat: u32) {
        if let Some(seat) = self.at(seat) {
            seat.came = true;
        }
    }

    /// Says that the account on a seat has another number now, or is gone.
    pub fn now(&mut self, seat: u32, account: Option<u32>) {
        if let Some(seat) = self.at(seat) {
            seat.account = account.unwrap_or(NOBODY);
        }
    }

    fn at(&mut self, seat: u32) -> Option<&mut Seat> {
        self.taken.get_mut(usize::try_from(seat).ok()?)
    }
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_since_the_hand_went_by_stays() {
        let mut seats = Seats::new(2);
        let (first, _) = seats.take(10);
        assert_eq!(seats.take(11), (1, None));
        seats.came(first);
        assert_eq!(seats.take(12), (1, Some(11)));
        assert_eq!(seats.take(13), (0, Some(10)), "its second chance is used up");
        seats.now(1, None);
        assert_eq!(seats.take(14), (1, None), "nobody has to go");
    }
}
