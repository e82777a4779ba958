//! When tables that all shards read take in what all shards learned.
//!
//! Every 4,096 positions of a tenant's log in the long run (SCORING 14); more often at the start, so that a short log teaches
//! too. A function of the position alone: the same log gives the same epochs, however it is batched or sharded.

/// Longest epoch, positions.
pub const EPOCH_MAX: u64 = 4_096;

/// The position at which the epoch that holds `position` ends: the first multiple of its length above `position`.
#[must_use]
pub fn end_after(position: u64) -> u64 {
    let length = length_at(position);
    (position / length + 1) * length
}

/// A sixteenth of the log so far, as a power of two.
fn length_at(position: u64) -> u64 {
    match position / 16 {
        0 => 1,
        sixteenth => (1u64 << sixteenth.ilog2()).min(EPOCH_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_follow_each_other_without_gaps_and_grow_to_the_maximum() {
        let mut position = 0;
        let mut last = 0;
        for _ in 0..2_000 {
            let end = end_after(position);
            assert!(end > position && end - position <= EPOCH_MAX);
            for inside in [position, (position + end) / 2, end - 1] {
                assert_eq!(
                    end_after(inside),
                    end,
                    "every position of an epoch agrees on its end"
                );
            }
            last = end - position;
            position = end;
        }
        assert_eq!(last, EPOCH_MAX);
        assert_eq!(end_after(0), 1);
    }
}
