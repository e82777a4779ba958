//! How much stands behind a score: history and signals, shown beside it and never mixed into it.

use habitus_model::{Blind, Confidence, Family};

/// Visits at which history alone gives half of full confidence: novelty hazards are then measured rather than assumed.
const HALF_VISITS: f64 = 4.0;
/// What an account without history is worth: its population still speaks.
const FLOOR: f64 = 0.25;

/// Confidence from the effective number of earlier visits and the families that could not speak.
#[must_use]
pub fn confidence(visits: f64, blind: &[(Family, Blind)]) -> Confidence {
    let history = visits / (visits + HALF_VISITS);
    // Only missing data counts here; thin history is counted above, and what does not apply is no loss.
    let lost: f64 = blind
        .iter()
        .filter(|(_, why)| !matches!(why, Blind::ThinHistory | Blind::NotApplicable))
        .map(|(family, _)| share(*family))
        .sum();
    Confidence::new((FLOOR + (1.0 - FLOOR) * history) * (1.0 - lost))
}

/// Share of the separating power a family is taken to carry. Assumed; ablations will measure it.
fn share(family: Family) -> f64 {
    match family {
        Family::Network => 0.45,
        Family::Device => 0.35,
        Family::Motion => 0.10,
        Family::Clock | Family::Gap => 0.05,
        Family::Joint
        | Family::Authentication
        | Family::Session
        | Family::Resource
        | Family::Sequence
        | Family::Burst
        | Family::Campaign
        | Family::Machine
        | Family::Volume => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_and_sight_raise_confidence() {
        let new = confidence(0.0, &[]).get();
        let old = confidence(100.0, &[]).get();
        let blind = confidence(100.0, &[(Family::Network, Blind::NoAddress)]).get();
        assert!(new < blind && blind < old && old <= 1.0);
    }
}
