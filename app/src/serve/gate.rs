//! What came before: the same id from the same source is the same event.

use habitus_model::{IngestTime, TenantId, Text};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// How long ids are remembered, milliseconds: 7 days (RELIABILITY section 4).
const REMEMBERED_MS: i64 = 7 * 86_400_000;
/// Most ids remembered; the oldest go first. 72 bytes each with both tables.
const IDS_MAX: usize = 4_000_000;

/// What a record is, by its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It is new.
    New,
    /// It came before, byte for byte.
    Before,
    /// Its id came before, with another content.
    Otherwise,
}

/// The ids of the last seven days.
#[derive(Debug, Default)]
pub struct Gate {
    known: HashMap<u128, Known>,
    order: VecDeque<(i64, u128)>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    body: u128,
    at: i64,
    /// Not on stable storage yet: nobody may be told that it is kept.
    under_way: bool,
}

/// The ids as they are kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept(Vec<(i64, u128, u128)>);

impl Gate {
    /// Whether a record of this id is on its way to stable storage and not there yet.
    pub fn is_under_way(&self, id: u128) -> bool {
        self.known.get(&id).is_some_and(|known| known.under_way)
    }

    /// Whether the record came before; it has from now on, and is under way until [`Gate::arrive`] or [`Gate::take_back`].
    pub fn pass(&mut self, id: u128, body: u128, now: IngestTime) -> Came {
        self.forget(now);
        match self.known.get(&id) {
            Some(known) if known.body == body => Came::Before,
            Some(_) => Came::Otherwise,
            None => {
                let at = now.as_millis();
                let known = Known {
                    body,
                    at,
                    under_way: true,
                };
                self.known.insert(id, known);
                self.order.push_back((at, id));
                Came::New
            }
        }
    }

    /// The records are on stable storage. O(ids).
    pub fn arrive(&mut self, ids: &[u128]) {
        for id in ids {
            if let Some(known) = self.known.get_mut(id) {
                known.under_way = false;
            }
        }
    }

    /// Takes ids back whose records could not be kept. O(ids): their places in the order lapse by themselves.
    pub fn take_back(&mut self, ids: &[u128]) {
        for id in ids {
            self.known.remove(id);
        }
    }

    /// Ids remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// As it is kept: what is on stable storage.
    pub fn keep(&self) -> Kept {
        let each = |(at, id): &(i64, u128)| {
            let known = self
                .known
                .get(id)
                .filter(|known| known.at == *at && !known.under_way);
            known.map(|known| (*at, *id, known.body))
        };
        Kept(self.order.iter().filter_map(each).collect())
    }

    /// As it was kept.
    pub fn restore(kept: Kept) -> Self {
        let mut gate = Self::default();
        for (at, id, body) in kept.0 {
            let known = Known {
                body,
                at,
                under_way: false,
            };
            gate.known.insert(id, known);
            gate.order.push_back((at, id));
        }
        gate
    }

    fn forget(&mut self, now: IngestTime) {
        let until = now.as_millis() - REMEMBERED_MS;
        while self
            .order
            .front()
            .is_some_and(|(at, _)| *at < until || self.order.len() >= IDS_MAX)
        {
            let Some((at, id)) = self.order.pop_front() else {
                return;
            };
            // One that was taken back and came again has a later place of its own.
            if self.known.get(&id).is_some_and(|known| known.at == at) {
                self.known.remove(&id);
            }
        }
    }
}

/// The id of a record: its tenant, its source, and the ids of its events.
pub fn id_of<'a>(tenant: &'a TenantId, source: &'a Text, uids: impl Iterator<Item = &'a str>) -> u128 {
    let mut bytes = Vec::with_capacity(96);
    for part in [tenant.as_str(), source.as_str()].into_iter().chain(uids) {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    wide(&bytes)
}

/// 128 bits of BLAKE3: nobody can make two contents that are equal by it, and so have one taken for the other.
pub fn wide(bytes: &[u8]) -> u128 {
    let digest = blake3::hash(bytes);
    let first = digest.as_bytes().first_chunk::<16>();
    u128::from_le_bytes(first.copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> IngestTime {
        IngestTime::from_millis(ms).unwrap()
    }

    #[test]
    fn ids_are_known_for_seven_days_and_their_content_counts() {
        let mut gate = Gate::default();
        let id = id_of(&TenantId::default(), &Text::new("idp"), ["e-1"].into_iter());
        assert_eq!(gate.pass(id, 1, at(0)), Came::New);
        assert_eq!(gate.pass(id, 1, at(10)), Came::Before);
        assert_eq!(gate.pass(id, 2, at(10)), Came::Otherwise);
        gate.arrive(&[id]);
        let mut again = Gate::restore(gate.keep());
        assert_eq!(again.pass(id, 1, at(REMEMBERED_MS)), Came::Before);
        assert_eq!(again.pass(id, 1, at(REMEMBERED_MS + 1)), Came::New);
        gate.take_back(&[id]);
        assert_eq!((gate.pass(id, 9, at(20)), gate.len()), (Came::New, 1));
        // The lapsed place of the first does not take the second with it.
        assert_eq!(gate.pass(2, 1, at(REMEMBERED_MS + 10)), Came::New);
        assert_eq!(gate.pass(id, 9, at(REMEMBERED_MS + 10)), Came::Before);
    }

    #[test]
    fn what_is_under_way_is_not_known_to_be_kept() {
        let mut gate = Gate::default();
        gate.pass(7, 1, at(0));
        assert!(gate.is_under_way(7) && !Gate::restore(gate.keep()).is_under_way(7));
        assert_eq!(
            Gate::restore(gate.keep()).len(),
            0,
            "a snapshot knows only what is kept"
        );
        gate.arrive(&[7]);
        assert!(!gate.is_under_way(7));
        assert_eq!(gate.pass(7, 1, at(1)), Came::Before);
    }

    #[test]
    fn parts_of_ids_do_not_run_together() {
        let of = |source: &str, uid: &'static str| {
            id_of(&TenantId::default(), &Text::new(source), [uid].into_iter())
        };
        assert_ne!(of("a", "bc"), of("ab", "c"));
    }
}
