//! A bounded cache that nobody can see in a result.

use habitus_model::hash::HashKey;
use std::borrow::Borrow;
use std::hash::Hash;

/// Slots of one set; a key may lie in any slot of its set. Four keep two popular keys from chasing each other out.
const WAYS: usize = 4;

/// Holds at most a fixed number of answers of a pure function, in sets of a few slots, most recently used first.
/// Keys are compared in full, so a collision costs time and nothing else; the hash is keyed, because what is looked
/// up is chosen by attackers. Memory is taken as answers come, up to the limit.
pub(crate) struct Cache<K, V> {
    key: HashKey,
    sets: Vec<Vec<(K, V)>>,
}

impl<K: Hash + Eq, V> Cache<K, V> {
    /// A cache of about `entries_max` answers, rounded down to whole sets; at least one set.
    pub(crate) fn new(entries_max: usize, key: HashKey) -> Self {
        let sets = (entries_max / WAYS).max(1);
        Self {
            key,
            sets: std::iter::repeat_with(Vec::new).take(sets).collect(),
        }
    }

    /// The answer for `asked`, worked out with `answer` if it is not held. O(1).
    pub(crate) fn get_or_insert<Q>(&mut self, asked: &Q, answer: impl FnOnce(&Q) -> V) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let at = slot(self.key.fingerprint(asked), self.sets.len());
        let set = self.sets.get_mut(at)?;
        if let Some(held) = set.iter().position(|(key, _)| key.borrow() == asked) {
            // Most recently used first, so that the last one is the one to go.
            if held > 0 {
                set.get_mut(..=held)?.rotate_right(1);
            }
        } else {
            set.truncate(WAYS - 1);
            set.insert(0, (asked.to_owned(), answer(asked)));
        }
        set.first().map(|(_, value)| value)
    }

    /// Answers held.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.sets.iter().map(Vec::len).sum()
    }
}

fn slot(fingerprint: u64, sets: usize) -> usize {
    let sets = u64::try_from(sets).unwrap_or(u64::MAX);
    usize::try_from(fingerprint % sets.max(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_its_limit() {
        let mut cache = Cache::<String, usize>::new(64, HashKey::REPLAY);
        for n in 0..10_000_usize {
            let key = n.to_string();
            assert_eq!(cache.get_or_insert(key.as_str(), |_| n), Some(&n));
        }
        assert!(cache.len() <= 64);
    }

    #[test]
    fn what_is_held_is_not_worked_out_again() {
        let mut cache = Cache::<String, u8>::new(4, HashKey::REPLAY);
        cache.get_or_insert("a", |_| 1);
        for other in ["b", "c", "d"] {
            cache.get_or_insert(other, |_| 2);
        }
        assert_eq!(
            cache.get_or_insert("a", |_| 9),
            Some(&1),
            "still held, and now the newest"
        );
        cache.get_or_insert("e", |_| 3);
        assert_eq!(
            cache.get_or_insert("a", |_| 9),
            Some(&1),
            "the oldest went, not the newest"
        );
        assert_eq!(
            cache.get_or_insert("b", |_| 9),
            Some(&9),
            "evicted, so worked out anew"
        );
    }
}
