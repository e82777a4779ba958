//! Reasons as sentences, written straight into text.
//!
//! A replay writes ten sentences for each event; through `fmt` they cost more than anything else in it. So numbers are
//! put down digit by digit, and rounded exactly as `{:.0}` and `{:.1}` round: to the nearest, ties to even.

use crate::evidence::{Fact, Reason};
use crate::math;
use std::fmt;

/// From here on `f64` has no fractions, and a number is written the slow way.
const WHOLE_FROM: f64 = 9_007_199_254_740_992.0;

impl Reason {
    /// Appends the sentence to `out`, as UTF-8: what `Display` gives, at a fraction of its cost.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let mut rest = self.template;
        while let Some((before, after)) = split(rest, b'{') {
            out.extend_from_slice(before.as_bytes());
            let Some((hole, tail)) = split(after, b'}') else {
                out.extend_from_slice(after.as_bytes());
                return;
            };
            match hole.parse::<usize>().ok().and_then(|index| self.facts.get(index)) {
                Some(fact) => fact.write_to(out),
                None => out.push(b'?'),
            }
            rest = tail;
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

impl Fact {
    fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Fact::Count(n) => thousands(math::to_u64(*n), out),
            Fact::Days(d) if *d < 1.0 / 24.0 => text("an hour", out),
            Fact::Days(d) if *d < 1.0 => whole(d * 24.0, " hours", out),
            Fact::Days(d) if *d < 1.5 => text("1 day", out),
            Fact::Days(d) => whole(*d, " days", out),
            Fact::Hours(h) if *h < 1.0 / 60.0 => text("a minute", out),
            Fact::Hours(h) if *h < 1.0 => whole(h * 60.0, " minutes", out),
            Fact::Hours(h) if *h < 48.0 => tenths(*h, " hours", out),
            Fact::Hours(h) => whole(h / 24.0, " days", out),
            Fact::Km(km) => with_unit(*km, " km", out),
            Fact::KmPerHour(v) => with_unit(*v, " km/h", out),
            Fact::Share(p) => share(*p, out),
            Fact::Country(country) => text(country.as_str(), out),
            Fact::Asn(asn) => {
                text("AS", out);
                digits(u64::from(asn.get()), out);
            }
            Fact::Name(text) => name(text, out),
            Fact::Hour(hour) => {
                padded(u64::from(*hour), 2, out);
                text(":00", out);
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Appends a number in decimal digits.
pub fn digits(n: u64, out: &mut Vec<u8>) {
    padded(n, 1, out);
}

/// Appends a number in decimal digits, with zeros in front up to `width` digits, 20 at most.
pub fn padded(n: u64, width: usize, out: &mut Vec<u8>) {
    // As many digits as the largest number has.
    let mut all = [b'0'; 20];
    let (mut rest, mut count) = (n, 0);
    for place in all.iter_mut().rev() {
        *place = digit(rest);
        rest /= 10;
        count += 1;
        if rest == 0 && count >= width {
            break;
        }
    }
    out.extend_from_slice(all.get(all.len() - count..).unwrap_or_default());
}

/// Appends a number to a label.
pub(crate) fn spell(n: u64, label: &mut String) {
    if n >= 10 {
        spell(n / 10, label);
    }
    label.push(char::from(digit(n)));
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
}

/// `split_once` for an ASCII byte.
fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

fn digit(n: u64) -> u8 {
    b'0' + u8::try_from(n % 10).unwrap_or(0)
}

/// In groups of three digits.
fn thousands(n: u64, out: &mut Vec<u8>) {
    if n < 1_000 {
        return digits(n, out);
    }
    thousands(n / 1_000, out);
    out.push(b',');
    padded(n % 1_000, 3, out);
}

/// A number that is not negative, rounded to an integer, with its unit.
fn whole(x: f64, unit: &str, out: &mut Vec<u8>) {
    if x < WHOLE_FROM {
        digits(math::to_u64(x.round_ties_even()), out);
    } else {
        text(&format!("{x:.0}"), out);
    }
    text(unit, out);
}

/// A number from 1 to below 64 rounded to one decimal, with its unit.
fn tenths(x: f64, unit: &str, out: &mut Vec<u8>) {
    // x is `mantissa / 2^shift` exactly, so that ten times it can be rounded exactly too.
    let bits = x.to_bits();
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    let shift = 1_075_u64.saturating_sub(bits >> 52).clamp(1, 52);
    let (ten, half) = (mantissa * 10, 1_u64 << (shift - 1));
    let (floor, rest) = (ten >> shift, ten & ((1 << shift) - 1));
    let up = rest > half || (rest == half && floor % 2 == 1);
    let rounded = floor + u64::from(up);
    digits(rounded / 10, out);
    out.push(b'.');
    out.push(digit(rounded));
    text(unit, out);
}

fn with_unit(number: f64, unit: &str, out: &mut Vec<u8>) {
    thousands(math::to_u64(number), out);
    text(unit, out);
}

fn share(p: f64, out: &mut Vec<u8>) {
    if p >= 0.1 {
        whole(p * 100.0, " %", out);
    } else if p > 0.0 {
        text("1 in ", out);
        thousands(math::to_u64(1.0 / p), out);
    } else {
        text("0 %", out);
    }
}

/// Names come from outside: control and bidirectional characters would forge lines on a terminal (RELIABILITY S-11).
fn name(name: &str, out: &mut Vec<u8>) {
    const LONGEST_CHARS: usize = 80;
    // Nearly every name is short and plain, and is written in one piece.
    let plain = |name: &str| {
        name.bytes()
            .fold(true, |plain, byte| plain & (b' '..0x7f).contains(&byte))
    };
    if name.len() <= LONGEST_CHARS && plain(name) {
        return text(name, out);
    }
    for c in name.chars().take(LONGEST_CHARS) {
        let forging = c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        let shown = if forging { '\u{fffd}' } else { c };
        text(shown.encode_utf8(&mut [0; 4]), out);
    }
    if name.chars().nth(LONGEST_CHARS).is_some() {
        text("…", out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Asn, CountryCode, Text};

    fn text(fact: Fact) -> String {
        fact.to_string()
    }

    #[test]
    fn reasons_read_as_sentences() {
        let reason = Reason::new(
            "first login from {0}: 0 of {1} in {2}",
            vec![
                Fact::Country(CountryCode::new("BR").unwrap()),
                Fact::Count(1412.0),
                Fact::Days(90.0),
            ],
        );
        assert_eq!(reason.to_string(), "first login from BR: 0 of 1,412 in 90 days");
    }

    #[test]
    fn names_cannot_forge_lines() {
        let reason = Reason::new(
            "client {0}",
            vec![Fact::Name(Text::new("a\u{1b}[31m\nb\u{202e}"))],
        );
        assert_eq!(reason.to_string(), "client a\u{fffd}[31m\u{fffd}b\u{fffd}");
        let long = "ä".repeat(81);
        assert_eq!(text(Fact::Name(Text::new(&long))), format!("{}…", "ä".repeat(80)));
    }

    #[test]
    fn a_missing_fact_shows_and_does_not_panic() {
        assert_eq!(
            Reason::new("{0} and {7} and {", vec![]).to_string(),
            "? and ? and "
        );
    }

    #[test]
    fn numbers_are_rounded_as_fmt_rounds_them() {
        for step in 0..200_000_u32 {
            let x = f64::from(step) / 1_024.0;
            assert_eq!(text(Fact::Days(x + 1.5)), format!("{:.0} days", x + 1.5));
            let hours = 1.0 + x % 46.9;
            for hours in [hours, hours * 1.000_000_1, (hours * 20.0).round() / 20.0] {
                assert_eq!(text(Fact::Hours(hours)), format!("{hours:.1} hours"), "{hours:?}");
            }
        }
        for huge in [1e15 + 0.5, 1e17, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(text(Fact::Days(huge)), format!("{huge:.0} days"));
        }
        assert_eq!(text(Fact::Hours(47.999)), "48.0 hours");
    }

    #[test]
    fn every_fact_has_its_unit() {
        let asn = Asn::new(64_500).unwrap();
        for (fact, want) in [
            (Fact::Count(0.0), "0"),
            (Fact::Count(1_000_007.0), "1,000,007"),
            (Fact::Days(0.01), "an hour"),
            (Fact::Days(0.5), "12 hours"),
            (Fact::Days(1.2), "1 day"),
            (Fact::Hours(0.01), "a minute"),
            (Fact::Hours(0.5), "30 minutes"),
            (Fact::Hours(72.0), "3 days"),
            (Fact::Km(12_345.4), "12,345 km"),
            (Fact::KmPerHour(900.0), "900 km/h"),
            (Fact::Share(0.255), "26 %"),
            (Fact::Share(0.001), "1 in 1,000"),
            (Fact::Share(0.0), "0 %"),
            (Fact::Asn(asn), "AS64500"),
            (Fact::Hour(7), "07:00"),
            (Fact::Hour(23), "23:00"),
        ] {
            assert_eq!(text(fact), want);
        }
    }
}
