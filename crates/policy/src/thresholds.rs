//! What a score alone recommends, when no rule of the policy says otherwise.

use habitus_model::{Decision, Disposition, RiskScore, Status};
use serde::{Deserialize, Serialize};

/// Scores from which something is recommended, 0–100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Ask for another factor: 1 legitimate event in 100 (the usual step-up budget, SCORING 10).
    pub challenge_from: f64,
    /// A person should look: 1 in 1,000 (the usual alert budget).
    pub review_from: f64,
    /// Refuse. Absent by default: a sensor does not lock people out until a person says so.
    pub deny_from: Option<f64>,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            challenge_from: 40.0,
            review_from: 60.0,
            deny_from: None,
        }
    }
}

impl Thresholds {
    /// What is recommended for a score.
    ///
    /// A failed event is never challenged or denied: it achieved nothing, and containment for failures acts on the source,
    /// never on the victim.
    #[must_use]
    pub fn decide(&self, score: RiskScore, status: Status) -> Decision {
        let score = score.get();
        let reviewed = score >= self.review_from;
        match (status, self.deny_from) {
            (Status::Failure, _) if reviewed => decision(Disposition::Review, "score from `review_from`"),
            (Status::Failure, _) => decision(Disposition::Allow, "it failed by itself"),
            (_, Some(from)) if score >= from => decision(Disposition::Deny, "score from `deny_from`"),
            _ if reviewed => decision(Disposition::Review, "score from `review_from`"),
            _ if score >= self.challenge_from => {
                decision(Disposition::Challenge, "score from `challenge_from`")
            }
            _ => decision(Disposition::Allow, "score below every threshold"),
        }
    }
}

fn decision(disposition: Disposition, because: &'static str) -> Decision {
    Decision { disposition, because }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_nobodys_lockout() {
        let strict = Thresholds {
            deny_from: Some(50.0),
            ..Thresholds::default()
        };
        let decide = |score: f64, status| strict.decide(RiskScore::new(score), status).disposition;
        assert_eq!(decide(99.0, Status::Failure), Disposition::Review);
        assert_eq!(decide(99.0, Status::Success), Disposition::Deny);
        assert_eq!(decide(45.0, Status::Success), Disposition::Challenge);
        assert_eq!(decide(10.0, Status::Success), Disposition::Allow);
    }
}
