//! Resampling of accounts: logins of one account depend on each other, so the account is the unit (a cluster
//! bootstrap: Davison & Hinkley 1997, 3.8).

use habitus_model::math;
use oorandom::Rand64;

/// How often each account is drawn in replicate `nth` of a world, when as many are drawn as there are.
pub(crate) fn weights((seed, world_seed): (u64, u64), nth: u32, accounts: usize) -> Vec<f64> {
    let stream = u128::from(seed) << 96 | u128::from(world_seed) << 32 | u128::from(nth);
    let mut rng = Rand64::new(stream);
    let mut weights = vec![0.0; accounts];
    let count = u64::try_from(accounts).unwrap_or(u64::MAX).max(1);
    for _ in 0..accounts {
        let ix = usize::try_from(rng.rand_range(0..count)).unwrap_or(0);
        if let Some(weight) = weights.get_mut(ix) {
            *weight += 1.0;
        }
    }
    weights
}

/// The 2.5 % and 97.5 % quantiles (nearest rank); `None` without replicates.
pub(crate) fn interval(mut replicates: Vec<f64>) -> Option<(f64, f64)> {
    replicates.sort_unstable_by(f64::total_cmp);
    let top = math::from_usize(replicates.len().checked_sub(1)?);
    let at = |q: f64| {
        let ix = usize::try_from(math::to_u64(q * top)).unwrap_or(0);
        replicates.get(ix).copied()
    };
    Some((at(0.025)?, at(0.975)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_drawn_as_there_are_and_repeatably() {
        let drawn = weights((1, 2), 3, 500);
        assert_eq!(drawn.iter().sum::<f64>(), 500.0);
        assert_eq!(drawn, weights((1, 2), 3, 500));
        assert_ne!(drawn, weights((1, 2), 4, 500));
        // About 37 % of accounts are not drawn (1/e).
        let none = drawn.iter().filter(|weight| **weight == 0.0).count();
        assert!((150..220).contains(&none), "{none}");
    }

    #[test]
    fn quantiles_are_those_of_the_ranks() {
        let replicates: Vec<f64> = (0..=200).rev().map(f64::from).collect();
        assert_eq!(interval(replicates), Some((5.0, 195.0)));
        assert_eq!(interval(Vec::new()), None);
    }
}
