//! What people have said of networks and clients: which of them takeovers came by, and which false alarms did.
//!
//! Made of marks, one for each finding that was judged, and made anew whenever these change: so a verdict that is taken back
//! leaves nothing behind. One person's marks on one key count as [`AUTHOR_MAX`] at most, an account's as one, and none counts for
//! its own account (whose profile has learned the same already). Marks fade.

use crate::keys::Keys;
use habitus_model::math::half_life_factor;
use habitus_model::{Context, Minutes};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Half-life of a mark: attackers keep a rented network for weeks (SCORING 2: slow entities 20 d, hazards 30 d).
const HALF_LIFE_DAYS: f64 = 30.0;
/// After so long a mark counts nothing: three half-lives.
const EXPIRES_DAYS: f64 = 90.0;
/// Most that one person's marks on one key count together (RELIABILITY 6.2).
pub const AUTHOR_MAX: f64 = 2.0;
/// Marks of one key that are looked at, the latest.
const MARKS_MAX: usize = 32;

/// What a mark is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Thing {
    /// Addresses side by side: /24 or /48.
    Prefix,
    /// A hosting provider or relay in one country; of an access provider, whose subscribers have nothing in common, nothing is
    /// marked.
    Provider,
    /// A bound client.
    Client,
}

impl Thing {
    /// Every sort.
    pub const ALL: [Thing; 3] = [Thing::Prefix, Thing::Provider, Thing::Client];
}

/// Fingerprints of what can be marked of an event, in the order of [`Thing::ALL`]; absent: not shown.
pub type Marked = [Option<u64>; 3];

/// What can be marked of an event.
#[must_use]
pub fn marked(context: &Context, keys: &Keys) -> Marked {
    let provider = keys.asn.filter(|_| context.network.class.is_rented());
    [keys.prefix, provider, keys.client]
}

/// What was said of one event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// What it showed.
    pub marked: Marked,
    /// Fingerprint of its account.
    pub account: u64,
    /// Fingerprint of who said it.
    pub author: u64,
    /// What was said.
    pub said: Said,
    /// When the event happened.
    pub time: Minutes,
}

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// An account was taken over by it.
    Takeover,
    /// It was the owner.
    Owner,
}

/// How a thing stands: accounts, decayed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Standing {
    /// Other accounts that were taken over by it.
    pub taken: f64,
    /// Other accounts of whom it was said that it was theirs.
    pub cleared: f64,
    /// Days since the last takeover; absent: none.
    pub days: Option<f64>,
}

/// The reputation of all things of one tenant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reputation {
    marks: BTreeMap<(Thing, u64), Vec<Mark>>,
}

impl Reputation {
    /// Of marks, the latest last. O(n log n).
    #[must_use]
    pub fn of(all: &[Mark]) -> Self {
        let mut marks: BTreeMap<_, Vec<Mark>> = BTreeMap::new();
        for mark in all {
            for (thing, key) in Thing::ALL.into_iter().zip(mark.marked) {
                if let Some(key) = key {
                    marks.entry((thing, key)).or_default().push(*mark);
                }
            }
        }
        for of_one in marks.values_mut() {
            let beyond = of_one.len().saturating_sub(MARKS_MAX);
            of_one.drain(..beyond);
        }
        Self { marks }
    }

    /// Whether nothing was ever said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// How a thing stands for an account; absent if nothing was said of it. O(log n) and at most 32 marks.
    #[must_use]
    pub fn standing(&self, (thing, key): (Thing, u64), account: u64, now: Minutes) -> Option<Standing> {
        let marks = self.marks.get(&(thing, key))?;
        let mut standing = Standing::default();
        let mut by_author: BTreeMap<(u64, bool), f64> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for mark in marks.iter().rev().filter(|mark| mark.account != account) {
            let days = f64::from(now.0.saturating_sub(mark.time.0)) / 1_440.0;
            let is_first = told.insert(mark.account);
            if days > EXPIRES_DAYS || !is_first {
                continue;
            }
            let taken = mark.said == Said::Takeover;
            let sum = by_author.entry((mark.author, taken)).or_default();
            *sum += half_life_factor(days, HALF_LIFE_DAYS);
            if taken {
                standing.days = Some(standing.days.map_or(days, |least| least.min(days)));
            }
        }
        for ((_, taken), sum) in by_author {
            let sum = sum.min(AUTHOR_MAX);
            *(if taken {
                &mut standing.taken
            } else {
                &mut standing.cleared
            }) += sum;
        }
        (standing != Standing::default()).then_some(standing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: (Thing, u64) = (Thing::Prefix, 9);

    fn mark(account: u64, author: u64, said: Said, day: u32) -> Mark {
        Mark {
            marked: [Some(9), None, None],
            account,
            author,
            said,
            time: Minutes(day * 1_440),
        }
    }

    #[test]
    fn a_takeover_is_told_to_others_and_fades() {
        let reputation = Reputation::of(&[mark(1, 7, Said::Takeover, 10)]);
        let at = |account, day: u32| reputation.standing(PREFIX, account, Minutes(day * 1_440));
        assert_eq!(at(1, 10), None, "its own account has learned the same already");
        let taken = |day| at(2, day).map_or(0.0, |standing| standing.taken);
        assert!((taken(10) - 1.0).abs() < 1e-9);
        assert!((taken(40) - 0.5).abs() < 1e-9);
        assert!(taken(101).abs() < 1e-9);
        assert_eq!(at(2, 40).and_then(|standing| standing.days), Some(30.0));
    }

    #[test]
    fn one_person_and_one_account_count_so_much() {
        let all: Vec<Mark> = (1..=10)
            .map(|account| mark(account, 7, Said::Takeover, 1))
            .collect();
        let standing = Reputation::of(&all).standing(PREFIX, 99, Minutes(1_440)).unwrap();
        assert!((standing.taken - AUTHOR_MAX).abs() < 1e-9);
        let same: Vec<Mark> = (1..=10)
            .map(|author| mark(1, author, Said::Takeover, 1))
            .collect();
        let standing = Reputation::of(&same)
            .standing(PREFIX, 99, Minutes(1_440))
            .unwrap();
        assert!((standing.taken - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_was_said_last_of_an_account_counts() {
        let said = [mark(1, 7, Said::Takeover, 1), mark(1, 8, Said::Owner, 1)];
        let standing = Reputation::of(&said)
            .standing(PREFIX, 99, Minutes(1_440))
            .unwrap();
        assert!(standing.taken.abs() < 1e-9 && (standing.cleared - 1.0).abs() < 1e-9);
    }
}
