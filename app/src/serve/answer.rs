//! Assessments in the words of the API: the same names and numbers as in `--verdicts`.

use crate::verdict;
use habitus_console::product::{AssessAnswer, BlindLine, ContributionLine};
use habitus_engine::MODEL;
use habitus_model::math::round_to;
use habitus_model::{Assessment, Blind, Disposition, Family};
use habitus_policy::Policy;

/// The answer on one event; `disposition` is what the policy in force made of it.
pub fn of(assessment: &Assessment, disposition: Disposition, policy: &Policy) -> AssessAnswer {
    let a = assessment;
    AssessAnswer {
        uid: Some(a.uid.to_string()),
        time: Some(a.time.as_millis()),
        account: a.account.as_ref().map(ToString::to_string),
        risk_score: Some(verdict::score(a)),
        log_odds: Some(verdict::nats(a.log_odds.0)),
        risk_level: Some(a.level),
        confidence: Some(round_to(a.confidence.get(), 3)),
        disposition,
        contributions: contributions(a),
        blind: blind(&a.blind),
        degraded: false,
        degraded_reason: None,
        model: Some(MODEL.to_owned()),
        policy: Some(policy.version().to_owned()),
        mode: Some(policy.mode()),
    }
}

/// The lines of the explanation.
pub fn contributions(assessment: &Assessment) -> Vec<ContributionLine> {
    let line = |c: &habitus_model::Contribution| {
        let nats = verdict::nats(c.nats.0);
        ContributionLine {
            signal: c.signal.0.to_owned(),
            log_odds: nats,
            points: verdict::points(nats),
            text: c.reason.to_string(),
        }
    };
    assessment.contributions.iter().map(line).collect()
}

/// What could not speak.
pub fn blind(all: &[(Family, Blind)]) -> Vec<BlindLine> {
    let line = |(family, why): &(Family, Blind)| BlindLine {
        family: word(family),
        why: word(why),
    };
    all.iter().map(line).collect()
}

/// The name that a model word is written as.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
