//! What an account does after what: the next action given the two before.
//!
//! Estimates the probability of the next action from contexts of falling length (prediction by partial matching, Cleary &
//! Witten 1984; interpolated, with the escape of Witten & Bell 1991), behind which the population's own table stands. Learned
//! by successes that raised no suspicion. Fails before some dozens of actions, and for accounts whose actions come in no order; it then says what the
//! population says. At most `TRIPLES_MAX` triples of 12 bytes; accounts whose logs name no action pay nothing.

use crate::known::Arrival;
use habitus_model::math::{half_life_factor, to_f32};
use habitus_model::{Decayed, Minutes};
use serde::{Deserialize, Serialize};

/// Most triples remembered of an account.
const TRIPLES_MAX: usize = 40;
/// Half-life of triples, days: as of hours (SCORING 2).
const HALF_LIFE_DAYS: f64 = 60.0;
/// After so many minutes something else is begun (SCORING 4: one visit).
const PAUSE_MINUTES: f64 = 30.0;
/// Weight of the wider context behind a narrower one: for itself, and for each different action that followed (Witten and
/// Bell's is 0 and 1). Assumed.
const ESCAPE: f64 = 1.0;
const ESCAPE_EACH: f64 = 0.5;

/// A type of action: a fold of its fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Symbol(pub u16);

/// What went before: the last action, and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Before {
    /// The one before the last.
    pub older: Symbol,
    /// The last.
    pub last: Symbol,
}

/// How often a context was met, and what followed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Follows {
    /// Times the context was met, decayed.
    pub met: f64,
    /// Times this action followed.
    pub this: f64,
    /// Number of different things that did: actions, or after one of them longer contexts.
    pub kinds: f64,
}

/// An action held against what the account does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepSeen {
    /// What went before.
    pub before: Before,
    /// The action.
    pub next: Symbol,
    /// In any context, after the last action, after the last two.
    pub follows: [Follows; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Triple {
    before: Before,
    next: Symbol,
    weight: f32,
}

/// What an account does after what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    triples: Vec<Triple>,
    before: Before,
    at: Minutes,
    decayed: Decayed,
}

impl Symbol {
    /// Nothing yet: what stands before the first action of a visit.
    pub const START: Symbol = Symbol(0);

    /// The symbol of an action's fingerprint.
    #[must_use]
    pub fn of(action: u64) -> Self {
        let folded = action ^ (action >> 32);
        let [.., high, low] = (folded ^ (folded >> 16)).to_be_bytes();
        Symbol(u16::from_be_bytes([high, low]).max(1))
    }
}

impl Before {
    /// Nothing yet.
    pub const NOTHING: Before = Before {
        older: Symbol::START,
        last: Symbol::START,
    };

    /// What stands before the action after this one.
    #[must_use]
    pub const fn then(self, next: Symbol) -> Self {
        Self {
            older: self.last,
            last: next,
        }
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            triples: Vec::new(),
            before: Before::NOTHING,
            at: Minutes(0),
            decayed: Decayed::default(),
        }
    }
}

impl Follows {
    fn count(&mut self, weight: f64, is_this: bool) {
        self.met += weight;
        self.kinds += 1.0;
        self.this += if is_this { weight } else { 0.0 };
    }

    /// Probability that this follows, given the one that a wider context gives it. In `(0, 1)` if that is.
    #[must_use]
    pub fn probability(&self, wider: f64) -> f64 {
        let escape = ESCAPE + ESCAPE_EACH * self.kinds;
        (self.this + escape * wider) / (self.met + escape)
    }
}

impl StepSeen {
    /// Probability that the account does this now, given the one that its population gives it. In `(0, 1)` if that is.
    #[must_use]
    pub fn probability(&self, population: f64) -> f64 {
        self.follows
            .iter()
            .fold(population, |wider, follows| follows.probability(wider))
    }

    /// Actions that were counted, decayed.
    #[must_use]
    pub fn counted(&self) -> f64 {
        self.follows.first().map_or(0.0, |any| any.met)
    }
}

impl Sequence {
    /// Holds an action against what the account does. Cost: one short scan.
    #[must_use]
    pub fn sight(sequence: Option<&Sequence>, action: u64, now: Minutes) -> StepSeen {
        let next = Symbol::of(action);
        let Some(held) = sequence else {
            return StepSeen {
                before: Before::NOTHING,
                next,
                follows: Default::default(),
            };
        };
        let before = held.before_at(now);
        let factor = half_life_factor(now.days_since(held.decayed.at()), HALF_LIFE_DAYS);
        let mut follows = [Follows::default(); 3];
        for triple in &held.triples {
            let weight = f64::from(triple.weight) * factor;
            let is_this = triple.next == next;
            let [any, after_last, after_both] = &mut follows;
            any.count(weight, is_this);
            if triple.before.last == before.last {
                after_last.count(weight, is_this);
                if triple.before.older == before.older {
                    after_both.count(weight, is_this);
                }
            }
        }
        StepSeen {
            before,
            next,
            follows,
        }
    }

    /// Learns an action that succeeded. Cost: one short scan.
    pub fn learn(&mut self, seen: &StepSeen, (now, arrival): (Minutes, Arrival)) {
        if arrival != Arrival::Suspicious {
            self.forget(now);
            self.count(seen);
        }
        self.before = seen.before.then(seen.next);
        self.at = self.at.max(now);
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.triples.capacity() * std::mem::size_of::<Triple>()
    }

    fn before_at(&self, now: Minutes) -> Before {
        if now.since(self.at) >= PAUSE_MINUTES {
            Before::NOTHING
        } else {
            self.before
        }
    }

    fn count(&mut self, seen: &StepSeen) {
        let is_it = |triple: &&mut Triple| triple.before == seen.before && triple.next == seen.next;
        if let Some(triple) = self.triples.iter_mut().find(is_it) {
            triple.weight += 1.0;
            return;
        }
        if self.triples.len() >= TRIPLES_MAX {
            let weights = self.triples.iter().enumerate();
            let least = weights.min_by(|(_, a), (_, b)| a.weight.total_cmp(&b.weight));
            if let Some((at, _)) = least {
                self.triples.swap_remove(at);
            }
        }
        self.triples.push(Triple {
            before: seen.before,
            next: seen.next,
            weight: 1.0,
        });
    }

    fn forget(&mut self, now: Minutes) {
        let Some(days) = self.decayed.days_due(now) else {
            return;
        };
        let factor = half_life_factor(days, HALF_LIFE_DAYS);
        for triple in &mut self.triples {
            triple.weight = to_f32(f64::from(triple.weight) * factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn learned(actions: &[u64]) -> Sequence {
        let mut sequence = Sequence::default();
        for (minute, action) in (1..).zip(actions) {
            let seen = Sequence::sight(Some(&sequence), *action, Minutes(minute));
            sequence.learn(&seen, (Minutes(minute), Arrival::Clean));
        }
        sequence
    }

    #[test]
    fn what_always_follows_is_expected_and_what_never_does_is_not() {
        let sequence = learned(&[1, 2, 3].repeat(30));
        let probability = |action| Sequence::sight(Some(&sequence), action, Minutes(91)).probability(0.05);
        assert!(probability(1) > 0.8, "{}", probability(1));
        assert!(probability(2) < 0.05 && probability(9) < 0.05);
    }

    #[test]
    fn after_a_pause_something_is_begun() {
        let sequence = learned(&[1, 2, 3].repeat(30));
        let seen = Sequence::sight(Some(&sequence), 1, Minutes(1_000));
        assert_eq!(seen.before, Before::NOTHING);
    }

    #[test]
    fn what_is_suspicious_is_not_learned_and_still_came_before() {
        let mut sequence = learned(&[1, 2, 1, 2]);
        let seen = Sequence::sight(Some(&sequence), 7, Minutes(6));
        sequence.learn(&seen, (Minutes(6), Arrival::Suspicious));
        let again = Sequence::sight(Some(&sequence), 7, Minutes(7));
        assert_eq!(again.follows[0].this, 0.0);
        assert_eq!(again.before.last, Symbol::of(7));
    }

    proptest! {
        #[test]
        fn probabilities_of_all_actions_sum_to_one(actions in prop::collection::vec(1_u64..12, 0..120)) {
            let sequence = learned(&actions);
            let now = Minutes(u32::try_from(actions.len()).unwrap() + 1);
            let sum: f64 = (1..12).map(|action| Sequence::sight(Some(&sequence), action, now).probability(1.0 / 11.0)).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
        }

        #[test]
        fn memory_is_bounded_whatever_is_done(actions in prop::collection::vec(any::<u64>(), 0..400)) {
            prop_assert!(learned(&actions).heap_bytes() <= 1_024);
        }
    }
}
