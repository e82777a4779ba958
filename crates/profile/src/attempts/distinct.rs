//! How many different values were seen, in 64 bytes: HyperLogLog (Flajolet et al. 2007) with 64 registers, linear counting
//! (Whang et al. 1990) while few. Off by 13 % (one standard deviation), by less below a dozen.

use habitus_model::math::{from_u64, ln};
use serde::{Deserialize, Serialize};

const REGISTERS: f64 = 64.0;
/// Bias of 64 registers (Flajolet et al. 2007, figure 3).
const ALPHA: f64 = 0.709;
/// Registers hold at most this: a rank of 40 stands for 10^12 values.
const RANK_MAX: u32 = 40;

/// A sketch of a set of fingerprints. The registers are bytes, eight to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Distinct([u64; 8]);

impl Distinct {
    /// Puts a value in. Fingerprints are hashes already: who cannot compute them cannot choose registers.
    pub fn insert(&mut self, fingerprint: u64) {
        let register = fingerprint % 64;
        let rank = ((fingerprint >> 6).trailing_zeros() + 1).min(RANK_MAX);
        let shift = 8 * (register % 8);
        let word = usize::try_from(register / 8)
            .ok()
            .and_then(|at| self.0.get_mut(at));
        if let Some(word) = word
            && u64::from(rank) > (*word >> shift) & 0xff
        {
            *word = (*word & !(0xff << shift)) | (u64::from(rank) << shift);
        }
    }

    /// Estimated number of different values. O(64), and no exponentials.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        let (mut zeros, mut sum) = (0_u32, 0_u64);
        for rank in self.0.iter().flat_map(|word| word.to_le_bytes()) {
            zeros += u32::from(rank == 0);
            // In units of 2^-RANK_MAX, so that the sum is exact.
            sum += 1 << (RANK_MAX - u32::from(rank).min(RANK_MAX));
        }
        let raw = ALPHA * REGISTERS * REGISTERS * from_u64(1 << RANK_MAX) / from_u64(sum.max(1));
        if raw <= 2.5 * REGISTERS && zeros > 0 {
            REGISTERS * ln(REGISTERS / f64::from(zeros))
        } else {
            raw
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use habitus_model::hash::HashKey;

    #[test]
    fn few_and_many_are_counted_within_the_error_of_the_sketch() {
        for n in [0_u64, 1, 3, 9, 50, 400, 5_000, 100_000] {
            let mut set = Distinct::default();
            for value in 0..n {
                set.insert(HashKey::REPLAY.fingerprint(&value));
                set.insert(HashKey::REPLAY.fingerprint(&(value / 2)));
            }
            let (got, n) = (set.estimate(), from_u64(n));
            assert!((got - n).abs() <= 0.3 * n + 0.1, "{n}: {got}");
        }
    }
}
