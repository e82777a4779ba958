//! How much each label counts, so that nobody who labels in error or in malice decides alone (RELIABILITY 6.2).

use super::Side;
use habitus_model::math::from_usize;
use habitus_model::{IngestTime, RiskScore, Text};
use std::collections::BTreeMap;

/// Labels of one person within an hour that count without a second person (RELIABILITY 6.2).
pub const HOUR_LABELS_MAX: usize = 20;
/// Share of all labels' weight that one person's may have (RELIABILITY 6.2), once that is more than
/// [`Limits::author_labels`].
const AUTHOR_SHARE_MAX: f64 = 0.05;
/// Labels of one account that count, by weight: who is attacked every day, or is a nuisance every day, is one account. Assumed.
const ACCOUNT_LABELS_MAX: f64 = 3.0;
/// Labels of one neighbourhood of the network that count, by weight: the hundred victims of one attacker are one attack. Assumed.
const SOURCE_LABELS_MAX: f64 = 3.0;
/// Score from which strong evidence speaks for an attack, 1 legitimate event in 10,000: who says it was none is right less often.
const AT_ODDS_FROM: f64 = 80.0;
/// What such a label counts until a second person says the same. Assumed.
const AT_ODDS_WEIGHT: f64 = 0.25;
/// What it counts that something unusual was expected: it says that the owner did it, and not that it was wrong to look.
const EXPECTED_WEIGHT: f64 = 0.25;

/// A label, as far as its influence goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Who said it last.
    pub author: Text,
    /// Whether a second person said the same.
    pub seconded: bool,
    /// When it was said last.
    pub at: IngestTime,
    /// Fingerprint of the account.
    pub account: u64,
    /// Fingerprint of the neighbourhood the event came from; absent: unknown.
    pub source: Option<u64>,
    /// What was said.
    pub side: Side,
    /// What the event scored.
    pub score: RiskScore,
}

/// Limits that are configured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Labels of one person that count, by weight, where few people label: with fewer than this many labels in all a share would be
    /// less than one label.
    pub author_labels: f64,
}

/// The weight of each label, in `[0, 1]`.
#[must_use]
pub fn weights(labels: &[Label], limits: Limits) -> Vec<f64> {
    let mut weights: Vec<f64> = labels.iter().map(said).collect();
    in_haste(labels, &mut weights);
    let by_account = |label: &Label| Some(label.account);
    scale(labels, &mut weights, (by_account, ACCOUNT_LABELS_MAX));
    scale(
        labels,
        &mut weights,
        (|label: &Label| label.source, SOURCE_LABELS_MAX),
    );
    let total: f64 = weights.iter().sum();
    let most = limits.author_labels.max(AUTHOR_SHARE_MAX * total);
    // What a second person says too is nobody's own.
    let by_author = |label: &Label| (!label.seconded).then(|| label.author.clone());
    scale(labels, &mut weights, (by_author, most));
    weights
}

/// What a label counts by itself.
fn said(label: &Label) -> f64 {
    let at_odds = !label.side.is_attack() && label.score.get() >= AT_ODDS_FROM && !label.seconded;
    let credible = if at_odds { AT_ODDS_WEIGHT } else { 1.0 };
    match label.side {
        Side::Attack | Side::FalseAlarm => credible,
        Side::Expected => credible * EXPECTED_WEIGHT,
    }
}

/// Takes out what one person said beyond so many labels an hour, unless a second one says the same.
fn in_haste(labels: &[Label], weights: &mut [f64]) {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|at| labels.get(*at).map(|label| label.at));
    let mut counted: BTreeMap<&Text, Vec<IngestTime>> = BTreeMap::new();
    for at in order {
        let Some((label, weight)) = labels.get(at).zip(weights.get_mut(at)) else {
            continue;
        };
        if label.seconded {
            continue;
        }
        let times = counted.entry(&label.author).or_default();
        let hour_ago = label.at.as_millis() - 3_600_000;
        let lately = times.iter().rev().take_while(|time| time.as_millis() > hour_ago);
        if lately.count() < HOUR_LABELS_MAX {
            times.push(label.at);
        } else {
            *weight = 0.0;
        }
    }
}

/// Scales the labels that have a key in common to what these may weigh together.
fn scale<K: Ord>(labels: &[Label], weights: &mut [f64], (key, most): (impl Fn(&Label) -> Option<K>, f64)) {
    let mut sums: BTreeMap<K, f64> = BTreeMap::new();
    for (label, weight) in labels.iter().zip(&*weights) {
        if let Some(key) = key(label) {
            *sums.entry(key).or_default() += weight;
        }
    }
    for (label, weight) in labels.iter().zip(weights) {
        let sum = key(label).and_then(|key| sums.get(&key));
        if let Some(sum) = sum.filter(|sum| **sum > most) {
            *weight *= most / sum;
        }
    }
}

/// Labels that count as whole ones would, for people: the sum of their weights.
#[must_use]
pub fn count(weights: &[f64]) -> f64 {
    weights.iter().sum::<f64>().min(from_usize(weights.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { author_labels: 20.0 };

    fn label(author: &str, nth: i64, side: Side, score: f64) -> Label {
        Label {
            author: Text::new(author),
            seconded: false,
            // One an hour and a minute.
            at: IngestTime::from_millis(nth * 3_660_000).unwrap(),
            account: u64::try_from(nth).unwrap(),
            source: None,
            side,
            score: RiskScore::new(score),
        }
    }

    fn sum(labels: &[Label]) -> f64 {
        weights(labels, LIMITS).iter().sum()
    }

    #[test]
    fn one_person_weighs_twenty_labels_or_a_twentieth() {
        let alone: Vec<Label> = (0..300)
            .map(|nth| label("eve", nth, Side::FalseAlarm, 70.0))
            .collect();
        assert!((sum(&alone) - 20.0).abs() < 1e-9);
        let others = (0..1_000).map(|nth| label(&format!("a{}", nth % 50), 300 + nth, Side::Attack, 70.0));
        let all: Vec<Label> = alone.into_iter().chain(others).collect();
        let eves: f64 = weights(&all, LIMITS).iter().take(300).sum();
        assert!((eves - 0.05 * 1_300.0).abs() < 1e-9, "{eves}");
    }

    #[test]
    fn twenty_an_hour_count_unless_a_second_person_says_the_same() {
        let at = IngestTime::from_millis(7).unwrap();
        let mut hasty: Vec<Label> = (0..50)
            .map(|nth| Label {
                at,
                ..label("eve", nth, Side::FalseAlarm, 70.0)
            })
            .collect();
        let counted = |labels: &[Label]| {
            weights(labels, LIMITS)
                .iter()
                .filter(|weight| **weight > 0.0)
                .count()
        };
        assert_eq!(counted(&hasty), 20);
        hasty.iter_mut().for_each(|label| label.seconded = true);
        assert_eq!(counted(&hasty), 50);
        assert!((sum(&hasty) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn one_account_weighs_three_labels() {
        let same: Vec<Label> = (0..10)
            .map(|nth| Label {
                account: 7,
                ..label("ana", nth, Side::Attack, 70.0)
            })
            .collect();
        assert!((sum(&same) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn one_neighbourhood_weighs_three_labels() {
        let same: Vec<Label> = (0..10)
            .map(|nth| Label {
                source: Some(7),
                ..label("ana", nth, Side::Attack, 70.0)
            })
            .collect();
        assert!((sum(&same) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn what_contradicts_strong_evidence_counts_a_quarter() {
        let check = |side, score, expected: f64| {
            assert!(
                (sum(&[label("ana", 1, side, score)]) - expected).abs() < 1e-9,
                "{side:?} {score}"
            );
        };
        check(Side::FalseAlarm, 70.0, 1.0);
        check(Side::FalseAlarm, 85.0, 0.25);
        check(Side::Attack, 85.0, 1.0);
        check(Side::Expected, 70.0, 0.25);
        let agreed = Label {
            seconded: true,
            ..label("ana", 1, Side::FalseAlarm, 85.0)
        };
        assert!((sum(&[agreed]) - 1.0).abs() < 1e-9);
    }
}
