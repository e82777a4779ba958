//! What the accounts of a population do after what.
//!
//! The same model as an account's ([`crate::features::sequence`]) over all accounts: what anybody would do next. An account
//! that does a thing for the hundredth time hardly counts, so that chatty ones do not speak for the rest (Kneser & Ney 1995
//! count such a thing once). Bounded; when full, the contexts met least are forgotten.

use crate::features::sequence::{Before, Follows, StepSeen, Symbol};
use habitus_model::math::{from_usize, to_f32};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most contexts remembered.
const CONTEXTS_MAX: usize = 2_048;
/// Most actions remembered of a context: the alphabet of SCORING 8.
const ACTIONS_MAX: usize = 256;

/// One action of an account, as the population counts it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepTold {
    /// What went before.
    pub before: Before,
    /// The action.
    pub next: Symbol,
    /// How much it counts, in `(0, 1]`.
    pub weight: f32,
}

/// What followed in one context.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Context {
    met: f64,
    nexts: BTreeMap<Symbol, f32>,
}

/// What a population does after what.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SequenceHabits {
    any: Context,
    after_last: BTreeMap<Symbol, Context>,
    after_both: BTreeMap<Before, Context>,
}

impl StepTold {
    /// Of an action as it was held against its account: the more often the account did this here, the less it counts.
    #[must_use]
    pub fn of(seen: &StepSeen) -> Self {
        let [_, _, after_both] = &seen.follows;
        Self {
            before: seen.before,
            next: seen.next,
            weight: to_f32(1.0 / (1.0 + after_both.this)),
        }
    }
}

impl SequenceHabits {
    /// Probability that anybody does this next, in `(0, 1)`. Cost: three look-ups.
    #[must_use]
    pub fn probability(&self, before: Before, next: Symbol) -> f64 {
        let flat = 1.0 / from_usize(ACTIONS_MAX);
        let nothing = Context::default();
        let contexts = [
            Some(&self.any),
            self.after_last.get(&before.last),
            self.after_both.get(&before),
        ];
        contexts.into_iter().fold(flat, |wider, context| {
            context.unwrap_or(&nothing).follows(next).probability(wider)
        })
    }

    /// Takes in an action.
    pub fn learn(&mut self, told: &StepTold) {
        self.any.learn(told);
        room(&mut self.after_last, &told.before.last).learn(told);
        room(&mut self.after_both, &told.before).learn(told);
    }

    /// Forgets by a factor.
    pub fn scale(&mut self, factor: f64) {
        let contexts = self.after_last.values_mut().chain(self.after_both.values_mut());
        for context in contexts.chain([&mut self.any]) {
            context.scale(factor);
        }
    }
}

impl Context {
    fn follows(&self, next: Symbol) -> Follows {
        Follows {
            met: self.met,
            this: f64::from(self.nexts.get(&next).copied().unwrap_or(0.0)),
            kinds: from_usize(self.nexts.len()),
        }
    }

    fn learn(&mut self, told: &StepTold) {
        if self.nexts.len() >= ACTIONS_MAX && !self.nexts.contains_key(&told.next) {
            return;
        }
        self.met += f64::from(told.weight);
        *self.nexts.entry(told.next).or_default() += told.weight;
    }

    fn scale(&mut self, factor: f64) {
        /// As good as nothing: a hundredth of an action.
        const FORGOTTEN: f32 = 0.01;
        self.met = 0.0;
        self.nexts.retain(|_, count| {
            *count = to_f32(f64::from(*count) * factor);
            self.met += f64::from(*count);
            *count >= FORGOTTEN
        });
    }
}

/// The context of a key, with room made for it.
fn room<'a, K: Ord + Copy>(contexts: &'a mut BTreeMap<K, Context>, key: &K) -> &'a mut Context {
    if contexts.len() >= CONTEXTS_MAX && !contexts.contains_key(key) {
        let mut met: Vec<f64> = contexts.values().map(|context| context.met).collect();
        met.sort_unstable_by(f64::total_cmp);
        let bar = met.get(CONTEXTS_MAX / 4).copied().unwrap_or(0.0);
        let mut to_go = CONTEXTS_MAX / 4;
        contexts.retain(|_, context| {
            let keep = to_go == 0 || context.met > bar;
            to_go -= usize::from(!keep);
            keep
        });
    }
    contexts.entry(*key).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::sequence::Sequence;
    use crate::known::Arrival;
    use habitus_model::Minutes;

    fn told(habits: &mut SequenceHabits, actions: &[u64]) {
        let mut sequence = Sequence::default();
        for (minute, action) in (1..).zip(actions) {
            let seen = Sequence::sight(Some(&sequence), *action, Minutes(minute));
            habits.learn(&StepTold::of(&seen));
            sequence.learn(&seen, (Minutes(minute), Arrival::Clean));
        }
    }

    #[test]
    fn one_chatty_account_does_not_speak_for_the_rest() {
        let mut habits = SequenceHabits::default();
        told(&mut habits, &[9; 10_000]);
        for _ in 0..50 {
            told(&mut habits, &[1, 2, 3]);
        }
        let next = |action| habits.probability(Before::NOTHING, Symbol::of(action));
        assert!(next(1) > 5.0 * next(9), "{} {}", next(1), next(9));
    }

    #[test]
    fn a_flood_of_actions_stays_bounded() {
        let mut habits = SequenceHabits::default();
        let flood: Vec<u64> = (0..20_000_u64)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .collect();
        told(&mut habits, &flood);
        assert!(habits.after_last.len() <= CONTEXTS_MAX && habits.after_both.len() <= CONTEXTS_MAX);
        assert!(habits.any.nexts.len() <= ACTIONS_MAX);
    }
}
