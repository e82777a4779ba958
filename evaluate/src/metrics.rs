//! Rank metrics with weights, ties against the detector.
//!
//! Weights are the bootstrap's: how often an account was drawn. All ones gives the plain metric.

use crate::plan::BUDGETS;

/// A score with the number of its account.
pub type Scored = (f64, u32);

/// The metrics of one scorer on one kind of attack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Probability that a random attack scores strictly higher than a random owner's login.
    pub roc_auc: f64,
    /// Mean precision over the attacks, at the share of attacks there are in the sample.
    pub average_precision: f64,
    /// Share of attacks found at each of [`BUDGETS`].
    pub recall: [f64; 5],
}

/// Scores in descending order, ready to be measured under any weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked(Vec<Scored>);

impl Ranked {
    /// Sorts. O(n log n).
    #[must_use]
    pub fn new(mut scores: Vec<Scored>) -> Self {
        scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        Self(scores)
    }

    /// Number of scores.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn weight(&self, weights: &[f64]) -> f64 {
        total(&self.0, weights)
    }

    /// The scores that must be exceeded so that at most these shares of the logins are flagged; budgets in ascending
    /// order. Infinite if there are no logins. O(n).
    #[must_use]
    pub fn thresholds<const N: usize>(&self, budgets: [f64; N], weights: &[f64]) -> [f64; N] {
        let whole = self.weight(weights);
        let mut ranked = self.0.iter();
        let mut above = 0.0;
        let mut last = f64::INFINITY;
        budgets.map(|budget| {
            // The tolerance keeps a budget of exactly k logins from failing by rounding.
            while above <= budget * whole + 1e-9 {
                let Some((score, account)) = ranked.next() else {
                    break;
                };
                above += weight_of(weights, *account);
                last = *score;
            }
            last
        })
    }

    /// Share of these logins strictly above each threshold; 0 if there are none. O(n).
    #[must_use]
    pub fn shares_above<const N: usize>(&self, thresholds: [f64; N], weights: &[f64]) -> [f64; N] {
        let whole = self.weight(weights);
        thresholds.map(|threshold| {
            let flagged = self.0.partition_point(|scored| scored.0 > threshold);
            let flagged = self.0.get(..flagged).unwrap_or_default();
            ratio(total(flagged, weights), whole)
        })
    }
}

/// Measures several kinds of attack against the same owners. An empty side gives zeros. O(n × kinds).
#[must_use]
pub fn measure<const K: usize>(owners: &Ranked, attacks: &[Ranked; K], weights: &[f64]) -> [Metrics; K] {
    let thresholds = owners.thresholds(BUDGETS, weights);
    let mut kinds = attacks.iter();
    std::array::from_fn(|_| {
        let none = Ranked(Vec::new());
        let attacks = kinds.next().unwrap_or(&none);
        let (roc_auc, average_precision) = curves(owners, attacks, weights);
        Metrics {
            roc_auc,
            average_precision,
            recall: attacks.shares_above(thresholds, weights),
        }
    })
}

/// Area under the ROC curve and average precision in one pass down the ranking. At equal scores the owners come
/// first, which is what "ties against the detector" means for both.
fn curves(owners: &Ranked, attacks: &Ranked, weights: &[f64]) -> (f64, f64) {
    let all_owners = owners.weight(weights);
    let all_attacks = attacks.weight(weights);
    let mut ahead = owners.0.iter().peekable();
    let (mut owners_ahead, mut found) = (0.0, 0.0);
    let (mut area, mut precision) = (0.0, 0.0);
    for group in attacks.0.chunk_by(|a, b| a.0 == b.0) {
        let score = group.first().map_or(f64::NEG_INFINITY, |attack| attack.0);
        while let Some(owner) = ahead.next_if(|owner| owner.0 >= score) {
            owners_ahead += weight_of(weights, owner.1);
        }
        let weight = total(group, weights);
        found += weight;
        area += weight * (all_owners - owners_ahead);
        precision += weight * ratio(found, found + owners_ahead);
    }
    let area = ratio(area, all_owners * all_attacks);
    (area, ratio(precision, all_attacks))
}

/// Sum of weights; from positive zero, which the sum of nothing is not.
fn total(scores: &[Scored], weights: &[f64]) -> f64 {
    let weights = scores.iter().map(|scored| weight_of(weights, scored.1));
    weights.fold(0.0, |sum, weight| sum + weight)
}

pub(crate) fn weight_of(weights: &[f64], account: u32) -> f64 {
    let ix = usize::try_from(account).unwrap_or(usize::MAX);
    weights.get(ix).copied().unwrap_or(0.0)
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(scores: &[f64]) -> Ranked {
        Ranked::new(scores.iter().map(|score| (*score, 0)).collect())
    }

    const ONE: [f64; 1] = [1.0];

    #[test]
    fn hand_computed_ranking() {
        // Descending: A9 O8 A7 O5 O3 A2 O1. Pairs won by attacks: 4 + 3 + 1 of 12.
        // Precision at the attacks: 1/1, 2/3, 3/6.
        let owners = ranked(&[8.0, 5.0, 3.0, 1.0]);
        let attacks = ranked(&[9.0, 7.0, 2.0]);
        let [measured] = measure(&owners, &[attacks], &ONE);
        assert!((measured.roc_auc - 8.0 / 12.0).abs() < 1e-12);
        assert!((measured.average_precision - (1.0 + 2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn budgets_count_owners_above_the_threshold() {
        let owners = ranked(&[10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        // One of ten may be flagged: the threshold is the second owner.
        assert_eq!(owners.thresholds([0.1], &ONE), [9.0]);
        assert!((owners.shares_above([9.0], &ONE)[0] - 0.1).abs() < 1e-12);
        // Less than one login allowed: an attack must beat every owner.
        assert_eq!(owners.thresholds([0.01], &ONE), [10.0]);
        let attacks = ranked(&[10.5, 9.5, 9.0, 0.5]);
        let [measured] = measure(&owners, &[attacks], &ONE);
        assert_eq!(measured.recall, [0.25, 0.25, 0.25, 0.25, 0.5]);
    }

    #[test]
    fn ties_count_against_the_detector() {
        let owners = ranked(&[1.0, 1.0, 1.0, 1.0]);
        let attacks = ranked(&[1.0, 1.0]);
        let [measured] = measure(&owners, &[attacks], &ONE);
        assert_eq!(measured.roc_auc, 0.0);
        assert_eq!(measured.recall, [0.0; 5]);
        assert!((measured.average_precision - 2.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn a_budget_spent_by_ties_flags_nobody() {
        // Three owners tie at the top; a budget of one in four cannot flag one of them alone.
        let owners = ranked(&[5.0, 5.0, 5.0, 1.0]);
        let thresholds = owners.thresholds([0.25], &ONE);
        assert_eq!(thresholds, [5.0]);
        assert_eq!(owners.shares_above(thresholds, &ONE), [0.0]);
    }

    #[test]
    fn weights_repeat_accounts() {
        let owners = Ranked::new(vec![(3.0, 0), (1.0, 1)]);
        let attacks = [Ranked::new(vec![(2.0, 0), (4.0, 1)])];
        // Account 0 twice, account 1 never: owners 3, 3; attacks 2, 2.
        let weights = [2.0, 0.0];
        assert_eq!(measure(&owners, &attacks, &weights)[0].roc_auc, 0.0);
        // Account 1 twice: owners 1, 1; attacks 4, 4.
        assert_eq!(measure(&owners, &attacks, &[0.0, 2.0])[0].roc_auc, 1.0);
    }

    #[test]
    fn nothing_to_measure_is_zero_and_no_panic() {
        let [measured] = measure(&ranked(&[]), &[ranked(&[])], &ONE);
        assert_eq!(measured.roc_auc, 0.0);
        assert_eq!(measured.recall, [0.0; 5]);
    }
}
