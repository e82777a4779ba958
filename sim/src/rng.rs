//! Chance, as a parameter: named streams drawn from one seed.
//!
//! Every person, provider and attack has a stream of its own, so that a change to one mechanism leaves the draws of
//! the others alone. The generator is a PCG (O'Neill 2014), which has no way to the machine's entropy.

use habitus_model::hash::HashKey;
use habitus_model::math;
use oorandom::Rand64;

/// One stream of random numbers.
pub(crate) struct Rng(Rand64);

impl Rng {
    /// The stream called `name`, number `index`, of a seed.
    pub(crate) fn new(seed: u64, name: &str, index: u64) -> Self {
        let low = HashKey::new(seed, index).fingerprint(name.as_bytes());
        let high = HashKey::new(index, !seed).fingerprint(name.as_bytes());
        Self(Rand64::new(u128::from(high) << 64 | u128::from(low)))
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.rand_u64()
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.rand_float()
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform among `0..n`; 0 if `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0.rand_range(0..n)).unwrap_or(0)
    }

    /// Normal (Box–Muller).
    pub(crate) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * math::ln(1.0 - self.unit())).sqrt();
        mean + deviation * radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Log-normal, by its median and the deviation of its logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, deviation: f64) -> f64 {
        median * math::exp(self.normal(0.0, deviation))
    }

    /// Exponential, by its mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * math::ln(1.0 - self.unit())
    }

    /// Poisson by counting exponential steps; the mean is cut at 50, where a count of steps would take too long.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        let mut left = mean.min(50.0);
        let mut count = 0;
        loop {
            left -= self.exponential(1.0);
            if left <= 0.0 {
                return count;
            }
            count += 1;
        }
    }

    /// One of the items, all alike; `None` if there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of the items by weight; `None` if no weight is positive. O(n).
    pub(crate) fn weighted<I, T>(&mut self, items: I, weight: impl Fn(&T) -> f64) -> Option<T>
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Clone,
    {
        let items = items.into_iter();
        let total: f64 = items.clone().map(|item| weight(&item).max(0.0)).sum();
        let mut left = total * self.unit();
        let mut last = None;
        for item in items {
            let w = weight(&item).max(0.0);
            if w <= 0.0 {
                continue;
            }
            left -= w;
            if left < 0.0 {
                return Some(item);
            }
            last = Some(item);
        }
        last
    }
}

/// A number from a key and a step, without a stream: for what must be the same whenever it is asked (the address a
/// line holds in its 17th lease). SplitMix64 (Steele et al., OOPSLA 2014).
pub(crate) fn mix(key: u64, salt: u64, step: i64) -> u64 {
    let mut z = key
        .wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(step.cast_unsigned().wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `hash` spread over `0..n`; 0 if `n` is 0.
pub(crate) fn spread(hash: u64, n: u64) -> u64 {
    hash % n.max(1)
}

/// `hash` as a number in `[0, 1)`.
pub(crate) fn fraction(hash: u64) -> f64 {
    math::from_u64(hash >> 11) / 9_007_199_254_740_992.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, name, index| Rng::new(seed, name, index).bits();
        assert_eq!(draw(1, "person", 7), draw(1, "person", 7));
        assert_ne!(draw(1, "person", 7), draw(2, "person", 7));
        assert_ne!(draw(1, "person", 7), draw(1, "person", 8));
        assert_ne!(draw(1, "person", 7), draw(1, "attack", 7));
    }

    #[test]
    fn distributions_have_their_means() {
        let mut rng = Rng::new(3, "test", 0);
        let mut mean =
            |f: &mut dyn FnMut(&mut Rng) -> f64| (0..20_000).map(|_| f(&mut rng)).sum::<f64>() / 20_000.0;
        assert!((mean(&mut |r| r.normal(5.0, 2.0)) - 5.0).abs() < 0.06);
        assert!((mean(&mut |r| r.exponential(3.0)) - 3.0).abs() < 0.1);
        assert!((mean(&mut |r| f64::from(r.poisson(2.5))) - 2.5).abs() < 0.06);
        assert!((mean(&mut |r| f64::from(u8::from(r.chance(0.2)))) - 0.2).abs() < 0.02);
    }

    #[test]
    fn weights_of_zero_are_never_drawn() {
        let mut rng = Rng::new(4, "test", 0);
        let drawn = (0..1_000).filter_map(|_| rng.weighted([0.0, 1.0, 3.0], |w| *w));
        let threes = drawn.inspect(|w| assert!(*w > 0.0)).filter(|w| *w > 2.0).count();
        assert!((700..800).contains(&threes), "{threes}");
        assert_eq!(rng.weighted([0.0], |w| *w), None);
    }
}
