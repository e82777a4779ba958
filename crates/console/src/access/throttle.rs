//! Delays after failed sign-ins, by account and by source address.

use std::collections::BTreeMap;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 3;
/// The first delay; each further failure doubles it.
const FIRST_DELAY_MS: i64 = 1_000;
/// After this long without a failure all is forgotten.
const FORGET_MS: i64 = 3_600_000;
/// Keys kept. Beyond it the one longest without a failure is forgotten.
const KEYS_MAX: usize = 10_000;

/// Failures by key, and the delay they cause: nothing for three, then 1 s, 2 s, 4 s, … up to the longest.
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    delay_ms_max: i64,
    strikes: BTreeMap<K, Strikes>,
}

#[derive(Debug, Clone, Copy)]
struct Strikes {
    count: u32,
    last_ms: i64,
}

impl<K: Ord + Clone> Throttle<K> {
    pub(crate) fn new(delay_ms_max: i64) -> Self {
        Self {
            delay_ms_max,
            strikes: BTreeMap::new(),
        }
    }

    /// Milliseconds that this key must still wait; 0 if it need not.
    pub(crate) fn wait_ms(&self, key: &K, now_ms: i64) -> i64 {
        let Some(strikes) = self.strikes.get(key) else {
            return 0;
        };
        let over = strikes.count.saturating_sub(FREE);
        if over == 0 {
            return 0;
        }
        let delay = FIRST_DELAY_MS
            .saturating_mul(1_i64 << (over - 1).min(30))
            .min(self.delay_ms_max);
        // A clock that was set back must not lengthen the delay.
        (strikes.last_ms.saturating_add(delay) - now_ms).clamp(0, delay)
    }

    /// A failure.
    pub(crate) fn fail(&mut self, key: &K, now_ms: i64) {
        if !self.strikes.contains_key(key) && self.strikes.len() >= KEYS_MAX {
            self.forget_one(now_ms);
        }
        let strikes = self.strikes.entry(key.clone()).or_insert(Strikes {
            count: 0,
            last_ms: now_ms,
        });
        if now_ms.saturating_sub(strikes.last_ms) > FORGET_MS {
            strikes.count = 0;
        }
        strikes.count = strikes.count.saturating_add(1);
        strikes.last_ms = now_ms;
    }

    /// A success: the key starts anew.
    pub(crate) fn succeed(&mut self, key: &K) {
        self.strikes.remove(key);
    }

    fn forget_one(&mut self, now_ms: i64) {
        self.strikes
            .retain(|_, strikes| now_ms.saturating_sub(strikes.last_ms) <= FORGET_MS);
        if self.strikes.len() < KEYS_MAX {
            return;
        }
        let oldest = self.strikes.iter().min_by_key(|(_, strikes)| strikes.last_ms);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.strikes.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let mut throttle = Throttle::new(5_000);
        let mut delays = Vec::new();
        for _ in 0..8 {
            throttle.fail(&"bob", 0);
            delays.push(throttle.wait_ms(&"bob", 0));
        }
        assert_eq!(delays, [0, 0, 0, 1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(throttle.wait_ms(&"bob", 5_000), 0);
        assert_eq!(throttle.wait_ms(&"eve", 0), 0);
    }

    #[test]
    fn success_and_an_hour_forgive() {
        let mut throttle = Throttle::new(5_000);
        for _ in 0..8 {
            throttle.fail(&"bob", 0);
        }
        throttle.fail(&"bob", FORGET_MS + 1);
        assert_eq!(throttle.wait_ms(&"bob", FORGET_MS + 1), 0);
        for _ in 0..8 {
            throttle.fail(&"eve", 0);
        }
        throttle.succeed(&"eve");
        assert_eq!(throttle.wait_ms(&"eve", 0), 0);
    }

    #[test]
    fn invented_keys_do_not_fill_the_memory() {
        let mut throttle = Throttle::new(5_000);
        for key in 0..30_000 {
            throttle.fail(&key, i64::from(key));
        }
        assert!(throttle.strikes.len() <= KEYS_MAX);
    }

    #[test]
    fn a_clock_set_back_does_not_lock_out() {
        let mut throttle = Throttle::new(5_000);
        for _ in 0..20 {
            throttle.fail(&"bob", 1_000_000_000);
        }
        assert!(throttle.wait_ms(&"bob", 0) <= 5_000);
    }
}
