//! Which things are used by the same accounts: the learned stand-in for departments and teams.
//!
//! Estimates how much likelier an account is to take up a thing, given what it uses, than anybody is. Of each thing the 32
//! users with the least hashes are kept (the *k*-minimum-values sketch of Beyer et al., SIGMOD 2007): of things that few
//! use, which are those that matter, that is all of them, and two samples by the same hash meet in the same users. Counts
//! are shrunk by what chance would give (DuMouchel 1999), so that nothing is made of two users. Fails where everybody uses
//! everything, or each thing has one user: it then says nothing. Forgets things when full, the ones with the fewest users
//! first, and no users: who left still tells what belongs together. About 150 bytes a thing.

use habitus_model::math::{from_u64, from_usize, ln};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Users kept of a thing.
const USERS_MAX: usize = 32;
/// Things of which users are kept.
const THINGS_MAX: usize = 4_096;
/// Weight of chance behind the users that are counted, users. As for joint counts, which use two; half, because there are
/// several comparisons.
const SHRINKAGE: f64 = 1.0;
/// The most that what an account uses says of a thing, nats. Things of one circle repeat each other, and the bound is what
/// keeps them from adding up; weighing each by 0.6 besides found a tenth fewer insiders by the fifth thing (seeds 1–3).
pub const LIFT_NATS_MAX: f64 = 2.5;

/// The users of each thing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Circles {
    things: BTreeMap<u64, Users>,
    accounts: u64,
}

/// A sample of the users of one thing: least hashes, in order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Users {
    least: Vec<u32>,
}

impl Circles {
    /// Things of which users are kept, at most 4,096.
    #[must_use]
    pub fn things(&self) -> usize {
        self.things.len()
    }

    /// An account uses a thing from now on; `first` says that it used nothing before. O(log things).
    pub fn learn(&mut self, thing: u64, (account, first): (u32, bool)) {
        self.accounts += u64::from(first);
        if self.things.len() >= THINGS_MAX && !self.things.contains_key(&thing) {
            self.forget_least_used();
        }
        self.things.entry(thing).or_default().add(account);
    }

    /// How much likelier than anybody an account that uses these things is to take up this one, nats within
    /// [`LIFT_NATS_MAX`]; 0 where nothing can be told. Cost: a short merge for each thing used.
    #[must_use]
    pub fn ln_lift(&self, thing: u64, used: impl Iterator<Item = u64>) -> f64 {
        let Some(users) = self.things.get(&thing) else {
            return 0.0;
        };
        let accounts = from_u64(self.accounts).max(1.0);
        let others = used
            .filter(|other| *other != thing)
            .filter_map(|other| self.things.get(&other));
        let sum: f64 = others
            .map(|other| {
                let (common, share) = users.common(other);
                let by_chance = share * users.count() * other.count() / accounts;
                ln((common + SHRINKAGE) / (by_chance + SHRINKAGE))
            })
            .sum();
        // What everybody uses cannot be likelier than that.
        let most = ln(accounts / users.count()).clamp(0.0, LIFT_NATS_MAX);
        sum.clamp(-LIFT_NATS_MAX, most)
    }

    fn forget_least_used(&mut self) {
        let mut counts: Vec<usize> = self.things.values().map(|users| users.least.len()).collect();
        counts.sort_unstable();
        let bar = counts.get(THINGS_MAX / 4).copied().unwrap_or(0);
        let mut to_go = THINGS_MAX / 4;
        self.things.retain(|_, users| {
            let keep = to_go == 0 || users.least.len() > bar;
            to_go -= usize::from(!keep);
            keep
        });
    }
}

impl Users {
    fn add(&mut self, account: u32) {
        let Err(at) = self.least.binary_search(&account) else {
            return;
        };
        if at < USERS_MAX {
            self.least.insert(at, account);
            self.least.truncate(USERS_MAX);
        }
    }

    /// Up to which hash the sample is complete, as a share of all hashes.
    fn reach(&self) -> f64 {
        match self.least.last() {
            Some(last) if self.least.len() >= USERS_MAX => {
                (f64::from(*last) + 1.0) / (f64::from(u32::MAX) + 1.0)
            }
            _ => 1.0,
        }
    }

    fn count(&self) -> f64 {
        let held = from_usize(self.least.len());
        if self.least.len() < USERS_MAX {
            held
        } else {
            (held - 1.0) / self.reach()
        }
    }

    /// Users of both among the hashes for which both samples are complete, and the share of hashes that is.
    fn common(&self, other: &Users) -> (f64, f64) {
        let share = self.reach().min(other.reach());
        let (mut mine, mut theirs) = (self.least.iter().peekable(), other.least.iter().peekable());
        let mut common = 0.0;
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(mine.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    common += 1.0;
                    mine.next();
                    theirs.next();
                }
            }
        }
        (common, share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::hash::HashKey;
    use proptest::prelude::*;

    fn account(number: u64) -> u32 {
        u32::try_from(HashKey::REPLAY.fingerprint(&number) >> 32).unwrap()
    }

    /// Departments of 40 people with five things of their own, each used by a part of them, and one that everybody uses.
    fn company(departments: u64) -> Circles {
        let mut circles = Circles::default();
        for person in 0..departments * 40 {
            circles.learn(9_999, (account(person), true));
            let department = person % departments;
            for thing in (0..5).filter(|thing| !(person / departments + thing).is_multiple_of(3)) {
                circles.learn(department * 100 + thing, (account(person), false));
            }
        }
        circles
    }

    #[test]
    fn things_of_the_own_department_are_likelier_and_of_others_unlikelier() {
        let circles = company(8);
        let used = || [100_u64, 101, 102, 9_999].into_iter();
        let (own, other) = (circles.ln_lift(103, used()), circles.ln_lift(203, used()));
        assert!(own > 1.5, "{own}");
        assert!(other < -0.8, "{other}");
        let all = circles.ln_lift(9_999, used());
        assert!((-1.5..0.1).contains(&all), "what all use says little: {all}");
        assert_eq!(circles.ln_lift(7_777, used()), 0.0, "nobody uses it");
    }

    #[test]
    fn nothing_is_made_of_two_users() {
        let mut circles = Circles::default();
        for person in 0..100 {
            circles.learn(1, (account(person), true));
        }
        circles.learn(2, (account(5), false));
        circles.learn(3, (account(5), false));
        assert!(circles.ln_lift(2, [1, 3].into_iter()).abs() < 0.5);
    }

    #[test]
    fn a_flood_of_things_stays_bounded_and_keeps_what_many_use() {
        let mut circles = Circles::default();
        for person in 0..20 {
            circles.learn(7, (account(person), true));
        }
        for thing in 0..50_000 {
            circles.learn(1_000 + thing, (account(thing), true));
        }
        assert!(circles.things() <= THINGS_MAX);
        assert!(circles.things.contains_key(&7));
    }

    proptest! {
        #[test]
        fn common_users_are_estimated(shared in 0_u64..200, mine in 0_u64..200, theirs in 0_u64..200) {
            let (mut a, mut b) = (Users::default(), Users::default());
            for person in 0..shared + mine {
                a.add(account(person));
            }
            for person in (0..shared).chain(10_000..10_000 + theirs) {
                b.add(account(person));
            }
            let (common, share) = a.common(&b);
            let expected = from_u64(shared) * share;
            // Five standard deviations of a Poisson count, and one for its being whole.
            prop_assert!((common - expected).abs() <= 5.0 * expected.max(1.0).sqrt() + 1.0, "{} of {}", common, expected);
        }
    }
}
