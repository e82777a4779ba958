//! What a detector says: evidence with a sign and a reason, or an abstention with its cause.

use crate::assessment::Blind;
use crate::{Asn, CountryCode, Text, math};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Families of evidence (SCORING 0). Families of one cluster share what they know; fusion damps the overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// N: where on the network.
    Network,
    /// D: with what client.
    Device,
    /// ND: both at once.
    Joint,
    /// C: at what hour.
    Clock,
    /// G: after what silence.
    Gap,
    /// M: how fast between places.
    Motion,
    /// A: by what proof.
    Authentication,
    /// S: in what session.
    Session,
    /// R: towards what resource.
    Resource,
    /// Q: after what actions.
    Sequence,
    /// B: among how many attempts.
    Burst,
    /// X: together with which other accounts.
    Campaign,
}

/// Attacker profiles: each detector says how likely its observation is under each (SCORING 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttackerProfile {
    /// Stuffing, spray, phishing kits: from anywhere, with anything.
    Opportunistic,
    /// A proxy in the victim's country.
    CountryAware,
    /// The victim's network and client are imitated.
    Targeted,
    /// A session or token is used elsewhere.
    TokenTheft,
    /// The owner's own device or the owner.
    Insider,
}

impl AttackerProfile {
    /// Every profile, in the order of all arrays by profile.
    pub const ALL: [AttackerProfile; 5] = [
        AttackerProfile::Opportunistic,
        AttackerProfile::CountryAware,
        AttackerProfile::Targeted,
        AttackerProfile::TokenTheft,
        AttackerProfile::Insider,
    ];

    /// The name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AttackerProfile::Opportunistic => "opportunistic",
            AttackerProfile::CountryAware => "country_aware",
            AttackerProfile::Targeted => "targeted",
            AttackerProfile::TokenTheft => "token_theft",
            AttackerProfile::Insider => "insider",
        }
    }
}

/// One number per attacker profile, in the order of [`AttackerProfile::ALL`].
pub type PerProfile = [f64; 5];

/// A detector's id: the name of its file, metric label, configuration key and fixture folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct DetectorId(pub &'static str);

/// The name of one observation, as verdicts write it: `new_country`, `known_device`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Signal(pub &'static str);

/// One fact of a reason: a number or a name with its unit, rendered only when somebody reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Fact {
    /// A count; rounded, with thousands separators.
    Count(f64),
    /// Days.
    Days(f64),
    /// Hours.
    Hours(f64),
    /// Kilometres.
    Km(f64),
    /// Kilometres per hour.
    KmPerHour(f64),
    /// A share in `[0, 1]`, shown as "1 in n" or per cent.
    Share(f64),
    /// A country.
    Country(CountryCode),
    /// An autonomous system.
    Asn(Asn),
    /// A name from the event.
    Name(Text),
    /// An hour of the local day, 0–23.
    Hour(u8),
}

/// Why: a sentence with holes, and the facts that fill them. Holes are `{0}`, `{1}`, …
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The sentence, lower case, without a final stop.
    pub template: &'static str,
    /// The facts, in the order of the holes.
    pub facts: Vec<Fact>,
}

/// A signed log-likelihood ratio per attacker profile, with its reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Family, for weights and clusters.
    pub family: Family,
    /// Name of the observation.
    pub signal: Signal,
    /// `ln p_attacker − ln p_legitimate`, nats, per attacker profile.
    pub nats: PerProfile,
    /// Why.
    pub reason: Reason,
}

/// What a detector says of one event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Opinion {
    /// Nothing can be said, and this is why. Not the same as 0: the score tells what it is blind to.
    Abstain(Blind),
    /// Observations, each with its own sign. Empty: looked, and found nothing worth saying.
    Evidence(Vec<Evidence>),
}

impl Reason {
    /// A sentence with facts.
    #[must_use]
    pub fn new(template: &'static str, facts: Vec<Fact>) -> Self {
        Self { template, facts }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            f.write_str(before)?;
            let Some((hole, tail)) = after.split_once('}') else {
                return f.write_str(after);
            };
            match hole.parse::<usize>().ok().and_then(|index| self.facts.get(index)) {
                Some(fact) => fact.fmt(f)?,
                None => f.write_str("?")?,
            }
            rest = tail;
        }
        f.write_str(rest)
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fact::Count(n) => thousands(math::to_u64(*n), f),
            Fact::Days(d) if *d < 1.0 / 24.0 => f.write_str("an hour"),
            Fact::Days(d) if *d < 1.0 => write!(f, "{:.0} hours", d * 24.0),
            Fact::Days(d) if *d < 1.5 => f.write_str("1 day"),
            Fact::Days(d) => write!(f, "{d:.0} days"),
            Fact::Hours(h) if *h < 1.0 / 60.0 => f.write_str("a minute"),
            Fact::Hours(h) if *h < 1.0 => write!(f, "{:.0} minutes", h * 60.0),
            Fact::Hours(h) if *h < 48.0 => write!(f, "{h:.1} hours"),
            Fact::Hours(h) => write!(f, "{:.0} days", h / 24.0),
            Fact::Km(km) => with_unit(*km, " km", f),
            Fact::KmPerHour(v) => with_unit(*v, " km/h", f),
            Fact::Share(p) => fmt_share(*p, f),
            Fact::Country(country) => country.fmt(f),
            Fact::Asn(asn) => asn.fmt(f),
            Fact::Name(name) => fmt_name(name, f),
            Fact::Hour(hour) => write!(f, "{hour:02}:00"),
        }
    }
}

fn with_unit(number: f64, unit: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    thousands(math::to_u64(number), f)?;
    f.write_str(unit)
}

fn fmt_share(p: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if p >= 0.1 {
        write!(f, "{:.0} %", p * 100.0)
    } else if p > 0.0 {
        f.write_str("1 in ")?;
        thousands(math::to_u64(1.0 / p), f)
    } else {
        f.write_str("0 %")
    }
}

/// Names come from outside: control and bidirectional characters would forge lines on a terminal (RELIABILITY S-11).
fn fmt_name(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const LONGEST_CHARS: usize = 80;
    // Nearly every name is short and plain, and is written in one piece.
    if name.len() <= LONGEST_CHARS && name.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return f.write_str(name);
    }
    for c in name.chars().take(LONGEST_CHARS) {
        let forging = c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        fmt::Write::write_char(f, if forging { '\u{fffd}' } else { c })?;
    }
    if name.chars().nth(LONGEST_CHARS).is_some() {
        f.write_str("…")
    } else {
        Ok(())
    }
}

/// Writes a number in groups of three digits.
fn thousands(n: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if n < 1_000 {
        return write!(f, "{n}");
    }
    thousands(n / 1_000, f)?;
    write!(f, ",{:03}", n % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }

    #[test]
    fn a_missing_fact_shows_and_does_not_panic() {
        assert_eq!(
            Reason::new("{0} and {7} and {", vec![]).to_string(),
            "? and ? and "
        );
    }
}
