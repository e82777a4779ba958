//! Numbers and sentences of findings, for people.

use crate::hit::{Hit, Line};
use habitus_model::RiskScore;
use habitus_model::math::round_to;

/// Reasons told against the owner.
const REASONS_MAX: usize = 4;

/// Points of the score for one nat of log-odds: 20 / ln 10, as the score is 20 points for each decade.
pub const POINTS_PER_NAT: f64 = RiskScore::POINTS_PER_DECADE / std::f64::consts::LN_10;

/// Nats as points of the score, one decimal.
#[must_use]
pub fn points(nats: f64) -> f64 {
    // `-0.0` would be written with its sign.
    round_to(nats * POINTS_PER_NAT, 1) + 0.0
}

/// The score with four decimals, cut and not rounded, so that it never seems to reach a level that it does not.
#[must_use]
pub fn score(score: RiskScore) -> f64 {
    (score.get() * 1e4).floor() / 1e4 + 0.0
}

/// A reason as a sentence: with a capital and a final stop. Empty for no text.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

/// The reasons as sentences, the cause first and at most four, and what speaks for the owner at the end.
#[must_use]
pub fn sentences(hit: &Hit) -> Vec<String> {
    let mut told: Vec<String> = hit
        .reasons()
        .into_iter()
        .take(REASONS_MAX)
        .map(|line| sentence(&line.text))
        .collect();
    let excuses = |line: &&Line| line.family.is_some() && line.nats.0 < 0.0;
    let excuse = hit.lines.iter().find(excuses);
    told.extend(excuse.map(|line| format!("For the owner speaks: {}.", line.text)));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_and_have_no_negative_zero() {
        assert_eq!(score(RiskScore::new(59.999_99)), 59.9999);
        assert!(points(-0.0001).is_sign_positive());
        assert!((POINTS_PER_NAT - 8.685_889_638_065_035).abs() < 1e-12);
        assert_eq!(sentence("élan"), "Élan.");
        assert_eq!(sentence(""), "");
    }
}
