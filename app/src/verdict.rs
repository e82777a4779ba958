//! The verdict on one event as a line of JSON. Its names are an interface: DESIGN.md section 3.

use habitus_engine::{Learning, MODEL, Record};
use habitus_model::math::round_to;
use habitus_model::{Assessment, Contribution, TenantId};
use habitus_score::POINTS_PER_NAT;
use serde::Serialize;
use std::fmt::Write as _;

/// Decimals of log-odds: a dozen rounded lines then sum to the rounded total within 1e-8.
const NATS_DECIMALS: u8 = 9;

/// Writes verdicts; keeps its buffer.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// Appends the verdict on one event and a line feed. The same assessment gives the same bytes.
    pub fn line(&mut self, record: &Record, assessment: &Assessment, out: &mut Vec<u8>) {
        let a = assessment;
        out.push(b'{');
        value(out, "\"uid\":", a.uid.as_str());
        value(out, ",\"time\":", &a.time.as_millis());
        value(
            out,
            ",\"account\":",
            &a.account.as_ref().map(|account| account.as_str()),
        );
        if a.tenant != TenantId::default() {
            value(out, ",\"tenant\":", a.tenant.as_str());
        }
        word(out, ",\"kind\":", a.kind.name());
        value(out, ",\"risk_score\":", &score(a));
        value(out, ",\"log_odds\":", &nats(a.log_odds.0));
        word(out, ",\"risk_level\":", a.level.name());
        value(out, ",\"confidence\":", &round_to(a.confidence.get(), 3));
        word(out, ",\"disposition\":", a.decision.disposition.name());
        out.extend_from_slice(b",\"contributions\":[");
        for (at, contribution) in a.contributions.iter().enumerate() {
            separate(out, at);
            self.contribution(contribution, out);
        }
        out.extend_from_slice(b"],\"blind\":[");
        for (at, (family, why)) in a.blind.iter().enumerate() {
            separate(out, at);
            value(out, "{\"family\":", family);
            value(out, ",\"why\":", why);
            out.push(b'}');
        }
        out.push(b']');
        if record.learning == Learning::Probe {
            out.extend_from_slice(b",\"probe\":true");
        }
        word(out, ",\"model\":", MODEL);
        out.extend_from_slice(b"}\n");
    }

    fn contribution(&mut self, contribution: &Contribution, out: &mut Vec<u8>) {
        let signed = nats(contribution.nats.0);
        word(out, "{\"signal\":", contribution.signal.0);
        value(out, ",\"log_odds\":", &signed);
        value(out, ",\"points\":", &points(signed));
        if contribution.reason.facts.is_empty() {
            // Two of ten lines have nothing to fill in.
            value(out, ",\"text\":", contribution.reason.template);
            out.push(b'}');
            return;
        }
        self.text.clear();
        // Writing to memory does not fail.
        let _ = write!(self.text, "{}", contribution.reason);
        value(out, ",\"text\":", self.text.as_str());
        out.push(b'}');
    }
}

/// The score with four decimals, cut and not rounded, so that it never seems to reach a level that it does not.
pub fn score(assessment: &Assessment) -> f64 {
    positive_zero((assessment.score.get() * 1e4).floor() / 1e4)
}

/// Nats as points of the score, one decimal.
pub fn points(nats: f64) -> f64 {
    positive_zero(round_to(nats * POINTS_PER_NAT, 1))
}

/// Nats as verdicts write them, nine decimals.
pub fn nats(x: f64) -> f64 {
    positive_zero(round_to(x, NATS_DECIMALS))
}

/// `-0.0` is written as `-0.0`, which reads like an error.
fn positive_zero(x: f64) -> f64 {
    x + 0.0
}

fn separate(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b',');
    }
}

/// A word of our own: nothing in it needs escaping.
fn word(out: &mut Vec<u8>, key: &str, word: &'static str) {
    out.extend_from_slice(key.as_bytes());
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

fn value<T: Serialize + ?Sized>(out: &mut Vec<u8>, key: &str, value: &T) {
    out.extend_from_slice(key.as_bytes());
    // Writing numbers and text to memory does not fail.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(serde_json::to_string(&nats(-1e-12)).unwrap(), "0.0");
        assert_eq!(serde_json::to_string(&points(-0.0001)).unwrap(), "0.0");
        assert_eq!(nats(1.234_567_891_23), 1.234_567_891);
    }
}
