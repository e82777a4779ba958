//! An ordered map that can be copied while it goes on changing.
//!
//! Entries stand in order on shelves of at most [`SHELF_MAX`]. A copy takes a pointer for each shelf, and shares all of them;
//! whoever changes an entry first takes a copy of its shelf, which is a pointer for each value, and of the one value. So a
//! picture of a large state is had in the time that a few changes take, and no change after it takes long (the path copying
//! of Driscoll, Sarnak, Sleator & Tarjan 1989, with two levels). Without a copy about, a change costs what it would in a B-tree.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Entries of a shelf. Half as many double the pointers of a copy, twice as many double what the first change after it
/// takes; at 64 both are about a hundred microseconds for 100,000 entries.
pub const SHELF_MAX: usize = 64;

type Shelf<K, V> = Vec<(K, Arc<V>)>;

/// The map.
#[derive(Clone)]
pub struct Shelves<K, V> {
    /// In order, none of them empty.
    shelves: Vec<Arc<Shelf<K, V>>>,
    len: usize,
}

impl<K, V> Default for Shelves<K, V> {
    fn default() -> Self {
        Self {
            shelves: Vec::new(),
            len: 0,
        }
    }
}

impl<K, V> Shelves<K, V> {
    /// How many entries there are. O(1).
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let entries = self.shelves.iter().flat_map(|shelf| shelf.iter());
        entries.map(|(key, value)| (key, value.as_ref()))
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entry with the least key; absent if there is none. O(1).
    #[must_use]
    pub fn first(&self) -> Option<(&K, &V)> {
        let (key, value) = self.shelves.first()?.first()?;
        Some((key, value.as_ref()))
    }

    /// Shelves that no copy shares. Cost: linear in the shelves.
    #[must_use]
    pub fn own_shelves(&self) -> usize {
        let own = self.shelves.iter().filter(|shelf| Arc::strong_count(shelf) == 1);
        own.count()
    }
}

impl<K: Ord, V> Shelves<K, V> {
    /// The value of a key. O(log n).
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        let shelf = self.shelves.get(self.shelf_of(key))?;
        let at = place(shelf, key).ok()?;
        shelf.get(at).map(|(_, value)| value.as_ref())
    }

    /// Whether the key has a value. O(log n).
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The entries from a key on, its own included. O(log n) and what is taken.
    pub fn from<'s>(&'s self, key: &K) -> impl Iterator<Item = (&'s K, &'s V)> + use<'s, K, V> {
        let first = self.shelf_of(key);
        let skipped = self
            .shelves
            .get(first)
            .map_or(0, |shelf| place(shelf, key).unwrap_or_else(|would_be| would_be));
        let shelves = self.shelves.get(first..).unwrap_or_default();
        let entries = shelves.iter().flat_map(|shelf| shelf.iter()).skip(skipped);
        entries.map(|(key, value)| (key, value.as_ref()))
    }

    /// The shelf that has the key, if any has.
    fn shelf_of(&self, key: &K) -> usize {
        let begins_later = |shelf: &Arc<Shelf<K, V>>| shelf.first().is_none_or(|(first, _)| first <= key);
        self.shelves.partition_point(begins_later).saturating_sub(1)
    }
}

impl<K: Ord + Clone, V: Clone> Shelves<K, V> {
    /// The value of a key, to be changed. O(log n), and a copy of its shelf and of the value where a copy of the map shares them.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let index = self.shelf_of(key);
        let shelf = self.shelves.get_mut(index)?;
        let at = place(shelf, key).ok()?;
        Arc::make_mut(shelf)
            .get_mut(at)
            .map(|(_, value)| Arc::make_mut(value))
    }

    /// Puts a value in the place of the one the key has; whether it had none. O(log n), and a copy of the shelf where a copy of
    /// the map shares it.
    pub fn insert(&mut self, key: K, value: V) -> bool {
        let index = self.shelf_of(&key);
        let is_last = index + 1 >= self.shelves.len();
        let Some(shelf) = self.shelves.get_mut(index) else {
            self.shelves.push(Arc::new(vec![(key, Arc::new(value))]));
            self.len = 1;
            return true;
        };
        let at = match place(shelf, &key) {
            Ok(at) => {
                if let Some((_, held)) = Arc::make_mut(shelf).get_mut(at) {
                    *held = Arc::new(value);
                }
                return false;
            }
            Err(at) => at,
        };
        self.len += 1;
        let entry = (key, Arc::new(value));
        if shelf.len() < SHELF_MAX {
            Arc::make_mut(shelf).insert(at, entry);
        } else if is_last && at == shelf.len() {
            // What comes in order fills its shelves.
            let mut next = Vec::with_capacity(SHELF_MAX);
            next.push(entry);
            self.shelves.push(Arc::new(next));
        } else {
            self.split(index, (at, entry));
        }
        true
    }

    /// Takes out what a key has. O(log n), and a copy of the shelf and of the value where a copy of the map shares them.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let index = self.shelf_of(key);
        let at = place(self.shelves.get(index)?, key).ok()?;
        self.take(index, at).map(|(_, value)| value)
    }

    /// Takes out the entry with the least key. O(1), and a copy as in [`Shelves::remove`].
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        self.take(0, 0)
    }

    fn take(&mut self, index: usize, at: usize) -> Option<(K, V)> {
        let shelf = Arc::make_mut(self.shelves.get_mut(index)?);
        let (key, value) = (at < shelf.len()).then(|| shelf.remove(at))?;
        self.len -= 1;
        let left = shelf.len();
        if left == 0 {
            self.shelves.remove(index);
        } else if left < SHELF_MAX / 4 {
            self.join_with_next(index);
        }
        Some((key, Arc::unwrap_or_clone(value)))
    }

    /// Makes one shelf of two that are hardly used.
    fn join_with_next(&mut self, index: usize) {
        let sizes = (self.shelves.get(index), self.shelves.get(index + 1));
        let (Some(one), Some(next)) = sizes else { return };
        if one.len() + next.len() > SHELF_MAX / 2 {
            return;
        }
        let next = self.shelves.remove(index + 1);
        if let Some(shelf) = self.shelves.get_mut(index) {
            Arc::make_mut(shelf).extend(Arc::unwrap_or_clone(next));
        }
    }

    /// Makes two shelves of a full one, and puts an entry into the right one.
    fn split(&mut self, index: usize, (at, entry): (usize, (K, Arc<V>))) {
        let Some(shelf) = self.shelves.get_mut(index) else {
            return;
        };
        let shelf = Arc::make_mut(shelf);
        let half = shelf.len() / 2;
        let mut upper = Vec::with_capacity(SHELF_MAX);
        upper.extend(shelf.drain(half..));
        match at.checked_sub(half) {
            Some(above) if above > 0 => upper.insert(above, entry),
            _ => shelf.insert(at, entry),
        }
        self.shelves.insert(index + 1, Arc::new(upper));
    }
}

/// Where a key stands on a shelf, or would stand.
fn place<K: Ord, V>(shelf: &Shelf<K, V>, key: &K) -> Result<usize, usize> {
    shelf.binary_search_by(|(held, _)| held.cmp(key))
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Shelves<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut shelves = Self::default();
        for (key, value) in entries {
            shelves.insert(key, value);
        }
        shelves
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Shelves<K, V> {
    /// Equal entries, however they are shelved.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Shelves<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Shelves<K, V> {
    /// As any map, in the order of the keys.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // `collect_map` would not tell the length, which not every format can do without.
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(self.len))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de, K: Deserialize<'de> + Ord + Clone, V: Deserialize<'de> + Clone> Deserialize<'de> for Shelves<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Deserialize<'de> + Ord + Clone, V: Deserialize<'de> + Clone> Visitor<'de> for Entries<K, V> {
            type Value = Shelves<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut shelves = Shelves::default();
                while let Some((key, value)) = map.next_entry()? {
                    shelves.insert(key, value);
                }
                Ok(shelves)
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Numbers that look random and are always the same (xorshift, Marsaglia 2003).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % end
        }
    }

    fn check(shelves: &Shelves<u64, u64>, map: &BTreeMap<u64, u64>) {
        assert_eq!(shelves.len(), map.len());
        assert!(shelves.iter().eq(map.iter()));
        assert_eq!(shelves.first(), map.first_key_value());
        assert!(
            shelves
                .shelves
                .iter()
                .all(|shelf| !shelf.is_empty() && shelf.len() <= SHELF_MAX)
        );
    }

    #[test]
    fn any_changes_give_what_a_b_tree_gives_and_leave_copies_alone() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let (mut shelves, mut map) = (Shelves::default(), BTreeMap::new());
        let mut copies = Vec::new();
        for step in 0..60_000u64 {
            let key = numbers.below(4_000);
            match numbers.below(8) {
                0..=3 => assert_eq!(shelves.insert(key, step), map.insert(key, step).is_none()),
                4 => assert_eq!(shelves.remove(&key), map.remove(&key)),
                5 => assert_eq!(shelves.pop_first(), map.pop_first()),
                6 => {
                    if let Some(value) = shelves.get_mut(&key) {
                        *value += 1;
                    }
                    map.entry(key).and_modify(|value| *value += 1);
                }
                _ => assert_eq!(shelves.get(&key), map.get(&key)),
            }
            assert!(shelves.from(&key).take(3).eq(map.range(key..).take(3)));
            if step % 5_000 == 0 {
                copies.push((shelves.clone(), map.clone()));
            }
        }
        check(&shelves, &map);
        for (shelves, map) in &copies {
            check(shelves, map);
        }
        while let Some(first) = shelves.pop_first() {
            assert_eq!(Some(first), map.pop_first());
        }
        assert!(shelves.is_empty() && map.is_empty());
    }

    #[test]
    fn a_change_after_a_copy_copies_one_shelf_whatever_the_size() {
        let mut shelves: Shelves<u64, u64> = (0..100_000).map(|key| (key, key)).collect();
        assert_eq!(
            shelves.shelves.len(),
            100_000_usize.div_ceil(SHELF_MAX),
            "filled in order"
        );
        let copy = shelves.clone();
        assert_eq!(shelves.own_shelves(), 0);
        for key in [77, 78] {
            *shelves.get_mut(&key).unwrap() = 0;
        }
        assert_eq!(shelves.own_shelves(), 1);
        shelves.pop_first();
        shelves.insert(100_000, 1);
        assert_eq!(shelves.own_shelves(), 3);
        assert_eq!(
            (copy.get(&77), copy.first(), copy.len()),
            (Some(&77), Some((&0, &0)), 100_000)
        );
    }
}
