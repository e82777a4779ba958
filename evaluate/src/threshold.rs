//! Thresholds from the past: what a score must exceed so that no more of the legitimate scores so far are flagged than a
//! budget allows. Nothing that comes later is known to them.

use habitus_model::math;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// How much may be flagged of what is legitimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// This share of them, in `[0, 1]`.
    Share(f64),
    /// This many in 30 days.
    PerMonth(f64),
}

/// A score with a total order; no NaN reaches it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score(f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// The running threshold of one budget: the smallest score that is not flagged. O(log n) per score.
#[derive(Debug, Clone)]
pub struct Running {
    budget: Budget,
    count: u64,
    first_ms: Option<i64>,
    /// The scores that the budget pays for, and the one above which it pays.
    top: BinaryHeap<Reverse<Score>>,
    rest: BinaryHeap<Score>,
}

impl Running {
    /// Without a past, nothing is flagged.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            count: 0,
            first_ms: None,
            top: BinaryHeap::new(),
            rest: BinaryHeap::new(),
        }
    }

    /// A legitimate score at a time; times do not go back.
    pub fn push(&mut self, ms: i64, score: f64) {
        self.count += 1;
        let first = *self.first_ms.get_or_insert(ms);
        let allowed = match self.budget {
            // The tolerance keeps a budget of exactly k from failing by rounding.
            Budget::Share(share) => share * math::from_u64(self.count) + 1e-9,
            Budget::PerMonth(many) => many * math::from_i64(ms - first) / (30.0 * 86_400_000.0),
        };
        let kept = usize::try_from(math::to_u64(allowed.max(0.0).floor())).unwrap_or(0) + 1;
        self.rest.push(Score(score));
        // The larger half is on top: move over what belongs there, then as many as the budget has grown by.
        if let (Some(Reverse(least)), Some(greatest)) = (self.top.peek().copied(), self.rest.peek().copied())
            && greatest > least
        {
            self.rest.pop();
            self.top.pop();
            self.top.push(Reverse(greatest));
            self.rest.push(least);
        }
        while self.top.len() < kept {
            let Some(next) = self.rest.pop() else {
                break;
            };
            self.top.push(Reverse(next));
        }
    }

    /// The score that must be exceeded; infinite without a past.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.top.peek().map_or(f64::INFINITY, |Reverse(least)| least.0)
    }

    /// Whether a score is flagged now. Ties are not.
    #[must_use]
    pub fn flags(&self, score: f64) -> bool {
        score > self.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Ranked;
    use oorandom::Rand64;

    #[test]
    fn a_threshold_is_the_one_that_sorting_the_past_gives() {
        let mut rng = Rand64::new(5);
        for share in [0.0001, 0.01, 0.1, 0.5] {
            let mut running = Running::new(Budget::Share(share));
            let mut past = Vec::new();
            for nth in 0..400 {
                // Few distinct values, so that ties are met.
                let score = math::from_u64(rng.rand_range(0..40));
                running.push(nth, score);
                past.push((score, 0));
                let sorted = Ranked::new(past.clone()).thresholds([share], &[1.0]);
                assert_eq!([running.now()], sorted, "{share} after {nth}");
            }
        }
    }

    #[test]
    fn without_a_past_nothing_is_flagged_and_ties_never_are() {
        let mut running = Running::new(Budget::Share(0.5));
        assert!(!running.flags(1e9));
        running.push(0, 1.0);
        assert!(!running.flags(1.0) && running.flags(1.5));
    }

    #[test]
    fn a_monthly_budget_grows_with_time() {
        let mut running = Running::new(Budget::PerMonth(1.0));
        for day in 0..30 {
            running.push(day * 86_400_000, 10.0 - math::from_i64(day));
        }
        assert_eq!(running.now(), 10.0, "no alarm is paid for within the first month");
        running.push(31 * 86_400_000, 0.0);
        assert_eq!(running.now(), 9.0);
    }
}
