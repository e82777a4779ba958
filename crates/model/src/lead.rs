//! Which line of an explanation an event is called after.
//!
//! The largest number is not always the cause. What somebody does after coming in adds up without end, so that who explores with a
//! stolen session would be called an explorer; and what is new about a network follows from a session having been carried there.
//! People look for the cause first, and findings group by it: how somebody came in, if that stands out by itself, and by the
//! session or the machine's credential, if that was the way.

use crate::{Family, Nats};

/// From here on how somebody came in stands out by itself, nats, whatever is done then: 20 to 1. At 3, 6, 9 and 12 findings are called
/// after the planted cause in 91, 90, 87 and 86 % in enterprises, and in 84, 82, 80 and 80 % in small companies (seeds 1–3); insiders
/// are called after what they do with each. Measured while any proof was a way in.
const ENTRANCE_NATS: f64 = 3.0;
/// A way in.
struct Way {
    family: Family,
    /// Names of the observations that tell of it; empty: all of the family.
    signals: &'static [&'static str],
    /// From where on a line is the cause of what is new about network and client, nats.
    least: f64,
}

/// Ways in. A session that was carried there says so itself (at 2, 68 % of stolen sessions are called so where 88 % are at 0.5); what follows
/// guesses, refused prompts or a help desk's reset must be more than a coincidence. That a proof is weaker than usual is no way:
/// with it 88 % of single takeovers were called after network and client, which were planted, and without it 95 % (enterprises, seeds 1–3).
/// All numbers but the session's are assumed.
const WAYS: [Way; 4] = [
    Way {
        family: Family::Burst,
        signals: &[],
        least: 4.0,
    },
    Way {
        family: Family::Machine,
        signals: &[],
        least: 2.0,
    },
    Way {
        family: Family::Session,
        signals: &[],
        least: 0.5,
    },
    Way {
        family: Family::Authentication,
        signals: &["after_recovery", "approved_after_denials", "prompts_failed"],
        least: 2.5,
    },
];

/// A line of an explanation.
pub trait Accusing {
    /// What it is about; absent for the lines of fusion itself.
    fn family(&self) -> Option<Family>;
    /// The name of the observation.
    fn signal(&self) -> &str;
    /// What it says; negative speaks for the owner.
    fn nats(&self) -> Nats;

    /// Whether it is evidence against the owner.
    fn accuses(&self) -> bool {
        self.family().is_some() && self.nats().0 > 0.0
    }
}

/// The line an event is called after; absent if nothing accuses. Cost: a few passes over the lines.
#[must_use]
pub fn lead<L: Accusing>(lines: &[L]) -> Option<&L> {
    let overall = strongest(lines, |_| true)?;
    let is_deed = overall.family().is_some_and(is_deed);
    if is_deed && sum(lines, is_entrance) < ENTRANCE_NATS {
        return Some(overall);
    }
    if !is_deed && !overall.family().is_some_and(is_entrance) {
        return Some(overall);
    }
    way(lines)
        .or_else(|| strongest(lines, |line| line.family().is_some_and(is_entrance)))
        .or(Some(overall))
}

/// The line that says by what way somebody came in, if it is one that explains the rest.
fn way<L: Accusing>(lines: &[L]) -> Option<&L> {
    let said = WAYS.iter().filter_map(|way| {
        let of = |line: &L| {
            let named = way.signals.is_empty() || way.signals.contains(&line.signal());
            named && line.family() == Some(way.family)
        };
        let line = strongest(lines, of)?;
        (line.nats().0 >= way.least).then(|| (sum(lines, |family| family == way.family), line))
    });
    said.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, line)| line)
}

/// The lines that accuse: the one the event is called after, then the others by size.
#[must_use]
pub fn reasons<L: Accusing>(lines: &[L]) -> Vec<&L> {
    let Some(lead) = lead(lines) else {
        return Vec::new();
    };
    let others = lines.iter().filter(|line| !std::ptr::eq(*line, lead));
    let mut others: Vec<&L> = others.filter(|line| line.accuses()).collect();
    others.sort_by(|a, b| b.nats().0.total_cmp(&a.nats().0));
    others.insert(0, lead);
    others
}

/// The first of the strongest lines that accuse, of such lines.
fn strongest<L: Accusing>(lines: &[L], of: impl Fn(&L) -> bool) -> Option<&L> {
    let accusing = lines.iter().rev().filter(|line| line.accuses() && of(line));
    accusing.max_by(|a, b| a.nats().0.total_cmp(&b.nats().0))
}

/// What such families say together.
fn sum<L: Accusing>(lines: &[L], of: impl Fn(Family) -> bool) -> f64 {
    let those = lines.iter().filter(|line| line.family().is_some_and(&of));
    those.map(|line| line.nats().0).sum()
}

/// What is done once somebody is in.
const fn is_deed(family: Family) -> bool {
    matches!(family, Family::Resource | Family::Sequence | Family::Volume)
}

/// How somebody comes in. Guessing and campaigns are neither: they are counted over many.
const fn is_entrance(family: Family) -> bool {
    !is_deed(family) && !matches!(family, Family::Burst | Family::Campaign)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Line(Option<Family>, f64, &'static str);

    impl Accusing for Line {
        fn family(&self) -> Option<Family> {
            self.0
        }
        fn signal(&self) -> &str {
            self.2
        }
        fn nats(&self) -> Nats {
            Nats(self.1)
        }
    }

    fn led(lines: &[(Family, f64)]) -> Option<Family> {
        let mut lines: Vec<Line> = lines
            .iter()
            .map(|(family, nats)| Line(Some(*family), *nats, "something"))
            .collect();
        lines.push(Line(None, 50.0, "prior"));
        lead(&lines).and_then(Accusing::family)
    }

    #[test]
    fn who_explores_with_a_stolen_session_is_called_after_the_session() {
        let theft = [
            (Family::Resource, 30.0),
            (Family::Network, 6.1),
            (Family::Device, 5.0),
            (Family::Session, 2.5),
        ];
        assert_eq!(led(&theft), Some(Family::Session));
        let login = [
            (Family::Resource, 30.0),
            (Family::Network, 6.1),
            (Family::Session, 0.1),
        ];
        assert_eq!(led(&login), Some(Family::Network));
        let machine = [(Family::Network, 6.7), (Family::Machine, 3.6)];
        assert_eq!(led(&machine), Some(Family::Machine));
        let workflow = [
            (Family::Session, 4.5),
            (Family::Machine, 3.8),
            (Family::Machine, 3.2),
        ];
        assert_eq!(led(&workflow), Some(Family::Machine));
    }

    #[test]
    fn a_proof_is_the_way_if_it_was_got_round_and_not_if_it_was_weak() {
        let lines = |signal| {
            [
                Line(Some(Family::Network), 6.7, "new_country"),
                Line(Some(Family::Burst), 5.0, "brute_force"),
                Line(Some(Family::Authentication), 5.5, signal),
            ]
        };
        let led = |signal| lead(&lines(signal)).map(|line| line.2);
        assert_eq!(led("prompts_failed"), Some("prompts_failed"));
        assert_eq!(led("after_recovery"), Some("after_recovery"));
        assert_eq!(led("weaker_factor"), Some("brute_force"));
    }

    #[test]
    fn an_entrance_that_does_not_stand_out_by_itself_is_no_cause() {
        let insider = [
            (Family::Resource, 12.0),
            (Family::Network, 5.0),
            (Family::Device, 1.5),
            (Family::Joint, -4.0),
        ];
        assert_eq!(led(&insider), Some(Family::Resource));
        let guessing = [(Family::Burst, 9.0), (Family::Network, 7.0)];
        assert_eq!(led(&guessing), Some(Family::Burst));
    }

    #[test]
    fn nothing_that_excuses_or_comes_of_fusion_leads() {
        assert_eq!(led(&[(Family::Network, -1.0)]), None);
        assert_eq!(led(&[]), None);
    }

    #[test]
    fn reasons_begin_with_the_cause_and_go_on_by_size() {
        let lines = [
            Line(Some(Family::Resource), 9.0, "something"),
            Line(Some(Family::Network), 3.0, "something"),
            Line(None, 4.0, "something"),
            Line(Some(Family::Session), 7.0, "something"),
            Line(Some(Family::Clock), -1.0, "something"),
        ];
        let told: Vec<f64> = reasons(&lines).iter().map(|line| line.nats().0).collect();
        assert_eq!(told, [7.0, 9.0, 3.0]);
    }
}
