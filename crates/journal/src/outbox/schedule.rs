//! When a failed order is tried again.

use crate::bytes::Take;
use habitus_model::{IngestTime, Millis};

/// Waits after each failed try (RELIABILITY section 4); after the last try there is none, and the order is a dead letter.
pub const WAITS_MS: [i64; 9] = [
    1_000,      // 1 s
    5_000,      // 5 s
    30_000,     // 30 s
    120_000,    // 2 min
    600_000,    // 10 min
    3_600_000,  // 1 h
    14_400_000, // 4 h
    43_200_000, // 12 h
    86_400_000, // 24 h
];
/// Tries in all.
pub const TRIES: u32 = 10;
/// How long a worker may hold an order before it counts as failed without an outcome.
pub const LEASE_MS: i64 = 120_000;
/// Waits vary by up to a tenth, so that orders that failed together do not come back together.
const JITTER_PER_MILLE: i64 = 100;

/// The time of the next try after `tries` failed ones, not before `not_before`; `None` after the last. The jitter is derived from
/// the id, so that a replay gives the same times.
#[must_use]
pub fn next_try(id: &str, tries: u32, now: IngestTime, not_before: Option<Millis>) -> Option<IngestTime> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    let wait = *WAITS_MS.get(index)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&tries.to_le_bytes()).update(id.as_bytes());
    let draw = Take::new(hasher.finalize().as_bytes()).u16().unwrap_or_default();
    let per_mille = i64::from(draw) % (2 * JITTER_PER_MILLE + 1) - JITTER_PER_MILLE;
    let longest = WAITS_MS.last().copied().unwrap_or(wait);
    let asked = not_before.map_or(0, |asked| asked.0.clamp(0, longest));
    let wait = (wait + wait * per_mille / 1_000).max(asked);
    IngestTime::from_millis(now.as_millis().saturating_add(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_vary_by_id_repeat_and_end() {
        let now = IngestTime::from_millis(1_000_000).unwrap();
        let wait = |id, tries| next_try(id, tries, now, None).map(|at| at.as_millis() - 1_000_000);
        for (index, expected) in WAITS_MS.iter().enumerate() {
            let tries = u32::try_from(index).unwrap() + 1;
            let waited = wait("a", tries).unwrap();
            assert!(
                (waited - expected).abs() <= expected / 10,
                "{waited} for {expected}"
            );
            assert_eq!(wait("a", tries), Some(waited));
        }
        assert_ne!(wait("a", 4), wait("b", 4));
        assert_eq!((wait("a", TRIES), wait("a", 0)), (None, None));
        let asked = next_try("a", 1, now, Some(Millis(60_000))).unwrap();
        assert_eq!(asked.as_millis(), 1_060_000, "the responder's own wish counts");
    }
}
