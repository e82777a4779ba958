//! Names of members, each with a mark by which it is found among others and told from them.

use super::Json;
use std::borrow::Cow;
use std::ops::Deref;

/// The name of a member: borrowed from the record unless it holds an escape.
#[derive(Debug, Clone)]
pub struct Name<'a> {
    text: Cow<'a, str>,
    mark: u64,
}

impl<'a> Name<'a> {
    /// A name, marked. Cost: O(1).
    #[must_use]
    pub fn new(text: Cow<'a, str>) -> Self {
        let mark = mark(text.as_bytes());
        Self { text, mark }
    }

    /// A name whose mark is known already.
    pub(super) const fn marked(text: Cow<'a, str>, mark: u64) -> Self {
        Self { text, mark }
    }

    /// What [`mark`] gives of it.
    #[must_use]
    #[inline]
    pub const fn mark(&self) -> u64 {
        self.mark
    }

    /// Whether it is `name`, whose mark is `mark`: one comparison for nearly all that it is not.
    #[must_use]
    #[inline]
    pub fn is(&self, name: &str, mark: u64) -> bool {
        self.mark == mark && *self.text == *name
    }
}

/// A number made of a name's length and both its ends: equal names have equal marks, and few others do. Of a name that the
/// compiler knows it is a constant. Cost: O(1).
#[must_use]
#[inline]
pub const fn mark(name: &[u8]) -> u64 {
    match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => of_ends(*first, *last, name.len()),
        _ => of_few(padded(name), name.len()),
    }
}

/// The mark of a name of eight bytes or more.
#[inline]
pub(super) const fn of_ends(first: [u8; 8], last: [u8; 8], length: usize) -> u64 {
    u64::from_le_bytes(first) ^ u64::from_le_bytes(last).rotate_left(29) ^ sized(length)
}

/// The mark of a shorter one, whose bytes are the lowest of `word` and the rest of it 0.
#[inline]
pub(super) const fn of_few(word: u64, length: usize) -> u64 {
    word ^ sized(length)
}

#[inline]
const fn sized(length: usize) -> u64 {
    (length as u64) << 56
}

#[inline]
const fn padded(name: &[u8]) -> u64 {
    let mut word = 0;
    let mut rest = name;
    while let Some((last, before)) = rest.split_last() {
        word = (word << 8) | *last as u64;
        rest = before;
    }
    word
}

impl Deref for Name<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Name<'_> {
    #[inline]
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other, other.mark)
    }
}

impl PartialEq<str> for Name<'_> {
    fn eq(&self, other: &str) -> bool {
        *self.text == *other
    }
}

/// Up to so many members comparing every pair takes no longer than noting each.
const PAIRS_MAX: usize = 7;
/// Up to so many it is faster than sorting.
const PAIRWISE_MAX: usize = 24;

/// Whether an object has two members of one name. Cost: O(n log n), for ordinary names O(n).
pub(super) fn has_duplicate(members: &[(Name<'_>, Json<'_>)]) -> bool {
    if members.len() > PAIRS_MAX && are_apart(members) {
        return false;
    }
    if members.len() <= PAIRWISE_MAX {
        let mut rest = members;
        while let Some(((name, _), later)) = rest.split_first() {
            if later.iter().any(|(other, _)| other == name) {
                return true;
            }
            rest = later;
        }
        return false;
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair.first() == pair.last())
}

/// Whether the marks of all names fall into places of their own, of 1,024: then no two are equal.
fn are_apart(members: &[(Name<'_>, Json<'_>)]) -> bool {
    let mut taken = [0_u64; 16];
    members.iter().all(|(name, _)| {
        // The topmost bits of a product depend on all below (Knuth, TAOCP 3, 6.4: multiplicative hashing).
        let place = name.mark.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
        let word = usize::try_from(place >> 6).ok().and_then(|at| taken.get_mut(at));
        word.is_some_and(|word| {
            let bit = 1 << (place & 63);
            let is_free = *word & bit == 0;
            *word |= bit;
            is_free
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Names that differ in one place only are where marks could fail.
        #[test]
        fn equal_names_have_equal_marks_and_short_ones_no_others(a in "[a-c]{0,12}", b in "[a-c]{0,12}") {
            let (one, other) = (Name::new(Cow::Borrowed(&*a)), Name::new(Cow::Owned(b.clone())));
            prop_assert_eq!(one == other, a == b);
            if a == b {
                prop_assert_eq!(one.mark(), other.mark());
            }
            if a.len() < 8 && one.mark() == other.mark() {
                prop_assert_eq!(a, b);
            }
        }
    }
}
