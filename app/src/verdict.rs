//! The verdict on one event as a line of JSON. Its names are an interface: DESIGN.md section 3.

use habitus_engine::{Judged, Learning, MODEL, Record};
use habitus_model::math::{from_i64, round_to, to_i64};
use habitus_model::sentence::{digits, padded};
use habitus_model::{
    AccountKind, Assessment, Blind, Confidence, Contribution, Decision, EventTime, Family, Nats, Reason,
    RiskLevel, RiskScore, TenantId,
};
use habitus_score::POINTS_PER_NAT;
use serde::Serialize;

/// Decimals of log-odds: a dozen rounded lines then sum to the rounded total within 1e-8.
const NATS_DECIMALS: u8 = 9;
const NATS_SCALE: u32 = 1_000_000_000;
const SCORE_SCALE: u32 = 10_000;

/// What a verdict says beside what its record says.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'v> {
    kind: AccountKind,
    score: RiskScore,
    log_odds: Nats,
    level: RiskLevel,
    confidence: Confidence,
    decision: &'v Decision,
    contributions: &'v [Contribution],
    blind: &'v [(Family, Blind)],
}

impl<'v> From<&'v Assessment> for Verdict<'v> {
    fn from(a: &'v Assessment) -> Self {
        Self {
            kind: a.kind,
            score: a.score,
            log_odds: a.log_odds,
            level: a.level,
            confidence: a.confidence,
            decision: &a.decision,
            contributions: &a.contributions,
            blind: &a.blind,
        }
    }
}

impl<'v> From<&'v Judged> for Verdict<'v> {
    fn from(judged: &'v Judged) -> Self {
        Self {
            kind: judged.kind,
            score: judged.score,
            log_odds: judged.log_odds,
            level: judged.level,
            confidence: judged.confidence,
            decision: &judged.decision,
            contributions: judged.contributions.as_deref().unwrap_or_default(),
            blind: &judged.blind,
        }
    }
}

/// Writes verdicts; keeps its buffer.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// Appends the verdict on one event and a line feed. The same verdict gives the same bytes.
    pub fn line(&mut self, record: &Record, verdict: Verdict<'_>, out: &mut Vec<u8>) {
        let (a, context) = (verdict, &record.context);
        out.push(b'{');
        text(out, "\"uid\":", record.uid.as_str());
        time(out, context.time);
        match &context.account {
            Some(account) => text(out, ",\"account\":", account.as_str()),
            None => out.extend_from_slice(b",\"account\":null"),
        }
        if context.tenant != TenantId::default() {
            text(out, ",\"tenant\":", context.tenant.as_str());
        }
        word(out, ",\"kind\":", a.kind.name());
        number(out, ",\"risk_score\":", cut(a.score), SCORE_SCALE);
        number(out, ",\"log_odds\":", nats(a.log_odds.0), NATS_SCALE);
        word(out, ",\"risk_level\":", a.level.name());
        number(out, ",\"confidence\":", round_to(a.confidence.get(), 3), 1_000);
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

    /// The sentence goes straight into the line; should it need escapes, once more with them.
    fn reason(&mut self, reason: &Reason, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(b",\"text\":\"");
        let text = out.len();
        reason.write_to(out);
        if out.get(text..).is_some_and(is_plain) {
            out.push(b'"');
            return;
        }
        self.text.clear();
        self.text
            .push_str(&String::from_utf8_lossy(out.get(text..).unwrap_or_default()));
        out.truncate(start);
        value(out, ",\"text\":", &self.text);
    }

    fn contribution(&mut self, contribution: &Contribution, out: &mut Vec<u8>) {
        let signed = nats(contribution.nats.0);
        word(out, "{\"signal\":", contribution.signal.0);
        number(out, ",\"log_odds\":", signed, NATS_SCALE);
        number(out, ",\"points\":", points(signed), 10);
        self.reason(&contribution.reason, out);
        out.push(b'}');
    }
}

/// Whether text from outside may stand in JSON as it is. Nearly all of it may.
fn is_plain(text: &[u8]) -> bool {
    let escaped = |byte: u8| (byte < b' ') | (byte == b'"') | (byte == b'\\');
    !text.iter().fold(false, |any, byte| any | escaped(*byte))
}

/// The score with four decimals, cut and not rounded, so that it never seems to reach a level that it does not.
pub fn score(assessment: &Assessment) -> f64 {
    cut(assessment.score)
}

fn cut(score: RiskScore) -> f64 {
    positive_zero((score.get() * 1e4).floor() / 1e4)
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

/// Text from outside. Nearly all of it needs no escaping and goes out in one piece.
fn text(out: &mut Vec<u8>, key: &str, text: &str) {
    if !is_plain(text.as_bytes()) {
        return value(out, key, text);
    }
    out.extend_from_slice(key.as_bytes());
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// A number with few decimals, `scale` being one in the last of them: the bytes that `serde_json` gives, sooner. The
/// shortest text that reads as a number is its decimals, if these have 15 digits at most (IEEE 754: `DBL_DIG`).
fn number(out: &mut Vec<u8>, key: &str, x: f64, scale: u32) {
    const DIGITS_15: f64 = 1e15;
    let wide = f64::from(scale);
    let whole = to_i64(x * wide);
    let held = from_i64(whole);
    // Small numbers are written with an exponent.
    let fits = held.abs() < DIGITS_15 && (x.abs() >= 1e-3 || whole == 0) && held / wide == x;
    if !fits || (whole == 0 && x.is_sign_negative()) {
        return value(out, key, &x);
    }
    out.extend_from_slice(key.as_bytes());
    if whole < 0 {
        out.push(b'-');
    }
    let units = whole.unsigned_abs();
    let decimals = usize::try_from(scale.ilog10()).unwrap_or(0);
    let scale = u64::from(scale);
    digits(units / scale, out);
    out.push(b'.');
    let (mut rest, mut width) = (units % scale, decimals);
    while rest % 10 == 0 && width > 1 {
        rest /= 10;
        width -= 1;
    }
    padded(rest, width, out);
}

/// Milliseconds since 1970.
fn time(out: &mut Vec<u8>, time: EventTime) {
    let ms = time.as_millis();
    out.extend_from_slice(if ms < 0 { b",\"time\":-" } else { b",\"time\":" });
    digits(ms.unsigned_abs(), out);
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

    #[test]
    fn numbers_and_text_are_written_as_serde_writes_them() {
        let same_number = |x: f64, scale: u32| {
            let mut out = Vec::new();
            number(&mut out, "", x, scale);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                serde_json::to_string(&x).unwrap()
            );
        };
        let mut state = 1_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let size = [1e-9, 1e-6, 1e-3, 1.0, 30.0, 1e3, 1e7, 1e20][usize::try_from(state % 8).unwrap()];
            let x = (f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX) - 0.5) * size;
            for (digits, scale) in [(1, 10), (3, 1_000), (4, SCORE_SCALE), (9, NATS_SCALE)] {
                same_number(round_to(x, digits), scale);
                same_number(round_to(x, digits) + 0.0, scale);
            }
            same_number(x, NATS_SCALE);
        }
        for odd in [0.0, -0.0, 100.0, 0.001, 1e-9, f64::NAN, f64::INFINITY, 1e300] {
            same_number(odd, NATS_SCALE);
        }
        for said in [
            "plain",
            "quo\"te",
            "back\\slash",
            "line\nfeed",
            "\u{7f}\u{1f}é",
            "",
        ] {
            let mut out = Vec::new();
            text(&mut out, "", said);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                serde_json::to_string(said).unwrap()
            );
        }
    }
}
